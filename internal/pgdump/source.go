package pgdump

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Source dumps and restores one database. It is backup.Source.
type Source struct {
	// OwnerURL is the database as its owner, whom row-level security does not bind. AdminURL is a role of the same server
	// that may create databases; empty means the owner.
	OwnerURL, AdminURL string
	// BinDir is the folder of the tools; empty looks for them.
	BinDir string
	// Standing says where the warehouse's schema of a database stands.
	Standing func(ctx context.Context, url string) (string, error)
	// Warn is told what could not be cleaned up.
	Warn func(text string, err error)
	// CountFor is how long a part that is to be saved is counted exactly; zero is two minutes.
	CountFor time.Duration
}

var _ backup.Source = Source{}

// Dump writes a dump in PostgreSQL's custom format. What it holds is counted in the snapshot that is dumped.
func (s Source) Dump(ctx context.Context, w io.Writer) (m backup.Manifest, err error) {
	conn, tools, err := s.open(ctx)
	if err != nil {
		return m, err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it was only read
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return m, away(err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // nothing was written
	var snapshot string
	if err := tx.QueryRow(ctx, "SELECT pg_export_snapshot()").Scan(&snapshot); err != nil {
		return m, away(err)
	}
	if m, err = s.read(ctx, tx, s.OwnerURL); err != nil {
		return m, err
	}
	m.Tool = tools.Version
	cmd, said, err := tools.command(ctx, "pg_dump", s.OwnerURL, "--format=custom", "--snapshot="+snapshot, "--lock-wait-timeout=10s", "--no-password")
	if err != nil {
		return m, err
	}
	cmd.Stdout = w
	if err := cmd.Run(); err != nil {
		return m, fault.New(fault.Unavailable, "pg_dump failed, and what it had written was thrown away: %s", lastWords(said)).Because(err)
	}
	return m, nil
}

// open connects as the owner and finds tools that fit the server.
func (s Source) open(ctx context.Context) (*pgx.Conn, Tools, error) {
	conn, err := pgx.Connect(ctx, s.OwnerURL)
	if err != nil {
		return nil, Tools{}, away(err)
	}
	tools, err := s.tools(ctx, conn)
	if err != nil {
		return nil, Tools{}, errors.Join(err, conn.Close(ctx))
	}
	return conn, tools, nil
}

func (s Source) tools(ctx context.Context, conn *pgx.Conn) (Tools, error) {
	var server int
	if err := conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int / 10000").Scan(&server); err != nil {
		return Tools{}, away(err)
	}
	return Find(ctx, s.BinDir, server)
}

// read counts what a database holds.
func (s Source) read(ctx context.Context, tx pgx.Tx, address string) (m backup.Manifest, err error) {
	m = backup.Manifest{Rows: map[string]int64{}, Objects: map[string]int64{}}
	err = tx.QueryRow(ctx, readHead).Scan(&m.Database, &m.TakenAt, &m.Server, &m.System, &m.WAL)
	if err != nil {
		return m, away(err)
	}
	rows, err := tx.Query(ctx, readTables)
	if err != nil {
		return m, away(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct{ Schema, Name string }])
	if err != nil {
		return m, away(err)
	}
	for _, t := range tables {
		var n int64
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM "+pgx.Identifier{t.Schema, t.Name}.Sanitize()).Scan(&n); err != nil {
			return m, away(err)
		}
		m.Rows[t.Schema+"."+t.Name] = n
	}
	if m.Objects, err = countObjects(ctx, tx, ""); err != nil {
		return m, err
	}
	if m.Warehouse, err = countObjects(ctx, tx, warehouse); err != nil {
		return m, err
	}
	m.TakenAt = m.TakenAt.UTC()
	m.Standing, err = s.Standing(ctx, address)
	return m, err
}

// Contents reads the file's table of contents.
func (s Source) Contents(ctx context.Context, file io.Reader) ([]string, error) {
	conn, tools, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	if err := conn.Close(ctx); err != nil {
		return nil, away(err)
	}
	cmd, said, err := tools.command(ctx, "pg_restore", "", "--list")
	if err != nil {
		return nil, err
	}
	cmd.Stdin = file
	out, err := cmd.Output()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, &exit):
		return nil, fault.New(fault.Invalid, "the file is unreadable: %s", lastWords(said)).Because(err)
	case err != nil:
		return nil, fmt.Errorf("running pg_restore: %w", err)
	}
	return tablesIn(out), nil
}

// tablesIn finds the lines "3456; 0 16402 TABLE DATA public materials gatehouse_owner".
func tablesIn(list []byte) (tables []string) {
	lines := bufio.NewScanner(bytes.NewReader(list))
	for lines.Scan() {
		if _, entry, ok := strings.Cut(lines.Text(), " TABLE DATA "); ok {
			if words := strings.Fields(entry); len(words) >= 3 { // the last is the owner; a name may have spaces
				tables = append(tables, words[0]+"."+strings.Join(words[1:len(words)-1], " "))
			}
		}
	}
	return tables
}

func away(err error) error {
	if _, ok := fault.As(err); ok || errors.Is(err, context.Canceled) {
		return err
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "42501" {
		return fault.New(fault.Conflict, "The owner's role may not do all of it: %s. The whole database is dumped, so it has to see everything in it.", pg.Message).Because(err)
	}
	return fault.New(fault.Unavailable, "The database did not answer as its owner.").Because(err)
}

const readHead = `
SELECT current_database(), clock_timestamp(), current_setting('server_version'),
       (SELECT system_identifier FROM pg_control_system())::text, pg_current_wal_lsn()::text`

// What an extension made is its own, and comes back with it.
const readTables = `
SELECT n.nspname, c.relname
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(temp|toast)'
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY 1, 2`

// Of every schema of ours, or of the one that $1 names. Triggers and policies are those of its tables.
const readObjects = `
WITH ours AS (SELECT oid FROM pg_namespace
               WHERE CASE WHEN $1 = '' THEN nspname NOT IN ('pg_catalog', 'information_schema') AND nspname !~ '^pg_' ELSE nspname = $1 END),
tables AS (SELECT oid FROM pg_class WHERE relnamespace IN (SELECT oid FROM ours))
SELECT 'constraints', count(*) FROM pg_constraint WHERE connamespace IN (SELECT oid FROM ours)
UNION ALL SELECT 'indexes', count(*) FROM pg_class WHERE relkind = 'i' AND relnamespace IN (SELECT oid FROM ours)
UNION ALL SELECT 'views', count(*) FROM pg_class WHERE relkind = 'v' AND relnamespace IN (SELECT oid FROM ours)
UNION ALL SELECT 'materialized views', count(*) FROM pg_class WHERE relkind = 'm' AND relnamespace IN (SELECT oid FROM ours)
UNION ALL SELECT 'functions', count(*) FROM pg_proc WHERE pronamespace IN (SELECT oid FROM ours)
UNION ALL SELECT 'triggers', count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgrelid IN (SELECT oid FROM tables)
UNION ALL SELECT 'policies', count(*) FROM pg_policy WHERE polrelid IN (SELECT oid FROM tables)
UNION ALL SELECT 'invalid constraints', count(*) FROM pg_constraint WHERE NOT convalidated AND connamespace IN (SELECT oid FROM ours)`
