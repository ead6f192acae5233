package pgdump

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os/exec"
	"regexp"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// scratchPrefix, the time of making in seconds and some chance are the name of a scratch database.
const scratchPrefix = "gatehouse_scratch_drill_"

// Restore restores the file into a scratch database, counts what is there and drops it.
func (s Source) Restore(ctx context.Context, file io.Reader) (m backup.Manifest, err error) {
	err = s.OnScratch(ctx, file, func(ctx context.Context, address string) error {
		m, err = s.count(ctx, address)
		return err
	})
	return m, err
}

// OnScratch restores the file into a scratch database, does work on it, with its address as the owner, and drops it. A file
// that does not restore is a fault.Invalid with pg_restore's words.
func (s Source) OnScratch(ctx context.Context, file io.Reader, work func(ctx context.Context, address string) error) error {
	return s.beside(ctx, func(ctx context.Context, tools Tools, admin *pgx.Conn, address string) error {
		if err := s.restore(ctx, tools, admin, address, file); err != nil {
			return err
		}
		return work(ctx, address)
	})
}

// beside makes an empty scratch database, does work on it, with its address as the owner, and drops it.
func (s Source) beside(ctx context.Context, work func(ctx context.Context, tools Tools, admin *pgx.Conn, address string) error) error {
	name, err := scratchName()
	if err != nil {
		return err
	}
	admin, err := s.admin(ctx, name)
	if err != nil {
		return err
	}
	defer admin.Close(context.WithoutCancel(ctx)) //nolint:errcheck // what had to be done is done
	tools, err := s.tools(ctx, admin)
	if err != nil {
		return err
	}
	s.sweep(ctx, admin)
	address, err := s.create(ctx, admin, name)
	if err != nil {
		return err
	}
	defer s.drop(context.WithoutCancel(ctx), admin, name)
	if err := s.isScratch(ctx, address, name); err != nil {
		return err
	}
	return work(ctx, tools, admin, address)
}

// restore fills a scratch database from the file.
func (s Source) restore(ctx context.Context, tools Tools, admin *pgx.Conn, address string, file io.Reader) error {
	cmd, said, err := tools.command(ctx, "pg_restore", address, "--exit-on-error", "--no-password")
	if err != nil {
		return err
	}
	cmd.Stdin = file
	var exit *exec.ExitError
	err = cmd.Run()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &exit) && bytes.Contains(said.Bytes(), []byte(noRoom)):
		return fault.New(fault.Unavailable, "There is no room on the database server to restore the backup beside the database: %s. What was restored was dropped again.", lastWords(said)).Because(err)
	case errors.As(err, &exit) && (serverWent.Match(said.Bytes()) || admin.Ping(ctx) != nil):
		return fault.New(fault.Unavailable, "The database server went away in the middle of the drill. That says nothing about the backup; try again.").Because(errors.New(lastWords(said)))
	case errors.As(err, &exit):
		return fault.New(fault.Invalid, "it does not restore: %s", lastWords(said)).Because(err)
	case err != nil:
		return fmt.Errorf("running pg_restore: %w", err)
	}
	return nil
}

// noRoom is what the server says where its disk is full, in the C locale that the tools are run in. It says nothing about the
// file.
const noRoom = "No space left on device"

// serverWent is what the tools say where the server did not answer to the end. It says nothing about the file either.
var serverWent = regexp.MustCompile(`server closed the connection unexpectedly|terminating connection|connection to server|the database system is`)

