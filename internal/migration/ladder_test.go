package migration

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func filesOf(t *testing.T, versions ...string) *Files {
	t.Helper()
	files := fstest.MapFS{}
	for _, v := range versions {
		files["V"+v+"__step.sql"] = text(testCard + "SELECT '" + v + "';")
		files["U"+v+"__step.sql"] = text("SELECT 1;")
	}
	set, err := ReadFiles(files, Rules{Undo: true})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// entry is a ledger row that was written from the file as it is, unless the hash says otherwise.
func entry(t *testing.T, files *Files, id int64, version string, d Direction, success bool, hash string) Entry {
	t.Helper()
	v, err := ParseVersion(version)
	if err != nil {
		t.Fatal(err)
	}
	f, _ := files.Up(v)
	e := Entry{ID: id, Version: v, Direction: d, Success: success, SHA256: f.SHA256, TokensSHA256: f.TokensSHA256, Script: "V" + version + "__step.sql"}
	if hash != "" {
		e.SHA256, e.TokensSHA256 = hash, hash
	}
	return e
}

func belief(t *testing.T, version string) Belief {
	t.Helper()
	v, err := ParseVersion(version)
	if err != nil {
		t.Fatal(err)
	}
	return Belief{Version: v, Known: true}
}

func TestEveryStateOfTheLadder(t *testing.T) {
	t.Parallel()
	files := filesOf(t, "0.0.14", "0.0.15", "0.0.16", "0.0.18", "0.0.20", "0.0.21", "0.0.22")
	e := func(id int64, v string, d Direction, ok bool, hash string) Entry {
		return entry(t, files, id, v, d, ok, hash)
	}
	for name, c := range map[string]struct {
		entries []Entry
		belief  Belief
		runs    []Run
		want    string
		next    string
		problem string
	}{
		"nothing yet": {want: "pending blocked blocked blocked blocked blocked blocked", next: "0.0.14"},
		"baseline and applied": {
			entries: []Entry{e(1, "0.0.14", Baseline, true, ""), e(2, "0.0.15", Up, true, "")}, belief: belief(t, "0.0.15"),
			want: "baseline applied pending blocked blocked blocked blocked", next: "0.0.16",
		},
		"failed, undone": {
			entries: []Entry{e(1, "0.0.14", Up, true, ""), e(2, "0.0.15", Up, true, ""), e(3, "0.0.15", Down, true, ""), e(4, "0.0.16", Up, false, "")}, belief: belief(t, "0.0.14"),
			want: "applied undone failed blocked blocked blocked blocked", next: "0.0.15",
		},
		"a failed undoing leaves it applied": {
			entries: []Entry{e(1, "0.0.14", Up, true, ""), e(2, "0.0.14", Down, false, "")}, belief: belief(t, "0.0.14"),
			want: "applied pending blocked blocked blocked blocked blocked", next: "0.0.15",
		},
		"changed": {
			entries: []Entry{e(1, "0.0.14", Up, true, "cafe")}, belief: belief(t, "0.0.14"),
			want: "changed blocked blocked blocked blocked blocked blocked", problem: "V0.0.14__step.sql has been changed",
		},
		"out of order": {
			entries: []Entry{e(1, "0.0.14", Up, true, ""), e(2, "0.0.16", Up, true, "")}, belief: belief(t, "0.0.16"),
			want: "applied out_of_order applied blocked blocked blocked blocked", problem: "V0.0.15__step.sql is out of order",
		},
		"file missing": {
			entries: []Entry{e(1, "0.0.13", Up, true, "cafe")}, belief: belief(t, "0.0.13"),
			want: "missing_file blocked blocked blocked blocked blocked blocked blocked", problem: "its file V0.0.13__step.sql is missing",
		},
		"running": {
			runs: []Run{{Version: 14, State: Running, Direction: Up, StartedAt: time.Unix(0, 0)}},
			want: "running blocked blocked blocked blocked blocked blocked",
		},
		"interrupted": {
			runs: []Run{{Version: 14, State: Interrupted, Direction: Up}},
			want: "interrupted blocked blocked blocked blocked blocked blocked",
		},
		"interrupted and looked at": {
			runs: []Run{{Version: 14, State: Interrupted, Direction: Up, AcknowledgedAt: time.Unix(1, 0)}},
			want: "pending blocked blocked blocked blocked blocked blocked", next: "0.0.14",
		},
		"golang-migrate believes otherwise": {
			entries: []Entry{e(1, "0.0.14", Up, true, "")}, belief: belief(t, "0.0.15"),
			want: "applied blocked blocked blocked blocked blocked blocked", problem: "golang-migrate believes V0.0.15, the ledger says V0.0.14",
		},
		"dirty": {
			entries: []Entry{e(1, "0.0.14", Up, true, "")}, belief: Belief{Version: 15, Known: true, Dirty: true},
			want: "applied dirty blocked blocked blocked blocked blocked", problem: "stopped half way",
		},
	} {
		l := Build(files, c.entries, c.belief, c.runs)
		var states []string
		for _, r := range l.Rungs {
			states = append(states, string(r.State))
		}
		if diff := cmp.Diff(c.want, strings.Join(states, " ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		next := ""
		if r, ok := l.Next(); ok {
			next = r.Version.String()
		}
		if next != c.next {
			t.Errorf("%s: the next is %q, want %q", name, next, c.next)
		}
		if problems := strings.Join(l.Problems, "\n"); (c.problem == "") != (problems == "") || !strings.Contains(problems, c.problem) {
			t.Errorf("%s: the problems are %q, want %q", name, problems, c.problem)
		}
	}
}

func TestChecksNameWhatIsMissingAndWhatIsNotSound(t *testing.T) {
	t.Parallel()
	constraint := Object{Kind: "constraint", Name: "public.putaway_recommendations.chk_confidence_score_range"}
	column := Object{Kind: "column", Name: "public.a.b", Type: "numeric(4,3)"}
	index := Object{Kind: "index", Name: "public.i"}
	file := File{Card: Card{Creates: []Object{constraint, index}, Changes: []Object{column}}}
	facts := func(bound, typ string, valid bool) []Fact {
		return []Fact{
			{constraint, true, true, "CHECK (((confidence_score >= (0)::numeric) AND (confidence_score <= (" + bound + ")::numeric)))"},
			{column, true, true, typ},
			{index, true, valid, ""},
		}
	}
	for name, c := range map[string]struct {
		facts  []Fact
		failed []string
	}{
		"all there":      {facts("1", "numeric(4,3)", true), nil},
		"other bound":    {facts("1.5", "numeric(4,3)", true), []string{"confidence scores range from 0 to 1"}},
		"ten times":      {facts("10", "numeric(4,3)", true), []string{"confidence scores range from 0 to 1"}},
		"old type":       {facts("1.0", "numeric(3,2)", true), []string{"column public.a.b"}},
		"invalid index":  {facts("1", "numeric(4,3)", false), []string{"index public.i"}},
		"nothing at all": {nil, []string{"column public.a.b", "constraint " + constraint.Name, "confidence scores range from 0 to 1", "index public.i"}},
	} {
		var failed []string
		for _, check := range Checks(file, true, c.facts) {
			if !check.Passed {
				failed = append(failed, check.Name)
			}
		}
		if diff := cmp.Diff(c.failed, failed); diff != "" {
			t.Errorf("%s: failed checks (-want +got):\n%s", name, diff)
		}
	}
	if failed, _ := AllPassed(Checks(file, false, facts("1", "numeric(4,3)", true))); failed != 2 {
		t.Errorf("after undoing, %d objects are still there, want 2", failed)
	}
}
