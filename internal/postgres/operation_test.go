package postgres_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/operation"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// queue remembers what was put into it.
type queue struct{ refs []operation.Ref }

func (q *queue) EnqueueOperation(_ context.Context, _ pgx.Tx, ref operation.Ref) error {
	q.refs = append(q.refs, ref)
	return nil
}

type copies struct {
	t       *testing.T
	store   postgres.Operations
	queue   *queue
	service operation.Service
	super   *pgx.Conn
}

func newCopies(t *testing.T) copies {
	t.Helper()
	d := housetest.At(t, "")
	q := &queue{}
	store := postgres.Operations{DB: housetest.Open(t, d), Jobs: q}
	super, err := pgx.Connect(t.Context(), d.SuperURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = super.Close(context.WithoutCancel(t.Context())) })
	return copies{t, store, q, operation.NewService(store), super}
}

func (c copies) work(ref operation.Ref, work operation.Work) {
	c.t.Helper()
	w := operation.NewWorker(c.store, map[operation.Kind]operation.Work{operation.Backup: work}, slog.New(slog.DiscardHandler))
	if err := w.Work(c.t.Context(), ref); err != nil {
		c.t.Fatal(err)
	}
}

func (c copies) see(by actor.Actor, id uuid.UUID) (operation.Operation, []operation.Line) {
	c.t.Helper()
	o, lines, err := c.service.Look(c.t.Context(), by, id)
	if err != nil {
		c.t.Fatal(err)
	}
	return o, lines
}

// heardOf moves the moment at which an operation was last heard of into the past.
func (c copies) heardOf(id uuid.UUID, ago string) {
	c.t.Helper()
	if _, err := c.super.Exec(c.t.Context(), `UPDATE gatehouse.operations SET requested_at = requested_at - $2::text::interval, heard_at = heard_at - $2::text::interval,
		started_at = started_at - $2::text::interval WHERE operation_id = $1`, id, ago); err != nil {
		c.t.Fatal(err)
	}
}

func wanted(t *testing.T, err error, kind fault.Kind, words string) {
	t.Helper()
	if !fault.Is(err, kind) || !strings.Contains(err.Error(), words) {
		t.Errorf("got %v, want a refusal of kind %v that says %q", err, kind, words)
	}
}

func TestAnOperationIsOrderedOnceAndDoneOnce(t *testing.T) {
	t.Parallel()
	c := newCopies(t)
	otto, wanda := housetest.Person(housetest.Rivermark, "otto", "devops_engineer"), housetest.Person(housetest.Rivermark, "wanda", "devops_lead")
	theirs := housetest.Person(housetest.Saltway, "sal", "devops_lead")
	key := uuid.New()
	o, err := c.service.Order(t.Context(), otto, operation.Backup, uuid.Nil, key)
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.service.Order(t.Context(), otto, operation.Backup, uuid.Nil, key)
	if err != nil || again.ID != o.ID || len(c.queue.refs) != 1 {
		t.Errorf("the second press gave %s (%v) and %d jobs, want %s and 1", again.ID, err, len(c.queue.refs), o.ID)
	}
	_, err = c.service.Order(t.Context(), otto, operation.Sample, uuid.Nil, key)
	wanted(t, err, fault.Conflict, "used already, for a backup that otto ordered")
	_, err = c.service.Order(t.Context(), wanda, operation.Backup, uuid.Nil, key)
	wanted(t, err, fault.Conflict, "used already, for a backup that otto ordered")
	_, err = c.service.Order(t.Context(), wanda, operation.Backup, uuid.Nil, uuid.New())
	wanted(t, err, fault.Conflict, "that otto ordered")
	_, err = c.service.Order(t.Context(), theirs, operation.Backup, uuid.Nil, uuid.New())
	wanted(t, err, fault.Forbidden, "operates")
	_, err = c.service.Order(t.Context(), housetest.Person(housetest.Rivermark, "vic", "viewer"), operation.Backup, uuid.Nil, uuid.New())
	wanted(t, err, fault.Forbidden, "")
	if _, _, err = c.service.Look(t.Context(), theirs, o.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("another tenant looks at it: %v, want NotFound", err)
	}

	result, turns := uuid.New(), 0
	for range 2 {
		c.work(c.queue.refs[0], func(_ context.Context, o operation.Operation, say func(string)) (operation.Done, error) {
			turns++
			if !o.By.Operator || !o.By.Can(actor.MigrationApply) || o.By.Name != "otto" {
				t.Errorf("the work is done for %+v, want otto with his rights", o.By)
			}
			say("first")
			say(strings.Repeat("é", 5000))
			return operation.Done{Passed: true, Sentence: "It restores.", Result: result}, nil
		})
	}
	got, lines := c.see(wanda, o.ID)
	if turns != 1 || got.State != operation.Succeeded || got.Result != result || got.Sentence != "It restores." || len(lines) != 2 || lines[0].Text != "first" {
		t.Errorf("after %d turns: %+v with %d lines", turns, got, len(lines))
	}
	overview, err := c.service.Overview(t.Context(), theirs)
	if err != nil || len(overview.Operations) != 0 {
		t.Errorf("another tenant sees %d operations (%v)", len(overview.Operations), err)
	}
	_, err = c.service.Order(t.Context(), otto, operation.Drill, uuid.New(), uuid.New())
	wanted(t, err, fault.NotFound, "no such backup")
}

