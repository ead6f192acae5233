package live

import (
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/fault"
)

// Topic is what a page watches: a kind, as the database's notices name it, and an id.
type Topic struct {
	Kind string
	ID   uuid.UUID
}

// The kinds of things that are watched.
const (
	MigrationRun = "migration_run"
	Operation    = "operation"
	Release      = "release"
	Tenant       = "tenant"
	Presence     = "presence"
)

// Place is where people are present: something of a release, as "item P2.1" or "gate go_no_go".
func Place(release uuid.UUID, what string) uuid.UUID { return uuid.NewSHA1(release, []byte(what)) }

// most is how many pages one process keeps open at once; each is a goroutine and a few kilobytes.
const most = 2000

// Hub brings notices to those who wait for them. The zero value is ready, and does not listen.
type Hub struct {
	mu        sync.Mutex
	watchers  map[Topic]map[*Watch]bool
	watches   map[*Watch]bool
	listening bool
	closed    bool
}

// Watch is one subscriber.
type Watch struct {
	hub    *Hub
	topics []Topic
	woken  chan struct{} // holds one: what is not taken yet becomes one
	over   chan struct{} // closed when the hub is
}

// Watch subscribes to topics. It is refused when the program ends, and where too many pages are open.
func (h *Hub) Watch(topics ...Topic) (*Watch, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, fault.New(fault.Unavailable, "This server is being stopped. Nothing was changed; the page asks again by itself.")
	}
	if len(h.watches) >= most {
		return nil, fault.New(fault.Unavailable, "Too many pages are watched at the moment. This one asks again by itself.")
	}
	w := &Watch{hub: h, topics: topics, woken: make(chan struct{}, 1), over: make(chan struct{})}
	if h.watchers == nil {
		h.watchers = map[Topic]map[*Watch]bool{}
	}
	for _, t := range topics {
		if h.watchers[t] == nil {
			h.watchers[t] = map[*Watch]bool{}
		}
		h.watchers[t][w] = true
	}
	if h.watches == nil {
		h.watches = map[*Watch]bool{}
	}
	h.watches[w] = true
	return w, nil
}

// Woken receives after something may have changed: a notice came, or listening began or ended.
func (w *Watch) Woken() <-chan struct{} { return w.woken }

// Over is closed when the program ends.
func (w *Watch) Over() <-chan struct{} { return w.over }

// Listening says whether notices arrive at all. Where they do not, the subscriber asks by itself.
func (w *Watch) Listening() bool {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	return w.hub.listening
}

// End gives the subscription back; a second time does nothing.
func (w *Watch) End() {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	if !w.hub.watches[w] {
		return
	}
	delete(w.hub.watches, w)
	for _, t := range w.topics {
		delete(w.hub.watchers[t], w)
		if len(w.hub.watchers[t]) == 0 {
			delete(w.hub.watchers, t)
		}
	}
}

// Publish wakes everybody who watches the topic. It never waits.
func (h *Hub) Publish(t Topic) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.watchers[t] {
		w.wake()
	}
}

// Listen says whether notices arrive. Where that changes everybody is woken: what happened in between was not told.
func (h *Hub) Listen(on bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listening == on {
		return
	}
	h.listening = on
	for w := range h.watches {
		w.wake()
	}
}

func (w *Watch) wake() {
	select {
	case w.woken <- struct{}{}:
	default:
	}
}

// Watchers is how many subscriptions there are.
func (h *Hub) Watchers() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.watches)
}

// Close tells every subscriber that the program ends, and takes no new ones.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	h.closed = true
	for w := range h.watches {
		close(w.over)
	}
}

// Present is somebody who has a page open now.
type Present struct {
	Issuer, Subject, Name string
	Since                 time.Time
}
