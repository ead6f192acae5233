package migration

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Verdict is what a look at the database says of a statement, or of one thing that it leaves.
type Verdict string

// The verdicts.
const (
	TookEffect   Verdict = "took effect"
	NotThere     Verdict = "not there"
	Otherwise    Verdict = "otherwise" // neither as before nor as after
	LeavesNone   Verdict = "leaves no trace"
	NothingToSee Verdict = "nothing to see" // it changes nothing that lasts, or a later statement replaces what it made
)

// Effect is one thing that a version leaves, and what is there.
type Effect struct {
	Object  string  `json:"object"`
	Before  string  `json:"before"`
	After   string  `json:"after"`
	Found   string  `json:"found"`
	Verdict Verdict `json:"verdict"`

	kind, on, name string
}

// Probed is one statement of a file and what the database shows of it.
type Probed struct {
	Line    int      `json:"line"`
	SQL     string   `json:"sql"`
	Verdict Verdict  `json:"verdict"`
	Effects []Effect `json:"effects,omitempty"`
}

// Offer is one of the three repairs: offered, or why it is not.
type Offer struct {
	As     Repair `json:"as"`
	WhyNot string `json:"why_not,omitempty"`
}

// Offered says whether it may be chosen.
func (o Offer) Offered() bool { return o.WhyNot == "" }

// Probe is one look at what of a version is in the database.
type Probe struct {
	Version Version `json:"version"`
	Script  string  `json:"script"`
	SHA256  string  `json:"sha256"` // of the file
	// Bare is a file without a transaction, so that a cut may leave half of it.
	Bare bool `json:"bare"`
	// InLedger says what the ledger holds; HalfWay that golang-migrate's row calls the version dirty.
	InLedger bool `json:"in_ledger"`
	HalfWay  bool `json:"half_way"`
	// Waiting is an interrupted run of the version that nobody has closed.
	Waiting    uuid.UUID `json:"waiting,omitzero"`
	Statements []Probed  `json:"statements"`
	// Rest are effects of no single statement.
	Rest   []Effect `json:"rest,omitempty"`
	Offers []Offer  `json:"offers"`

	LookedAt time.Time `json:"-"`
	LookedBy string    `json:"-"`
	// Closed is why its undo file may not be run now: the change window, or a freeze; empty where it may, or nobody asked.
	Closed string `json:"-"`
}

// Hash is the SHA-256 of what was seen; when it was seen does not count.
func (p Probe) Hash() string {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and booleans always encode
	}
	return digest(string(text))
}

// Sentence says what was found, and why it is known.
func (p Probe) Sentence() string {
	done, not, other := p.count()
	title := p.Version.Title()
	why := ""
	switch {
	case !p.Bare && !p.InLedger && done == 0:
		why = " Its file is one transaction with its ledger entry; there is no entry, so nothing of it was committed by Gatehouse."
	case p.Bare:
		why = " Its file runs without a transaction, so each statement stands for itself."
	}
	switch {
	case done+not+other == 0:
		return title + " leaves nothing in the catalog that could be looked at." + why
	case done == 0 && other == 0:
		return "Nothing of " + title + " is applied." + why
	case not == 0 && other == 0:
		return "Everything that " + title + " leaves is there." + why
	}
	return "Some of " + title + " is there and some is not." + why
}

func (p Probe) effects() (list []Effect) {
	for _, s := range p.Statements {
		list = append(list, s.Effects...)
	}
	return append(list, p.Rest...)
}

func (p Probe) count() (done, not, other int) {
	for _, e := range p.effects() {
		switch e.Verdict {
		case TookEffect:
			done++
		case NotThere:
			not++
		case Otherwise, LeavesNone, NothingToSee:
			other++
		}
	}
	return done, not, other
}

// Offer is the offer for a repair.
func (p Probe) Offer(r Repair) Offer {
	for _, o := range p.Offers {
		if o.As == r {
			return o
		}
	}
	return Offer{As: r, WhyNot: "It was not looked at."}
}

