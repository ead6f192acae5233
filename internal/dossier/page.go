package dossier

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/clock"
	"github.com/agogsaas/gatehouse/internal/snapshot"
)

//go:embed page.html
var pageText string

// The page is written in three pieces, so that the trail between head and foot need not be held.
var page = template.Must(template.New("").Funcs(template.FuncMap{
	"utc": utc, "maybe": maybe, "words": words, "pretty": pretty, "yes": yes, "title": pointTitle, "verdict": verdict, "seconds": seconds,
}).Parse(pageText))

// section is the items of one phase.
type section struct {
	Phase string
	Items []itemShown
}

type itemShown struct {
	Item
	Evidence []Evidence // the one that counts first
	Counts   int
	Files    []File
	Waivers  []Waiver
}

type gateShown struct {
	Gate
	Signatures []Signature
	Stops      []stopShown
}

// stopShown is how an attempt at a gate ended, and who opened the next one.
type stopShown struct {
	Stop
	Next *Attempt
}

func (d Dossier) writePage(w io.Writer) error {
	if err := page.ExecuteTemplate(w, "head", d.shown()); err != nil {
		return err
	}
	others := 0
	err := d.Trail.Read(func(e audit.Entry) error {
		if !d.Record.Release.concerns(e) {
			others++
			return nil
		}
		return page.ExecuteTemplate(w, "entry", e)
	})
	if err != nil {
		return err
	}
	return page.ExecuteTemplate(w, "foot", map[string]any{"D": d, "Others": others, "AuditFile": auditFile})
}

func (d Dossier) shown() map[string]any {
	var sections []section
	for _, i := range d.Record.Items {
		if n := len(sections); n == 0 || sections[n-1].Phase != i.Phase {
			sections = append(sections, section{Phase: i.Phase})
		}
		shown := itemShown{Item: i}
		if i.Evidence != nil {
			shown.Counts = *i.Evidence
		}
		for _, e := range slices.Backward(d.Record.Evidence) {
			if e.Item == i.ID {
				shown.Evidence = append(shown.Evidence, e)
			}
		}
		for _, f := range d.Record.Files {
			if f.Item == i.ID {
				shown.Files = append(shown.Files, f)
			}
		}
		for _, w := range d.Record.Waivers {
			if w.Item == i.ID {
				shown.Waivers = append(shown.Waivers, w)
			}
		}
		last := &sections[len(sections)-1]
		last.Items = append(last.Items, shown)
	}
	var gates []gateShown
	for _, g := range d.Record.Gates {
		shown := gateShown{Gate: g}
		for _, s := range d.Record.Signatures {
			if s.Gate == g.ID {
				shown.Signatures = append(shown.Signatures, s)
			}
		}
		for _, s := range d.Record.Stops {
			if s.Gate == g.ID {
				shown.Stops = append(shown.Stops, stopShown{s, d.Record.next(s)})
			}
		}
		gates = append(gates, shown)
	}
	r := d.Record
	return map[string]any{"D": d, "R": r.Release, "Sections": sections, "Gates": gates, "Tables": []tableShown{
		{"Migrations of the release", tableOf(r.Migrations, "position", "version", "title"), "This release brings no migration."},
		{"Ledger of these migrations", tableOf(r.Ledger, "ledger_id", "version", "direction", "success", "description", "started_at", "finished_at", "actor_name"), "None of them was ever applied."},
		{"Change windows", tableOf(r.Windows, "number", "starts_at", "ends_at", "reason"), "Nobody set one: the window follows from T-0."},
		{"Freezes", tableOf(r.Freezes, "starts_at", "ends_at", "reason", "name"), "There was no freeze in its time."},
		{"Overrides by two people", tableOf(r.Overrides, "kind", "reason", "asked_by", "asked_at", "seconded_by", "seconded_at"), "Nobody asked for one."},
		{"One-time tokens of the command line", tableOf(r.Tokens, "version", "direction", "made_by", "made_at"), "Nobody made one."},
		{"Backups", tableOf(r.Backups, "name", "taken_at", "actor_name", "bytes", "checks"), "No backup of its time is known here."},
		{"Health, as last measured in its time", tableOf(r.Health, "check_name", "level", "value", "unit", "message"), "Health was not measured in its time."},
	}}
}

