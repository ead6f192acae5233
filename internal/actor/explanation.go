package actor

// Explanation says what Gatehouse makes of the claims of a sign-in, and why, without anybody signing in. Identity is made
// by the same code as at a real one.
type Explanation struct {
	Identity Identity
	// RoleClaim and TenantClaim are the paths that were looked at; empty TenantClaim means one tenant for everybody.
	RoleClaim, TenantClaim string
	// Shape says what is wrong with the role claim as a whole: missing, or of a kind that holds no roles. Empty where nothing is.
	Shape string
	// Entries are the role claim's, one by one and at most as many as a page can show; More is how many followed.
	Entries []ExplainedEntry
	More    int
	// Refusals are what a real sign-in with these claims would be refused for, besides roles and tenant.
	Refusals []string
	// Notes are sentences about what is missing and does not keep anybody from signing in.
	Notes []string
}

// ExplainedEntry is one entry of the role claim. It counts where it names a role.
type ExplainedEntry struct {
	Text   string
	Counts bool
	Role   Role // where it counts
	Why    string
}
