package migration

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

const (
	// grace is how long a run that was just marked running may take to reach the database before it counts as lost.
	grace = 10 * time.Second
	// patience is how long an order may wait to be taken up. An older one does not start by surprise; a person orders again.
	patience = 5 * time.Minute
	// retryPause is between two tries to reach a database that is away.
	retryPause = time.Second
	lineLimit  = 1000
)

// Worker executes runs, and finds out what became of those that a dead program left. It never starts anything twice and
// never tries again by itself.
type Worker struct {
	store    Store
	migrator Migrator
	files    *Files
	log      *slog.Logger

	mu   sync.Mutex
	mine map[RunID]bool
}

// NewWorker makes the worker of this process.
func NewWorker(store Store, migrator Migrator, files *Files, log *slog.Logger) *Worker {
	return &Worker{store: store, migrator: migrator, files: files, log: log, mine: map[RunID]bool{}}
}

// Work executes one queued run to its end. A run that is not queued any more is somebody else's, and no error. The
// error is only for what kept the outcome from being written; the outcome itself is in the run.
func (w *Worker) Work(ctx context.Context, ref Ref) error {
	w.claim(ref.Run, true)
	defer w.claim(ref.Run, false)
	run, started, err := w.start(ctx, ref)
	if err != nil || !started {
		return err
	}
	say := w.speaker(ctx, ref)
	say(fmt.Sprintf("%s of %s begins, asked for by %s.", strings.ToUpper(string(run.Direction[:1]))+string(run.Direction[1:]), run.Version.Title(), run.By.Name))
	result, err := w.step(ctx, run, say)
	var unknown *Unknown
	if errors.As(err, &unknown) || !classified(err) {
		w.log.WarnContext(ctx, "the database went away during a migration", "run", ref.Run, "version", run.Version.String(), "error", err)
		return w.lookUp(ctx, run, say)
	}
	outcome := outcomeOf(result, err)
	if outcome.State == Succeeded {
		w.verify(ctx, run, say)
	} else {
		w.log.ErrorContext(ctx, "a migration failed", "run", ref.Run, "version", run.Version.String(), "error", err)
		say(outcome.Error)
	}
	return w.finish(ctx, ref, outcome)
}

func (w *Worker) claim(id RunID, mine bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if mine {
		w.mine[id] = true
	} else {
		delete(w.mine, id)
	}
}

func (w *Worker) isMine(id RunID) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mine[id]
}

// start marks the run running. A run whose gate has closed since it was asked for ends here.
func (w *Worker) start(ctx context.Context, ref Ref) (run Run, started bool, err error) {
	err = w.store.InTenant(ctx, worker(ref), func(ctx context.Context, tx Tx) error {
		if run, err = tx.Run(ctx, ref.Run); err != nil {
			return err
		}
		if run.State != Queued {
			return nil
		}
		if started, err = tx.Start(ctx, ref.Run); err != nil || started {
			return err
		}
		closed, err := tx.Closed(ctx, run.Release)
		if err != nil {
			return err
		}
		if closed != "" {
			_, err = tx.Finish(ctx, ref.Run, Outcome{State: Failed, Error: closed, Resolution: neverBegan})
			return err
		}
		_, err = tx.Finish(ctx, ref.Run, Outcome{State: Failed, Error: "The gate closed, or the release ended, between the order and the start.", Resolution: neverBegan})
		return err
	})
	return run, started, err
}

// step runs on the owner's connection while a look-out says what it waits for.
func (w *Worker) step(ctx context.Context, run Run, say func(string)) (StepResult, error) {
	watch, done := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() { w.migrator.Blockers(watch, run.ID, say) })
	defer watching.Wait()
	defer done()
	return w.migrator.Step(ctx, StepRequest{
		Version: run.Version, Direction: run.Direction, SHA256: run.SHA256, By: run.By.actor(),
		Release: run.Release, Run: run.ID, Log: say,
	})
}

func outcomeOf(result StepResult, err error) Outcome {
	var failed *StepError
	switch {
	case err == nil:
		return Outcome{State: Succeeded, Took: result.Took}
	case errors.As(err, &failed):
		return Outcome{State: Failed, Error: failed.Error(), SQLState: failed.SQLState}
	}
	if refused, ok := fault.As(err); ok {
		return Outcome{State: Failed, Error: refused.Message, Resolution: neverBegan}
	}
	return Outcome{State: Failed, Error: "The step could not be taken; the program's log says why."}
}

// classified says whether the error itself tells that nothing was changed. Of any other only the ledger knows.
func classified(err error) bool {
	var failed *StepError
	_, refused := fault.As(err)
	return err == nil || refused || errors.As(err, &failed)
}

