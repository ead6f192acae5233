package migrator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/migration"
)

// Counted is how many rows a table has; About says that it is the server's estimate, because counting took too long.
type Counted struct {
	Rows  int64
	About bool
}

// boundCount keeps a count from taking longer than a page may, and from waiting behind anybody.
const boundCount = `SELECT set_config('statement_timeout', '2s', true), set_config('lock_timeout', '500ms', true)`

// countTables is how long all tables are counted; what is left then is estimated.
const countTables = 6 * time.Second

const estimateRows = `SELECT greatest(reltuples, 0)::bigint FROM pg_catalog.pg_class WHERE oid = to_regclass($1)`

// WarehouseRows counts the rows of every table of the warehouse, by "public.table", in one snapshot.
func (m *Migrator) WarehouseRows(ctx context.Context) (counted map[string]Counted, err error) {
	s, err := m.connect(ctx, migration.RunID{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	counted = map[string]Counted{}
	err = pgx.BeginTxFunc(ctx, s.conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, warehouseTables)
		if err != nil {
			return err
		}
		tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, boundCount); err != nil {
			return err
		}
		began := time.Now()
		for _, table := range tables {
			c, err := countTable(ctx, tx, table, time.Since(began) > countTables)
			if err != nil {
				return err
			}
			counted[strings.ReplaceAll(table, `"`, "")] = c
		}
		return nil
	})
	if err != nil {
		return nil, wrap("counting the rows of the warehouse", fmt.Errorf("counting: %w", err))
	}
	return counted, nil
}

// countTable counts exactly where that is quick, in a savepoint, so that a count that takes too long costs no more.
func countTable(ctx context.Context, tx pgx.Tx, table string, late bool) (c Counted, err error) {
	if !late {
		err = pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
			return tx.QueryRow(ctx, "SELECT count(*) FROM "+table).Scan(&c.Rows)
		})
		if err == nil || ctx.Err() != nil || tx.Conn().IsClosed() {
			return c, err
		}
	}
	c.About = true
	err = tx.QueryRow(ctx, estimateRows, table).Scan(&c.Rows)
	return c, err
}
