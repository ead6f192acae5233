package health

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Service runs and remembers health checks.
type Service struct {
	warehouse Warehouse
	endpoint  Endpoint
	store     Store
	now       func() time.Time
	log       *slog.Logger
	deadline  time.Duration
	mu        sync.Mutex
	running   map[uuid.UUID]bool // by tenant
}

// NewService joins what reads, what is asked and what remembers. A nil endpoint makes the GraphQL check unknown, a nil
// store a service that forgets. The log gets the causes that results only hint at.
func NewService(store Store, now func() time.Time, warehouse Warehouse, endpoint Endpoint, log *slog.Logger) *Service {
	return &Service{
		warehouse: warehouse, endpoint: endpoint, store: store, now: now, log: log,
		deadline: CheckDeadline, running: map[uuid.UUID]bool{},
	}
}

// Latest is the newest stored run, for pages and for whoever asks over HTTP; it checks nothing itself.
func (s *Service) Latest(ctx context.Context, by actor.Actor) (Report, error) {
	r, err := s.store.Latest(ctx, by)
	if err != nil {
		return Report{}, err
	}
	if len(r.Results) == 0 {
		return r, nil
	}
	if age := s.now().Sub(r.CheckedAt); age >= RunsLateFrom {
		r.Late = fmt.Sprintf("The newest health check is %s old, so how things are now is unknown.", words(age))
	} else if age < -ClockSkewLimit {
		r.Late = fmt.Sprintf("The newest health check lies %s in the future: the clocks of the servers differ, so how things are now is unknown.", words(-age))
	}
	return r, nil
}

// Run makes all eight checks at once, stores what they found and gives it. Two runs of one tenant never overlap.
func (s *Service) Run(ctx context.Context, by actor.Actor) (Report, error) {
	if !s.begin(by.Tenant) {
		return Report{}, fault.New(fault.Conflict, "A health check is running already. Its results appear in a few seconds.")
	}
	defer s.end(by.Tenant)
	run, err := newRunID()
	if err != nil {
		return Report{}, fmt.Errorf("making an id for the health run: %w", err)
	}
	report := Report{Run: run, Results: s.check(ctx, by), CheckedAt: s.now().UTC()}
	if s.store == nil {
		return report, nil
	}
	if err := s.store.Keep(ctx, by, report, Retention); err != nil {
		if !fault.Is(err, fault.Unavailable) {
			return Report{}, err
		}
		// What was found out is worth more than its record: the database being away is itself a finding.
		report.NotStored = "The results could not be written down, because the database cannot be reached."
	}
	return report, nil
}

// One makes a single check, for a runbook item that asks for no more. It is not stored: the item keeps it as evidence.
func (s *Service) One(ctx context.Context, by actor.Actor, check Check) Result {
	return s.one(ctx, by, check, s.probes()[check])
}

func (s *Service) begin(tenant uuid.UUID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[tenant] {
		return false
	}
	s.running[tenant] = true
	return true
}

func (s *Service) end(tenant uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, tenant)
}

// probe reads and judges; its error is turned into a verdict by failed.
type probe func(ctx context.Context, by actor.Actor) (verdict, error)

func (s *Service) probes() map[Check]probe {
	return map[Check]probe{
		Database: func(ctx context.Context, by actor.Actor) (verdict, error) {
			sent, started := s.now(), time.Now() // the one for facts, the other for durations
			clock, err := s.warehouse.Clock(ctx, by)
			took := time.Since(started)
			return judgeClock(clock, sent.Add(took/2), took), err
		},
		CacheFreshness: func(ctx context.Context, by actor.Actor) (verdict, error) {
			r, err := s.warehouse.Cache(ctx, by)
			return judgeCache(r), err
		},
		MLAccuracy: func(ctx context.Context, by actor.Actor) (verdict, error) {
			r, err := s.warehouse.Decisions(ctx, by, AccuracyWindow)
			return judgeAccuracy(r), err
		},
		QueryPerformance: func(ctx context.Context, by actor.Actor) (verdict, error) {
			r, err := s.warehouse.TimedQuery(ctx, by)
			return judgeQuery(r), err
		},
		Scheduler: func(ctx context.Context, by actor.Actor) (verdict, error) {
			r, err := s.warehouse.Schedulers(ctx, by)
			return judgeScheduler(r), err
		},
		GraphQL: func(ctx context.Context, by actor.Actor) (verdict, error) {
			if s.endpoint == nil {
				return verdict{}, &Unasked{"No GraphQL endpoint is configured to be asked."}
			}
			r, err := s.endpoint.Ask(ctx, by)
			return judgeEndpoint(r), err
		},
		DataQuality: func(ctx context.Context, by actor.Actor) (verdict, error) {
			n, err := s.warehouse.UnresolvedFailures(ctx, by, FailuresWindow)
			return judgeFailures(n), err
		},
		Statistics: func(ctx context.Context, by actor.Actor) (verdict, error) {
			r, err := s.warehouse.Statistics(ctx, by, StatisticsWindow)
			return judgeStatistics(r), err
		},
	}
}