// verify looks at the objects of the card, for the log. The page looks again each time it is opened.
func (w *Worker) verify(ctx context.Context, run Run, say func(string)) {
	up, ok := w.files.Up(run.Version)
	if !ok {
		return
	}
	sight, err := w.store.Look(ctx, worker(Ref{Tenant: run.Tenant}), Question{Objects: w.files.Objects(run.Version)})
	if err != nil {
		say("The objects could not be looked at now; the page of the version looks at them each time it is opened.")
		return
	}
	checks := Checks(up, run.Direction == Up, sight.Facts)
	failed, passed := AllPassed(checks)
	if passed {
		say(allHold(len(checks)))
		return
	}
	for _, c := range checks {
		if !c.Passed {
			say(fmt.Sprintf("Post-check %s: expected %s, found %s.", c.Name, c.Expected, c.Found))
		}
	}
	say(fmt.Sprintf("%d of %d post-checks do not hold.", failed, len(checks)))
}

func allHold(checks int) string {
	if checks == 1 {
		return "The one post-check holds."
	}
	return fmt.Sprintf("All %d post-checks hold.", checks)
}

// finish writes the outcome, and waits for a database that is away: the effect stands already, only its note is missing.
func (w *Worker) finish(ctx context.Context, ref Ref, o Outcome) error {
	return insist(ctx, func(ctx context.Context) error {
		return w.store.InTenant(ctx, worker(ref), func(ctx context.Context, tx Tx) error {
			run, err := tx.Run(ctx, ref.Run)
			if err != nil {
				return err
			}
			first, err := tx.Finish(ctx, ref.Run, o)
			if err != nil || !first {
				return err
			}
			event := audit.Event{
				Action: "migration:finish", ObjectKind: "migration", ObjectID: run.Version.String(), Reason: o.Error,
				Before: map[string]string{"run": run.ID.String(), "state": string(run.State)},
				After:  map[string]string{"run": run.ID.String(), "direction": string(run.Direction), "state": string(o.State), "resolution": o.Resolution},
			}
			if o.State != Succeeded {
				event.Outcome = audit.Failed
			}
			return tx.Record(ctx, event)
		})
	})
}

// lookUp waits until the database is back and until no server process works for the run, then reads the truth. This
// program was there all the time, so what is not in the ledger was rolled back, and may simply be tried again, unless
// the file runs without a transaction.
func (w *Worker) lookUp(ctx context.Context, run Run, say func(string)) error {
	ref := Ref{Tenant: run.Tenant, Run: run.ID}
	var trace Trace
	err := insist(ctx, func(ctx context.Context) (err error) {
		if trace, err = w.migrator.Trace(ctx, ref.Run); err == nil && trace.Alive {
			err = errStillAlive
		}
		return err
	})
	if err != nil {
		return err
	}
	outcome := settle(trace, w.bare(run))
	if !trace.Found && !w.bare(run) {
		outcome = Outcome{
			State: Failed, Error: "The database went away during the step. Nothing of it remains; it can be tried again.",
			Resolution: "Read after the database came back: the ledger holds no entry of this run, and the entry commits together with the effect.",
		}
	}
	say(outcome.Resolution)
	return w.finish(ctx, ref, outcome)
}

var errStillAlive = fault.New(fault.Unavailable, "The database still works for the run.")

// insist tries until it succeeds, is refused, or ctx ends.
func insist(ctx context.Context, try func(context.Context) error) error {
	for {
		err := try(ctx)
		if !fault.Is(err, fault.Unavailable) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(retryPause):
		}
	}
}

// settle turns what the database knows into the outcome of a run whose program is gone. bare says that its file runs
// without a transaction.
func settle(trace Trace, bare bool) Outcome {
	switch {
	case !trace.Found && bare:
		return Outcome{
			State: Interrupted,
			Error: "The step was cut off, and its file runs without a transaction: some of its statements may have taken effect.",
			Resolution: "No server process works for this run any more and the ledger holds no entry of it. Outside a transaction that proves nothing: " +
				"every statement before the cut stands. Nothing is tried again by itself.",
		}
	case trace.Found && trace.Entry.Success:
		return Outcome{State: Succeeded, Took: trace.Entry.Took, Resolution: fmt.Sprintf(
			"Resolved after an interruption: ledger entry %d was written in the migration's own transaction, so it took effect.", trace.Entry.ID)}
	case trace.Found:
		return Outcome{State: Failed, Error: trace.Entry.Error, SQLState: trace.Entry.SQLState, Took: trace.Entry.Took, Resolution: fmt.Sprintf(
			"Resolved after an interruption: ledger entry %d says that it failed and was rolled back.", trace.Entry.ID)}
	}
	return Outcome{
		State: Interrupted,
		Error: "The program that ran it ended before the step did.",
		Resolution: "No server process works for this run any more and the ledger holds no entry of it. The entry commits together with the effect, " +
			"so nothing of the step remains. Nothing is tried again by itself.",
	}
}

