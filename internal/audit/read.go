package audit

import (
	"strings"
	"time"
)

// Query asks for a page of a tenant's trail, newest first. Empty fields ask for anything.
type Query struct {
	Person     string // subject or name, exactly
	Action     string
	ObjectKind string
	ObjectID   string
	Outcome    Outcome
	From, To   time.Time // half open: From <= at < To; zero is open
	Before     int64     // entries with a smaller Seq; zero starts at the newest
	Limit      int
}

// Filter names what the query leaves out, for the trail's own entry about being read or exported; empty is everything.
func (q Query) Filter() map[string]string {
	filter := map[string]string{}
	add := func(name, value string) {
		if value != "" {
			filter[name] = value
		}
	}
	add("person", q.Person)
	add("action", q.Action)
	add("object", strings.TrimSpace(q.ObjectKind+" "+q.ObjectID))
	add("outcome", string(q.Outcome))
	if !q.From.IsZero() {
		add("from", q.From.UTC().Format(time.RFC3339))
	}
	if !q.To.IsZero() {
		add("to", q.To.UTC().Format(time.RFC3339))
	}
	return filter
}

// Page is one page of the trail, and what is known of the chain.
type Page struct {
	Entries []Entry
	More    bool
	// Checked is the newest check of the chain; nil where it was never checked.
	Checked *Check
	// Published says that heads of the chain are kept outside the database, too.
	Published bool
	// Unrecorded says that the trail takes no entry, so that this reading does not stand in it.
	Unrecorded bool
	// Seal is the newest seal; nil where nothing was ever sealed. SealProblem says why it cannot be relied on, as far as one
	// seal by itself shows; Proven that its signature was checked with a key that is trusted here.
	Seal        *Seal
	SealProblem string
	Proven      bool
	// Sealing says that a key is there to seal with.
	Sealing bool
}

// Check is the result of walking a tenant's chain from its first entry to its head.
type Check struct {
	Seq  int64 // the last good entry
	Head []byte
	// Break is empty where the chain is whole, else the first entry that does not fit and why.
	Break     string
	Entries   int64
	CheckedAt time.Time
	// HeadsBegin says that earlier walks are stored, and that no head of this chain had been published before this one:
	// heads are published for the first time, or the file that held them was emptied, lost or exchanged.
	HeadsBegin bool
	// Seal is the newest seal after the walk; nil where nothing was ever sealed.
	Seal *Seal
	// Unproven says that there are seals, and no key that their signatures could be checked with.
	Unproven bool
}

// Whole says whether the chain held.
func (c Check) Whole() bool { return c.Break == "" }
