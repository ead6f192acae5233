package postgres_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/health"
	"github.com/agogsaas/gatehouse/internal/inbox"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/review"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/internal/snapshot"
)

// clocked is the store of snapshots with a clock that a test sets; everything else of it is real.
type clocked struct {
	postgres.Snapshots
	now *time.Time
}

func (c clocked) Clock(context.Context, actor.Actor) (time.Time, error) { return *c.now, nil }

// watchedRelease is a release that is to begin in three days, and its snapshots under a clock of the test.
type watchedRelease struct {
	*release
	service *snapshot.Service
	t0, now time.Time
}

func watchRelease(t *testing.T) *watchedRelease {
	t.Helper()
	w := &watchedRelease{release: newHouse(t)}
	w.t0 = time.Now().Add(72 * time.Hour).UTC().Truncate(time.Minute)
	w.now = w.t0.Add(-2 * time.Hour)
	var err error
	w.id, err = w.runbook.Start(t.Context(), starter, runbook.StartRequest{Template: w.template.SHA256, Code: "REQ-1", Title: "One", T0: w.t0, TimeZone: "Europe/Lisbon"})
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	w.service = w.snapshots()
	return w
}

// snapshots is another process's service on the same database.
func (w *watchedRelease) snapshots() *snapshot.Service {
	reads := postgres.Health{DB: w.db}
	return snapshot.NewService(clocked{postgres.Snapshots{DB: w.db}, &w.now}, health.NewService(nil, time.Now, reads, nil, slog.New(slog.DiscardHandler)), "demo")
}

// schedulerOf is the scheduler as it works for a tenant.
func schedulerOf(tenant actor.Actor) actor.Actor {
	by := actor.System(actor.Worker, "scheduler")
	by.Tenant, by.TenantCode = tenant.Tenant, tenant.TenantCode
	return by
}

// turn lets the scheduler look once at a distance from T-0.
func (w *watchedRelease) turn(after time.Duration, wantTaken, wantMissed int) {
	w.t.Helper()
	w.now = w.t0.Add(after)
	taken, missed, err := w.service.Turn(w.t.Context(), schedulerOf(worker))
	if err != nil || taken != wantTaken || missed != wantMissed {
		w.t.Errorf("Turn at %s: %d taken, %d missed, %v; want %d, %d", after, taken, missed, err, wantTaken, wantMissed)
	}
}

func (w *watchedRelease) show() snapshot.Watch {
	w.t.Helper()
	shown, err := w.service.Show(w.t.Context(), worker, w.id)
	if err != nil {
		w.t.Fatalf("Show: %v", err)
	}
	return shown
}

// states are the places as "point state".
func states(shown snapshot.Watch) []string {
	var list []string
	for _, p := range shown.Places {
		list = append(list, fmt.Sprintf("%s %s", p.Point, p.State))
	}
	return list
}

