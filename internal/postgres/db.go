package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// DB is the application's way to the database, as a role that owns nothing and cannot see past row-level security.
type DB struct{ pool *pgxpool.Pool }

// Open connects as the application role. It does not wait for the database: a server that is away is found by Ping.
func Open(ctx context.Context, url string) (*DB, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("reading the application's database address: %w", hideURL(err))
	}
	config.ConnConfig.Tracer = meterTracer{}
	config.ConnConfig.ConnectTimeout = 5 * time.Second
	config.MaxConnIdleTime = 5 * time.Minute
	config.HealthCheckPeriod = 5 * time.Second
	if config.MaxConns < 16 {
		config.MaxConns = 16
	}
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "gatehouse"
	}
	config.ConnConfig.RuntimeParams["statement_timeout"] = "15000"
	config.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = "30000"
	config.ConnConfig.RuntimeParams["timezone"] = "UTC"
	// Of several servers only one that takes changes is ours, also for reading: a replica may not have what was just written.
	if len(config.ConnConfig.Fallbacks) > 0 && config.ConnConfig.ValidateConnect == nil {
		config.ConnConfig.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("opening the application's connection pool: %w", err)
	}
	return &DB{pool: pool}, nil
}

// Close waits for connections in use and closes them all.
func (db *DB) Close() { db.pool.Close() }

// Pool is for the two libraries that bring their own statements, River and its migrator; no adapter of ours calls it.
func (db *DB) Pool() *pgxpool.Pool { return db.pool }

// Ping asks the database for an answer; Unavailable where there is none.
func (db *DB) Ping(ctx context.Context) error {
	return translate(db.pool.Ping(ctx))
}

// CheckRole refuses a role that could see past row-level security: a superuser, one with BYPASSRLS, one that owns
// tables here, or a member of one that does. The error says what to change.
func (db *DB) CheckRole(ctx context.Context) error {
	var name string
	var super, bypass, owns bool
	err := db.pool.QueryRow(ctx, sql("RoleCheck")).Scan(&name, &super, &bypass, &owns)
	if err != nil {
		return translate(err)
	}
	const advice = "Give GATEHOUSE_DATABASE_URL a role like gatehouse_app, which `gatehouse setup` makes."
	switch {
	case super:
		return fmt.Errorf("the application's database role %q is a superuser and would see every tenant's rows. %s", name, advice)
	case bypass:
		return fmt.Errorf("the application's database role %q may bypass row-level security and would see every tenant's rows. %s", name, advice)
	case owns:
		return fmt.Errorf("the application's database role %q owns tables, or is a member of a role that does, and would see every tenant's rows. %s", name, advice)
	}
	return nil
}

// inTenant runs work in one transaction that has entered the actor's tenant, commits, or rolls back on any error.
func (db *DB) inTenant(ctx context.Context, by actor.Actor, work func(ctx context.Context, tx pgx.Tx) error) error {
	return db.transact(ctx, by, pgx.TxOptions{}, work)
}

// view is inTenant in a READ ONLY transaction, so that a page cannot write.
func (db *DB) view(ctx context.Context, by actor.Actor, read func(ctx context.Context, tx pgx.Tx) error) error {
	return db.transact(ctx, by, pgx.TxOptions{AccessMode: pgx.ReadOnly}, read)
}

func (db *DB) transact(ctx context.Context, by actor.Actor, options pgx.TxOptions, work func(context.Context, pgx.Tx) error) (err error) {
	tx, err := db.pool.BeginTx(ctx, options)
	if err != nil {
		return translate(err)
	}
	ended := false
	defer func() {
		if ended {
			return
		}
		// The request may be gone, or work panicked: the connection must come back clean all the same.
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if e := tx.Rollback(end); e != nil && !errors.Is(e, pgx.ErrTxClosed) {
			err = errors.Join(err, translate(e))
		}
	}()
	if _, err = tx.Exec(ctx, sql("EnterTenant"), pgx.StrictNamedArgs{"tenant": by.Tenant.String()}); err != nil {
		return translate(err)
	}
	if err = work(ctx, tx); err != nil {
		return translate(err)
	}
	if err = tx.Commit(ctx); err != nil {
		return commitLost(options, err)
	}
	ended = true
	return nil
}

// page sends one READ ONLY transaction as a single pipelined batch: fill queues its statements with pgx callbacks. All of
// them see the same moment, so that a page never lays what was before a commit beside what is after it.
func (db *DB) page(ctx context.Context, by actor.Actor, fill func(b *pgx.Batch)) error {
	return db.pageThen(ctx, by, fill, nil)
}

// pageThen is page, and in the same round trip a second transaction that writes what reading the page leaves behind. It
// sees what was committed meanwhile, so it waits for others instead of failing.
func (db *DB) pageThen(ctx context.Context, by actor.Actor, fill, then func(b *pgx.Batch)) error {
	var b pgx.Batch
	b.Queue("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
	b.Queue(sql("EnterTenant"), pgx.StrictNamedArgs{"tenant": by.Tenant.String()})
	fill(&b)
	b.Queue("COMMIT")
	if then != nil {
		b.Queue("BEGIN")
		b.Queue(sql("EnterTenant"), pgx.StrictNamedArgs{"tenant": by.Tenant.String()})
		then(&b)
		b.Queue("COMMIT")
	}
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return translate(err)
	}
	defer conn.Release() // a connection left inside a failed transaction is destroyed by the pool
	return translate(conn.SendBatch(ctx, &b).Close())
}

// collect is a batch callback that reads all rows into structs by column name.
func collect[T any](into *[]T) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		list, err := pgx.CollectRows(rows, pgx.RowToStructByName[T])
		*into = list
		return err
	}
}

// collectOne is a batch callback for a statement that gives one row; a missing row is pgx.ErrNoRows, hence NotFound.
func collectOne[T any](into *T) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		one, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[T])
		*into = one
		return err
	}
}

// collectMaybe is a batch callback for a statement that gives one row or none.
func collectMaybe[T any](into **T) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		list, err := pgx.CollectRows(rows, pgx.RowToStructByName[T])
		if err == nil && len(list) > 0 {
			*into = &list[0]
		}
		return err
	}
}

func hideURL(err error) error {
	var parse *pgconnParseError
	if errors.As(err, &parse) {
		return errors.New("it is not a PostgreSQL address (postgres://user@host:5432/database)")
	}
	return err
}

// away says in one place what a person reads when the database cannot be reached.
func away(err error) error {
	return fault.New(fault.Unavailable, "The database cannot be reached at the moment. Nothing was changed; try again in a minute.").Because(err)
}
