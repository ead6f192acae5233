package pages

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

// RehearsalRow is one rehearsal.
type RehearsalRow struct {
	ID, Href string
	Held     components.Time
	State    components.State
	Verdict  string
	Versions string // "V0.0.20, V0.0.21"
	Data     string // "a restored backup of 12.3 MB"
	By       string
	SHA256   string
}

// RehearsalListView is the newest 50 rehearsals.
type RehearsalListView struct {
	layouts.Shell
	Rows    []RehearsalRow
	Nothing string
	Backups string // where one is ordered; empty for people of other tenants
}

// RehearsedStatement is one statement as it was measured.
type RehearsedStatement struct {
	Line, SQL       string
	Took, Rows, WAL string
	Locks           []string // "public.lots: AccessExclusiveLock"
	Rewrites        []string
}

// RehearsedPass is one file from its beginning to its end or its first error.
type RehearsedPass struct {
	Name     string // "Up", "Down", "Up again"
	Took     string
	Words    string // "14 statements; 12 of them quick and without a lock on what was there"
	Error    string
	Measured []RehearsedStatement // those that somebody could notice
	Open     string               // the id of the part that unfolds
}

// RehearsedVersion is one version that went up, down and up.
type RehearsedVersion struct {
	Version, Href string
	State         components.State
	SHA256        string
	Passes        []RehearsedPass
	Wrong         []string
	Schema        string // what the comparison of the schemas said
	Checks        string // what the post-checks said
}

// SampleOffer offers a rehearsal where there is no backup yet; without a text nothing is offered.
type SampleOffer struct {
	Text   string
	Order  Order
	WhoCan []string
	Fresh  string // where to sign in afresh before
}

// RehearsalShowView is one rehearsal as it was kept.
type RehearsalShowView struct {
	layouts.Shell
	ID       string
	State    components.State
	Verdict  string
	Facts    []components.Fact
	SHA256   string
	Download string
	Versions []RehearsedVersion
	// Caveat says what a rehearsal that was not held on a backup is worth, and Sampled the tables of which not every row was
	// there; empty for any other.
	Caveat  string
	Sampled []components.Fact
	Missing string // what was planned and not reached
}