func TestSnapshotsAreTakenAtTheirHours(t *testing.T) {
	t.Parallel()
	w := watchRelease(t)
	w.apply(worker, "up", true)
	w.turn(-31*time.Minute, 0, 0)
	w.turn(-30*time.Minute, 1, 0)
	w.turn(-30*time.Minute+15*time.Second, 0, 0)
	w.turn(-time.Minute, 1, 0)
	w.turn(0, 0, 0)
	for _, hour := range []time.Duration{time.Hour, 4 * time.Hour, 24 * time.Hour, 48 * time.Hour} {
		w.turn(hour-time.Second, 0, 0)
		w.turn(hour, 1, 0)
		w.turn(hour+15*time.Second, 0, 0)
	}
	shown := w.show()
	if diff := cmp.Diff([]string{"before_30m taken", "before taken", "hour_1 taken", "hour_4 taken", "hour_24 taken", "hour_48 taken"}, states(shown)); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
	if shown.Base == nil || shown.Base.Point != snapshot.Before || len(shown.Hours) != 4 {
		t.Fatalf("the baseline is %+v and there are %d hours", shown.Base, len(shown.Hours))
	}
	// Eight checks, seven metrics and five series, each compared with the baseline at each hour.
	if len(shown.Lines) != 20 {
		t.Errorf("%d lines, want 20", len(shown.Lines))
	}
	for _, line := range shown.Lines {
		for _, p := range snapshot.Hours {
			if c := line.Hours[p]; !c.There || c.Verdict == "" || c.Value == "" && c.State == health.Healthy {
				t.Errorf("%s at %s: %+v", line.Name, p, c)
			}
		}
	}
	// The raw content is what the hash is of, and names its own times.
	raw, err := w.service.Raw(t.Context(), worker, w.id, shown.Hours[snapshot.Hour4].ID)
	if err != nil {
		t.Fatal(err)
	}
	var content snapshot.Content
	if err := json.Unmarshal([]byte(raw.Text), &content); err != nil || !content.TakenAt.Equal(w.t0.Add(4*time.Hour)) || !content.From.Equal(w.t0) || content.LateSeconds != 0 {
		t.Errorf("raw: taken at %s about the time from %s, late by %d, %v", content.TakenAt, content.From, content.LateSeconds, err)
	}
	if _, intact, err := snapshot.Read(raw.Text, raw.SHA256); err != nil || !intact {
		t.Errorf("the raw content does not have its hash: %v", err)
	}
	if n := w.count(`SELECT count(*) FROM gatehouse.audit_events WHERE action = 'snapshot:take' AND tenant_id = $1`, worker.Tenant); n != 6 {
		t.Errorf("%d entries of snapshots taken, want 6", n)
	}

	// The other tenant sees nothing of it, and its scheduler takes nothing.
	if _, err := w.service.Show(t.Context(), stranger, w.id); !fault.Is(err, fault.NotFound) {
		t.Errorf("Show by a stranger = %v, want not found", err)
	}
	if _, err := w.service.Raw(t.Context(), stranger, w.id, raw.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("Raw by a stranger = %v, want not found", err)
	}
	if _, err := w.service.Show(t.Context(), actor.Actor{Tenant: worker.Tenant, Subject: "nobody"}, w.id); !fault.Is(err, fault.Forbidden) {
		t.Errorf("Show without a right = %v, want forbidden", err)
	}
	if taken, missed, err := w.service.Turn(t.Context(), schedulerOf(stranger)); taken+missed != 0 || err != nil {
		t.Errorf("the other tenant's turn: %d, %d, %v", taken, missed, err)
	}
}

