package pgdump

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/fault"
)

// warehouse is the schema that belongs to the warehouse's migrations. keptOut is what Gatehouse's own files make there.
const (
	warehouse = "public"
	keptOut   = "schema_version"
)

// Section hands on what a dump holds of the warehouse's schema, as the SQL of one of pg_dump's sections: pre-data, data or
// post-data. Nothing is run. What pg_restore cannot read to its end is an error, whatever use made of the part that it got.
func (s Source) Section(ctx context.Context, file func(work func(io.Reader) error) error, section string, use func(io.Reader) error) error {
	conn, tools, err := s.open(ctx)
	if err != nil {
		return err
	}
	if err := conn.Close(ctx); err != nil {
		return away(err)
	}
	list, err := s.selection(ctx, tools, file)
	if err != nil {
		return err
	}
	defer os.Remove(list) //nolint:errcheck // a temporary file
	return file(func(dump io.Reader) error {
		// The tool is stopped where its output is not wanted any more; it would wait for a reader for ever.
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		cmd, said, err := tools.command(ctx, "pg_restore", "", "--schema="+warehouse, "--section="+section, "--use-list="+list, "--exit-on-error", "--file=-")
		if err != nil {
			return err
		}
		cmd.Stdin = dump
		out, err := cmd.StdoutPipe()
		if err != nil {
			return fmt.Errorf("reading what pg_restore writes: %w", err)
		}
		if err := cmd.Start(); err != nil {
			return fmt.Errorf("running pg_restore: %w", err)
		}
		if err := use(out); err != nil {
			cancel()
			_ = cmd.Wait() // it was stopped
			return err
		}
		var exit *exec.ExitError
		if err := cmd.Wait(); errors.As(err, &exit) && ctx.Err() == nil {
			return fault.New(fault.Unavailable, "pg_restore could not read the backup to its end: %s", lastWords(said)).Because(err)
		} else if err != nil {
			return fmt.Errorf("running pg_restore: %w", err)
		}
		return nil
	})
}

// selection writes the dump's table of contents, without what Gatehouse itself keeps in the warehouse's schema, into a file.
func (s Source) selection(ctx context.Context, tools Tools, file func(work func(io.Reader) error) error) (name string, err error) {
	var list []byte
	err = file(func(dump io.Reader) error {
		cmd, said, err := tools.command(ctx, "pg_restore", "", "--list")
		if err != nil {
			return err
		}
		cmd.Stdin = dump
		if list, err = cmd.Output(); err != nil {
			return fault.New(fault.Invalid, "the file is unreadable: %s", lastWords(said)).Because(err)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	kept, err := os.CreateTemp("", "gatehouse-restore-*.list")
	if err != nil {
		return "", fmt.Errorf("writing what is to be restored: %w", err)
	}
	for line := range bytes.Lines(list) {
		if strings.Contains(string(line), " VIEW "+warehouse+" "+keptOut+" ") || strings.Contains(string(line), " ACL "+warehouse+" TABLE "+keptOut+" ") {
			continue
		}
		if _, err = kept.Write(line); err != nil {
			break
		}
	}
	if err = errors.Join(err, kept.Close()); err != nil {
		return "", errors.Join(err, os.Remove(kept.Name()))
	}
	return kept.Name(), nil
}

// Measure counts the rows of the warehouse's tables, by "schema.table", and the objects of its schema, in whatever
// transaction the connection is in.
func Measure(ctx context.Context, conn *pgx.Conn) (rows, objects map[string]int64, err error) {
	found, err := conn.Query(ctx, readTables)
	if err != nil {
		return nil, nil, away(err)
	}
	tables, err := pgx.CollectRows(found, pgx.RowToStructByPos[struct{ Schema, Name string }])
	if err != nil {
		return nil, nil, away(err)
	}
	rows = map[string]int64{}
	for _, t := range tables {
		if t.Schema != warehouse {
			continue
		}
		var n int64
		if err := conn.QueryRow(ctx, "SELECT count(*) FROM "+pgx.Identifier{t.Schema, t.Name}.Sanitize()).Scan(&n); err != nil {
			return nil, nil, away(err)
		}
		rows[t.Schema+"."+t.Name] = n
	}
	objects, err = countObjects(ctx, conn, warehouse)
	return rows, objects, err
}

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// countObjects counts by kind in one schema, or in all of ours where it is empty.
func countObjects(ctx context.Context, q querier, schema string) (map[string]int64, error) {
	rows, err := q.Query(ctx, readObjects, schema)
	if err != nil {
		return nil, away(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct {
		Kind  string
		Count int64
	}])
	if err != nil {
		return nil, away(err)
	}
	objects := map[string]int64{}
	for _, o := range list {
		objects[o.Kind] = o.Count
	}
	return objects, nil
}
