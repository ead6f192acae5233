package postgres

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
)

// hearEvery is how often a process says that it is there. Nobody is believed to be present whose process was not heard of
// for 20 seconds (statements PresentAt and SweepProcesses), so whoever is gone is gone from every page within 30.
const hearEvery = 6 * time.Second

// Presence keeps who has which item or gate open in this process, where all processes see it.
type Presence struct {
	db    *DB
	id    uuid.UUID
	log   *slog.Logger
	mu    sync.Mutex
	open  map[uuid.UUID]present
	known bool // to the database
}

// present is one open page.
type present struct {
	by    actor.Actor
	place uuid.UUID
	since time.Time
}

// NewPresence makes the presence of this process.
func NewPresence(db *DB, log *slog.Logger) *Presence {
	return &Presence{db: db, id: uuid.New(), log: log, open: map[uuid.UUID]present{}}
}

// Enter says that the person has the place open, until leave is called. Where the database cannot be told, it is told with
// the next sign of life.
func (p *Presence) Enter(ctx context.Context, by actor.Actor, place uuid.UUID) (leave func()) {
	page, here := uuid.New(), present{by, place, time.Now()}
	p.mu.Lock()
	p.open[page] = here
	known := p.known
	p.mu.Unlock()
	if known {
		if err := p.enter(ctx, page, here); err != nil {
			p.log.DebugContext(ctx, "who has a page open could not be said", "error", err)
		}
	}
	return func() {
		p.mu.Lock()
		delete(p.open, page)
		p.mu.Unlock()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		err := p.db.inTenant(end, by, func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, sql("LeavePlace"), pgx.StrictNamedArgs{"page": page})
			return err
		})
		if err != nil {
			p.log.DebugContext(ctx, "who has closed a page could not be said", "error", err)
		}
	}
}

func (p *Presence) enter(ctx context.Context, page uuid.UUID, here present) error {
	return p.db.inTenant(ctx, here.by, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sql("EnterPlace"), pgx.StrictNamedArgs{
			"page": page, "process": p.id, "place": here.place, "issuer": here.by.Issuer, "subject": here.by.Subject, "name": here.by.Name, "since": here.since,
		})
		return err
	})
}

// Keep gives a sign of life every few seconds until ctx ends, and takes away what dead processes left. Then it leaves.
func (p *Presence) Keep(ctx context.Context) {
	tick := time.NewTicker(hearEvery)
	defer tick.Stop()
	for {
		if err := p.hear(ctx); err != nil && ctx.Err() == nil {
			p.log.DebugContext(ctx, "this process could not be said to be there", "error", err)
		}
		select {
		case <-ctx.Done():
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			_, _ = p.db.pool.Exec(end, sql("EndProcess"), pgx.StrictNamedArgs{"process": p.id}) // else it is swept
			return
		case <-tick.C:
		}
	}
}

// hear says that this process is there. Where the database did not know it, or no longer, it is told again what is open.
func (p *Presence) hear(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, hearEvery)
	defer cancel()
	var fresh bool
	if err := p.db.pool.QueryRow(within, sql("HearProcess"), pgx.StrictNamedArgs{"process": p.id}).Scan(&fresh); err != nil {
		return translate(err)
	}
	if _, err := p.db.pool.Exec(within, sql("SweepProcesses"), pgx.StrictNamedArgs{"process": p.id}); err != nil {
		return translate(err)
	}
	if !fresh {
		return nil
	}
	p.mu.Lock()
	p.known = true
	again := make(map[uuid.UUID]present, len(p.open))
	for page, here := range p.open {
		again[page] = here
	}
	p.mu.Unlock()
	for page, here := range again {
		if err := p.enter(within, page, here); err != nil {
			return err
		}
	}
	return nil
}
