package postgres

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/agogsaas/gatehouse/internal/actor"
)

// Statements are the named statements, for the tests that look at all of them.
var Statements = statements

// OpenNarrow is Open with one connection for everybody, for the test of what one user of it leaves to the next.
func OpenNarrow(t *testing.T, url string) *DB {
	t.Helper()
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 1
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		closed := make(chan struct{})
		go func() { pool.Close(); close(closed) }()
		select {
		case <-closed:
		case <-time.After(10 * time.Second):
			t.Error("a connection was never given back")
		}
	})
	return &DB{pool: pool}
}

// InTenant, View and Page are the three ways into a tenant.
func (db *DB) InTenant(ctx context.Context, by actor.Actor, work func(context.Context, pgx.Tx) error) error {
	return db.inTenant(ctx, by, work)
}

// View is the second.
func (db *DB) View(ctx context.Context, by actor.Actor, read func(context.Context, pgx.Tx) error) error {
	return db.view(ctx, by, read)
}

// Page is the third.
func (db *DB) Page(ctx context.Context, by actor.Actor, fill func(*pgx.Batch)) error {
	return db.page(ctx, by, fill)
}
