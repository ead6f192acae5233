package migrator_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

var setUp = actor.System(actor.CLI, "set-up")

// console makes the schema and Gatehouse's own tables, as set-up does.
func console(ctx context.Context, superURL, _ string) error {
	if err := postgres.SetUpRoles(ctx, superURL); err != nil {
		return err
	}
	ownerURL, err := as(superURL, "gatehouse_owner")
	if err != nil {
		return err
	}
	if err := postgres.SetUpSchemas(ctx, ownerURL); err != nil {
		return err
	}
	m, err := migrator.New(migrator.Console(), ownerURL)
	if err != nil {
		return err
	}
	_, err = m.UpTo(ctx, m.Files().Last(), setUp, nil)
	return err
}

func run(ctx context.Context, url string, statements ...string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	for _, sql := range statements {
		if _, err = conn.Exec(ctx, sql); err != nil {
			break
		}
	}
	return errors.Join(err, conn.Close(ctx))
}

func TestWarehouseGoesUpAndDown(t *testing.T) {
	t.Parallel()
	db := pgtest.OpenWith(t, "migrator", console)
	m, err := migrator.New(migrator.WMS(), db.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	results, err := m.UpTo(t.Context(), m.Files().Last(), setUp, func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(results), len(m.Files().Versions()); got != want {
		t.Errorf("UpTo(last) took %d steps, want %d", got, want)
	}
}
