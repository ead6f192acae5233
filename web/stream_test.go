package web_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/live"
	"github.com/agogsaas/gatehouse/web"
)

// diary is a log that grows, as a story would read it.
type diary struct {
	hub   live.Hub
	topic live.Topic

	mu    sync.Mutex
	lines []string
	over  bool
	away  bool
	looks int
}

func (d *diary) add(lines ...string) {
	d.mu.Lock()
	d.lines = append(d.lines, lines...)
	d.mu.Unlock()
	d.hub.Publish(d.topic)
}

func (d *diary) set(change func()) {
	d.mu.Lock()
	change()
	d.mu.Unlock()
	d.hub.Publish(d.topic)
}

func (d *diary) follow(_ context.Context, after int64) (web.Tail, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.looks++
	if d.away {
		return web.Tail{}, fault.New(fault.Unavailable, "The database cannot be reached.")
	}
	tail := web.Tail{Over: d.over, Mark: fmt.Sprint(d.over)}
	for i := after; i < int64(len(d.lines)); i++ {
		tail.Lines = append(tail.Lines, web.TailLine{Seq: i + 1, At: "14:00", Text: d.lines[i]})
	}
	return tail, nil
}

// streaming is a site with a diary at /diary and a short heartbeat.
func streaming(t *testing.T) (*site, *diary) {
	t.Helper()
	d := &diary{topic: live.Topic{Kind: live.Operation, ID: uuid.New()}}
	s := open(t, func(o *settings) { o.config.Hub, o.config.Heartbeat = &d.hub, 100*time.Millisecond })
	d.hub.Listen(true)
	s.web.Mount([]web.Route{{Method: http.MethodGet, Path: "/diary", Right: actor.HealthRead, Streams: true, Handler: func(c echo.Context) error {
		after, err := web.After(c)
		if err != nil {
			return err
		}
		return web.Stream(c, []live.Topic{d.topic}, after, d.follow)
	}}})
	return s, d
}

// events are what a browser receives, one a line: "line 3 text", "state listening".
type events struct {
	t     testing.TB
	come  chan string
	close func()
}

func (b *browser) events(where string, header ...string) *events {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	r := b.request(http.MethodGet, where, nil).WithContext(ctx)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := b.client.Do(r) //nolint:bodyclose // who reads it closes it
	if err != nil {
		b.t.Fatalf("GET %s: %v", where, err)
	}
	if kind := res.Header.Get("Content-Type"); res.StatusCode != http.StatusOK || !strings.HasPrefix(kind, "text/event-stream") {
		b.t.Fatalf("GET %s = %d, %s", where, res.StatusCode, kind)
	}
	e := &events{b.t, make(chan string, 1000), cancel}
	go func() {
		defer close(e.come)
		defer func() { _ = res.Body.Close() }()
		id, kind := "", ""
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "id":
				id = value
			case "event":
				kind = value
			case "data":
				e.come <- strings.TrimSpace(kind + " " + id + " " + value)
				id = ""
			}
		}
	}()
	b.t.Cleanup(cancel)
	return e
}

// next is the next event; none means that the stream has ended.
func (e *events) next() string {
	e.t.Helper()
	select {
	case event, ok := <-e.come:
		if !ok {
			return "ended"
		}
		return event
	case <-time.After(10 * time.Second):
		e.t.Fatal("for 10 s no event came")
		return ""
	}
}

func (e *events) want(wants ...string) {
	e.t.Helper()
	for _, want := range wants {
		if got := e.next(); !strings.HasPrefix(got, want) {
			e.t.Fatalf("event %q, want %q", got, want)
		}
	}
}

