package health

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// fine is a warehouse, an endpoint and a store in which nothing is wrong; tests break one thing.
type fine struct {
	clock      func(ctx context.Context) (time.Time, error)
	cache      func(ctx context.Context) (CacheReading, error)
	decisions  func(ctx context.Context) (DecisionReading, error)
	query      func(ctx context.Context) (QueryReading, error)
	schedulers func(ctx context.Context) (SchedulerReading, error)
	failures   func(ctx context.Context) (int, error)
	statistics func(ctx context.Context) (StatisticsReading, error)
	ask        func(ctx context.Context) (EndpointReading, error)
	keep       error
	kept       []Report
	latest     Report
}

func constant[T any](v T, err error) func(context.Context) (T, error) {
	return func(context.Context) (T, error) { return v, err }
}

func allFine() *fine {
	return &fine{
		clock: constant(noon, nil), cache: constant(CacheReading{Now: noon, LastRefresh: noon.Add(-time.Minute)}, nil),
		decisions: constant(DecisionReading{90, 100}, nil), query: constant(QueryReading{3 * time.Millisecond, 10}, nil),
		schedulers: constant(SchedulerReading{Now: noon, Runs: []JobRun{{Scheduler: "river", LastSuccess: noon.Add(-time.Minute)}}}, nil),
		failures:   constant(0, nil), statistics: constant(StatisticsReading{7, 0}, nil), ask: constant(EndpointReading{Took: time.Millisecond}, nil),
	}
}

func (f *fine) Clock(ctx context.Context, _ actor.Actor) (time.Time, error) { return f.clock(ctx) }

func (f *fine) Cache(ctx context.Context, _ actor.Actor) (CacheReading, error) { return f.cache(ctx) }

func (f *fine) Decisions(ctx context.Context, _ actor.Actor, _ time.Duration) (DecisionReading, error) {
	return f.decisions(ctx)
}

func (f *fine) TimedQuery(ctx context.Context, _ actor.Actor) (QueryReading, error) {
	return f.query(ctx)
}

func (f *fine) Schedulers(ctx context.Context, _ actor.Actor) (SchedulerReading, error) {
	return f.schedulers(ctx)
}

func (f *fine) UnresolvedFailures(ctx context.Context, _ actor.Actor, _ time.Duration) (int, error) {
	return f.failures(ctx)
}

func (f *fine) Statistics(ctx context.Context, _ actor.Actor, _ time.Duration) (StatisticsReading, error) {
	return f.statistics(ctx)
}

func (f *fine) Ask(ctx context.Context, _ actor.Actor) (EndpointReading, error) { return f.ask(ctx) }

func (f *fine) Keep(_ context.Context, _ actor.Actor, r Report, _ time.Duration) error {
	f.kept = append(f.kept, r)
	return f.keep
}
func (f *fine) Latest(context.Context, actor.Actor) (Report, error) { return f.latest, nil }

func service(f *fine) *Service {
	s := NewService(f, func() time.Time { return noon }, f, f, slog.New(slog.DiscardHandler))
	s.deadline = 200 * time.Millisecond
	return s
}

var someone = actor.Actor{Tenant: uuid.MustParse("11111111-1111-7111-8111-111111111111"), Subject: "someone"}

func levels(r Report) map[Check]Level {
	found := map[Check]Level{}
	for _, one := range r.Results {
		found[one.Check] = one.Level
	}
	return found
}

func TestAllFineIsHealthyAndKept(t *testing.T) {
	f := allFine()
	report, err := service(f).Run(t.Context(), someone)
	if err != nil || report.Status() != StatusHealthy || report.Level() != Healthy || len(report.Results) != 8 {
		t.Fatalf("Run = %+v, %v", report, err)
	}
	if len(f.kept) != 1 || f.kept[0].Run != report.Run || report.Run == uuid.Nil {
		t.Errorf("kept %+v", f.kept)
	}
	for i, r := range report.Results {
		if r.Check != Checks[i] {
			t.Errorf("result %d is %s, want %s", i, r.Check, Checks[i])
		}
	}
}

