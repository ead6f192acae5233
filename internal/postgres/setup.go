package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Tenant is one company that works in this environment.
type Tenant struct {
	ID         uuid.UUID
	Code, Name string
	// Operator marks the one tenant whose people may change the schema.
	Operator bool
	// OperatorUndecided leaves Operator to AddTenants: a tenant that is there stays as it is, and a new one operates the
	// environment where none does yet.
	OperatorUndecided bool
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

// AddTenants adds tenants or brings them up to date, as the owner. What changes a tenant stands in the system's audit trail.
func AddTenants(ctx context.Context, ownerURL string, tenants ...Tenant) error {
	return withConn(ctx, ownerURL, func(conn *pgx.Conn) error {
		for _, t := range tenants {
			err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return addTenant(ctx, tx, t) })
			if err != nil {
				return refusedTenant(t, err)
			}
		}
		return nil
	})
}

func addTenant(ctx context.Context, tx pgx.Tx, t Tenant) error {
	rows, err := tx.Query(ctx, sql("AddTenant"), pgx.StrictNamedArgs{
		"tenant_id": t.ID, "tenant_code": t.Code, "tenant_name": t.Name, "is_operator": t.Operator, "decided": !t.OperatorUndecided,
	})
	if err != nil {
		return err
	}
	changed, err := pgx.CollectRows(rows, pgx.RowToStructByName[tenantRow])
	if err != nil || len(changed) == 0 {
		return err
	}
	now := changed[0]
	return record(ctx, tx, actor.System(actor.CLI, "set-up"), audit.Event{
		Action: "tenant:add", ObjectKind: "tenant", ObjectID: now.TenantCode,
		After: map[string]any{"id": now.TenantID, "name": now.TenantName, "operator": now.IsOperator},
	})
}

// refusedTenant says in plain words which rule a tenant does not keep.
func refusedTenant(t Tenant, err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.ConstraintName {
		case "tenants_one_operator":
			return fault.New(fault.Conflict, "Another tenant operates this environment already, and only one can. Nothing was changed for %s.", t.Code).Because(err)
		case "tenants_code_key":
			return fault.New(fault.Conflict, "Another tenant has the code %s already.", t.Code).Because(err)
		case "tenants_code_form":
			return fault.New(fault.Invalid, "%q is no code of a tenant: that is 1 to 50 small letters, digits, hyphens and underscores, and begins with a letter or a digit.",
				short(t.Code)).Because(err)
		case "tenants_name_filled":
			return fault.New(fault.Invalid, "The tenant %s needs a name.", t.Code).Because(err)
		}
	}
	return fmt.Errorf("adding tenant %s: %w", t.Code, err)
}

// RecordAsOwner writes one event into the audit trail as the owner, for acts that are not the application's.
func RecordAsOwner(ctx context.Context, ownerURL string, by actor.Actor, e audit.Event) error {
	return withConn(ctx, ownerURL, func(conn *pgx.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return record(ctx, tx, by, e) })
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
	tenants, err := readTenants(ctx, db.pool)
	return tenants, translate(err)
}

// asked is what a statement can be sent to: a connection or a pool.
type asked interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func readTenants(ctx context.Context, from asked) ([]Tenant, error) {
	rows, err := from.Query(ctx, sql("Tenants"))
	if err != nil {
		return nil, err
	}
	var tenants []Tenant
	var t Tenant
	_, err = pgx.ForEachRow(rows, []any{&t.ID, &t.Code, &t.Name, &t.Operator}, func() error {
		tenants = append(tenants, t)
		return nil
	})
	return tenants, err
}

// TenantsAsOwner lists every tenant, for commands that have the owner's address alone.
func TenantsAsOwner(ctx context.Context, ownerURL string) ([]Tenant, error) {
	var tenants []Tenant
	err := withConn(ctx, ownerURL, func(conn *pgx.Conn) (err error) {
		tenants, err = readTenants(ctx, conn)
		return err
	})
	return tenants, translate(err)
}

// Actor is Gatehouse itself, acting in the tenant.
func (t Tenant) Actor(origin actor.Origin, what string) actor.Actor {
	by := actor.System(origin, what)
	by.Tenant, by.TenantCode, by.TenantName, by.Operator = t.ID, t.Code, t.Name, t.Operator
	return by
}
