package migrator

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/agogsaas/gatehouse/internal/migration"
)

// pass runs one file statement by statement, inside the transaction that a real step has, and measures in between. What
// it measures with stays out of the times.
func (r rehearsing) pass(ctx context.Context, file migration.File) (migration.RehearsedPass, error) {
	p := migration.RehearsedPass{Direction: file.Direction, Script: file.Script, SHA256: file.SHA256, Bare: file.NoTransaction}
	existing, err := r.sample(ctx)
	if err != nil {
		return p, err
	}
	if err := r.begin(ctx, file); err != nil {
		return p, err
	}
	before := existing
	for i, statement := range migration.Split(file.SQL) {
		measured, failed := r.statement(ctx, statement, file.SQL)
		p.Took += measured.Took
		if failed != nil {
			p.Statements = append(p.Statements, measured)
			return p, r.failed(ctx, &p, file, i, failed)
		}
		after, err := r.sample(ctx)
		if err != nil {
			return p, err
		}
		measured.WALBytes = after.wal - before.wal
		measured.Locks = newLocks(existing, before, after)
		measured.Rewrites = rewritten(existing, before, after)
		p.Statements = append(p.Statements, measured)
		before = after
	}
	began := time.Now()
	_, failed := r.s.conn.Exec(ctx, endOf(file))
	p.Took += time.Since(began)
	if failed != nil {
		return p, r.failed(ctx, &p, file, len(p.Statements), failed)
	}
	return p, nil
}

func (r rehearsing) begin(ctx context.Context, file migration.File) error {
	var batch pgx.Batch
	if !file.NoTransaction {
		batch.Queue("BEGIN")
	}
	batch.Queue(setBounds, millis(file.Card.LockTimeout), millis(file.Card.StatementTimeout), !file.NoTransaction)
	return r.s.conn.SendBatch(ctx, &batch).Close()
}

// endOf commits, or gives the session back the bounds that a bare file had.
func endOf(file migration.File) string {
	if file.NoTransaction {
		return "RESET ALL"
	}
	return "COMMIT"
}

// statement sends one statement as it stands. failed is what the server said against it.
func (r rehearsing) statement(ctx context.Context, statement migration.Statement, file string) (measured migration.RehearsedStatement, failed error) {
	first, _, _ := strings.Cut(statement.SQL, "\n")
	measured.Line, measured.SQL = statement.Line, first
	r.s.notices = nil
	began := time.Now()
	results, failed := r.s.conn.PgConn().Exec(ctx, statement.SQL).ReadAll()
	measured.Took = time.Since(began)
	for _, result := range results {
		measured.Rows += result.CommandTag.RowsAffected()
	}
	measured.Notices = r.s.notices
	// The server counts from the beginning of the statement, people from the beginning of the file.
	if pg := (*pgconn.PgError)(nil); errors.As(failed, &pg) && pg.Position > 0 {
		pg.Position += int32(utf8.RuneCountInString(file[:statement.Tokens[0].Offset]))
	}
	return measured, failed
}

// failed rolls back and writes the error into the pass. A copy that is gone, or a person who stopped, is no finding.
func (r rehearsing) failed(ctx context.Context, p *migration.RehearsedPass, file migration.File, finished int, cause error) error {
	if ctx.Err() != nil || r.s.conn.IsClosed() {
		return errors.Join(ctx.Err(), cause)
	}
	if r.s.conn.PgConn().TxStatus() != 'I' {
		if _, err := r.s.conn.Exec(ctx, "ROLLBACK"); err != nil {
			return errors.Join(cause, err)
		}
	}
	told := describe(cause, file, finished, file.SQL)
	p.Error, p.SQLState = told.Error(), told.SQLState
	return nil
}

// sample is what the measuring connection sees between two statements.
type sample struct {
	wal       int64
	relations map[uint32]relation
	locks     map[lock]bool
}

type relation struct {
	Oid  uint32
	Name string
	File uint32
}

type lock struct {
	Oid  uint32
	Mode string
}

func (r rehearsing) sample(ctx context.Context) (sample, error) {
	seen := sample{relations: map[uint32]relation{}, locks: map[lock]bool{}}
	var batch pgx.Batch
	// The locks first: the other questions take some of their own, on the catalog.
	batch.Queue(readOwnLocks).Query(func(rows pgx.Rows) error {
		list, err := pgx.CollectRows(rows, pgx.RowToStructByName[lock])
		for _, l := range list {
			seen.locks[l] = true
		}
		return err
	})
	batch.Queue(readRelations).Query(func(rows pgx.Rows) error {
		list, err := pgx.CollectRows(rows, pgx.RowToStructByName[relation])
		for _, one := range list {
			seen.relations[one.Oid] = one
		}
		return err
	})
	batch.Queue(readWAL).QueryRow(func(row pgx.Row) error { return row.Scan(&seen.wal) })
	return seen, r.s.conn.SendBatch(ctx, &batch).Close()
}

// newLocks are those that the statement took on relations that were there before the file: what the file makes itself
// keeps nobody waiting.
func newLocks(existing, before, after sample) []migration.HeldLock {
	var list []migration.HeldLock
	for l := range after.locks {
		if known, was := existing.relations[l.Oid]; was && !before.locks[l] {
			list = append(list, migration.HeldLock{Relation: known.Name, Mode: l.Mode})
		}
	}
	slices.SortFunc(list, func(a, b migration.HeldLock) int {
		return strings.Compare(a.Relation+" "+a.Mode, b.Relation+" "+b.Mode)
	})
	return list
}

// rewritten are the relations that stand in another file than before the statement.
func rewritten(existing, before, after sample) []string {
	var list []string
	for oid, now := range after.relations {
		if _, was := existing.relations[oid]; was && before.relations[oid].File != now.File {
			list = append(list, now.Name)
		}
	}
	slices.Sort(list)
	return list
}
