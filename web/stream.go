package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/live"
)

const (
	// PollSeconds is how often a page asks that nobody wakes; a notice that was missed costs that long.
	PollSeconds = 2
	// writeWithin is how long a browser may take to accept an event.
	writeWithin = 10 * time.Second
	// mostStreams are open for one sign-in in one process. Over HTTP/1.1 a browser has six connections to a site, and
	// pages need some.
	mostStreams = 4
	// mostOfPerson are open for one person in one process, through however many sign-ins: what one takes, others lack.
	mostOfPerson = 10 * mostStreams
	// again is what a browser waits before it comes back by itself, in milliseconds.
	again = 1000
)

// Tail is what has come since a line.
type Tail struct {
	Lines []TailLine // oldest first
	// Mark changes when something of the page but the log has changed.
	Mark string
	// More says that there are further lines already; Over that nothing will come after these.
	More, Over bool
}

// TailLine is a line of a log as pages show it.
type TailLine struct {
	Seq  int64  `json:"-"`
	At   string `json:"at"`
	Text string `json:"text"`
	Tone string `json:"tone,omitempty"`
}

// Follow reads what has come after a line, as the person who watches may read it.
type Follow func(ctx context.Context, after int64) (Tail, error)

// After is the line from which a stream goes on: the one that the browser had last, by itself or in the address.
func After(c echo.Context) (int64, error) {
	values := Query(c)
	text := "0"
	if values.Has("after") {
		text = values.Text("after", 1, 18)
	} else {
		values.Allow("after")
	}
	after, err := strconv.ParseInt(text, 10, 64)
	if err != nil || after < 0 {
		values.Complain("after", "This is no line of the log.")
	}
	if err := values.Err(); err != nil {
		return 0, err
	}
	if last, err := strconv.ParseInt(c.Request().Header.Get("Last-Event-ID"), 10, 64); err == nil && last > after {
		after = last
	}
	return after, nil
}

// Stream answers with server-sent events: "line" for each line of the log, "change" when the rest of the page is not what
// it was, "state" for whether notices arrive, "over" when nothing will come any more. What follow refuses at first is the
// answer; later it ends the stream. Between two looks nothing of the database is held.
func Stream(c echo.Context, topics []live.Topic, after int64, follow Follow) error {
	w, ok := c.Get(webKey).(*Web)
	if !ok || w.config.Hub == nil {
		return fault.New(fault.NotFound, "There are no live pages here.")
	}
	by := Actor(c)
	leave, err := w.streams.enter(of(c).tokenHash, by.Issuer+" "+by.Subject)
	if err != nil {
		return err
	}
	defer leave()
	watch, err := w.config.Hub.Watch(topics...)
	if err != nil {
		return err
	}
	defer watch.End()
	s := &stream{c: c, web: w, watch: watch, follow: follow, after: after, control: http.NewResponseController(c.Response().Writer)}
	// Subscribed first and read then: what happens in between wakes.
	tail, err := follow(c.Request().Context(), after)
	if err != nil {
		return err
	}
	if err := s.open(); err != nil {
		return err
	}
	// Whatever ends it now has been answered: there is nobody to tell but the browser, which comes back.
	s.run(tail)
	return nil
}

// streams counts the open ones of each sign-in and of each person.
type streams struct {
	mu       sync.Mutex
	sessions map[string]int
	people   map[string]int
}

func (s *streams) enter(session, person string) (leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.sessions[session] >= mostStreams:
		return nil, fault.New(fault.TooMany, "This sign-in watches %d pages already. This one asks again every %d seconds.", mostStreams, PollSeconds)
	case s.people[person] >= mostOfPerson:
		return nil, fault.New(fault.TooMany, "You watch %d pages already, through all your sign-ins. This one asks again every %d seconds.", mostOfPerson, PollSeconds)
	case s.sessions == nil:
		s.sessions, s.people = map[string]int{}, map[string]int{}
	}
	s.sessions[session]++
	s.people[person]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		less(s.sessions, session)
		less(s.people, person)
	}, nil
}