// Resolve looks once at every run that should have ended or begun by now and is not this process's own. Called at start and from time to time.
func (w *Worker) Resolve(ctx context.Context) error {
	unfinished, err := w.store.Unfinished(ctx)
	if err != nil {
		return err
	}
	var problems []error
	for _, ref := range unfinished {
		if w.isMine(ref.Run) || ref.Idle < grace || ref.State == Queued && ref.Idle < patience {
			continue
		}
		look := w.resolve
		if ref.State == Queued {
			look = w.abandon
		}
		if err := look(ctx, ref); err != nil {
			problems = append(problems, fmt.Errorf("resolving run %s: %w", ref.Run, err))
		}
	}
	return errors.Join(problems...)
}

// abandon ends an order that no worker took up, as when a command line died between ordering and working.
func (w *Worker) abandon(ctx context.Context, ref Ref) error {
	return w.finish(ctx, ref, Outcome{
		State: Interrupted, Error: "No worker took the run up.", Resolution: "The step never began, so nothing of it is in the database. Nothing is tried again by itself.",
	})
}

func (w *Worker) resolve(ctx context.Context, ref Ref) error {
	trace, err := w.migrator.Trace(ctx, ref.Run)
	if err != nil {
		return err
	}
	if trace.Alive {
		w.log.WarnContext(ctx, "a migration of a program that may be gone still runs in the database", "run", ref.Run, "pid", trace.PID, "age", trace.Age)
		return nil
	}
	run, err := w.run(ctx, ref)
	if err != nil {
		return err
	}
	outcome := settle(trace, w.bare(run))
	w.log.WarnContext(ctx, "resolved a run that was cut off", "run", ref.Run, "state", outcome.State)
	w.speaker(ctx, ref)(outcome.Resolution)
	return w.finish(ctx, ref, outcome)
}

// run reads the run again.
func (w *Worker) run(ctx context.Context, ref Ref) (run Run, err error) {
	err = w.store.InTenant(ctx, worker(ref), func(ctx context.Context, tx Tx) error {
		run, err = tx.Run(ctx, ref.Run)
		return err
	})
	return run, err
}

// bare says whether the run's file runs without a transaction, so that a cut may leave half of it.
func (w *Worker) bare(run Run) bool {
	file, ok := w.files.In(run.Direction, run.Version)
	return ok && file.NoTransaction
}

// Watch resolves every few seconds until ctx ends.
func (w *Worker) Watch(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := w.Resolve(ctx); err != nil && ctx.Err() == nil {
			w.log.WarnContext(ctx, "looking for runs that were cut off", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// speaker writes lines to the run's log. A line that cannot be written is lost from the page and kept in the program's
// log: the migration must not wait for it.
func (w *Worker) speaker(ctx context.Context, ref Ref) func(string) {
	var mu sync.Mutex
	count := 0
	return func(line string) {
		mu.Lock()
		defer mu.Unlock()
		if count++; count > lineLimit {
			return
		}
		if count == lineLimit {
			line = "More lines follow; they stand in the ledger's notices."
		}
		once, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		err := w.store.InTenant(once, worker(ref), func(ctx context.Context, tx Tx) error { return tx.AddLine(ctx, ref.Run, clip(line)) })
		if err != nil {
			w.log.WarnContext(ctx, "a line of a run's log was not stored", "run", ref.Run, "line", line, "error", err)
		}
	}
}

func clip(line string) string {
	const most = 4000
	if runes := []rune(line); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return line
}

// worker is who writes outcomes: Gatehouse itself, inside the tenant of the run.
func worker(ref Ref) actor.Actor {
	by := actor.System(actor.Worker, "migration worker")
	by.Tenant = ref.Tenant
	return by
}

// actor is the person again, for the ledger.
func (p Person) actor() actor.Actor {
	a := actor.Actor{Tenant: p.Tenant, Issuer: p.Issuer, Subject: p.Subject, Name: p.Name, Origin: actor.Origin(p.Origin)}
	for _, role := range strings.FieldsFunc(p.Roles, func(r rune) bool { return r == ',' }) {
		a.Roles = append(a.Roles, actor.Role(role))
	}
	return a
}

// JobKind is what a job of this package is called in the queue; its arguments are a Ref.
const JobKind = "migration_run"
