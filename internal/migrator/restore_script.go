package migrator

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// runText runs a section of a dump that holds no rows: SQL for the server, and at its ends a command for psql, which keeps
// that program from obeying what a dump might say.
func runText(ctx context.Context, conn *pgx.Conn, script io.Reader) error {
	text, err := io.ReadAll(script)
	if err != nil {
		return fmt.Errorf("reading the backup: %w", err)
	}
	_, err = exec(ctx, conn, withoutPsql(string(text)))
	return err
}

// withoutPsql takes out \restrict before the first statement and \unrestrict after the last.
func withoutPsql(text string) string {
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, `\restrict `) {
			lines[i] = ""
		}
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "--") {
			break
		}
	}
	for i := len(lines) - 1; i >= 0; i-- {
		line := strings.TrimSpace(lines[i])
		if strings.HasPrefix(line, `\unrestrict `) {
			lines[i] = ""
		}
		if line != "" && !strings.HasPrefix(line, "--") {
			break
		}
	}
	return strings.Join(lines, "")
}

// runData runs the section that holds rows. It consists of settings, one statement a line, and of COPY with its rows.
func runData(ctx context.Context, conn *pgx.Conn, script io.Reader) error {
	in := bufio.NewReaderSize(script, 1<<16)
	for {
		line, err := in.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("reading the backup: %w", err)
		}
		if err := runLine(ctx, conn, in, strings.TrimSpace(line)); err != nil {
			return err
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
	}
}

func runLine(ctx context.Context, conn *pgx.Conn, in *bufio.Reader, line string) error {
	switch {
	case line == "", strings.HasPrefix(line, "--"), strings.HasPrefix(line, `\restrict `), strings.HasPrefix(line, `\unrestrict `):
		return nil
	case strings.HasPrefix(line, "COPY ") && strings.HasSuffix(line, " FROM stdin;"):
		rows := &copyRows{in: in}
		if _, err := conn.PgConn().CopyFrom(ctx, rows, strings.TrimSuffix(line, ";")); err != nil {
			return fmt.Errorf("%s: %w", line, err)
		}
		return nil
	case strings.HasSuffix(line, ";"):
		_, err := conn.Exec(ctx, line)
		return err
	}
	return fmt.Errorf("the backup holds among its rows what is no statement: %.80q", line)
}

// copyRows are the rows of one COPY, up to the line that ends them. Where the dump ends before, the COPY fails.
type copyRows struct {
	in   *bufio.Reader
	rest []byte
	done bool
	long bool // the line at hand goes on
}

func (r *copyRows) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if r.done {
			return 0, io.EOF
		}
		line, err := r.in.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return 0, io.ErrUnexpectedEOF
		case err != nil:
			return 0, err
		case !r.long && bytes.Equal(line, []byte("\\.\n")):
			r.done = true
			continue
		}
		r.rest, r.long = line, err != nil
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// deadlocked: two waited for each other, and it was us who was told to give up.
func deadlocked(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "40P01"
}