// check starts every probe and waits for each until its own deadline. A probe that ignores its context is left behind:
// its late answer goes into a channel nobody reads.
func (s *Service) check(ctx context.Context, by actor.Actor) []Result {
	results := make([]Result, len(Checks))
	probes := s.probes()
	var wg sync.WaitGroup
	for i, check := range Checks {
		wg.Go(func() { results[i] = s.one(ctx, by, check, probes[check]) })
	}
	wg.Wait()
	return results
}

type answer struct {
	verdict verdict
	err     error
}

func (s *Service) one(ctx context.Context, by actor.Actor, check Check, p probe) Result {
	started := time.Now()
	ctx, cancel := context.WithTimeout(ctx, s.deadline)
	defer cancel()
	answers := make(chan answer, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				answers <- answer{err: fmt.Errorf("the check itself broke: %v", r)}
			}
		}()
		v, err := p(ctx, by)
		answers <- answer{v, err}
	}()
	var a answer
	select {
	case a = <-answers:
	case <-ctx.Done():
		a.err = ctx.Err()
	}
	if a.err != nil {
		a.verdict = s.failed(check, a.err)
		s.log.WarnContext(ctx, "health check found nothing out", "check", check, "tenant", by.TenantCode, "why", a.err)
	}
	return Result{
		Check: check, Level: a.verdict.level, Value: a.verdict.value, Unit: a.verdict.unit, Message: a.verdict.message,
		Took: time.Since(started), CheckedAt: s.now().UTC(),
	}
}

// failed judges a check that found nothing out. A database or an endpoint that does not answer is down; anything else
// that could not be read is unknown.
func (s *Service) failed(check Check, err error) verdict {
	var missing *Missing
	var unasked *Unasked
	switch {
	case errors.As(err, &missing) && !missing.Applied:
		return verdict{level: NotDeployed, message: fmt.Sprintf("Not deployed yet: %s.", missing.Error())}
	case errors.As(err, &missing):
		return verdict{level: Unknown, message: missing.Error() + "."}
	case errors.As(err, &unasked):
		return verdict{level: Unknown, message: unasked.Why}
	}
	down := verdict{level: Unknown, message: "This could not be read: " + reason(err, s.deadline)}
	switch check {
	case Database:
		down = verdict{level: Unhealthy, message: "The database does not answer: " + reason(err, s.deadline)}
	case GraphQL:
		down = verdict{level: Unhealthy, message: "The GraphQL endpoint cannot be used: " + reason(err, s.deadline)}
	case CacheFreshness, MLAccuracy, QueryPerformance, Scheduler, DataQuality, Statistics:
	}
	return down
}

// reason is an error in words that hold no address and no secret.
func reason(err error, deadline time.Duration) string {
	var plain *Plain
	switch refused, ok := fault.As(err); {
	case errors.As(err, &plain):
		return plain.Text
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("no answer within %s.", words(deadline))
	case errors.Is(err, context.Canceled):
		return "the check was given up."
	case ok:
		return refused.Message
	}
	return "an unexpected error, which stands in the log."
}

// Plain is an error whose text people may read.
type Plain struct{ Text string }

func (p *Plain) Error() string { return p.Text }

// Look makes all eight checks and stores nothing, for whoever keeps what was found in a record of their own.
func (s *Service) Look(ctx context.Context, by actor.Actor) Report {
	results := s.check(ctx, by)
	return Report{Results: results, CheckedAt: s.now().UTC()}
}

// Unread says what is known of a figure that a reading did not give: its state, and why.
func Unread(err error) (Level, string) {
	var missing *Missing
	if errors.As(err, &missing) {
		if missing.Applied {
			return Unknown, missing.Error() + "."
		}
		return NotDeployed, fmt.Sprintf("Not deployed yet: %s.", missing.Error())
	}
	return Unknown, "This could not be read: " + reason(err, CheckDeadline)
}
