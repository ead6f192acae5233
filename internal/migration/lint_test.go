package migration

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agogsaas/gatehouse/internal/clock"
)

var retype = Parsed{Line: 7, SQL: "ALTER TABLE lots ALTER a TYPE bigint", Kind: KindAlterTable, Object: "table", Relations: []string{"public.lots"}, Actions: []ParsedAction{{Kind: ActionColumnType, Column: "a", Type: "bigint"}}}

func TestLevelBySizeAndTraffic(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		live  LintLive
		table LintTable
		want  LintLevel
	}{
		{LintLive{}, LintTable{}, LintWarn}, // nobody knows
		{LintLive{Known: true}, LintTable{}, LintNote},
		{LintLive{Known: true}, LintTable{Rows: 9_999, Bytes: 64<<20 - 1, WritesPerHour: 3599}, LintNote},
		{LintLive{Known: true}, LintTable{Rows: 10_000}, LintWarn},
		{LintLive{Known: true}, LintTable{Rows: 10, Bytes: 64 << 20}, LintWarn},
		{LintLive{Known: true}, LintTable{Rows: 10, WritesPerHour: 3600}, LintWarn},
		{LintLive{Known: true}, LintTable{Rows: 10_000, WritesPerHour: 3600}, LintStop},
		{LintLive{Known: true}, LintTable{Rows: 1_000_000}, LintStop},
		{LintLive{Known: true}, LintTable{Rows: 10, Bytes: 4 << 30}, LintStop},
	} {
		c.live.Tables = map[string]LintTable{"public.lots": c.table}
		report := Lint(File{}, []Parsed{retype}, c.live)
		if len(report.Findings) != 1 || report.Findings[0].Level != c.want {
			t.Errorf("a rewrite of %+v, known %t: %+v, want %s", c.table, c.live.Known, report.Findings, c.want)
		}
	}
}

func TestAPlanCardPutsUpWithAFinding(t *testing.T) {
	t.Parallel()
	large := LintLive{Known: true, Tables: map[string]LintTable{"public.lots": {Rows: 2_000_000}}}
	const head = "-- title: a\n-- risk: low\n-- estimate: 1s\n-- reversible: yes\n"
	for _, c := range []struct {
		card    string
		stops   bool
		summary string
	}{
		{"", true, "AccessExclusiveLock on public.lots; worst finding: stop, rewrite in line 7."},
		{"-- accepts: rewrite public.lots because T-0 is quiet\n", false, "AccessExclusiveLock on public.lots; worst finding: stop, rewrite in line 7, accepted on the plan card."},
		{"-- accepts: rewrite public.bins because T-0 is quiet\n", true, "AccessExclusiveLock on public.lots; worst finding: stop, rewrite in line 7."},
		{"-- accepts: not-null public.lots because T-0 is quiet\n", true, "AccessExclusiveLock on public.lots; worst finding: stop, rewrite in line 7."},
	} {
		card, err := ParseCard(head + c.card)
		if err != nil {
			t.Fatal(err)
		}
		report := Lint(File{Card: card}, []Parsed{retype}, large)
		if report.Stops() != c.stops || report.Summary() != c.summary {
			t.Errorf("with %q the file stops: %t, %q; want %t, %q", c.card, report.Stops(), report.Summary(), c.stops, c.summary)
		}
		if vain := strings.Contains(c.card, "bins") || strings.Contains(c.card, "not-null"); vain != (len(report.Findings) == 2 && report.Findings[1].Rule == "accepts-nothing") {
			t.Errorf("with %q: %+v; want a line that covers nothing named", c.card, report.Findings)
		}
	}
	if _, err := ParseCard(head + "-- accepts: rewrite public.lots\n"); err == nil {
		t.Error("a finding is accepted without a reason")
	}
}

func TestBoundsOfACard(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		card Card
		want []string
	}{
		{Card{LockTimeout: DefaultLockTimeout, StatementTimeout: DefaultStatementTimeout}, nil},
		{Card{LockTimeout: time.Second, StatementTimeout: DefaultStatementTimeout}, []string{"lock-timeout"}},
		{Card{LockTimeout: DefaultLockTimeout, StatementTimeout: time.Hour}, []string{"statement-timeout"}},
	} {
		var got []string
		report := Lint(File{Card: c.card}, nil, LintLive{})
		for _, f := range report.Findings {
			got = append(got, f.Rule)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("bounds of %+v (-want +got):\n%s", c.card, diff)
		}
		if !strings.Contains(report.Bounds, "waits at most "+clock.Duration(c.card.LockTimeout)+" for a lock") {
			t.Errorf("the report says of the bounds %q", report.Bounds)
		}
	}
}

// Of a table that an earlier file makes, the page says that it is not there, and not that it is empty.
func TestATableThatIsNotThereYet(t *testing.T) {
	t.Parallel()
	report := Lint(File{}, []Parsed{retype}, LintLive{Known: true})
	if got := report.Findings[0]; got.Size != "not there yet" || got.Level != LintNote {
		t.Errorf("a rewrite of what is not there: %+v", got)
	}
}

// What is validated in the file that made it is checked under the lock of making it.
func TestTheLockThatStillStandsIsNamed(t *testing.T) {
	t.Parallel()
	lots := []string{"public.lots"}
	report := Lint(File{}, []Parsed{
		{Line: 1, Kind: KindAlterTable, Relations: lots, Actions: []ParsedAction{{Kind: ActionAddConstraint, Constraint: "check", Name: "c", NotValid: true}}},
		{Line: 2, Kind: KindAlterTable, Relations: lots, Actions: []ParsedAction{{Kind: ActionValidate, Name: "c"}}},
	}, LintLive{})
	if len(report.Findings) != 1 || report.Findings[0].Lock != "AccessExclusiveLock" {
		t.Errorf("validating at once is found as %+v, want the lock of line 1", report.Findings)
	}
}
