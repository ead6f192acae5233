package postgres_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/live"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/operation"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/tcpproxy"
)

// listens starts a listener at the address and waits until it hears.
func listens(t *testing.T, address string) *live.Hub {
	t.Helper()
	hub := &live.Hub{}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var hearing sync.WaitGroup
	hearing.Go(func() { postgres.NewListener(address, hub, slog.New(slog.DiscardHandler)).Listen(ctx) })
	t.Cleanup(func() { stop(); hearing.Wait() })
	awaitListening(t, hub, true)
	return hub
}

func watching(t *testing.T, hub *live.Hub, kind string, id uuid.UUID) *live.Watch {
	t.Helper()
	w, err := hub.Watch(live.Topic{Kind: kind, ID: id})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.End)
	return w
}

func awaitListening(t *testing.T, hub *live.Hub, want bool) {
	t.Helper()
	w := watching(t, hub, live.Operation, uuid.New())
	limit := time.After(20 * time.Second)
	for w.Listening() != want {
		select {
		case <-w.Woken():
		case <-limit:
			t.Fatalf("after 20 s the hub is told listening = %v, want %v", !want, want)
		}
	}
}

// awaitWoken fails where no notice comes within the time.
func awaitWoken(t *testing.T, w *live.Watch, within time.Duration, what string) {
	t.Helper()
	select {
	case <-w.Woken():
	case <-time.After(within):
		t.Errorf("%s woke nobody within %s", what, within)
	}
}

func asleep(t *testing.T, w *live.Watch, what string) {
	t.Helper()
	select {
	case <-w.Woken():
		t.Errorf("%s woke somebody", what)
	default:
	}
}

// Every change that a page shows is told, in the order of its own transaction, with no more than what it is about.
func TestWhatChangesIsTold(t *testing.T) {
	t.Parallel()
	d := housetest.At(t, "")
	hub := listens(t, d.AppURL)
	store := postgres.Operations{DB: housetest.Open(t, d), Jobs: &queue{}}
	lead := housetest.Person(housetest.Rivermark, "dora", actor.DevOpsLead)
	spy, err := pgx.Connect(t.Context(), d.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	defer spy.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // a test's own connection
	if _, err := spy.Exec(t.Context(), "LISTEN gatehouse_live"); err != nil {
		t.Fatal(err)
	}
	o, err := operation.NewService(store).Order(t.Context(), lead, operation.Backup, uuid.Nil, uuid.New())
	if err != nil {
		t.Fatal(err)
	}
	ref := operation.Ref{Tenant: lead.Tenant, ID: o.ID}
	other := watching(t, hub, live.Operation, uuid.New())
	wrongKind := watching(t, hub, live.MigrationRun, o.ID)
	w := watching(t, hub, live.Operation, o.ID)
	if _, _, err := store.Start(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	awaitWoken(t, w, 5*time.Second, "an operation that starts")
	if err := store.Say(t.Context(), ref, "secret of Rivermark"); err != nil {
		t.Fatal(err)
	}
	awaitWoken(t, w, 5*time.Second, "a line of an operation's log")
	if err := store.Beat(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	if err := store.Say(t.Context(), ref, "after the beat"); err != nil {
		t.Fatal(err)
	}
	awaitWoken(t, w, 5*time.Second, "the line after a beat") // notices come in the order of their commits
	asleep(t, w, "that an operation is heard of")
	asleep(t, other, "another operation's change")
	asleep(t, wrongKind, "a change of a thing of another kind")

	want := live.Operation + " " + o.ID.String()
	for heard := 0; heard < 4; {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		notice, err := spy.WaitForNotification(ctx)
		cancel()
		if err != nil {
			t.Fatalf("after %d notices: %v", heard, err)
		}
		switch {
		case notice.Payload == want:
			heard++
		case len(notice.Payload) != len("self ")+36:
			t.Errorf("a notice says %q, want %q alone", notice.Payload, want)
		}
	}
}

func TestAMigrationRunIsTold(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), steps("CREATE TABLE public.t14 (id int);"))
	hub := listens(t, s.d.AppURL)
	run, err := s.service.Apply(t.Context(), s.devops, s.request("0.0.14", s.release(housetest.Rivermark, true)))
	if err != nil {
		t.Fatal(err)
	}
	w := watching(t, hub, live.MigrationRun, run.ID)
	work := make(chan error, 1)
	go func() { work <- s.worker.Work(t.Context(), migration.Ref{Tenant: run.Tenant, Run: run.ID}) }()
	ended := false
	for limit := time.After(20 * time.Second); !ended; {
		select {
		case <-w.Woken():
			now, _, _, err := s.service.Tail(t.Context(), s.devops, run.ID, 0)
			if err != nil {
				t.Fatal(err)
			}
			ended = !now.State.Active()
		case <-limit:
			t.Fatal("nobody was told of the end of a run")
		}
	}
	if err := <-work; err != nil {
		t.Fatal(err)
	}
	_, all, _, _ := s.service.Tail(t.Context(), s.devops, run.ID, 0)
	_, rest, _, err := s.service.Tail(t.Context(), s.devops, run.ID, 2)
	if err != nil || len(rest) != len(all)-2 || rest[0].Seq != 3 {
		t.Errorf("the lines after the second are %v, %v; want all %d but two", rest, err, len(all))
	}
	_, _, _, err = s.service.Tail(t.Context(), housetest.Person(housetest.Saltway, "them", actor.DevOpsLead), run.ID, 0)
	wanted(t, err, fault.NotFound, "no such run")
}

// D14: the connection is killed; everybody is told that nothing is heard, and soon it is heard again.
func TestAKilledListenerComesBack(t *testing.T) {
	t.Parallel()
	d := housetest.At(t, "")
	hub := listens(t, d.AppURL)
	w := watching(t, hub, live.Operation, uuid.New())
	super, err := pgx.Connect(t.Context(), d.SuperURL)
	if err != nil {
		t.Fatal(err)
	}
	defer super.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // a test's own connection
	var killed int
	err = super.QueryRow(t.Context(), `SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE application_name = 'gatehouse listener' AND datname = current_database()) k`).Scan(&killed)
	if err != nil || killed != 1 {
		t.Fatalf("killed %d connections, %v; want the one", killed, err)
	}
	awaitWoken(t, w, 10*time.Second, "a listener that was killed")
	awaitListening(t, hub, true)
}

// The network swallows everything and closes nothing: only that it does not hear itself any more tells.
func TestAListenerThatHearsNothingKnowsIt(t *testing.T) {
	t.Parallel()
	d := housetest.At(t, "")
	there, err := pgx.ParseConfig(d.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	wire := tcpproxy.Start(t, "unix", fmt.Sprintf("%s/.s.PGSQL.%d", there.Host, there.Port))
	hub := listens(t, fmt.Sprintf("postgres://%s:%s@%s/%s?sslmode=disable", there.User, there.Password, wire.Addr(), there.Database))
	wire.CutOneWay(tcpproxy.ToClient)
	cut := time.Now()
	awaitListening(t, hub, false)
	if took := time.Since(cut); took > 10*time.Second {
		t.Errorf("a deaf listener was found after %s, want within 10 s", took)
	}
	wire.Resume()
	wire.CutBoth()
	wire.Resume()
	awaitListening(t, hub, true)
}