func TestAMissedSnapshotIsAFindingAndNeverFilledIn(t *testing.T) {
	t.Parallel()
	w := watchRelease(t)
	w.apply(worker, "up", true)
	// The server was down from before T-30m until 37 minutes after hour 1, and again from then until past hour 4 and 24.
	w.turn(time.Hour+37*time.Minute, 1, 3)
	shown := w.show()
	if diff := cmp.Diff([]string{"before_30m missed", "before missed", "hour_1 late", "hour_4 waiting", "hour_24 waiting", "hour_48 waiting"}, states(shown)); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
	hour1 := shown.Places[2]
	if hour1.Miss == nil || hour1.Head.Lateness() != "late by 37 min" || shown.Hours[snapshot.Hour1].Content.LateSeconds != 37*60 {
		t.Errorf("hour 1 says %q with the finding %v", hour1.Head.Lateness(), hour1.Miss)
	}
	if shown.Base != nil {
		t.Errorf("there is a baseline of %s", shown.Base.TakenAt)
	}
	for _, line := range shown.Lines {
		if c := line.Hours[snapshot.Hour1]; c.Verdict != snapshot.Uncomparable || !strings.Contains(c.Change, "no baseline") {
			t.Errorf("%s is compared with nothing: %s, %q", line.Name, c.Verdict, c.Change)
		}
	}
	w.turn(time.Hour+38*time.Minute, 0, 0)
	w.turn(24*time.Hour, 1, 1)
	if got := states(w.show())[3]; got != "hour_4 missed" {
		t.Errorf("after hour 24: %s", got)
	}
	notices, _, err := w.inbox().Notices(t.Context(), worker, inbox.NoticeQuery{Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, n := range notices {
		if n.Kind == inbox.SnapshotMissed && strings.HasSuffix(n.Path, "/snapshots") && n.Role == actor.OnCallEngineer {
			told++
		}
	}
	if told != 4 {
		t.Errorf("%d notices of missed snapshots, want 4", told)
	}
	// Neither the application nor its owner changes what is stored.
	for _, statement := range []string{"UPDATE gatehouse.run_snapshots SET taken_at = due_at", "DELETE FROM gatehouse.run_snapshot_misses"} {
		if _, err := w.super.Exec(t.Context(), statement); err == nil {
			t.Errorf("%s went through", statement)
		}
	}
	if _, err := w.super.Exec(t.Context(), `INSERT INTO gatehouse.run_snapshots (tenant_id, run_id, snapshot_id, point, t0, due_at, taken_at, content, sha256)
		SELECT tenant_id, run_id, gen_random_uuid(), 'before', t0, due_at, t0 + interval '1 minute', content, sha256 FROM gatehouse.run_snapshots LIMIT 1`); err == nil {
		t.Error("a baseline after T-0 was stored")
	}
}

func TestMovingTZeroMovesWhatWasNotTaken(t *testing.T) {
	t.Parallel()
	w := watchRelease(t)
	w.apply(worker, "up", true)
	w.turn(-30*time.Minute, 1, 0)
	before := w.t0
	shown, err := w.runbook.Show(t.Context(), worker, w.id)
	if err != nil {
		t.Fatal(err)
	}
	w.t0 = before.Add(5 * time.Hour)
	if err := w.runbook.Schedule(t.Context(), devops, runbook.SeenRun{Run: w.id, Version: shown.Run.Version}, w.t0, "the line is late"); err != nil {
		t.Fatal(err)
	}
	w.turn(-4*time.Hour, 0, 0) // hour 1 of the T-0 that was
	if got := w.show(); got.Base != nil || len(got.Run.Superseded()) != 1 {
		t.Errorf("the baseline is %v, and %d snapshots count for nothing; want none, and 1", got.Base, len(got.Run.Superseded()))
	}
	w.turn(-30*time.Minute, 1, 0)
	w.turn(-time.Minute, 1, 0)
	w.turn(time.Hour, 1, 0)
	// Taken stays taken: half a minute earlier, hour 1 is still the one that was measured.
	shown, err = w.runbook.Show(t.Context(), worker, w.id)
	if err != nil {
		t.Fatal(err)
	}
	w.t0 = w.t0.Add(-30 * time.Second)
	if err := w.runbook.Schedule(t.Context(), devops, runbook.SeenRun{Run: w.id, Version: shown.Run.Version}, w.t0, "written down wrongly"); err != nil {
		t.Fatal(err)
	}
	w.turn(time.Hour+time.Minute, 0, 0)
	if got := states(w.show())[2]; got != "hour_1 taken" {
		t.Errorf("after T-0 was corrected: %s", got)
	}
}

// TestASnapshotBeforeTheMigrationsIsNoHourAfterThem: T-0 has passed, and what the release brings is not in the database yet.
func TestASnapshotBeforeTheMigrationsIsNoHourAfterThem(t *testing.T) {
	t.Parallel()
	w := watchRelease(t)
	w.turn(-time.Minute, 2, 1)
	w.turn(time.Hour, 1, 0)
	shown := w.show()
	if got := states(shown)[2]; got != "hour_1 unmigrated" || len(shown.Hours) != 0 {
		t.Errorf("nothing is applied: %s, and %d hours are compared", got, len(shown.Hours))
	}
	report, err := w.reviews().Report(t.Context(), worker, w.id)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(report.Findings, func(f review.Finding) bool { return f.Kind == "snapshot_unmigrated" }) {
		t.Errorf("the report does not say so: %+v", report.Findings)
	}
	for _, c := range report.Changes {
		if c.Point != "" || c.After.State != "" {
			t.Errorf("%s is compared as after: %+v", c.Name, c)
		}
	}
	w.apply(worker, "up", false)
	if got := states(w.show())[2]; got != "hour_1 unmigrated" {
		t.Errorf("after a try that failed: %s", got)
	}
	w.apply(worker, "up", true) // by the clock of the ledger, which is days before T-0
	if got := states(w.show())[2]; got != "hour_1 taken" {
		t.Errorf("applied before it: %s", got)
	}
	w.apply(worker, "down", true)
	if got := states(w.show())[2]; got != "hour_1 taken" {
		t.Errorf("taken back afterwards: %s", got)
	}
}

// TestOfAReleaseThatIsOverNothingIsDue: however it ended, what would have been measured later was not missed.
func TestOfAReleaseThatIsOverNothingIsDue(t *testing.T) {
	t.Parallel()
	w := watchRelease(t)
	w.turn(-30*time.Minute, 1, 0)
	w.turn(-time.Minute, 1, 0)
	for _, over := range []string{"aborted", "closed", "rolled_back"} {
		w.exec("UPDATE gatehouse.runs SET state = $2, ended_at = now(), ended_by = 'Dana', end_reason = 'the line stops' WHERE run_id = $1", w.id, over)
		w.turn(50*time.Hour, 0, 0)
		want := []string{"before_30m taken", "before taken", "hour_1 ended", "hour_4 ended", "hour_24 ended", "hour_48 ended"}
		if diff := cmp.Diff(want, states(w.show())); diff != "" {
			t.Errorf("%s: places (-want +got):\n%s", over, diff)
		}
	}
}

func TestTwoReplicasTakeASnapshotOnce(t *testing.T) {
	t.Parallel()
	w := watchRelease(t)
	w.now = w.t0.Add(time.Hour + 20*time.Minute)
	var wait sync.WaitGroup
	results := make([][2]int, 4)
	for i := range results {
		other := w.snapshots()
		wait.Go(func() {
			taken, missed, err := other.Turn(t.Context(), schedulerOf(worker))
			if err != nil {
				t.Errorf("replica %d: %v", i, err)
			}
			results[i] = [2]int{taken, missed}
		})
	}
	wait.Wait()
	var taken, missed int
	for _, r := range results {
		taken, missed = taken+r[0], missed+r[1]
	}
	if taken != 1 || missed != 3 {
		t.Errorf("four replicas took %d and missed %d (%v), want 1 and 3", taken, missed, results)
	}
	if n := w.count(`SELECT count(*) FROM gatehouse.run_snapshots WHERE run_id = $1`, w.id); n != 1 {
		t.Errorf("%d snapshots are stored", n)
	}
	if n := w.count(`SELECT count(*) FROM gatehouse.audit_events WHERE action LIKE 'snapshot:%' AND tenant_id = $1`, worker.Tenant); n != 4 {
		t.Errorf("%d entries, want 4", n)
	}
}

// TestASnapshotSaysWhatIsThere takes one in a warehouse with goods and one where nothing is deployed.
func TestASnapshotSaysWhatIsThere(t *testing.T) {
	t.Parallel()
	w := watchRelease(t)
	w.turn(-30*time.Minute, 1, 0)
	base := w.show().Base.Content
	level := func(name string) string {
		for _, m := range base.Metrics {
			if m.Name == name {
				return string(m.State) + " " + m.Value
			}
		}
		return "absent"
	}
	for _, s := range base.Series {
		if s.State == health.Healthy && s.N < snapshot.Adequate {
			t.Errorf("%s is healthy with %d values", s.Name, s.N)
		}
		if s.State != health.Healthy && s.Why == "" {
			t.Errorf("%s is %s, and nothing says why", s.Name, s.State)
		}
	}
	names := []string{}
	for _, m := range base.Metrics {
		names = append(names, m.Name)
		if m.Value == "" && m.State == health.Healthy {
			t.Errorf("%s is healthy without a value", m.Name)
		}
	}
	want := []string{
		"bin_utilization_cache_age_seconds", "ml_model_accuracy_percentage", "putaway_recommendations_total", "bin_optimization_health_status",
		"capacity_validation_failures_unresolved", "statistical_metrics_count", "critical_outliers_pending",
	}
	if !slices.Equal(names, want) {
		t.Errorf("metrics %v, want %v", names, want)
	}
	if got := level("putaway_recommendations_total"); !strings.HasPrefix(got, "healthy ") && !strings.HasPrefix(got, "not_deployed") {
		t.Errorf("putaway_recommendations_total is %s", got)
	}
}
