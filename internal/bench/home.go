package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/app"
	"github.com/agogsaas/gatehouse/internal/demoidp"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/privatepg"
	"github.com/agogsaas/gatehouse/internal/setup"

	"github.com/agogsaas/gatehouse/internal/actor"
)

// home is the folder, the cluster, and the two programs that are measured.
type home struct {
	dir               string
	binary, prototype string
	pg                *privatepg.Server
	site              *site // the server that several rows share; nil until asked for
	provider          *demoidp.Provider
}

func newHome(ctx context.Context) (*home, error) {
	dir, err := os.MkdirTemp("", "gatehouse-bench-")
	if err != nil {
		return nil, fmt.Errorf("making a folder to work in: %w", err)
	}
	h := &home{dir: dir, binary: filepath.Join(dir, "gatehouse"), prototype: filepath.Join(dir, "prototype")}
	if err := h.start(ctx); err != nil {
		return nil, errors.Join(err, h.close())
	}
	return h, nil
}

func (h *home) start(ctx context.Context) error {
	if err := os.Chmod(h.dir, 0o755); err != nil { //nolint:gosec // the database's account must be able to enter
		return err
	}
	for path, source := range map[string]string{h.binary: "cmd/gatehouse", h.prototype: "internal/bench/prototype"} {
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "github.com/agogsaas/gatehouse/"+source)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if said, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w\n%s", source, err, said)
		}
	}
	var err error
	h.pg, err = privatepg.Start(ctx, privatepg.Config{Dir: filepath.Join(h.dir, "pg"), BinDir: os.Getenv("PG_BINDIR")})
	return err
}

func (h *home) close() error {
	var problems []error
	if h.site != nil {
		problems = append(problems, h.site.stop())
	}
	if h.provider != nil {
		h.provider.Close()
	}
	if h.pg != nil {
		problems = append(problems, h.pg.Stop())
	}
	return errors.Join(append(problems, os.RemoveAll(h.dir))...)
}

// The addresses of a database, by role.
func (h *home) super(database string) string { return h.pg.URL(database, privatepg.Superuser) }
func (h *home) owner(database string) string { return h.pg.URL(database, setup.OwnerRole) }
func (h *home) app(database string) string   { return h.pg.URL(database, setup.AppRole) }

// database makes a set-up database and brings its warehouse to a version.
func (h *home) database(ctx context.Context, name, version string) error {
	if err := h.execute(ctx, "postgres", "CREATE DATABASE "+name); err != nil {
		return err
	}
	if err := setup.Run(ctx, setup.Plan{AdminURL: h.super(name), OwnerURL: h.owner(name), Tenants: app.DemoTenants}); err != nil {
		return err
	}
	return h.warehouse(ctx, name, version)
}

// warehouse brings the database's warehouse to a version.
func (h *home) warehouse(ctx context.Context, name, version string) error {
	last, err := migration.ParseVersion(version)
	if err != nil {
		return err
	}
	m, err := migrator.New(migrator.WMS(), h.owner(name))
	if err != nil {
		return err
	}
	_, err = m.UpTo(ctx, last, app.DemoTenants[0].Actor(actor.CLI, "bench"), nil)
	return err
}

// execute runs statements as superuser, one after the other.
func (h *home) execute(ctx context.Context, database string, statements ...string) error {
	return h.with(ctx, h.super(database), func(conn *pgx.Conn) error {
		for _, statement := range statements {
			if _, err := conn.Exec(ctx, statement); err != nil {
				return fmt.Errorf("%.60s: %w", statement, err)
			}
		}
		return nil
	})
}

func (h *home) with(ctx context.Context, url string, work func(*pgx.Conn) error) (err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connecting to the private PostgreSQL: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	return work(conn)
}