func less(open map[string]int, who string) {
	if open[who]--; open[who] <= 0 {
		delete(open, who)
	}
}

type stream struct {
	c       echo.Context
	web     *Web
	watch   *live.Watch
	follow  Follow
	after   int64
	mark    string
	heard   string // what the browser was told of listening
	missed  bool   // the last look could not be taken
	control *http.ResponseController
}

func (s *stream) open() error {
	// The server's limits are for answers that end; each event has its own.
	if err := s.control.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("opening a stream: %w", err)
	}
	h := s.c.Response().Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("X-Accel-Buffering", "no") // a proxy must not gather events
	s.c.Response().WriteHeader(http.StatusOK)
	return nil
}

// run sends until something ends it.
func (s *stream) run(tail Tail) {
	ctx := s.c.Request().Context()
	beat, poll := time.NewTicker(s.web.config.Heartbeat), time.NewTicker(PollSeconds*time.Second)
	defer beat.Stop()
	defer poll.Stop()
	defer func() { _ = s.control.SetWriteDeadline(time.Time{}) }() // another request may follow on the connection
	s.mark = tail.Mark                                             // the page was drawn a moment ago: the browser asks once it has connected
	if !s.send(fmt.Sprintf("retry: %d\n\n", again)) || !s.tell(tail) {
		return
	}
	for !tail.Over || tail.More {
		if !tail.More && !s.wait(ctx, beat.C, poll.C) {
			return
		}
		next, err := s.follow(ctx, s.after)
		switch {
		case fault.Is(err, fault.Unavailable):
			tail.More, s.missed = false, true
			continue // the database is away; the stream stays and asks
		case err != nil:
			return
		}
		tail, s.missed = next, false
		if len(tail.Lines) > 0 && !s.signedIn(ctx) { // until the next heartbeat it may be told that something changed, and not what
			return
		}
		if !s.tell(tail) {
			return
		}
	}
	s.send("event: over\ndata: ended\n\n")
}

// wait returns true when it is time to look, and false when the stream is over.
func (s *stream) wait(ctx context.Context, beat, poll <-chan time.Time) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-s.watch.Over():
			s.send("event: away\ndata: stopping\n\n")
			return false
		case <-s.watch.Woken():
			return true
		case <-poll:
			if s.missed || !s.watch.Listening() {
				return true
			}
		case <-beat:
			if !s.send(": here\n\n") || !s.signedIn(ctx) {
				return false
			}
		}
	}
}

// signedIn ends the stream with its session. While the database is away nobody is signed out.
func (s *stream) signedIn(ctx context.Context) bool {
	is, err := s.web.config.Sessions.Live(ctx, of(s.c).tokenHash, s.web.config.IdleLimit)
	if err != nil || is {
		return ctx.Err() == nil
	}
	s.send("event: away\ndata: signed out\n\n")
	return false
}

// tell sends what is new; false where the browser is gone.
func (s *stream) tell(tail Tail) bool {
	var b strings.Builder
	for _, line := range tail.Lines {
		data, err := json.Marshal(line)
		if err != nil {
			return false
		}
		fmt.Fprintf(&b, "id: %d\nevent: line\ndata: %s\n\n", line.Seq, data)
		s.after = line.Seq
	}
	if tail.Mark != s.mark {
		s.mark = tail.Mark
		b.WriteString("event: change\ndata: look\n\n")
	}
	heard := "polling"
	if s.watch.Listening() {
		heard = "listening"
	}
	if heard != s.heard {
		s.heard = heard
		fmt.Fprintf(&b, "event: state\ndata: %s\n\n", heard)
	}
	return b.Len() == 0 || s.send(b.String())
}

func (s *stream) send(events string) bool {
	if s.control.SetWriteDeadline(time.Now().Add(writeWithin)) != nil {
		return false
	}
	if _, err := s.c.Response().Write([]byte(events)); err != nil {
		return false
	}
	return s.control.Flush() == nil
}
