package pgdump

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/fault"
)

const (
	// mostFetched is how many times the size of a sample the rows may be that are fetched because others point at them, and
	// mostRounds how often they are looked for. A row that still points nowhere is then left out itself.
	mostFetched = 10
	mostRounds  = 50
)

// OnSample makes a scratch database with the schema of the database and a sample of its rows, does work on it, with its
// address as the owner, and drops it. Both are of one snapshot.
//
// A table of at most perTable rows is copied whole; of a larger one about that many rows, spread over the table. Then every
// row that a copied one points at by a foreign key is fetched as well, and theirs, until none is missing; where that would
// be too many, the rows that point at what is not there are left out. Keys, indexes, triggers and foreign keys are made only
// then, so that the server itself checks that the sample holds together: it is refused where it does not. Gatehouse's own
// tables are made and stay empty.
func (s Source) OnSample(ctx context.Context, perTable int, say func(string), work func(ctx context.Context, address string, sample backup.Sample) error) error {
	if perTable < 1 || perTable > backup.MostSampleRows {
		return fault.New(fault.Invalid, "A sample has between 1 and %d rows of a table.", backup.MostSampleRows)
	}
	return s.beside(ctx, func(ctx context.Context, tools Tools, _ *pgx.Conn, address string) error {
		sample, err := s.clone(ctx, tools, address, perTable)
		if err != nil {
			return err
		}
		var rows, of int64
		for _, t := range sample.Tables {
			rows, of = rows+t.Rows, of+t.Of
		}
		say(fmt.Sprintf("The schema is cloned, with a sample of %d of %d rows in %d tables; every foreign key holds.", rows, of, len(sample.Tables)))
		return work(ctx, address, sample)
	})
}

func (s Source) clone(ctx context.Context, tools Tools, address string, perTable int) (backup.Sample, error) {
	from, err := pgx.Connect(ctx, s.OwnerURL)
	if err != nil {
		return backup.Sample{}, away(err)
	}
	defer from.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it was only read
	tx, err := from.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return backup.Sample{}, away(err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // nothing was written
	var snapshot string
	// Without row security nothing is hidden: where it would hide something, the copying fails instead.
	if err := tx.QueryRow(ctx, "SELECT pg_export_snapshot(), set_config('row_security', 'off', true)").Scan(&snapshot, nil); err != nil {
		return backup.Sample{}, away(err)
	}
	schema, err := s.schemaOf(ctx, tools, snapshot)
	if err != nil {
		return backup.Sample{}, err
	}
	if err := restoreSection(ctx, tools, address, "pre-data", schema); err != nil {
		return backup.Sample{}, err
	}
	to, err := pgx.Connect(ctx, address)
	if err != nil {
		return backup.Sample{}, away(err)
	}
	defer to.Close(context.WithoutCancel(ctx)) //nolint:errcheck // the database is thrown away
	c := &cloning{tx: tx, from: from, to: to, perTable: int64(perTable), tables: map[uint32]*table{}}
	if err := c.fill(ctx); err != nil {
		return backup.Sample{}, notCloned(ctx, err)
	}
	if err := to.Close(ctx); err != nil {
		return backup.Sample{}, notCloned(ctx, err)
	}
	return c.sample(), restoreSection(ctx, tools, address, "post-data", schema)
}

// schemaOf is the schema without rows, with the orders to fill the materialized views that are filled.
func (s Source) schemaOf(ctx context.Context, tools Tools, snapshot string) ([]byte, error) {
	cmd, said, err := tools.command(ctx, "pg_dump", s.OwnerURL, "--format=custom", "--section=pre-data", "--section=post-data",
		"--snapshot="+snapshot, "--lock-wait-timeout=10s", "--no-password")
	if err != nil {
		return nil, err
	}
	out, err := cmd.Output()
	if err != nil {
		return nil, fault.New(fault.Unavailable, "pg_dump could not read the schema: %s", lastWords(said)).Because(err)
	}
	return out, nil
}

func restoreSection(ctx context.Context, tools Tools, address, section string, schema []byte) error {
	cmd, said, err := tools.command(ctx, "pg_restore", address, "--exit-on-error", "--no-password", "--section="+section)
	if err != nil {
		return err
	}
	cmd.Stdin = bytes.NewReader(schema)
	var exit *exec.ExitError
	err = cmd.Run()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &exit):
		return fault.New(fault.Unavailable, "The schema and a sample could not be cloned beside the database: %s", lastWords(said)).Because(err)
	case err != nil:
		return fmt.Errorf("running pg_restore: %w", err)
	}
	return nil
}

func notCloned(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fault.New(fault.Unavailable, "A sample of the rows could not be copied beside the database. What was copied was dropped again.").Because(err)
}

