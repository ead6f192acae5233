package pgdump

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// countFor is how long one part is counted exactly, and enough how far it is counted after that.
const (
	countFor = 2 * time.Minute
	enough   = 1_000_000
)

// saving is one snapshot from which parts are counted and saved.
type saving struct {
	source   Source
	conn     *pgx.Conn
	tx       pgx.Tx
	snapshot string
	place    backup.Place
	stem     string
	count    time.Duration
	say      func(string)
	done     backup.Parts
}

// Save counts parts of the database and writes them into files of the place, all from one snapshot. Where a file cannot be
// written there are none. Nothing is written where there is nothing to lose.
func (s Source) Save(ctx context.Context, place backup.Place, stem string, parts []backup.Part, say func(string)) (backup.Parts, error) {
	conn, err := pgx.Connect(ctx, s.OwnerURL)
	if err != nil {
		return backup.Parts{}, away(err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it was only read
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return backup.Parts{}, away(err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // nothing was written
	w := &saving{source: s, conn: conn, tx: tx, place: place, stem: stem, count: countFor, say: say}
	if s.CountFor > 0 {
		w.count = s.CountFor
	}
	err = tx.QueryRow(ctx, `SELECT pg_export_snapshot(), clock_timestamp(), pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
		pg_snapshot_xmax(pg_current_snapshot())::text::bigint`).
		Scan(&w.snapshot, &w.done.TakenAt, &w.done.OldestXID, &w.done.NextXID)
	if err != nil {
		return backup.Parts{}, away(err)
	}
	w.done.TakenAt = w.done.TakenAt.UTC()
	for _, p := range parts {
		if err := w.measure(ctx, p); err != nil {
			return backup.Parts{}, err
		}
	}
	if err := w.write(ctx); err != nil {
		for _, f := range w.done.Files {
			err = errors.Join(err, place.Remove(context.WithoutCancel(ctx), f.Name))
		}
		return backup.Parts{}, err
	}
	return w.done, nil
}

// measure counts one part. What is not there, because a step stopped half way, counts nothing.
func (w *saving) measure(ctx context.Context, p backup.Part) error {
	there, err := w.there(ctx, p)
	if err == nil && there {
		p.Rows, err = w.number(ctx, "SELECT count(*) FROM "+from(p))
		var pg *pgconn.PgError
		if errors.As(err, &pg) && pg.Code == "57014" && ctx.Err() == nil { // it took too long
			p.AtLeast = true
			p.Rows, err = w.number(ctx, fmt.Sprintf("SELECT count(*) FROM (SELECT 1 FROM %s LIMIT %d) some", from(p), enough))
		}
	}
	if err == nil && there {
		err = w.tx.QueryRow(ctx, "SELECT count(*), coalesce(sum(hashtextextended(ctid::text || ' ' || xmin::text, 0)), 0)::text FROM "+from(p)+" AND "+fullXID+" >= $2",
			w.done.NextXID, w.done.OldestXID).Scan(&p.Recent, &p.RecentSum)
	}
	if err != nil {
		return away(fmt.Errorf("counting what would be lost of %s: %w", p.Table, err))
	}
	w.done.Parts = append(w.done.Parts, p)
	return nil
}

func (w *saving) there(ctx context.Context, p backup.Part) (there bool, err error) {
	err = w.tx.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL AND ($2 = '' OR EXISTS (
		SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass($1) AND quote_ident(a.attname) = $2 AND a.attnum > 0 AND NOT a.attisdropped))`,
		p.Table, p.Column).Scan(&there)
	return there, err
}

// number counts in a savepoint, so that a count that takes too long does not cost the snapshot.
func (w *saving) number(ctx context.Context, query string) (n int64, err error) {
	inner, err := w.tx.Begin(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, inner.Rollback(context.WithoutCancel(ctx))) }()
	if _, err := inner.Exec(ctx, "SELECT set_config('statement_timeout', $1, true)", fmt.Sprintf("%dms", w.count.Milliseconds())); err != nil {
		return 0, err
	}
	err = inner.QueryRow(ctx, query).Scan(&n)
	return n, err
}

// from is where the part's rows are read.
func from(p backup.Part) string {
	switch {
	case p.To != "":
		return fmt.Sprintf("%[1]s t WHERE t.%[2]s IS NOT NULL AND t.%[2]s::%[3]s <> t.%[2]s", p.Table, p.Column, p.To)
	case p.Column != "":
		return fmt.Sprintf("%s t WHERE t.%s IS NOT NULL", p.Table, p.Column)
	case p.Where != "":
		return p.Table + " t WHERE (" + p.Where + ")"
	}
	return p.Table + " t WHERE true"
}

// fullXID is the transaction that wrote a row, as a number that does not wrap, where $1 is one that is no older. The
// migrator reads the same way what was written since.
const fullXID = `(CASE WHEN t.xmin::text::bigint < 3 THEN 0
	WHEN t.xmin::text::bigint + (($1::bigint >> 32) << 32) > $1::bigint THEN t.xmin::text::bigint + (($1::bigint >> 32) << 32) - 4294967296
	ELSE t.xmin::text::bigint + (($1::bigint >> 32) << 32) END)`

// write saves the columns of tables with a primary key as key and value, and every other table whole.
func (w *saving) write(ctx context.Context) error {
	var whole []string
	for _, p := range w.done.Parts {
		if p.Rows == 0 || slices.Contains(whole, p.Table) {
			continue
		}
		var key []string
		if p.Column != "" {
			var err error
			if key, err = w.key(ctx, p.Table); err != nil {
				return away(err)
			}
		}
		if len(key) == 0 {
			whole = append(whole, p.Table)
			continue
		}
		if err := w.column(ctx, p, key); err != nil {
			return err
		}
	}
	if len(whole) == 0 {
		return nil
	}
	return w.dump(ctx, whole)
}

func (w *saving) key(ctx context.Context, table string) ([]string, error) {
	rows, err := w.tx.Query(ctx, `SELECT quote_ident(a.attname) FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
		WHERE i.indrelid = to_regclass($1) AND i.indisprimary ORDER BY array_position(i.indkey::int2[], a.attnum)`, table)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

func (w *saving) column(ctx context.Context, p backup.Part, key []string) error {
	name := fmt.Sprintf("%s_%s.%s.csv", w.stem, plainName(p.Table), plainName(p.Column))
	query := fmt.Sprintf("COPY (SELECT %s, %s FROM %s) TO STDOUT (FORMAT csv, HEADER)", strings.Join(key, ", "), p.Column, from(p))
	return w.file(ctx, name, fmt.Sprintf("%s.%s with its key", p.Table, p.Column), func(out io.Writer) error {
		if _, err := w.conn.PgConn().CopyTo(ctx, out, query); err != nil {
			return fault.New(fault.Unavailable, "%s.%s could not be saved, and what was written was thrown away.", p.Table, p.Column).Because(err)
		}
		return nil
	})
}

func (w *saving) dump(ctx context.Context, tables []string) error {
	tools, err := w.source.tools(ctx, w.conn)
	if err != nil {
		return err
	}
	args := []string{"--format=custom", "--snapshot=" + w.snapshot, "--lock-wait-timeout=10s", "--no-password"}
	for _, t := range tables {
		args = append(args, "--table="+t)
	}
	return w.file(ctx, w.stem+".dump", "tables "+strings.Join(tables, ", "), func(out io.Writer) error {
		cmd, said, err := tools.command(ctx, "pg_dump", w.source.OwnerURL, args...)
		if err != nil {
			return err
		}
		cmd.Stdout = out
		if err := cmd.Run(); err != nil {
			return fault.New(fault.Unavailable, "pg_dump failed, and what it had written was thrown away: %s", lastWords(said)).Because(err)
		}
		return nil
	})
}

// file writes one file to its end, or none.
func (w *saving) file(ctx context.Context, name, holds string, fill func(io.Writer) error) error {
	if w.place == nil {
		return fault.New(fault.Invalid, "There is something to lose and no place to save it in: set GATEHOUSE_BACKUP_DIR, or GATEHOUSE_S3_ENDPOINT and its bucket and keys, and start the server again. Nothing may be undone without.")
	}
	file, err := w.place.Create(ctx, name)
	if err != nil {
		return err
	}
	defer file.Abort()
	hash, size := sha256.New(), &byteCount{}
	if err := fill(io.MultiWriter(file, hash, size)); err != nil {
		return err
	}
	if err := file.Commit(); err != nil {
		return fault.New(fault.Unavailable, "What would be lost could not be written to its end. Nothing may be undone without.").Because(err)
	}
	saved := backup.PartFile{Name: name, Holds: holds, Bytes: size.n, SHA256: hex.EncodeToString(hash.Sum(nil))}
	w.done.Files = append(w.done.Files, saved)
	w.say(fmt.Sprintf("%s holds %s: %d bytes, SHA-256 %s.", saved.Name, saved.Holds, saved.Bytes, saved.SHA256))
	return nil
}

type byteCount struct{ n int64 }

func (c *byteCount) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

// plainName is a name that is safe in a file's.
func plainName(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '.' || r == '_' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, s)
}