func TestAStreamBringsWhatIsNewAndEndsWithItsThing(t *testing.T) {
	t.Parallel()
	s, d := streaming(t)
	d.add("one", "two")
	first, second := s.as("viewer@rivermark").events("/diary"), s.as("qa.lead@rivermark").events("/diary?after=1")
	first.want(`line 1 {"at":"14:00","text":"one"}`, "line 2", "state  listening")
	second.want("line 2", "state  listening")
	d.add("three")
	first.want("line 3")
	second.want("line 3")
	reloaded := s.as("viewer@rivermark").events("/diary?after=1", "Last-Event-ID", "3")
	reloaded.want("state  listening")
	d.set(func() { d.over = true; d.lines = append(d.lines, "four") })
	for _, e := range []*events{first, second, reloaded} {
		e.want("line 4", "change  look", "over  ended", "ended")
	}
	s.awaitNoWatchers(d)
}

func (s *site) awaitNoWatchers(d *diary) {
	s.t.Helper()
	for limit := time.Now().Add(10 * time.Second); d.hub.Watchers() > 0; {
		if time.Now().After(limit) {
			s.t.Fatalf("%d subscriptions are left", d.hub.Watchers())
		}
		runtime.Gosched()
	}
}

// D14: nobody is woken, and what changes is seen all the same within the interval; the page is told that it is so.
func TestAStreamThatNobodyWakesLooksByItself(t *testing.T) {
	t.Parallel()
	s, d := streaming(t)
	e := s.as("viewer@rivermark").events("/diary")
	e.want("state  listening")
	d.hub.Listen(false)
	e.want("state  polling")
	d.mu.Lock()
	d.lines = append(d.lines, "unheard")
	d.mu.Unlock()
	changed := time.Now()
	e.want("line 1")
	if took := time.Since(changed); took > (web.PollSeconds+1)*time.Second {
		t.Errorf("without notices a line came after %s, want within %d s", took, web.PollSeconds)
	}
	d.hub.Listen(true)
	e.want("state  listening")
}

// While nothing happens nothing is asked; a look that could not be taken is taken again.
func TestAnIdleStreamAsksNothing(t *testing.T) {
	t.Parallel()
	s, d := streaming(t)
	e := s.as("viewer@rivermark").events("/diary")
	e.want("state  listening")
	d.mu.Lock()
	before := d.looks
	d.mu.Unlock()
	time.AfterFunc((web.PollSeconds+1)*time.Second, func() { d.hub.Listen(false) })
	e.want("state  polling")
	d.mu.Lock()
	if d.looks != before+1 {
		t.Errorf("an idle stream looked %d times, want once: when it was woken", d.looks-before)
	}
	d.mu.Unlock()
	d.hub.Listen(true)
	e.want("state  listening")
	d.set(func() { d.away = true })
	d.mu.Lock()
	d.away, d.lines = false, append(d.lines, "back")
	d.mu.Unlock()
	e.want("line 1")
}

func TestAStreamEndsWithItsSession(t *testing.T) {
	t.Parallel()
	s, d := streaming(t)
	b := s.as("viewer@rivermark")
	e := b.events("/diary")
	e.want("state  listening")
	if got := s.rows(`SELECT last_seen_at::text FROM gatehouse.sessions`); len(got) != 1 {
		t.Fatalf("sessions: %v", got)
	}
	s.sql(`UPDATE gatehouse.sessions SET last_seen_at = now() - interval '5 minutes'`)
	seen := s.rows(`SELECT last_seen_at::text FROM gatehouse.sessions`)
	d.add("while it is looked at")
	e.want("line 1")
	if after := s.rows(`SELECT last_seen_at::text FROM gatehouse.sessions`); after[0] != seen[0] {
		t.Error("a stream keeps its session from ending of idleness")
	}
	s.sql(`UPDATE gatehouse.sessions SET last_seen_at = now() - interval '31 minutes'`)
	e.want("away  signed out", "ended")
	s.awaitNoWatchers(d)
}