func TestAnOperationThatFailsSaysWhy(t *testing.T) {
	t.Parallel()
	c := newCopies(t)
	otto := housetest.Person(housetest.Rivermark, "otto", "devops_engineer")
	for what, want := range map[string]struct {
		done     operation.Done
		err      error
		sentence string
	}{
		"refused":       {operation.Done{}, fault.New(fault.Invalid, "The disk is full."), "The disk is full."},
		"broken":        {operation.Done{}, errors.New("secret of the machine"), "the program's log says why"},
		"found wanting": {operation.Done{Sentence: "It does not restore."}, nil, "It does not restore."},
	} {
		o, err := c.service.Order(t.Context(), otto, operation.Backup, uuid.Nil, uuid.New())
		if err != nil {
			t.Fatal(err)
		}
		c.work(operation.Ref{Tenant: otto.Tenant, ID: o.ID}, func(context.Context, operation.Operation, func(string)) (operation.Done, error) {
			return want.done, want.err
		})
		if got, _ := c.see(otto, o.ID); got.State != operation.Failed || !strings.Contains(got.Sentence, want.sentence) {
			t.Errorf("%s: %s, %q; want failed, %q", what, got.State, got.Sentence, want.sentence)
		}
	}
}

// TestSilenceIsCalledInterrupted: a program that was killed leaves nobody waiting, and one that lives after all is believed.
func TestSilenceIsCalledInterrupted(t *testing.T) {
	t.Parallel()
	c := newCopies(t)
	otto := housetest.Person(housetest.Rivermark, "otto", "devops_engineer")
	watch := operation.NewWorker(c.store, nil, slog.New(slog.DiscardHandler))
	resolve := func() {
		t.Helper()
		if err := watch.Resolve(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	order := func() operation.Ref {
		t.Helper()
		o, err := c.service.Order(t.Context(), otto, operation.Backup, uuid.Nil, uuid.New())
		if err != nil {
			t.Fatal(err)
		}
		return operation.Ref{Tenant: otto.Tenant, ID: o.ID}
	}
	waiting := order()
	resolve()
	if got, _ := c.see(otto, waiting.ID); got.State != operation.Queued {
		t.Errorf("a new order is %s, want queued", got.State)
	}
	c.heardOf(waiting.ID, "6 minutes")
	resolve()
	if got, _ := c.see(otto, waiting.ID); got.State != operation.Interrupted || !strings.Contains(got.Sentence, "never began") {
		t.Errorf("an order that nobody took up is %s: %q", got.State, got.Sentence)
	}
	c.work(waiting, func(context.Context, operation.Operation, func(string)) (operation.Done, error) {
		t.Error("an order that was given up has begun")
		return operation.Done{}, nil
	})

	killed := order()
	if _, started, err := c.store.Start(t.Context(), killed); err != nil || !started {
		t.Fatal(started, err)
	}
	resolve()
	if got, _ := c.see(otto, killed.ID); got.State != operation.Running {
		t.Errorf("work that was heard of just now is %s, want running", got.State)
	}
	c.heardOf(killed.ID, "1 minute")
	if err := c.store.Beat(t.Context(), killed); err != nil {
		t.Fatal(err)
	}
	resolve()
	if got, _ := c.see(otto, killed.ID); got.State != operation.Running {
		t.Errorf("work with a fresh beat is %s, want running", got.State)
	}
	c.heardOf(killed.ID, "1 minute")
	resolve()
	if got, _ := c.see(otto, killed.ID); got.State != operation.Interrupted {
		t.Errorf("work of which nothing is heard is %s, want interrupted", got.State)
	}
	if err := c.store.Finish(t.Context(), killed, operation.Succeeded, operation.Done{Passed: true, Sentence: "Late."}, audit.Event{Action: "operation:finish", ObjectKind: "operation", ObjectID: killed.ID.String()}); err != nil {
		t.Fatal(err)
	}
	if got, _ := c.see(otto, killed.ID); got.State != operation.Succeeded || got.Sentence != "Late." {
		t.Errorf("what reported after all is %s: %q", got.State, got.Sentence)
	}
}
