package live

import (
	"context"
	"sync"
	"time"
)

// Together lets those who ask for the same thing at the same time share one answer. Whoever asks is never given what was
// read before they asked: a read that is under way already is finished for those who wait for it, and everybody who comes
// meanwhile waits together for the next one. So fifty pages that are woken at once cost two reads, and none is stale. What
// is given out is shared and must not be changed. The zero value is ready.
type Together[K comparable, V any] struct {
	mu    sync.Mutex
	reads map[K]*read[V]
}

// read is one that is under way, with those who wait for the next.
type read[V any] struct {
	done  chan struct{}
	value V
	err   error
	next  *read[V]
	wait  int // how many do
	again func(context.Context) (V, error)
	ctx   context.Context //nolint:containedctx // of whoever asked first for the next read
}

// readFor is how long a shared read may take: nobody's own limit ends it, because others wait as well.
const readFor = 20 * time.Second

// Do gives what get reads, for the key. The read outlives whoever asked first.
func (t *Together[K, V]) Do(ctx context.Context, key K, get func(context.Context) (V, error)) (V, error) {
	t.mu.Lock()
	if t.reads == nil {
		t.reads = map[K]*read[V]{}
	}
	mine, ok := t.reads[key]
	switch {
	case !ok:
		mine = &read[V]{done: make(chan struct{}), again: get, ctx: ctx}
		t.reads[key] = mine
		go t.run(key, mine) //nolint:contextcheck // the read outlives whoever asked first; mine.ctx gives it their values
	case mine.next == nil:
		mine.next = &read[V]{done: make(chan struct{}), again: get, ctx: ctx}
		mine = mine.next
	default:
		mine = mine.next
	}
	mine.wait++
	t.mu.Unlock()
	select {
	case <-mine.done:
		return mine.value, mine.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}

// run reads, and then for those who came meanwhile, until nobody has.
func (t *Together[K, V]) run(key K, r *read[V]) {
	for r != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), readFor)
		r.value, r.err = r.again(ctx)
		cancel()
		close(r.done)
		t.mu.Lock()
		next := r.next
		if next == nil {
			delete(t.reads, key)
		} else {
			t.reads[key] = next
		}
		t.mu.Unlock()
		r = next
	}
}