// table is one that may hold rows. A partition is filled through its root.
type table struct {
	OID       uint32
	Schema    string
	Name      string
	Ref       string // as SQL names it: "ONLY public.lots" where it is no partitioned one
	Partition bool
	Columns   []string // that are copied, quoted
	of        int64    // rows in the snapshot
	fetched   int64    // rows that others point at
}

func (t *table) plain() string { return strings.TrimPrefix(t.Ref, "ONLY ") }

// key is a foreign key: the child's columns point at the parent's.
type key struct {
	Parent  uint32
	Valid   bool
	deadEnd bool // what it points at is not in the snapshot either
	// missing asks the scratch database for what is pointed at and not there, source writes the query that finds that in the
	// snapshot, and trim leaves out what points at it.
	missing, trim string
	source        func(literals []string) string
}

type cloning struct {
	tx       pgx.Tx
	from, to *pgx.Conn
	perTable int64
	tables   map[uint32]*table
	order    []*table
	keys     []*key
}

func (c *cloning) fill(ctx context.Context) error {
	if err := c.look(ctx); err != nil {
		return err
	}
	for _, t := range c.order {
		if err := c.first(ctx, t); err != nil {
			return fmt.Errorf("%s.%s: %w", t.Schema, t.Name, err)
		}
	}
	for range mostRounds {
		more, err := c.fetch(ctx)
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	if err := c.trim(ctx); err != nil {
		return err
	}
	return c.sequences(ctx)
}

// look reads which tables there are, and which foreign keys.
func (c *cloning) look(ctx context.Context) error {
	rows, err := c.tx.Query(ctx, readSampled)
	if err != nil {
		return err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByPos[struct {
		OID                  uint32
		Schema, Name, Ref    string
		Partition, Extension bool
		Columns              []string
	}])
	if err != nil {
		return err
	}
	for _, r := range list {
		t := &table{OID: r.OID, Schema: r.Schema, Name: r.Name, Ref: r.Ref, Partition: r.Partition, Columns: r.Columns}
		c.tables[t.OID] = t
		if !t.Partition && !r.Extension && t.Schema != ownSchema && len(t.Columns) > 0 {
			c.order = append(c.order, t)
		}
	}
	rows, err = c.tx.Query(ctx, readKeys)
	if err != nil {
		return err
	}
	keys, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct {
		Child, Parent                       uint32
		Columns, ParentColumns, ParentTypes []string
		Valid                               bool
	}])
	if err != nil {
		return err
	}
	for _, k := range keys {
		child, parent := c.tables[k.Child], c.tables[k.Parent]
		if child == nil || parent == nil || child.Schema == ownSchema {
			continue
		}
		c.keys = append(c.keys, newKey(child, parent, k.Columns, k.ParentColumns, k.ParentTypes, k.Valid))
	}
	return nil
}

// newKey writes the statements that ask for a foreign key. Names are quoted by the server.
func newKey(child, parent *table, columns, parentColumns, parentTypes []string, valid bool) *key {
	k := &key{Parent: parent.OID, Valid: valid}
	var filled, same, distinct, literals, names, cast []string
	for i, column := range columns {
		filled = append(filled, "c."+column+" IS NOT NULL")
		same = append(same, "p."+parentColumns[i]+" = c."+column)
		distinct = append(distinct, fmt.Sprintf("c.%s::text AS k%d", column, i))
		literals = append(literals, fmt.Sprintf("coalesce(quote_literal(array_agg(k%d)::text), '')", i))
		names = append(names, fmt.Sprintf("k%d", i))
		cast = append(cast, fmt.Sprintf("k%d::%s", i, parentTypes[i]))
	}
	lost := fmt.Sprintf("FROM %s c WHERE %s AND NOT EXISTS (SELECT FROM %s p WHERE %s)", child.Ref, strings.Join(filled, " AND "), parent.Ref, strings.Join(same, " AND "))
	k.missing = fmt.Sprintf("SELECT count(*), ARRAY[%s] FROM (SELECT DISTINCT %s %s LIMIT $1) k", strings.Join(literals, ", "), strings.Join(distinct, ", "), lost)
	k.trim = "DELETE " + lost
	k.source = func(literals []string) string {
		return "SELECT " + strings.Join(parent.Columns, ", ") + " FROM " + parent.Ref + " p WHERE (p." + strings.Join(parentColumns, ", p.") + ") IN (SELECT " +
			strings.Join(cast, ", ") + " FROM unnest(" + strings.Join(literals, "::text[], ") + "::text[]) AS k(" + strings.Join(names, ", ") + "))"
	}
	return k
}