// NewEffect compares one thing with how it was before the version and how it is after; nil is not there.
func NewEffect(before, after, found *Item, loose bool) Effect {
	any := after
	if any == nil {
		any = before
	}
	e := Effect{Object: any.Kind + " " + any.Title(), Before: itemWords(before), After: itemWords(after), Found: itemWords(found), kind: any.Kind, on: any.On, name: any.Name}
	switch {
	case sameItem(after, found, loose):
		e.Verdict = TookEffect
	case sameItem(before, found, loose):
		e.Verdict = NotThere
	default:
		e.Verdict = Otherwise
	}
	return e
}

func itemWords(i *Item) string {
	if i == nil {
		return "not there"
	}
	return describeItem(*i)
}

func sameItem(want, have *Item, loose bool) bool {
	if want == nil || have == nil {
		return want == have
	}
	return len(differs(*want, *have, loose, func(Item) string { return "" })) == 0
}

// Effects are all things in which a version's catalog differs from the one before it, held against the live one.
func Effects(before, after, live Catalog) (list []Effect) {
	loose := after.ServerMajor != live.ServerMajor
	was, is, have := byKey(before.Items), byKey(after.Items), byKey(live.Items)
	keys := map[string]bool{}
	for key := range was {
		keys[key] = true
	}
	for key := range is {
		keys[key] = true
	}
	for key := range keys {
		old, new := at(was, key), at(is, key)
		if old != nil && new != nil && describeItem(*old) == describeItem(*new) {
			continue
		}
		list = append(list, NewEffect(old, new, at(have, key), loose))
	}
	slices.SortFunc(list, func(a, b Effect) int { return strings.Compare(a.Object, b.Object) })
	return list
}

func at(items map[string]Item, key string) *Item {
	if i, ok := items[key]; ok {
		return &i
	}
	return nil
}

// CardEffects are the objects of a plan card, for a set of which nobody has written down what each version leaves. What a
// file changes cannot be told from what was there before.
func CardEffects(file File, facts []Fact) (list []Effect) {
	known := map[string]Fact{}
	for _, f := range facts {
		known[f.Object.String()] = f
	}
	for _, o := range file.Card.Creates {
		f := known[o.String()]
		there, gone := present(o, f), absent(o, f)
		e := Effect{Object: o.Kind + " " + o.Name, Before: gone.Expected, After: there.Expected, Found: there.Found, Verdict: Otherwise, kind: o.Kind, name: o.Name}
		if n := strings.LastIndex(o.Name, "."); n > 0 && (o.Kind == "column" || o.Kind == "constraint" || o.Kind == "trigger") {
			e.on, e.name = o.Name[:n], o.Name[n+1:]
		}
		switch {
		case there.Passed:
			e.Verdict = TookEffect
		case gone.Passed:
			e.Verdict, e.Found = NotThere, gone.Found
		}
		list = append(list, e)
	}
	return list
}

// Statements lays effects beside the statements that leave them. blind says that only the plan card is known, so that a
// statement without an effect may still have left something.
func Statements(file File, effects []Effect, blind bool) (list []Probed, rest []Effect) {
	statements := Split(file.SQL)
	list = make([]Probed, len(statements))
	for i, s := range statements {
		list[i] = Probed{Line: s.Line, SQL: opening(s.SQL)}
	}
	for _, e := range effects {
		best, whose := 0, -1
		for i, s := range statements {
			if fit := s.fits(e); fit > 0 && fit >= best {
				best, whose = fit, i
			}
		}
		if whose < 0 {
			rest = append(rest, e)
			continue
		}
		list[whose].Effects = append(list[whose].Effects, e)
	}
	for i, s := range statements {
		list[i].Verdict = verdictOf(s, list[i].Effects, blind)
	}
	return list, rest
}

