package migration

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Item is one thing of the live schema that can differ: a table, a column of it, a grant on it.
type Item struct {
	Kind string `json:"kind"`         // table, view, matview, function, extension; column, constraint, index, trigger, policy, rule, grant
	On   string `json:"on,omitempty"` // the table, view or function that it belongs to
	Name string `json:"name"`         // as SQL writes it
	// Facts are what must be the same, as the server prints it; what is empty is left out.
	Facts map[string]string `json:"facts,omitempty"`
}

// Key tells items apart.
func (i Item) Key() string { return i.Kind + " " + i.Title() }

// Title is the item's name for people, with what it belongs to.
func (i Item) Title() string {
	switch {
	case i.On == "":
		return i.Name
	case i.Kind == "column":
		return i.On + "." + i.Name
	case i.Kind == "index":
		return i.Name
	}
	return i.Name + " on " + i.On
}

// Catalog is what a database holds of the objects that our files make, or what a version should leave there.
type Catalog struct {
	Version     string `json:"version,omitempty"`
	ServerMajor int    `json:"server_major"`
	Items       []Item `json:"items"`
}

// DriftKind says in what way an item differs.
type DriftKind string

// The kinds of difference.
const (
	DriftMissing DriftKind = "missing" // expected, and not there
	DriftExtra   DriftKind = "extra"   // on one of our objects, and in no file
	DriftDiffers DriftKind = "differs"
	DriftEarly   DriftKind = "early" // made by a file that the ledger does not hold
)

// Difference is one place where the live schema is not what the ledger says it should be.
type Difference struct {
	Kind            DriftKind `json:"kind"`
	ObjectKind      string    `json:"object_kind"`
	Object          string    `json:"object"`
	Expected        string    `json:"expected"`
	Found           string    `json:"found"`
	Repair          string    `json:"repair"`                // a statement for a person to run; nothing runs it by itself
	Destructive     bool      `json:"destructive,omitempty"` // the repair throws something away
	Counting        string    `json:"-"`                     // counts the values that the repair throws away
	Loses           string    `json:"loses,omitempty"`       // as they were counted
	SHA256          string    `json:"sha256"`                // of exactly this difference
	AcceptanceID    uuid.UUID `json:"acceptance_id,omitzero"`
	AcceptedBy      string    `json:"accepted_by,omitempty"`
	AcceptedBecause string    `json:"accepted_because,omitempty"`
	AcceptedUntil   time.Time `json:"accepted_until,omitzero"` // zero: until it is withdrawn
}

// Accepted says that somebody signed for exactly this difference.
func (d Difference) Accepted() bool { return d.AcceptanceID != uuid.Nil }

// Sentence says what differs, in words.
func (d Difference) Sentence() string {
	what := d.ObjectKind + " " + d.Object
	switch d.Kind {
	case DriftMissing:
		return what + " is missing."
	case DriftExtra:
		return what + " is there, and no file of ours makes it."
	case DriftEarly:
		return what + " is there already, and its file is not in the ledger."
	case DriftDiffers:
	}
	return fmt.Sprintf("%s is %s; expected: %s.", what, d.Found, d.Expected)
}

// DriftReport is one look at the live schema.
type DriftReport struct {
	Version     Version // that the ledger says is there; zero before the first
	CheckedAt   time.Time
	Took        time.Duration
	Compared    int // items
	Differences []Difference
	// ServerMajor is PostgreSQL's major version; zero where it is not known.
	ServerMajor int
}

// The expectations are written on one major version of PostgreSQL. On the others up to newestTried they were held against a
// real server, and what the files leave there is no difference.
const (
	writtenOn   = 15
	newestTried = 18
)

// Limits says what the look could not see on this server, and whether that it found nothing may be relied on; empty where
// definitions were compared word for word.
func (r DriftReport) Limits() (sentence string, tried bool) {
	switch {
	case r.Version == 0 || r.ServerMajor == writtenOn:
		return "", true
	case r.ServerMajor > writtenOn && r.ServerMajor <= newestTried:
		return fmt.Sprintf("On PostgreSQL %d, parentheses, casts and qualifiers in what the server prints of a definition are not compared: it prints them otherwise than PostgreSQL %d.",
			r.ServerMajor, writtenOn), true
	}
	server := "this server, whose version is not known"
	if r.ServerMajor > 0 {
		server = fmt.Sprintf("PostgreSQL %d", r.ServerMajor)
	}
	return fmt.Sprintf("Nobody has tried the comparison on %s. A difference is one; that none was found proves nothing there.", server), false
}

// Open are the differences that nobody signed for.
func (r DriftReport) Open() []Difference {
	return slices.DeleteFunc(slices.Clone(r.Differences), Difference.Accepted)
}

// Drifted is the cause of a refusal because the live schema is not what the files made.
type Drifted struct{ Report DriftReport }

// Error is one difference a line.
func (d *Drifted) Error() string {
	var lines []string
	for _, one := range d.Report.Open() {
		lines = append(lines, one.Sentence())
	}
	return strings.Join(lines, "\n")
}