// Nothing that could not be read is healthy, whatever the reason; and only the check that failed says so.
func TestWhatCannotBeReadIsNeverGreen(t *testing.T) {
	breakers := map[Check]func(*fine, func(context.Context) error){
		Database:         func(f *fine, e func(context.Context) error) { f.clock = failing[time.Time](e) },
		CacheFreshness:   func(f *fine, e func(context.Context) error) { f.cache = failing[CacheReading](e) },
		MLAccuracy:       func(f *fine, e func(context.Context) error) { f.decisions = failing[DecisionReading](e) },
		QueryPerformance: func(f *fine, e func(context.Context) error) { f.query = failing[QueryReading](e) },
		Scheduler:        func(f *fine, e func(context.Context) error) { f.schedulers = failing[SchedulerReading](e) },
		GraphQL:          func(f *fine, e func(context.Context) error) { f.ask = failing[EndpointReading](e) },
		DataQuality:      func(f *fine, e func(context.Context) error) { f.failures = failing[int](e) },
		Statistics:       func(f *fine, e func(context.Context) error) { f.statistics = failing[StatisticsReading](e) },
	}
	release := make(chan struct{})
	defer close(release)
	reasons := map[string]struct {
		err  func(context.Context) error
		want Level // where it is not the database or the endpoint
	}{
		"an error":             {func(context.Context) error { return errors.New("relation is broken at 10.0.0.7") }, Unknown},
		"the database away":    {func(context.Context) error { return fault.New(fault.Unavailable, "The database cannot be reached.") }, Unknown},
		"a hang":               {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, Unknown},
		"a hang without mercy": {func(context.Context) error { <-release; return nil }, Unknown},
		"a panic":              {func(context.Context) error { panic("broken") }, Unknown},
		"a table to come":      {func(context.Context) error { return &Missing{"t", "0.0.20", false} }, NotDeployed},
		"a table that is gone": {func(context.Context) error { return &Missing{"t", "0.0.20", true} }, Unknown},
	}
	for check, breakIt := range breakers {
		for reason, r := range reasons {
			f := allFine()
			breakIt(f, r.err)
			report, err := service(f).Run(t.Context(), someone)
			if err != nil {
				t.Fatalf("%s, %s: %v", check, reason, err)
			}
			want := r.want
			if want == Unknown && reason != "a table that is gone" && (check == Database || check == GraphQL) {
				want = Unhealthy
			}
			for other, got := range levels(report) {
				if other == check && got != want {
					t.Errorf("%s, %s: got %s, want %s", check, reason, got, want)
				}
				if other != check && got != Healthy {
					t.Errorf("%s, %s: %s became %s", check, reason, other, got)
				}
			}
			if report.Level() == Healthy {
				t.Errorf("%s, %s: the whole is healthy", check, reason)
			}
			if text := strings.Join(append(report.Critical(), report.Warnings()...), " "); strings.Contains(text, "10.0.0.7") {
				t.Errorf("%s, %s: the message shows an address: %s", check, reason, text)
			}
		}
	}
}

func failing[T any](e func(context.Context) error) func(context.Context) (T, error) {
	return func(ctx context.Context) (T, error) {
		var zero T
		return zero, e(ctx)
	}
}

func TestEndpointThatWasNotAskedIsUnknownAndNotDown(t *testing.T) {
	f := allFine()
	f.ask = constant(EndpointReading{}, error(&Unasked{"There is no machine credential."}))
	report, err := service(f).Run(t.Context(), someone)
	if got := levels(report)[GraphQL]; err != nil || got != Unknown || report.Status() != StatusDegraded {
		t.Errorf("got %s, whole %s, %v", got, report.Status(), err)
	}
}

