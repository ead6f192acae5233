package operation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/clock"
	"github.com/agogsaas/gatehouse/internal/fault"
)

const (
	// beatEvery is how often running work is said to go on, and silence how long nothing may be heard of it.
	beatEvery = 5 * time.Second
	silence   = 45 * time.Second
	// patience is how long an order may wait to be taken up. An older one does not start by surprise.
	patience = 5 * time.Minute
	// retryPause is between two tries to write an end while the database is away, and lastTry how long a program that is
	// being stopped has for it.
	retryPause = time.Second
	lastTry    = 5 * time.Second
	// mostLines are kept of a log, each of at most mostRunes.
	mostLines, mostRunes = 1000, 2000
)

// Work does an operation to its end. Its error is for what could not be done at all; what was found out is in Done.
type Work func(ctx context.Context, o Operation, say func(string)) (Done, error)

// Worker does operations, and calls those interrupted of which nothing is heard any more.
type Worker struct {
	store Store
	works map[Kind]Work
	log   *slog.Logger
}

// NewWorker makes the worker of this process.
func NewWorker(store Store, works map[Kind]Work, log *slog.Logger) *Worker {
	return &Worker{store: store, works: works, log: log}
}

// Work does one queued operation. One that is not queued any more is somebody else's, and no error. The error is only for
// what kept the end from being written.
func (w *Worker) Work(ctx context.Context, ref Ref) error {
	o, started, err := w.store.Start(ctx, ref)
	if err != nil || !started {
		return err
	}
	done, err := w.run(ctx, ref, o)
	state := Succeeded
	var fate Fate
	if err != nil && o.Kind == Restore {
		fate = w.fate(ctx, ref)
	}
	switch {
	case fate.Happened:
		done = Done{Passed: true, Sentence: fate.Sentence, Result: fate.Result}
	case err != nil && ctx.Err() != nil && o.Kind == Restore:
		state, done.Sentence = Interrupted, "The program was stopped before it was done. "+fate.Sentence
	case err != nil && ctx.Err() != nil:
		state, done.Sentence = Interrupted, "The program was stopped before it was done. Nothing is tried again by itself."
	case err != nil:
		w.log.ErrorContext(ctx, "an operation failed", "operation", ref.ID, "kind", o.Kind, "error", err)
		state, done.Sentence = Failed, words(err)
	case !done.Passed:
		state = Failed
	}
	return w.finish(ctx, ref, o, state, done)
}

// run does the work while a beat says that it goes on.
func (w *Worker) run(ctx context.Context, ref Ref, o Operation) (Done, error) {
	work, known := w.works[o.Kind]
	if !known {
		return Done{}, fault.New(fault.Invalid, "This version of Gatehouse does not know how to do a %s.", o.Kind)
	}
	beating, stop := context.WithCancel(ctx)
	var beats sync.WaitGroup
	beats.Go(func() { w.beat(beating, ref) })
	defer beats.Wait()
	defer stop()
	return work(ctx, o, w.speaker(ctx, ref))
}

func (w *Worker) beat(ctx context.Context, ref Ref) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := w.store.Beat(ctx, ref); err != nil && ctx.Err() == nil {
				w.log.WarnContext(ctx, "could not say that an operation goes on", "operation", ref.ID, "error", err)
			}
		}
	}
}

// speaker writes lines to the log. A line that cannot be written is kept in the program's own log: the work goes on.
func (w *Worker) speaker(ctx context.Context, ref Ref) func(string) {
	var mu sync.Mutex
	count := 0
	return func(line string) {
		mu.Lock()
		defer mu.Unlock()
		if count++; count > mostLines {
			return
		}
		if runes := []rune(line); len(runes) > mostRunes {
			line = string(runes[:mostRunes-1]) + "…"
		}
		if err := w.store.Say(ctx, ref, line); err != nil {
			w.log.WarnContext(ctx, "a line of an operation's log was not stored", "operation", ref.ID, "line", line, "error", err)
		}
	}
}

// finish writes the end. It waits for a database that is away, and outlives the program's stopping for a moment.
func (w *Worker) finish(ctx context.Context, ref Ref, o Operation, state State, done Done) error {
	event := audit.Event{
		Action: "operation:finish", ObjectKind: "operation", ObjectID: ref.ID.String(), Reason: done.Sentence,
		Before: map[string]string{"kind": string(o.Kind), "state": string(o.State)},
		After:  map[string]string{"kind": string(o.Kind), "state": string(state), "result": subjectText(done.Result)},
	}
	if state != Succeeded {
		event.Outcome = audit.Failed
	}
	last, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(lastTry, cancel) })()
	for {
		err := w.store.Finish(last, ref, state, done, event)
		if !fault.Is(err, fault.Unavailable) {
			return err
		}
		select {
		case <-last.Done():
			return errors.Join(last.Err(), err)
		case <-time.After(retryPause):
		}
	}
}

func words(err error) string {
	if f, ok := fault.As(err); ok {
		return f.Message
	}
	return "It could not be done; the program's log says why."
}

// Resolve looks once at every operation that should have been heard of by now.
func (w *Worker) Resolve(ctx context.Context) error {
	unfinished, err := w.store.Unfinished(ctx)
	if err != nil {
		return err
	}
	var problems []error
	for _, ref := range unfinished {
		var sentence string
		switch {
		case ref.State == Running && ref.Idle >= silence:
			sentence = fmt.Sprintf("Nothing was heard of it for %s: its program has ended, or cannot reach the database. What was not done to its end left nothing.", clock.Duration(ref.Idle))
		case ref.State == Queued && ref.Idle >= patience:
			sentence = "No program took it up. It never began."
		default:
			continue
		}
		fate, err := w.store.Fate(ctx, ref)
		switch {
		case err != nil:
			problems = append(problems, fmt.Errorf("operation %s: %w", ref.ID, err))
			continue
		case fate.Running:
			continue // whatever becomes of it, it is not over
		case fate.Happened:
			event := Operation{Kind: Restore}
			if err := w.finish(ctx, ref, event, Succeeded, Done{Passed: true, Sentence: fate.Sentence, Result: fate.Result}); err != nil {
				problems = append(problems, fmt.Errorf("operation %s: %w", ref.ID, err))
			}
			continue
		case fate.Known && ref.State == Running:
			sentence = fmt.Sprintf("Nothing was heard of it for %s: its program has ended, or cannot reach the database. %s", clock.Duration(ref.Idle), fate.Sentence)
		}
		w.log.WarnContext(ctx, "an operation is called interrupted", "operation", ref.ID, "state", ref.State, "idle", ref.Idle)
		if err := w.finish(ctx, ref, Operation{}, Interrupted, Done{Sentence: sentence}); err != nil {
			problems = append(problems, fmt.Errorf("operation %s: %w", ref.ID, err))
		}
	}
	return errors.Join(problems...)
}