// first copies a small table whole, and of a large one rows from all over it. The same snapshot gives the same rows.
func (c *cloning) first(ctx context.Context, t *table) error {
	if err := c.tx.QueryRow(ctx, "SELECT count(*) FROM "+t.Ref).Scan(&t.of); err != nil {
		return err
	}
	query := fmt.Sprintf("SELECT %s FROM %s", strings.Join(t.Columns, ", "), t.Ref)
	if t.of > c.perTable {
		query += fmt.Sprintf(" TABLESAMPLE BERNOULLI (%.9f) REPEATABLE (20)", 100*float64(c.perTable)/float64(t.of))
	}
	_, err := c.copy(ctx, t, query)
	return err
}

// copy streams what the query finds in the snapshot into the table of the scratch database.
func (c *cloning) copy(ctx context.Context, t *table, query string) (int64, error) {
	out, in := io.Pipe()
	sent := make(chan error, 1)
	go func() {
		_, err := c.from.PgConn().CopyTo(ctx, in, "COPY ("+query+") TO STDOUT")
		sent <- err
		_ = in.CloseWithError(err) // never an error
	}()
	tag, err := c.to.PgConn().CopyFrom(ctx, out, fmt.Sprintf("COPY %s (%s) FROM STDIN", t.plain(), strings.Join(t.Columns, ", ")))
	_ = out.CloseWithError(io.ErrClosedPipe) // never an error; it ends a sender whom nobody hears
	return tag.RowsAffected(), errors.Join(err, <-sent)
}

// fetch copies the rows that copied ones point at and that are not there; more says that there were any.
func (c *cloning) fetch(ctx context.Context) (more bool, err error) {
	for _, k := range c.keys {
		parent := c.tables[k.Parent]
		room := mostFetched*c.perTable - parent.fetched
		if k.deadEnd || room <= 0 || parent.Schema == ownSchema {
			continue
		}
		var count int64
		var literals []string
		if err := c.to.QueryRow(ctx, k.missing, room).Scan(&count, &literals); err != nil {
			return false, err
		}
		if count == 0 {
			continue
		}
		got, err := c.copy(ctx, parent, k.source(literals))
		if err != nil {
			return false, err
		}
		parent.fetched += got
		k.deadEnd = got == 0
		more = more || got > 0
	}
	return more, nil
}

// trim leaves out what points at a row that is not there, and what points at that. A foreign key that the database itself
// does not hold all rows to is left alone.
func (c *cloning) trim(ctx context.Context) error {
	for again := true; again; {
		again = false
		for _, k := range c.keys {
			if !k.Valid {
				continue
			}
			tag, err := c.to.Exec(ctx, k.trim)
			if err != nil {
				return err
			}
			again = again || tag.RowsAffected() > 0
		}
	}
	for _, t := range c.order {
		if err := c.to.QueryRow(ctx, "SELECT count(*) FROM "+t.Ref).Scan(&t.fetched); err != nil {
			return err
		}
	}
	return nil
}

// sequences go on from where they stand in the snapshot, so that what a file inserts gets a number of its own.
func (c *cloning) sequences(ctx context.Context) error {
	rows, err := c.tx.Query(ctx, "SELECT quote_ident(schemaname) || '.' || quote_ident(sequencename), last_value FROM pg_sequences WHERE last_value IS NOT NULL AND schemaname <> $1", ownSchema)
	if err != nil {
		return err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct {
		Name string
		Last int64
	}])
	if err != nil {
		return err
	}
	for _, q := range list {
		if _, err := c.to.Exec(ctx, "SELECT setval($1::regclass, $2)", q.Name, q.Last); err != nil {
			return err
		}
	}
	return nil
}

func (c *cloning) sample() backup.Sample {
	sample := backup.Sample{RowsPerTable: int(c.perTable)}
	for _, t := range c.order {
		sample.Tables = append(sample.Tables, backup.SampledTable{Table: t.Schema + "." + t.Name, Rows: t.fetched, Of: t.of})
	}
	return sample
}

// ownSchema holds Gatehouse's own tables, which no migration of the warehouse touches.
const ownSchema = "gatehouse"

const readSampled = `
SELECT c.oid, n.nspname, c.relname,
       CASE c.relkind WHEN 'r' THEN 'ONLY ' ELSE '' END || quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.relispartition,
       EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'),
       ARRAY(SELECT quote_ident(a.attname) FROM pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum)
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(temp|toast)'
 ORDER BY 2, 3`

const readKeys = `
SELECT k.conrelid, k.confrelid,
       ARRAY(SELECT quote_ident(a.attname) FROM unnest(k.conkey) WITH ORDINALITY u (n, i) JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY u.i),
       ARRAY(SELECT quote_ident(a.attname) FROM unnest(k.confkey) WITH ORDINALITY u (n, i) JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n ORDER BY u.i),
       ARRAY(SELECT format_type(a.atttypid, a.atttypmod) FROM unnest(k.confkey) WITH ORDINALITY u (n, i) JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n ORDER BY u.i),
       k.convalidated
  FROM pg_constraint k
 WHERE k.contype = 'f' AND k.conparentid = 0
 ORDER BY k.oid`
