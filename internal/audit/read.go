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
	// Names are people of the tenant, and Releases its newest ones: what can be asked for, and what an id stands for.
	Names    []string
	Releases []Release
}

// Release is a release by its id and by its code.
type Release struct{ ID, Code string }

// Named is the code of a release; empty where it is not among the newest.
func (p Page) Named(id string) string {
	for _, r := range p.Releases {
		if r.ID == id {
			return r.Code
		}
	}
	return ""
}

// Near are queries that were meant, perhaps, where nothing was found: a whole name for a part of it, and a release, an item or
// a gate as the trail writes it for how people say it.
func (p Page) Near(q Query) []Query {
	const enough = 20
	var list []Query
	if q.Person != "" {
		for _, name := range p.Names {
			if name != q.Person && strings.Contains(strings.ToLower(name), strings.ToLower(q.Person)) {
				near := q
				near.Person = name
				list = append(list, near)
			}
		}
	}
	for _, r := range p.Releases {
		near := q
		switch kind := strings.ToLower(q.ObjectKind); {
		case kind == "release" && q.ObjectID == r.Code, q.ObjectID == "" && q.ObjectKind == r.Code, q.ObjectID == "" && q.ObjectKind == r.ID:
			near.ObjectKind, near.ObjectID = "release", r.ID
		case (kind == "item" || kind == "gate") && q.ObjectID != "" && !strings.Contains(q.ObjectID, "/"):
			near.ObjectKind, near.ObjectID = kind, r.ID+"/"+q.ObjectID
		default:
			continue
		}
		list = append(list, near)
	}
	if len(list) > enough {
		return list[:enough]
	}
	return list
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