// isScratch looks before anything is restored: an address whose parameters name another database, or a pooler that maps
// every name to one database, would lead into the real one.
func (s Source) isScratch(ctx context.Context, address, name string) error {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return fault.New(fault.Unavailable, "The scratch database was made and cannot be reached as the owner. Nothing was restored.").Because(err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it was only read
	var there string
	var tables int
	if err := conn.QueryRow(ctx, "SELECT current_database(), (SELECT count(*)::int FROM pg_class WHERE oid >= 16384 AND relkind IN ('r', 'p'))").Scan(&there, &tables); err != nil {
		return away(err)
	}
	if there != name || tables > 0 {
		return fault.New(fault.Conflict, "The owner's address leads to the database %s instead of the scratch database %s. A drill never restores into the database that was dumped. Nothing was restored; take the database's name out of the address's parameters, or go past the pooler.", there, name)
	}
	return nil
}

func (s Source) count(ctx context.Context, address string) (m backup.Manifest, err error) {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return m, away(err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it was only read
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		m, err = s.read(ctx, tx, address)
		return err
	})
	return m, err
}

func (s Source) adminURL() string {
	if s.AdminURL != "" {
		return s.AdminURL
	}
	return s.OwnerURL
}

// admin connects to make and drop databases. The connection carries the name of the scratch database that it is for: while
// it is there, the database is in use.
func (s Source) admin(ctx context.Context, name string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(s.adminURL())
	if err != nil {
		return nil, fault.New(fault.Invalid, "The address for scratch databases cannot be read.").Because(err)
	}
	config.RuntimeParams["application_name"] = name
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "The server for scratch databases cannot be reached.").Because(err)
	}
	return conn, nil
}

func scratchName() (string, error) {
	chance := make([]byte, 4)
	if _, err := rand.Read(chance); err != nil {
		return "", fmt.Errorf("naming a scratch database: %w", err)
	}
	return scratchPrefix + strconv.FormatInt(time.Now().Unix(), 10) + "_" + hex.EncodeToString(chance), nil
}

// create makes an empty database that belongs to the owner, and gives its address as the owner.
func (s Source) create(ctx context.Context, admin *pgx.Conn, name string) (address string, err error) {
	u, err := url.Parse(s.OwnerURL)
	if err != nil {
		return "", fault.New(fault.Invalid, "The owner's database address must be one like postgres://gatehouse_owner@host:5432/database.")
	}
	owner, err := pgx.ParseConfig(s.OwnerURL)
	if err != nil {
		return "", fmt.Errorf("reading the owner's address: %w", err)
	}
	create := fmt.Sprintf("CREATE DATABASE %s TEMPLATE template0 OWNER %s", pgx.Identifier{name}.Sanitize(), pgx.Identifier{owner.User}.Sanitize())
	if _, err := admin.Exec(ctx, create); err != nil {
		return "", fault.New(fault.Unavailable, "No scratch database could be made for the drill. Set GATEHOUSE_SCRATCH_DATABASE_URL to a role of the same server that may create databases.").Because(err)
	}
	u.Path = "/" + name
	return u.String(), nil
}

func (s Source) drop(ctx context.Context, admin *pgx.Conn, name string) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if _, err := admin.Exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)"); err != nil {
		s.warn("the scratch database "+name+" is still there", err)
	}
}

// Sweep drops what drills left behind that were killed.
func (s Source) Sweep(ctx context.Context) error {
	admin, err := s.admin(ctx, "gatehouse_sweep")
	if err != nil {
		return err
	}
	defer admin.Close(context.WithoutCancel(ctx)) //nolint:errcheck // what had to be done is done
	s.sweep(ctx, admin)
	return nil
}

// sweep drops the scratch databases whose maker's connection is gone. What this role may not drop is not its own.
func (s Source) sweep(ctx context.Context, admin *pgx.Conn) {
	rows, err := admin.Query(ctx, leftBehind, scratchPrefix)
	if err != nil {
		s.warn("looking for scratch databases that were left behind", err)
		return
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		s.warn("looking for scratch databases that were left behind", err)
		return
	}
	for _, name := range names {
		s.drop(ctx, admin, name)
	}
}

const leftBehind = `
SELECT d.datname FROM pg_database d
 WHERE starts_with(d.datname, $1)
   AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.application_name = d.datname)`

func (s Source) warn(text string, err error) {
	if s.Warn != nil {
		s.Warn(text, err)
	}
}
