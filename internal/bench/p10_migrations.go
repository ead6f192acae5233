package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/golang-migrate/migrate/v4"
	_ "github.com/golang-migrate/migrate/v4/database/pgx/v5" // golang-migrate's own driver, by its address
	_ "github.com/golang-migrate/migrate/v4/source/file"     // its own reader of folders

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/app"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

const baseDatabase = "bench_baseline"

// baselineVersion is where every copy stands.
const baselineVersion = migration.Version(14)

// migrations is P10: V0.0.15 to V0.0.22 on a fresh copy of the baseline. Ours is one step a version as the worker takes
// it (connection, lock, comparison, hash, file, ledger and version in one transaction) and an audit entry for each;
// theirs is golang-migrate with its own driver, and psql, one transaction a file, on the same files.
func migrations(ctx context.Context, b *bench) error {
	h := b.home
	b.say("a baseline, copied %d times", 3*(b.pairs+1))
	if err := h.database(ctx, baseDatabase, "0.0.14"); err != nil {
		return err
	}
	m, err := migrator.New(migrator.WMS(), h.owner(baseDatabase))
	if err != nil {
		return err
	}
	renamed, original, err := b.writeFiles(m.Files())
	if err != nil {
		return err
	}
	sides := []struct {
		name  string
		apply func(database string) error
	}{
		{"ours", func(database string) error { return h.ours(ctx, database) }},
		{"golang-migrate", func(database string) error { return h.golangMigrate(database, renamed) }},
		{"psql", func(database string) error { return h.psql(ctx, database, slices.Sorted(maps.Values(original))) }},
	}
	var took [3]sample
	var against, shell []pair
	for round := range b.pairs + 1 {
		var one [3]time.Duration
		for i, side := range sides {
			database := fmt.Sprintf("bench_step_%d", i)
			if err := h.execute(ctx, "postgres", "DROP DATABASE IF EXISTS "+database, "CREATE DATABASE "+database+" TEMPLATE "+baseDatabase+" OWNER gatehouse_owner", "CHECKPOINT"); err != nil {
				return err
			}
			began := time.Now()
			if err := side.apply(database); err != nil {
				return fmt.Errorf("%s: %w", side.name, err)
			}
			one[i] = time.Since(began)
		}
		if round == 0 {
			continue // the first round warms the caches
		}
		for i := range one {
			took[i] = append(took[i], one[i])
		}
		against = append(against, pair{one[0].Seconds(), one[1].Seconds()})
		shell = append(shell, pair{one[0].Seconds(), one[2].Seconds()})
	}
	what := fmt.Sprintf("P10 migrations V0.0.15 to V0.0.22, %d files, with ledger, checksum, lock and audit", len(original))
	b.judge(figure{
		what: what, format: "ratio %.2f of golang-migrate", value: ratio(against), goal: 1.3,
		note: fmt.Sprintf("%d pairs; ours %s; golang-migrate %s", len(against), took[0], took[1]),
	})
	b.judge(figure{what: what, format: "ratio %.2f of psql -1 -f", value: ratio(shell), goal: 1, note: "psql " + took[2].String()})
	return nil
}

// writeFiles puts the files after the baseline into two folders: under golang-migrate's names and under their own.
func (b *bench) writeFiles(files *migration.Files) (renamed string, original map[migration.Version]string, err error) {
	renamed = filepath.Join(b.home.dir, "golang-migrate")
	plain := filepath.Join(b.home.dir, "psql")
	for _, dir := range []string{renamed, plain} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return "", nil, err
		}
	}
	original = map[migration.Version]string{}
	for _, v := range files.Versions() {
		f, _ := files.Up(v)
		if v <= baselineVersion {
			continue
		}
		path := filepath.Join(plain, fmt.Sprintf("%09d.sql", int64(v)))
		theirs := filepath.Join(renamed, fmt.Sprintf("%d_step.up.sql", int64(v)))
		if err := errors.Join(os.WriteFile(path, []byte(f.SQL), 0o600), os.WriteFile(theirs, []byte(f.SQL), 0o600)); err != nil {
			return "", nil, err
		}
		original[v] = path
	}
	return renamed, original, nil
}

func (h *home) ours(ctx context.Context, database string) error {
	m, err := migrator.New(migrator.WMS(), h.owner(database))
	if err != nil {
		return err
	}
	db, err := postgres.Open(ctx, h.app(database))
	if err != nil {
		return err
	}
	defer db.Close()
	for _, v := range m.Files().Versions() {
		if v <= baselineVersion {
			continue
		}
		if err := applyOne(ctx, m, db, v); err != nil {
			return err
		}
	}
	return nil
}

// applyOne applies one version as the worker does, and writes its entry into the audit trail.
func applyOne(ctx context.Context, m *migrator.Migrator, db *postgres.DB, v migration.Version) error {
	by := app.DemoTenants[0].Actor(actor.CLI, "bench")
	f, ok := m.Files().Up(v)
	if !ok {
		return fmt.Errorf("there is no file of V%s", v)
	}
	if _, err := m.Step(ctx, migrator.StepRequest{Version: v, Direction: migration.Up, SHA256: f.SHA256, By: by}); err != nil {
		return err
	}
	return (postgres.Audit{DB: db}).Record(ctx, by, audit.Event{Action: "migration:finish", ObjectKind: "migration", ObjectID: v.String()})
}

func (h *home) golangMigrate(database, folder string) error {
	address, err := url.Parse(h.owner(database))
	if err != nil {
		return err
	}
	address.Scheme = "pgx5"
	m, err := migrate.New("file://"+folder, address.String())
	if err != nil {
		return err
	}
	err = m.Up()
	source, target := m.Close()
	return errors.Join(err, source, target)
}

func (h *home) psql(ctx context.Context, database string, files []string) error {
	for _, file := range files {
		cmd := exec.CommandContext(ctx, filepath.Join(h.pg.BinDir(), "psql"), "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-d", h.owner(database), "-f", file)
		if said, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("psql -f %s: %w: %s", filepath.Base(file), err, strings.TrimSpace(string(said)))
		}
	}
	return nil
}
