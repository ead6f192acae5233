package live

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

// Whoever asks gets what was read after they asked, whoever else asks; and few reads are made.
func TestTogetherNeverGivesWhatWasReadBefore(t *testing.T) {
	var group Together[int, int64]
	var truth, reads atomic.Int64
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			for range 100 {
				now := truth.Add(1)
				got, err := group.Do(t.Context(), 1, func(context.Context) (int64, error) {
					reads.Add(1)
					return truth.Load(), nil
				})
				if err != nil || got < now {
					t.Errorf("asked at %d and got %d, %v", now, got, err)
				}
			}
		})
	}
	all.Wait()
	if reads.Load() > 5000 {
		t.Errorf("%d reads for 5000 questions", reads.Load())
	}
	for left := 1; left > 0; { // the last read forgets itself after it has answered
		group.mu.Lock()
		left = len(group.reads)
		group.mu.Unlock()
	}
}

// Fifty who ask while a read is under way share the next one.
func TestThoseWhoComeMeanwhileShareTheNext(t *testing.T) {
	var group Together[string, int]
	began, release := make(chan struct{}), make(chan struct{})
	reads := 0
	get := func(context.Context) (int, error) {
		reads++
		if reads == 1 {
			close(began)
			<-release
		}
		return reads, nil
	}
	first := make(chan int)
	go func() {
		got, _ := group.Do(t.Context(), "k", get)
		first <- got
	}()
	<-began
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if got, err := group.Do(t.Context(), "k", get); got != 2 || err != nil {
				t.Errorf("got read %d, %v; want the second", got, err)
			}
		})
	}
	for {
		group.mu.Lock()
		next := group.reads["k"].next
		all := next != nil && next.wait == 50
		group.mu.Unlock()
		if all {
			break
		}
	}
	close(release)
	if got := <-first; got != 1 {
		t.Errorf("the first got read %d", got)
	}
	all.Wait()
	if reads != 2 {
		t.Errorf("%d reads for 51 who asked at the same time", reads)
	}
}

// One who goes away takes nobody's answer along, and an error is everybody's.
func TestWhoGoesAwayLeavesTheRead(t *testing.T) {
	var group Together[string, int]
	gone, leave := context.WithCancel(t.Context())
	began, release := make(chan struct{}), make(chan struct{})
	wrong := errors.New("the database is away")
	get := func(ctx context.Context) (int, error) {
		close(began)
		<-release
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		return 7, wrong
	}
	over := make(chan error)
	go func() {
		_, err := group.Do(gone, "k", get)
		over <- err
	}()
	<-began
	leave()
	if err := <-over; !errors.Is(err, context.Canceled) {
		t.Errorf("who went away is told %v", err)
	}
	second := make(chan error)
	go func() {
		_, err := group.Do(t.Context(), "k", func(context.Context) (int, error) { return 8, wrong })
		second <- err
	}()
	close(release)
	if err := <-second; !errors.Is(err, wrong) {
		t.Errorf("who stayed is told %v", err)
	}
}