// next is the attempt that was opened after the stopped one; nil where nobody opened one.
func (r Record) next(s Stop) *Attempt {
	i := slices.IndexFunc(r.Attempts, func(a Attempt) bool { return a.Gate == s.Gate && a.Attempt == s.Attempt+1 })
	if i < 0 {
		return nil
	}
	return &r.Attempts[i]
}

// Done says what became of a step; nil while it is open.
func (b Rollback) Done(step int) *RollbackAct { return b.act("step", step+1) }

// Agreed is the second person's agreement; nil while there is none.
func (b Rollback) Agreed() *RollbackAct { return b.act("agreed", 0) }

// Ended is how it ended; nil while it goes on.
func (b Rollback) Ended() *RollbackAct { return b.act("ended", 0) }

// Reviewed is another person's review; nil while there is none.
func (b Rollback) Reviewed() *RollbackAct { return b.act("reviewed", 0) }

func (b Rollback) act(kind string, step int) *RollbackAct {
	i := slices.IndexFunc(b.Acts, func(a RollbackAct) bool { return a.Kind == kind && a.Step == step })
	if i < 0 {
		return nil
	}
	return &b.Acts[i]
}

// pointTitle is an hour as people say it.
func pointTitle(point string) string { return snapshot.Point(point).Title() }

// verdict is how an hour compares, as people say it.
func verdict(v string) string {
	if v == string(snapshot.Uncomparable) {
		return "cannot be compared"
	}
	return v
}

// tableShown is a part of the record as a table, and what stands there where it has no row.
type tableShown struct {
	Title string
	Table table
	None  string
}

// Standing says in a word whether the signature counts at the gate as it stands.
func (g gateShown) Standing(s Signature) string {
	switch {
	case s.WithdrawnAt != nil:
		return "withdrawn"
	case s.ContentSHA256 != g.SHA256:
		return "void: what was signed is no longer what is there"
	}
	return "counts"
}

// concerns says whether the page shows the entry. The others are in the file of the trail.
func (r Release) concerns(e audit.Entry) bool {
	switch e.ObjectKind {
	case "lesson":
		row, _ := tells(r.ID.String(), e)
		return row != ""
	case "release", "item", "gate":
		return e.ObjectID == r.ID.String() || strings.HasPrefix(e.ObjectID, r.ID.String()+"/")
	case "migration", "migration_run", "rehearsal", "backup", "operation", "freeze", "restore", "schema":
		return true
	}
	return false
}

func utc(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func seconds(n int) string { return clock.Duration(time.Duration(n) * time.Second) }

func maybe(t *time.Time) string {
	if t == nil {
		return ""
	}
	return utc(*t)
}

func words(s string) string { return strings.ReplaceAll(s, "_", " ") }

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// pretty is JSON with a line for each value; anything else as it is.
func pretty(text string) string {
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return text
	}
	out, err := indented(v)
	if err != nil {
		return text
	}
	return string(out)
}

// table is rows under columns; where there are more than a page is wide, each row is a list of what is filled.
type table struct {
	Columns []string
	Rows    [][]string
	Wide    bool
}

// mostColumns fit beside each other.
const mostColumns = 7

// tableOf lays rows out with one column for each field that is filled anywhere, the leading ones first.
func tableOf(rows []Row, leading ...string) table {
	var t table
	filled := map[string]bool{}
	for _, r := range rows {
		for name, value := range r {
			if value != nil && value != "" {
				filled[name] = true
			}
		}
	}
	for name := range filled {
		t.Columns = append(t.Columns, name)
	}
	place := func(name string) int {
		if i := slices.Index(leading, name); i >= 0 {
			return i
		}
		return len(leading)
	}
	sort.Slice(t.Columns, func(i, j int) bool {
		a, b := t.Columns[i], t.Columns[j]
		return place(a) < place(b) || place(a) == place(b) && a < b
	})
	t.Wide = len(t.Columns) > mostColumns
	for _, r := range rows {
		cells := make([]string, len(t.Columns))
		for i, name := range t.Columns {
			cells[i] = cell(r[name])
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}

func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return utc(at)
		}
		return v
	case bool:
		return yes(v)
	case json.Number:
		return v.String()
	case float64:
		return strings.TrimSuffix(fmt.Sprintf("%.3f", v), ".000")
	}
	text, err := indented(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSpace(string(text))
}
