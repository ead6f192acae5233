package web

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"
)

// One company's files, however slowly they come, leave places for another's.
func TestACompanyLeavesPlacesForOthers(t *testing.T) {
	ours, theirs := uuid.New(), uuid.New()
	p := newPlaces(uploadsAtOnce, uploadsOfOne)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	var given []func()
	take := func(tenant uuid.UUID) {
		t.Helper()
		give, err := p.take(t.Context(), tenant)
		if err != nil {
			t.Fatal(err)
		}
		given = append(given, give)
	}
	for range uploadsOfOne {
		take(ours)
	}
	waiting, got := make(chan struct{}), make(chan func(), 1)
	go func() {
		close(waiting)
		give, err := p.take(t.Context(), ours)
		if err != nil {
			t.Error(err)
		}
		got <- give
	}()
	<-waiting
	take(theirs) // would wait for ever if ours had all the places, or waited in front of them
	select {
	case <-got:
		t.Error("a company has more places than are its own")
	default:
	}
	for len(given) < uploadsAtOnce {
		take(theirs)
	}
	if _, err := p.take(over, uuid.New()); !errors.Is(err, context.Canceled) {
		t.Errorf("a place of a company that gave up waiting: %v", err)
	}
	given[0]()
	(<-got)()
	for _, give := range given[1:] {
		give()
	}
	if len(p.tenants) != 0 || len(p.all) != 0 {
		t.Errorf("%d companies and %d places are left, want none", len(p.tenants), len(p.all))
	}
}
