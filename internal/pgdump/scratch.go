package pgdump

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/fault"
)

const (
	// scratchPrefix and the time of making, in seconds, are the name of a scratch database.
	scratchPrefix = "gatehouse_scratch_drill_"
	// scratchLife is how long one may be there before the next drill takes it for left behind.
	scratchLife = 24 * time.Hour
)

// Restore restores the file into a scratch database, counts what is there and drops it.
func (s Source) Restore(ctx context.Context, path string) (m backup.Manifest, err error) {
	err = s.OnScratch(ctx, path, func(ctx context.Context, address string) error {
		m, err = s.count(ctx, address)
		return err
	})
	return m, err
}

// OnScratch restores the file into a scratch database, does work on it, with its address as the owner, and drops it. A file
// that does not restore is a fault.Invalid with pg_restore's words.
func (s Source) OnScratch(ctx context.Context, path string, work func(ctx context.Context, address string) error) error {
	admin, err := pgx.Connect(ctx, s.adminURL())
	if err != nil {
		return fault.New(fault.Unavailable, "The server for scratch databases cannot be reached.").Because(err)
	}
	defer admin.Close(context.WithoutCancel(ctx)) //nolint:errcheck // what had to be done is done
	tools, err := s.tools(ctx, admin)
	if err != nil {
		return err
	}
	s.sweep(ctx, admin)
	name, address, err := s.create(ctx, admin)
	if err != nil {
		return err
	}
	defer s.drop(context.WithoutCancel(ctx), admin, name)
	cmd, said, err := tools.command(ctx, "pg_restore", address, "--exit-on-error", "--no-password", path)
	if err != nil {
		return err
	}
	var exit *exec.ExitError
	err = cmd.Run()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &exit):
		return fault.New(fault.Invalid, "it does not restore: %s", lastWords(said)).Because(err)
	case err != nil:
		return fmt.Errorf("running pg_restore: %w", err)
	}
	return work(ctx, address)
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

// create makes an empty database that belongs to the owner, and gives its address as the owner.
func (s Source) create(ctx context.Context, admin *pgx.Conn) (name, address string, err error) {
	u, err := url.Parse(s.OwnerURL)
	if err != nil {
		return "", "", fault.New(fault.Invalid, "The owner's database address must be one like postgres://gatehouse_owner@host:5432/database.")
	}
	owner, err := pgx.ParseConfig(s.OwnerURL)
	if err != nil {
		return "", "", fmt.Errorf("reading the owner's address: %w", err)
	}
	chance := make([]byte, 4)
	if _, err := rand.Read(chance); err != nil {
		return "", "", fmt.Errorf("naming a scratch database: %w", err)
	}
	name = scratchPrefix + strconv.FormatInt(time.Now().Unix(), 10) + "_" + hex.EncodeToString(chance)
	create := fmt.Sprintf("CREATE DATABASE %s TEMPLATE template0 OWNER %s", pgx.Identifier{name}.Sanitize(), pgx.Identifier{owner.User}.Sanitize())
	if _, err := admin.Exec(ctx, create); err != nil {
		return "", "", fault.New(fault.Unavailable, "No scratch database could be made for the drill. Set GATEHOUSE_SCRATCH_DATABASE_URL to a role of the same server that may create databases.").Because(err)
	}
	u.Path = "/" + name
	return name, u.String(), nil
}

func (s Source) drop(ctx context.Context, admin *pgx.Conn, name string) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if _, err := admin.Exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)"); err != nil {
		s.warn("the scratch database "+name+" is still there", err)
	}
}

// sweep drops what drills left behind that were killed.
func (s Source) sweep(ctx context.Context, admin *pgx.Conn) {
	rows, err := admin.Query(ctx, "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", scratchPrefix)
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
		made, _, _ := strings.Cut(strings.TrimPrefix(name, scratchPrefix), "_")
		seconds, err := strconv.ParseInt(made, 10, 64)
		if err == nil && time.Since(time.Unix(seconds, 0)) > scratchLife {
			s.drop(ctx, admin, name)
		}
	}
}

func (s Source) warn(text string, err error) {
	if s.Warn != nil {
		s.Warn(text, err)
	}
}
