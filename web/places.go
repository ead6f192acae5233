package web

import (
	"context"
	"sync"

	"github.com/google/uuid"
)

// places bounds what may be on its way in at once, and how much of it may be one company's: a company waits for its own
// files first, and only then for those of others. The zero value has no place.
type places struct {
	all     chan struct{}
	each    int
	mu      sync.Mutex
	tenants map[uuid.UUID]*share
}

// share is what one company has of the places. It is kept for as long as somebody has one of them or waits.
type share struct {
	held chan struct{}
	used int
}

func newPlaces(all, each int) *places {
	return &places{all: make(chan struct{}, all), each: each, tenants: map[uuid.UUID]*share{}}
}

// take waits for a place until ctx ends. Whoever got one gives it back, once.
func (p *places) take(ctx context.Context, tenant uuid.UUID) (give func(), err error) {
	s := p.enter(tenant)
	select {
	case s.held <- struct{}{}:
	case <-ctx.Done():
		p.leave(tenant, s)
		return nil, ctx.Err()
	}
	select {
	case p.all <- struct{}{}:
	case <-ctx.Done():
		<-s.held
		p.leave(tenant, s)
		return nil, ctx.Err()
	}
	return func() {
		<-p.all
		<-s.held
		p.leave(tenant, s)
	}, nil
}

func (p *places) enter(tenant uuid.UUID) *share {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.tenants[tenant]
	if s == nil {
		s = &share{held: make(chan struct{}, p.each)}
		p.tenants[tenant] = s
	}
	s.used++
	return s
}

func (p *places) leave(tenant uuid.UUID, s *share) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.used--; s.used == 0 {
		delete(p.tenants, tenant)
	}
}
