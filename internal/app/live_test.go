package app_test

import (
	"bufio"
	"context"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/app"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/operation"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// replica is one more process of the product on the site's database, whole: it listens, hears and works.
type replica struct {
	url   string
	stop  context.CancelFunc
	ended chan struct{}
	err   error // once it has ended
}

// replicate starts one. It is told the site's own address as the public one, as behind a proxy.
func (s *site) replicate() *replica {
	s.t.Helper()
	config, err := app.Load([]string{
		"GATEHOUSE_ADDR=127.0.0.1:0", "GATEHOUSE_PUBLIC_URL=" + s.url, "GATEHOUSE_ENVIRONMENT=demo", "GATEHOUSE_DATABASE_URL=" + s.database.AppURL,
		"GATEHOUSE_OWNER_DATABASE_URL=" + s.database.OwnerURL, "GATEHOUSE_OIDC_ISSUER=" + s.provider.Issuer(),
		"GATEHOUSE_OIDC_CLIENT_ID=gatehouse", "GATEHOUSE_OIDC_CLIENT_SECRET=secret of the test",
	})
	if err != nil {
		s.t.Fatal(err)
	}
	a, err := app.New(s.t.Context(), config, slog.New(slog.DiscardHandler), time.Second)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(s.t.Context()))
	r := &replica{stop: stop, ended: make(chan struct{})}
	ready := make(chan string, 1)
	go func() {
		r.err = a.Serve(ctx, func(addr net.Addr) { ready <- "http://" + addr.String() })
		a.Close()
		close(r.ended)
	}()
	s.t.Cleanup(func() { stop(); <-r.ended })
	select {
	case r.url = <-ready:
	case <-r.ended:
		s.t.Fatalf("Serve: %v", r.err)
	}
	return r
}

// watched is an operation of Rivermark that is under way, and no program works for it.
func (s *site) watched() operation.Ref {
	s.t.Helper()
	id := uuid.New()
	s.sql(`INSERT INTO gatehouse.operations (tenant_id, operation_id, request_key, kind, state, actor_issuer, actor_subject, actor_name, actor_roles, origin, started_at, heard_at)
		VALUES ($1, $2, gen_random_uuid(), 'backup', 'running', 'test', 'test', 'Test', '{}', 'web', now(), now())`, housetest.Rivermark, id)
	return operation.Ref{Tenant: housetest.Rivermark, ID: id}
}

// stream gives what comes at an address through a replica: "line 3", "state listening"; it is closed when that ends.
func (b *browser) stream(r *replica, where string) <-chan string {
	b.t.Helper()
	come, leave := b.visit(r, where)
	b.t.Cleanup(leave)
	return come
}

// visit is a stream that its reader may leave.
func (b *browser) visit(r *replica, where string) (<-chan string, context.CancelFunc) {
	b.t.Helper()
	ctx, leave := context.WithCancel(context.WithoutCancel(b.t.Context()))
	res, err := b.client.Do(b.request(http.MethodGet, r.url+where, "", "").WithContext(ctx)) //nolint:bodyclose // who reads it closes it
	if err != nil {
		b.t.Fatalf("GET %s: %v", where, err)
	}
	if res.StatusCode != http.StatusOK {
		_ = res.Body.Close()
		b.t.Fatalf("GET %s = %d", where, res.StatusCode)
	}
	come := make(chan string, 100)
	go func() {
		defer close(come)
		defer func() { _ = res.Body.Close() }()
		id, kind := "", ""
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			switch name, value, _ := strings.Cut(lines.Text(), ": "); {
			case name == "id":
				id = value
			case name == "event":
				kind = value
			case name == "data" && kind == "line":
				come <- "line " + id
			case name == "data":
				come <- kind + " " + value
			}
		}
	}()
	return come, leave
}

// awaitEvent reads on until the event comes, and says how long that took.
func awaitEvent(t *testing.T, come <-chan string, want string) time.Duration {
	t.Helper()
	began := time.Now()
	var seen []string
	for limit := time.After(20 * time.Second); ; {
		select {
		case event, ok := <-come:
			if event == want {
				return time.Since(began)
			}
			if seen = append(seen, event); !ok {
				t.Fatalf("the stream ended before %q; it said %q", want, seen)
			}
		case <-limit:
			t.Fatalf("for 20 s %q did not come; what came is %q", want, seen)
		}
	}
}

// TestALogIsWatchedThroughEveryReplica: several people, two processes, a reload, another tenant, a connection that is
// killed, and a process that is told to end.
func TestALogIsWatchedThroughEveryReplica(t *testing.T) {
	s := open(t, "")
	one, two := s.replicate(), s.replicate()
	ref := s.watched()
	store := postgres.Operations{DB: housetest.Open(t, s.database)}
	said := 0
	say := func() string {
		t.Helper()
		if err := store.Say(t.Context(), ref, "a line"); err != nil {
			t.Fatal(err)
		}
		said++
		return "line " + strconv.Itoa(said)
	}
	say()
	where := "/operations/" + ref.ID.String() + "/events"
	lead, other := s.as("devops.lead@rivermark"), s.as("qa.lead@rivermark")
	first, second := lead.stream(one, where), other.stream(two, where)
	for _, come := range []<-chan string{first, second} {
		awaitEvent(t, come, "line 1")
		awaitEvent(t, come, "state listening")
	}
	line := say()
	for _, come := range []<-chan string{first, second} {
		if took := awaitEvent(t, come, line); took > time.Second {
			t.Errorf("a line took %s to reach a page that hears of it", took)
		}
	}

	reloaded := lead.stream(two, where+"?after=1")
	awaitEvent(t, reloaded, "line 2")

	them := s.as("devops.lead@saltway")
	if a := them.do(them.request(http.MethodGet, two.url+where, "", "")); a.StatusCode != http.StatusNotFound {
		t.Errorf("another tenant's stream = %d, want 404", a.StatusCode)
	}

	// The pages hold no connection of the pool, however many there are.
	if busy := s.text(`SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'gatehouse' AND state LIKE 'idle in%'`); busy != "0" {
		t.Errorf("%s connections are held inside a transaction while nothing happens", busy)
	}

	if killed := s.text(`SELECT count(pg_terminate_backend(pid))::text FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'gatehouse listener'`); killed != "2" {
		t.Fatalf("%s listeners were killed, want those of both", killed)
	}
	line = say()
	for _, come := range []<-chan string{first, second, reloaded} {
		if took := awaitEvent(t, come, line); took > 3*time.Second {
			t.Errorf("after the listener was killed a line took %s, want within the interval of 2 s", took)
		}
	}

	began := time.Now()
	one.stop()
	awaitEvent(t, first, "away stopping")
	if <-one.ended; one.err != nil {
		t.Errorf("a replica with an open stream ended with %v", one.err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("a replica with an open stream took %s to end", took)
	}
	back := lead.stream(two, where+"?after="+strconv.Itoa(said))
	line = say()
	awaitEvent(t, back, line)

	if err := store.Finish(t.Context(), ref, operation.Succeeded, operation.Done{Passed: true, Sentence: "Done."}, audit.Event{Action: "operation:finish", ObjectKind: "operation", ObjectID: ref.ID.String()}); err != nil {
		t.Fatal(err)
	}
	for _, come := range []<-chan string{second, reloaded, back} {
		awaitEvent(t, come, "change look")
		awaitEvent(t, come, "over ended")
	}
}
