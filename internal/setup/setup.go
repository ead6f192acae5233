// Package setup makes a database ready for Gatehouse: roles, schemas, the console's own tables, the job tables and the
// tenants. Each step may be run again and changes nothing the second time. The warehouse schema is not its business:
// that changes through `gatehouse migrate` alone.
package setup

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// The database roles.
const (
	OwnerRole = "gatehouse_owner"
	AppRole   = "gatehouse_app"
)

// JobSchema is where the job library keeps its tables.
const JobSchema = "river"

// Plan is what Run shall make.
type Plan struct {
	// AdminURL is a role that may create roles; empty where the roles are there already.
	AdminURL string
	// OwnerURL is the role gatehouse_owner in the database.
	OwnerURL string
	Tenants  []postgres.Tenant
	// Say tells the operator what is being done; nil says nothing.
	Say func(line string)
}

// Run makes the database ready and returns the first thing that failed.
func Run(ctx context.Context, p Plan) error {
	say := p.Say
	if say == nil {
		say = func(string) {}
	}
	if p.AdminURL != "" {
		say("database roles")
		if err := postgres.SetUpRoles(ctx, p.AdminURL); err != nil {
			return err
		}
	}
	say("schemas")
	if err := postgres.SetUpSchemas(ctx, p.OwnerURL); err != nil {
		return err
	}
	say("Gatehouse's own tables")
	if err := console(ctx, p.OwnerURL); err != nil {
		return err
	}
	say("job tables")
	if err := jobs(ctx, p.OwnerURL); err != nil {
		return err
	}
	return postgres.AddTenants(ctx, p.OwnerURL, p.Tenants...)
}

func console(ctx context.Context, ownerURL string) error {
	m, err := migrator.New(migrator.Console(), ownerURL)
	if err != nil {
		return fmt.Errorf("reading the console's migrations: %w", err)
	}
	if _, err := m.UpTo(ctx, m.Files().Last(), actor.System(actor.CLI, "set-up"), nil); err != nil {
		return fmt.Errorf("making Gatehouse's own tables: %w", err)
	}
	return nil
}

func jobs(ctx context.Context, ownerURL string) error {
	pool, err := pgxpool.New(ctx, ownerURL)
	if err != nil {
		return fmt.Errorf("opening the owner's connection: %w", err)
	}
	defer pool.Close()
	m, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: JobSchema})
	if err != nil {
		return fmt.Errorf("reading the job library's migrations: %w", err)
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("making the job tables: %w", err)
	}
	return postgres.GrantJobs(ctx, ownerURL)
}