func TestRunsOfOneTenantDoNotOverlap(t *testing.T) {
	f := allFine()
	entered, release := make(chan struct{}), make(chan struct{})
	var asked atomic.Int32
	f.cache = func(context.Context) (CacheReading, error) {
		if asked.Add(1) == 1 {
			close(entered)
			<-release
		}
		return CacheReading{Now: noon, LastRefresh: noon}, nil
	}
	s := service(f)
	s.deadline = time.Minute
	first := make(chan error)
	go func() {
		_, err := s.Run(context.WithoutCancel(t.Context()), someone)
		first <- err
	}()
	<-entered
	if _, err := s.Run(t.Context(), someone); !fault.Is(err, fault.Conflict) {
		t.Errorf("a second run of the tenant: %v, want a conflict", err)
	}
	other := someone
	other.Tenant = uuid.MustParse("22222222-2222-7222-8222-222222222222")
	if _, err := s.Run(t.Context(), other); err != nil {
		t.Errorf("another tenant's run: %v", err)
	}
	close(release)
	if err := <-first; err != nil {
		t.Errorf("the first run: %v", err)
	}
	if _, err := s.Run(t.Context(), someone); err != nil {
		t.Errorf("a run after the first: %v", err)
	}
}

func TestResultsOutliveADatabaseThatCannotKeepThem(t *testing.T) {
	f := allFine()
	away := fault.New(fault.Unavailable, "The database cannot be reached.")
	f.clock, f.keep = constant(time.Time{}, error(away)), away
	report, err := service(f).Run(t.Context(), someone)
	if err != nil || report.Status() != StatusUnhealthy || report.NotStored == "" {
		t.Errorf("Run = %s, not stored %q, %v", report.Status(), report.NotStored, err)
	}
	f.keep = errors.New("no such column")
	if _, err := service(f).Run(t.Context(), someone); err == nil {
		t.Error("a mistake of ours in keeping results passed unseen")
	}
}

func TestOldResultsDoNotStandForNow(t *testing.T) {
	for age, late := range map[time.Duration]bool{
		time.Minute: false, 5*time.Minute - 1: false, 5 * time.Minute: true, -time.Second: false, -time.Minute: true,
	} {
		f := allFine()
		f.latest = Report{CheckedAt: noon.Add(-age), Results: []Result{{Check: Database, Level: Healthy}}}
		report, err := service(f).Latest(t.Context(), someone)
		if err != nil || (report.Late != "") != late || (report.Status() == StatusHealthy) == late {
			t.Errorf("results %s old: late %q, %s, %v", age, report.Late, report.Status(), err)
		}
	}
}

func TestDocumentKeepsTheRequirementsNames(t *testing.T) {
	f := allFine()
	f.failures = constant(0, error(&Missing{"capacity_validation_failures", "0.0.20", false}))
	report, err := service(f).Run(t.Context(), someone)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(report.Document("rivermark"))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Status   string
		ExitCode int
		Checks   map[string]struct {
			Status     string
			AgeMinutes *float64
			Accuracy   *float64
			Value      *string
		}
		NotDeployed []string
	}
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if got.Status != "HEALTHY" || got.ExitCode != 0 || len(got.NotDeployed) != 1 || got.Checks["dataQuality"].Status != "NOT_DEPLOYED" || got.Checks["dataQuality"].Value != nil {
		t.Errorf("document: %s", raw)
	}
	for _, key := range []string{"cacheAge", "mlModelAccuracy", "databaseConnection", "congestionCache", "autoRemediation", "queryPerformance", "scheduler", "graphqlEndpoint", "dataQuality", "statistics"} {
		if _, ok := got.Checks[key]; !ok {
			t.Errorf("the document lacks %s", key)
		}
	}
	if age := got.Checks["cacheAge"].AgeMinutes; age == nil || *age != 1 {
		t.Errorf("ageMinutes = %v, want 1", age)
	}
	if accuracy := got.Checks["mlModelAccuracy"].Accuracy; accuracy == nil || *accuracy != 90 {
		t.Errorf("accuracy = %v, want 90", accuracy)
	}
	empty := Report{}.Document("rivermark")
	if empty.Status != StatusDegraded || empty.Checks["scheduler"].Status != "UNKNOWN" || empty.CheckedAt != nil {
		t.Errorf("the document of no run: %+v", empty)
	}
}
