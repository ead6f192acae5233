package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/app"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

const (
	entriesABlock = 200
	verifySeconds = 5 // for a million entries
	walks         = 3
)

// appending is the statement with which an entry is written; into the trail, and into a table of the same columns and
// indexes that nothing hangs on.
const appending = `INSERT INTO %s (tenant_id, seq, at, origin, issuer, subject, name, roles, ip, action, object_kind, object_id, outcome, reason, before, after, prev_hash, hash)
	VALUES ($1, $2, now(), 'web', 'https://id.example.com', 'subject-7', 'Eli Brandt', 'devops_engineer', '10.0.0.7', 'item:done', 'item',
	        '0b8f2c1e-6a54-4c0e-9d3f-6f6b6a1f3f10/PRE-P2', 'done', 'The restore showed the same counts.', '{"state": "open", "version": 1}', '{"state": "done", "version": 2}', '', '')`

// trail is P14: one entry is appended to the chain by the application's role, against the same insert without a chain; and
// a chain of a million entries is walked from end to end, as `gatehouse audit verify` walks it.
func trail(ctx context.Context, b *bench) (err error) {
	const database = "bench_audit"
	if err := b.home.database(ctx, database, "0.0.14"); err != nil {
		return err
	}
	err = b.home.execute(ctx, database,
		"CREATE TABLE gatehouse.bench_plain (LIKE gatehouse.audit_events INCLUDING INDEXES INCLUDING CONSTRAINTS)",
		"GRANT SELECT, INSERT ON gatehouse.bench_plain TO gatehouse_app")
	if err != nil {
		return err
	}
	if err := b.append(ctx, database); err != nil {
		return err
	}
	return b.walk(ctx, database)
}

func (b *bench) append(ctx context.Context, database string) (err error) {
	conn, err := pgx.Connect(ctx, b.home.app(database))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	tenant := app.DemoTenants[0].ID
	if _, err := conn.Exec(ctx, "SELECT set_config('app.current_tenant_id', $1, false)", tenant.String()); err != nil {
		return err
	}
	chained, plain := fmt.Sprintf(appending, "gatehouse.audit_events"), fmt.Sprintf(appending, "gatehouse.bench_plain")
	seq := int64(0)
	insert := func(statement string) (time.Duration, error) {
		seq++
		began := time.Now()
		_, err := conn.Exec(ctx, statement, tenant, seq)
		return time.Since(began), err
	}
	var pairs []pair
	var all, bare sample
	for block := range b.pairs + 1 {
		var ours, theirs sample
		for range entriesABlock {
			one, err := insert(chained)
			if err != nil {
				return err
			}
			two, err := insert(plain)
			if err != nil {
				return err
			}
			ours, theirs = append(ours, one), append(theirs, two)
		}
		if block == 0 {
			continue // the first plans its statements
		}
		// A rate is the turned-over time: what a plain insert takes, over what a chained one takes.
		pairs = append(pairs, pair{theirs.ms(), ours.ms()})
		all, bare = append(all, ours...), append(bare, theirs...)
	}
	b.judge(figure{
		what: "P14 an entry appended, 1 client", format: "ratio %.2f of a plain insert's rate", value: ratio(pairs), goal: 0.7, atLeast: true,
		note: fmt.Sprintf("%d pairs; chained %s; plain %s", len(pairs), all, bare),
	})
	return b.triggers(ctx, conn, chained, tenant)
}

// triggers says where the time of an entry goes: the median that EXPLAIN gives for each trigger, one entry a transaction.
func (b *bench) triggers(ctx context.Context, conn *pgx.Conn, chained string, tenant uuid.UUID) error {
	took := map[string]sample{}
	ms := func(f float64) time.Duration { return time.Duration(f * float64(time.Millisecond)) }
	for range entriesABlock {
		var told []struct {
			Took     float64 `json:"Execution Time"`
			Triggers []struct {
				Name string  `json:"Trigger Name"`
				Took float64 `json:"Time"`
			} `json:"Triggers"`
		}
		if err := conn.QueryRow(ctx, "EXPLAIN (ANALYZE, FORMAT JSON) "+chained, tenant, 0).Scan(&told); err != nil {
			return fmt.Errorf("asking what an entry costs: %w", err)
		}
		for _, plan := range told {
			took["all"] = append(took["all"], ms(plan.Took))
			for _, t := range plan.Triggers {
				took[t.Name] = append(took[t.Name], ms(t.Took))
			}
		}
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(took)) {
		parts = append(parts, name+" "+short(took[name].at(0.5)))
	}
	b.print("P14 an entry inside the database: %s (p50 of %d, without the commit)", strings.Join(parts, ", "), entriesABlock)
	return nil
}

func (b *bench) walk(ctx context.Context, database string) error {
	b.say("a chain of %d entries", b.entries)
	tenant := app.DemoTenants[1]
	began := time.Now()
	if err := b.home.chain(ctx, database, tenant.ID, b.entries); err != nil {
		return fmt.Errorf("making the chain: %w", err)
	}
	b.say("made in %.1f s", time.Since(began).Seconds())
	// The last entry is appended as everywhere else: what was copied in is a chain that the product goes on with.
	want := b.entries + 1
	err := b.home.with(ctx, b.home.app(database), func(conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, "SELECT set_config('app.current_tenant_id', $1, false)", tenant.ID.String()); err != nil {
			return err
		}
		_, err := conn.Exec(ctx, fmt.Sprintf(appending, "gatehouse.audit_events"), tenant.ID, want)
		return err
	})
	if err != nil {
		return err
	}
	db, err := postgres.Open(ctx, b.home.app(database))
	if err != nil {
		return err
	}
	defer db.Close()
	var took sample
	var most uint64
	for range walks {
		runtime.GC()
		grew := watchHeap(ctx)
		began := time.Now()
		check, err := postgres.Audit{DB: db}.Verify(ctx, tenant.Actor(actor.Worker, "bench"))
		took = append(took, time.Since(began))
		most = max(most, grew())
		if err != nil || !check.Whole() || check.Entries != want {
			return fmt.Errorf("the walk of %d entries found %+v: %w", want, check, err)
		}
	}
	goal := verifySeconds * float64(b.entries) / 1e6
	b.judge(figure{
		what: fmt.Sprintf("P14 a chain of %d entries verified", want), format: "%.2f s", value: took.ms() / 1000, goal: goal,
		note: fmt.Sprintf("%.0f entries/s; %d walks; %s; the heap grew by at most %.1f MiB", float64(want)/took.at(0.5).Seconds(), walks, took, float64(most)/(1<<20)),
	})
	return nil
}

// watchHeap looks at the memory in use until it is asked by how much it grew at most.
func watchHeap(ctx context.Context) (grew func() uint64) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before, most, stop, done := m.HeapInuse, m.HeapInuse, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-stop:
				return
			case <-tick.C:
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapInuse)
			}
		}
	}()
	return func() uint64 {
		close(stop)
		<-done
		return most - before
	}
}
