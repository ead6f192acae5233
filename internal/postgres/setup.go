package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
)

// Tenant is one company that works in this environment.
type Tenant struct {
	ID         uuid.UUID
	Code, Name string
	// Operator marks the one tenant whose people may change the schema.
	Operator bool
}

// SetUpRoles makes the three database roles and what they need in the database of adminURL, whose role must be allowed
// to create roles. Running it again changes nothing.
func SetUpRoles(ctx context.Context, adminURL string) error {
	return runScript(ctx, adminURL, "SetUpRoles", "making the database roles")
}

// SetUpRolesSQL is what SetUpRoles runs, for a database administrator who prefers to run it by hand.
func SetUpRolesSQL() string { return sql("SetUpRoles") }

// SetUpSchemas makes the schemas gatehouse and river, as the owner.
func SetUpSchemas(ctx context.Context, ownerURL string) error {
	return runScript(ctx, ownerURL, "SetUpSchemas", "making the schemas gatehouse and river")
}

// GrantJobs lets the application use the job tables in schema river, as the owner.
func GrantJobs(ctx context.Context, ownerURL string) error {
	return runScript(ctx, ownerURL, "GrantJobs", "granting the job tables to the application")
}

// AddTenants adds tenants or brings their names up to date, as the owner.
func AddTenants(ctx context.Context, ownerURL string, tenants ...Tenant) error {
	return withConn(ctx, ownerURL, func(conn *pgx.Conn) error {
		for _, t := range tenants {
			_, err := conn.Exec(ctx, sql("AddTenant"), pgx.StrictNamedArgs{
				"tenant_id": t.ID, "tenant_code": t.Code, "tenant_name": t.Name, "is_operator": t.Operator,
			})
			if err != nil {
				return fmt.Errorf("adding tenant %s: %w", t.Code, err)
			}
		}
		return nil
	})
}

// runScript runs a statement block of several statements over the simple protocol, as one implicit transaction.
func runScript(ctx context.Context, url, name, what string) error {
	return withConn(ctx, url, func(conn *pgx.Conn) error {
		if _, err := conn.PgConn().Exec(ctx, sql(name)).ReadAll(); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		return nil
	})
}

func withConn(ctx context.Context, url string, work func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return translate(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // the work is done or has failed; a close error adds nothing
	return work(conn)
}

// Tenants lists every tenant, for the scheduler and for commands that work for each in turn.
func (db *DB) Tenants(ctx context.Context) ([]Tenant, error) {
	rows, err := db.pool.Query(ctx, sql("Tenants"))
	if err != nil {
		return nil, translate(err)
	}
	var tenants []Tenant
	var t Tenant
	_, err = pgx.ForEachRow(rows, []any{&t.ID, &t.Code, &t.Name, &t.Operator}, func() error {
		tenants = append(tenants, t)
		return nil
	})
	return tenants, translate(err)
}

// Actor is Gatehouse itself, acting in the tenant.
func (t Tenant) Actor(origin actor.Origin, what string) actor.Actor {
	by := actor.System(origin, what)
	by.Tenant, by.TenantCode, by.TenantName, by.Operator = t.ID, t.Code, t.Name, t.Operator
	return by
}