// What a log says is told to nobody whose session is over, also between two heartbeats.
func TestAStreamTellsNothingAfterItsSession(t *testing.T) {
	t.Parallel()
	d := &diary{topic: live.Topic{Kind: live.Operation, ID: uuid.New()}}
	s := open(t, func(o *settings) { o.config.Hub, o.config.Heartbeat = &d.hub, time.Hour })
	d.hub.Listen(true)
	s.web.Mount([]web.Route{{Method: http.MethodGet, Path: "/diary", Right: actor.HealthRead, Streams: true, Handler: func(c echo.Context) error {
		return web.Stream(c, []live.Topic{d.topic}, 0, d.follow)
	}}})
	e := s.as("viewer@rivermark").events("/diary")
	e.want("state  listening")
	s.sql(`UPDATE gatehouse.sessions SET last_seen_at = now() - interval '31 minutes'`)
	d.add("a secret")
	e.want("away  signed out", "ended")
}

// One person takes no more than a part of what a process can keep open, through however many sign-ins.
func TestAPersonHasBoundedStreams(t *testing.T) {
	t.Parallel()
	s, _ := streaming(t)
	for range 10 {
		b := s.as("viewer@rivermark")
		for range 4 {
			b.events("/diary").want("state  listening")
		}
	}
	wantStatus(t, "one more stream of the same person", s.as("viewer@rivermark").get("/diary"), http.StatusTooManyRequests)
	s.as("qa.lead@rivermark").events("/diary").want("state  listening")
}

func TestAStreamEndsWithTheProgram(t *testing.T) {
	t.Parallel()
	s, d := streaming(t)
	b := s.as("viewer@rivermark")
	e := b.events("/diary")
	e.want("state  listening")
	d.hub.Close()
	e.want("away  stopping", "ended")
	wantStatus(t, "a stream of a program that ends", b.get("/diary"), http.StatusServiceUnavailable)
}

func TestASignInHasFewStreams(t *testing.T) {
	t.Parallel()
	s, d := streaming(t)
	b := s.as("viewer@rivermark")
	var open []*events
	for range 4 {
		e := b.events("/diary")
		e.want("state  listening")
		open = append(open, e)
	}
	wantStatus(t, "the fifth stream of a sign-in", b.get("/diary"), http.StatusTooManyRequests)
	s.as("viewer@rivermark").events("/diary").want("state  listening")
	open[0].close()
	for limit := time.Now().Add(10 * time.Second); d.hub.Watchers() > 4; {
		if time.Now().After(limit) {
			t.Fatal("a closed stream is still counted")
		}
		runtime.Gosched()
	}
	b.events("/diary").want("state  listening")
}

func TestAStreamRefusesLikeItsPage(t *testing.T) {
	t.Parallel()
	s, _ := streaming(t)
	wantStatus(t, "a stream without a sign-in", s.browser().get("/diary"), http.StatusUnauthorized)
	for _, query := range []string{"?after=x", "?after=-1", "?other=1", "?after=1&after=2"} {
		wantStatus(t, query, s.as("viewer@rivermark").get("/diary"+query), http.StatusUnprocessableEntity)
	}
}

// Two hundred come and go, most without a word; nothing of them is left.
func TestManyStreamsLeaveNothingBehind(t *testing.T) {
	s, d := streaming(t)
	var people []*browser
	for range 10 {
		people = append(people, s.as("viewer@rivermark"))
	}
	people[0].events("/diary").close()
	s.awaitNoWatchers(d)
	quiet := func() int {
		for _, b := range people {
			b.client.CloseIdleConnections()
		}
		return runtime.NumGoroutine()
	}
	before := quiet()
	for round := range 5 {
		var open []*events
		for _, b := range people {
			for range 4 {
				open = append(open, b.events(fmt.Sprintf("/diary?after=%d", round)))
			}
		}
		if got := d.hub.Watchers(); got != 40 {
			t.Fatalf("round %d: %d subscriptions, want 40", round, got)
		}
		d.add("a line for all")
		for _, e := range open {
			e.want("state  listening", "line ")
			e.close()
		}
		s.awaitNoWatchers(d)
	}
	after := quiet()
	for limit := time.Now().Add(10 * time.Second); after > before+3 && time.Now().Before(limit); after = quiet() {
		runtime.Gosched()
	}
	if after > before+3 {
		t.Errorf("after 200 streams there are %d goroutines, before %d", after, before)
	}
}