func opening(sql string) string {
	line := firstLineOf(sql)
	if runes := []rune(line); len(runes) > 120 {
		line = string(runes[:119]) + "…"
	}
	return line
}

func firstLineOf(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return strings.TrimSpace(line)
}

func verdictOf(s Statement, effects []Effect, blind bool) Verdict {
	if len(effects) == 0 {
		return s.traceless(blind)
	}
	verdict := effects[0].Verdict
	for _, e := range effects {
		if e.Verdict != verdict {
			return Otherwise
		}
	}
	return verdict
}

// looked are the kinds of object that a look at the catalog holds against what is expected.
var looked = []string{"table", "view", "materialized", "index", "unique", "function", "procedure", "trigger", "policy", "extension", "or"}

// traceless says of a statement that has no effect of its own to look at whether it could have left something all the same.
func (s Statement) traceless(blind bool) Verdict {
	first, second := s.Tokens[0].Text, ""
	if len(s.Tokens) > 1 {
		second = s.Tokens[1].Text
	}
	switch {
	case slices.Contains([]string{"set", "reset", "analyze", "comment"}, first):
		return NothingToSee
	case blind:
		return LeavesNone
	case slices.Contains([]string{"create", "drop", "alter"}, first) && slices.Contains(looked, second), first == "grant", first == "revoke":
		return NothingToSee
	}
	return LeavesNone
}

// fits says how closely an effect belongs to a statement; 0 is not at all.
func (s Statement) fits(e Effect) int {
	first := s.Tokens[0].Text
	name, _, _ := strings.Cut(e.name, "(")
	switch {
	case e.on == "" && makes(s.Tokens, e.kind, name), first == "create" && e.kind == "index" && s.createsNamed(name[strings.LastIndex(name, ".")+1:], "index"):
		return 100
	case first == "create" && (e.kind == "trigger" || e.kind == "policy" || e.kind == "extension") && s.createsNamed(name, e.kind):
		return 100
	case (first == "drop" || first == "alter") && e.on != "" && s.mentions(e.on) && s.mentions(name):
		return 90
	case (first == "drop" || first == "alter") && e.on == "" && s.mentions(name):
		return 80
	case (first == "grant" || first == "revoke") && e.kind == "grant":
		on, _, _ := strings.Cut(e.on, "(")
		if s.mentions(on) {
			return 90
		}
	case first == "do" && (e.on != "" && s.holds(e.on) || e.on == "" && s.holds(name)):
		return 40
	case e.on != "" && first == "create":
		on, _, _ := strings.Cut(e.on, "(")
		for _, kind := range []string{"table", "view", "matview", "function"} {
			if makes(s.Tokens, kind, on) {
				return 50
			}
		}
	}
	return 0
}

// createsNamed says whether it is CREATE ... kind ... name, with what may stand between.
func (s Statement) createsNamed(name, kind string) bool {
	after := false
	for _, t := range s.Tokens[1:] {
		switch {
		case t.Text == kind:
			after = true
		case after && t.Text == name:
			return true
		case after && !slices.Contains([]string{"concurrently", "if", "not", "exists"}, t.Text):
			return false
		case !after && t.Text == "(":
			return false
		}
	}
	return false
}

// mentions says whether the tokens hold a name, with its schema where it has one.
func (s Statement) mentions(name string) bool {
	parts := strings.Split(name, ".")
	for i := range s.Tokens {
		matched := true
		for n, part := range parts {
			at := i + 2*n
			if at >= len(s.Tokens) || s.Tokens[at].Text != part || n > 0 && s.Tokens[at-1].Text != "." {
				matched = false
				break
			}
		}
		if matched {
			return true
		}
	}
	return false
}

// holds says whether the text itself, a body inside quotes included, holds a name.
func (s Statement) holds(name string) bool {
	return slices.ContainsFunc(s.Tokens, func(t Token) bool { return strings.Contains(t.Text, name) })
}
