package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

const whoseRows = "SELECT tenant_id FROM gatehouse.audit_events UNION ALL SELECT tenant_id FROM gatehouse.people"

var errOnPurpose = errors.New("on purpose")

// T05, W14: two tenants share one connection, and what they do on it ends in every way it can: done, refused, broken by a
// statement, cancelled, panicked. Nobody sees a row of the other, and the connection always comes back.
func TestTwoTenantsOnOneConnection(t *testing.T) {
	t.Parallel()
	d := housetest.At(t, "")
	db := postgres.OpenNarrow(t, d.AppURL)
	ours, theirs := housetest.Person(housetest.Rivermark, "ours"), housetest.Person(housetest.Saltway, "theirs")
	record(t, postgres.Audit{DB: db}, ours, "item:done", "item:take")
	record(t, postgres.Audit{DB: db}, theirs, "item:done")
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()

	var visitors sync.WaitGroup
	for n := range 6 {
		by := []actor.Actor{ours, theirs}[n%2]
		visitors.Go(func() {
			for round := range 80 {
				visit(ctx, t, db, by, n+round)
			}
		})
	}
	visitors.Go(func() {
		for range 60 {
			// Outside of every tenant, as a path that forgot to enter one.
			rows, _ := db.Pool().Query(ctx, whoseRows) // its error comes with the rows
			seen, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
			if err != nil || len(seen) != 0 {
				t.Errorf("without a tenant %d rows were seen, %v; want none", len(seen), err)
			}
		}
	})
	visitors.Wait()
	// The one connection is there for these only where all have given it back.
	for _, by := range []actor.Actor{ours, theirs} {
		if check, err := (postgres.Audit{DB: db}).Verify(ctx, by); err != nil || !check.Whole() {
			t.Errorf("the chain of %s afterwards: %+v, %v", by.TenantCode, check, err)
		}
	}
}

// visit does one thing in a tenant, of the kind that the number says, and looks whose rows it sees.
func visit(ctx context.Context, t *testing.T, db *postgres.DB, by actor.Actor, kind int) {
	t.Helper()
	read := func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, whoseRows)
		if err != nil {
			return err
		}
		return onlyOwn(rows, by)
	}
	var err error
	switch kind % 9 {
	case 0:
		err = postgres.Audit{DB: db}.Record(ctx, by, audit.Event{Action: "item:done", ObjectKind: "item", ObjectID: "x"})
	case 1:
		err = wants(errOnPurpose, db.InTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error { return errors.Join(read(ctx, tx), errOnPurpose) }))
	case 2:
		broken := db.InTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, "SELECT 1 / 0")
			return err
		})
		if broken == nil {
			err = errors.New("a broken statement was no error")
		}
	case 3:
		cancelled, cancel := context.WithCancel(ctx)
		err = wants(context.Canceled, db.View(cancelled, by, func(ctx context.Context, tx pgx.Tx) error {
			time.AfterFunc(time.Millisecond, cancel)
			_, err := tx.Exec(ctx, "SELECT pg_sleep(30)")
			return err
		}))
	case 4:
		err = panics(func() error {
			return db.InTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error { panic(complaint{read(ctx, tx)}) })
		})
	case 5:
		err = panics(func() error {
			return db.Page(ctx, by, func(b *pgx.Batch) {
				b.Queue(whoseRows).Query(func(rows pgx.Rows) error { panic(complaint{onlyOwn(rows, by)}) })
			})
		})
	case 6:
		err = db.Page(ctx, by, func(b *pgx.Batch) {
			b.Queue(whoseRows).Query(func(rows pgx.Rows) error { return onlyOwn(rows, by) })
		})
	case 7:
		err = db.InTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, "SAVEPOINT s; SET LOCAL app.current_tenant_id = ''; ROLLBACK TO s")
			return errors.Join(err, read(ctx, tx))
		})
	default:
		err = db.View(ctx, by, read)
	}
	if err != nil {
		t.Errorf("%s, kind %d: %v", by.TenantCode, kind%9, err)
	}
}

func onlyOwn(rows pgx.Rows, by actor.Actor) error {
	seen, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return err
	}
	if len(seen) == 0 {
		return errors.New("no row of its own was seen")
	}
	for _, tenant := range seen {
		if tenant != by.Tenant {
			return fmt.Errorf("a row of %s was seen", tenant)
		}
	}
	return nil
}

func wants(want, got error) error {
	if !errors.Is(got, want) {
		return fmt.Errorf("ended with %w, want %w", got, want)
	}
	return nil
}

// complaint is what a panic carries: nil where there is none.
type complaint struct{ err error }

// panics runs what is to panic, and gives what it has to complain about.
func panics(work func() error) (err error) {
	defer func() {
		p := recover()
		if c, ok := p.(complaint); ok {
			err = c.err
			return
		}
		err = fmt.Errorf("%w, panic %v; want a panic of our own", err, p)
	}()
	return work()
}