// Compare holds the live items against the expected ones. later are the items of versions that are not in the ledger:
// what only they make should not be there yet. Objects that none of our files makes are nobody's business here.
func Compare(expected, live Catalog, later []Item, source func(Item) string) []Difference {
	loose := expected.ServerMajor != live.ServerMajor
	want, have := byKey(expected.Items), byKey(live.Items)
	ours := map[string]bool{}
	for _, i := range expected.Items {
		ours[i.Name] = ours[i.Name] || i.On == ""
	}
	known := byKey(later)
	var list []Difference
	for _, i := range expected.Items {
		found, there := have[i.Key()]
		switch {
		case !there && ours[i.On] && parentMissing(i, have):
		case !there:
			list = append(list, lacking(i, source))
		default:
			list = append(list, differs(i, found, loose, source)...)
		}
	}
	for _, i := range live.Items {
		_, wanted := want[i.Key()]
		_, early := known[i.Key()]
		switch {
		case wanted:
		case ours[i.On]:
			list = append(list, extra(i))
		case i.On == "" && early:
			list = append(list, premature(i))
		}
	}
	slices.SortStableFunc(list, func(a, b Difference) int {
		return cmp.Or(strings.Compare(a.ObjectKind, b.ObjectKind), strings.Compare(a.Object, b.Object))
	})
	return list
}

// parentMissing keeps a table that is gone from being told once for each of its columns.
func parentMissing(i Item, have map[string]Item) bool {
	for _, kind := range []string{"table", "view", "matview", "function"} {
		if _, ok := have[kind+" "+i.On]; ok {
			return false
		}
	}
	return true
}

func byKey(items []Item) map[string]Item {
	all := make(map[string]Item, len(items))
	for _, i := range items {
		all[i.Key()] = i
	}
	return all
}

func lacking(i Item, source func(Item) string) Difference {
	return sealed(Difference{
		Kind: DriftMissing, ObjectKind: i.Kind, Object: i.Title(), Expected: describeItem(i), Found: "not there", Repair: makeStatement(i, source),
	})
}

func extra(i Item) Difference {
	d := Difference{
		Kind: DriftExtra, ObjectKind: i.Kind, Object: i.Title(), Expected: "not there", Found: describeItem(i), Repair: dropStatement(i), Destructive: i.Kind == "column",
	}
	if d.Destructive {
		d.Counting = fmt.Sprintf("SELECT count(%s) FROM %s", i.Name, i.On)
	}
	return sealed(d)
}

func premature(i Item) Difference {
	d := Difference{
		Kind: DriftEarly, ObjectKind: i.Kind, Object: i.Title(), Expected: "not there yet", Found: "there", Repair: dropStatement(i), Destructive: i.Kind == "table",
	}
	if d.Destructive {
		d.Counting = "SELECT count(*) FROM " + i.Name
	}
	return sealed(d)
}

func describeItem(i Item) string {
	if len(i.Facts) == 0 {
		return "there"
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(i.Facts)) {
		parts = append(parts, name+" "+i.Facts[name])
	}
	return strings.Join(parts, "; ")
}

// differs says every fact of one item that is not as it should be, as one difference.
func differs(want, have Item, loose bool, source func(Item) string) []Difference {
	var expected, found []string
	changed := map[string]bool{}
	names := maps.Clone(want.Facts)
	maps.Copy(names, have.Facts)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if sameFact(name, want.Facts[name], have.Facts[name], loose) {
			continue
		}
		changed[name] = true
		expected, found = append(expected, factWords(name, want.Facts[name])), append(found, factWords(name, have.Facts[name]))
	}
	if len(changed) == 0 {
		return nil
	}
	repair, destructive := changeStatement(want, have, changed, source)
	return []Difference{sealed(Difference{
		Kind: DriftDiffers, ObjectKind: want.Kind, Object: want.Title(),
		Expected: strings.Join(expected, "; "), Found: strings.Join(found, "; "), Repair: repair, Destructive: destructive,
	})}
}

func factWords(name, value string) string {
	if value == "" {
		return "no " + name
	}
	return name + " " + value
}

// printed are the facts that the server writes anew from its catalog, and that its major versions write differently.
var printed = []string{"definition", "default", "using", "check"}

// sameFact compares word for word on the major version that the expectation was written on. On another one, what the
// server prints is compared without the parentheses, casts and qualifiers in which the majors differ.
func sameFact(name, want, have string, loose bool) bool {
	if want == have {
		return true
	}
	if !slices.Contains(printed, name) {
		return false
	}
	want, have = oneArray(want), oneArray(have)
	return want == have || loose && plainPrint(want) == plainPrint(have)
}

var (
	castElement = regexp.MustCompile(`\(('(?:[^']|'')*'::character varying)\)::text`)
	castArray   = regexp.MustCompile(`\((ARRAY\[[^\]]*\])\)::text\[\]`)
)

// oneArray evens out a list of words: a server that reads its own print of one (as pg_restore does) prints the cast of the
// list as casts of its words.
func oneArray(sql string) string {
	return castArray.ReplaceAllString(castElement.ReplaceAllString(sql, "$1"), "$1")
}

// plainPrint leaves parentheses and the qualifier of a qualified name out.
func plainPrint(sql string) string {
	var words []string
	for _, t := range Tokens(sql) {
		switch {
		case t.Text == "(" || t.Text == ")":
		case t.Text == "." && len(words) > 0:
			words = words[:len(words)-1]
		default:
			words = append(words, t.Text)
		}
	}
	return strings.Join(words, " ")
}

// sealed gives the difference the hash that an acceptance is bound to.
func sealed(d Difference) Difference {
	text, err := json.Marshal([]string{string(d.Kind), d.ObjectKind, d.Object, d.Expected, d.Found})
	if err != nil {
		panic(err) // strings always encode
	}
	d.SHA256 = digest(string(text))
	return d
}
