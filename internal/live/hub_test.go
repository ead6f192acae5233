package live_test

import (
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/live"
)

func watch(t *testing.T, h *live.Hub, topic live.Topic) *live.Watch {
	t.Helper()
	w, err := h.Watch(topic)
	if err != nil {
		t.Fatalf("Watch(%v): %v", topic, err)
	}
	return w
}

func woken(w *live.Watch) bool {
	select {
	case <-w.Woken():
		return true
	default:
		return false
	}
}

func TestANoticeWakesThoseWhoWatchThatThing(t *testing.T) {
	var h live.Hub
	one, other := live.Topic{Kind: live.MigrationRun, ID: uuid.New()}, live.Topic{Kind: live.MigrationRun, ID: uuid.New()}
	first, second, apart := watch(t, &h, one), watch(t, &h, one), watch(t, &h, other)
	h.Publish(one)
	h.Publish(one)
	if !woken(first) || !woken(second) {
		t.Error("those who watch the thing were not woken")
	}
	if woken(first) {
		t.Error("two notices that were not taken woke twice; they are one look")
	}
	if woken(apart) {
		t.Error("somebody who watches another thing was woken")
	}
	first.End()
	first.End()
	h.Publish(one)
	if woken(first) {
		t.Error("woken after the end of the subscription")
	}
	if got := h.Watchers(); got != 2 {
		t.Errorf("%d subscriptions, want 2", got)
	}
}

func TestWhoeverListensNoMoreWakesEverybody(t *testing.T) {
	var h live.Hub
	w := watch(t, &h, live.Topic{Kind: live.Operation, ID: uuid.New()})
	if w.Listening() {
		t.Error("a new hub says that it listens")
	}
	for _, on := range []bool{true, false, true} {
		h.Listen(on)
		if !woken(w) || w.Listening() != on {
			t.Errorf("Listen(%v): the subscriber was not told", on)
		}
	}
	h.Listen(true)
	if woken(w) {
		t.Error("woken although nothing changed")
	}
}

func TestAClosedHubEndsItsSubscribers(t *testing.T) {
	var h live.Hub
	topic := live.Topic{Kind: live.Operation, ID: uuid.New()}
	w := watch(t, &h, topic)
	h.Close()
	h.Close()
	select {
	case <-w.Over():
	default:
		t.Error("the subscriber was not told of the end")
	}
	w.End()
	if _, err := h.Watch(topic); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Watch of a closed hub = %v, want unavailable", err)
	}
}

func TestTheHubIsBounded(t *testing.T) {
	var h live.Hub
	var last error
	for range 2001 {
		_, last = h.Watch(live.Topic{Kind: live.Operation, ID: uuid.New()})
	}
	if !fault.Is(last, fault.Unavailable) {
		t.Errorf("subscription 2001 = %v, want unavailable", last)
	}
}

// Hundreds come and go while notices fly: nothing is left behind, and nobody is held up.
func TestSubscribersComeAndGo(t *testing.T) {
	var h live.Hub
	topic := live.Topic{Kind: live.MigrationRun, ID: uuid.New()}
	var all sync.WaitGroup
	for range 300 {
		all.Go(func() {
			w, err := h.Watch(topic)
			if err != nil {
				t.Error(err)
				return
			}
			defer w.End()
			h.Publish(topic)
			<-w.Woken()
		})
	}
	all.Wait()
	if got := h.Watchers(); got != 0 {
		t.Errorf("%d subscriptions are left, want none", got)
	}
}
