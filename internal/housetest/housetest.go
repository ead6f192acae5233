// Package housetest gives tests a database that stands as a set-up Gatehouse does: roles, Gatehouse's own tables, two
// tenants, and the warehouse at a version. It is pgtest with the house in it.
package housetest

import (
	"context"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/setup"
)

// The two tenants of every story: ours, which operates the environment, and theirs.
var (
	Rivermark = uuid.MustParse("11111111-1111-7111-8111-111111111111")
	Saltway   = uuid.MustParse("22222222-2222-7222-8222-222222222222")
)

// Tenants is how set-up gets to know them.
func Tenants() []postgres.Tenant {
	return []postgres.Tenant{
		{ID: Rivermark, Code: "rivermark", Name: "Rivermark Print", Operator: true},
		{ID: Saltway, Code: "saltway", Name: "Saltway Packaging"},
	}
}

// At is a database whose warehouse stands at a version, as "0.0.18"; empty means no warehouse at all.
func At(t testing.TB, version string) *pgtest.Database {
	t.Helper()
	return pgtest.OpenWith(t, "house "+version, func(ctx context.Context, superURL, _ string) error {
		return Prepare(ctx, superURL, version)
	})
}

// Prepare sets up the database of superURL and brings its warehouse to the version.
func Prepare(ctx context.Context, superURL, version string) error {
	ownerURL, err := AsUser(superURL, "gatehouse_owner")
	if err != nil {
		return err
	}
	if err := setup.Run(ctx, setup.Plan{AdminURL: superURL, OwnerURL: ownerURL, Tenants: Tenants()}); err != nil {
		return err
	}
	if version == "" {
		return nil
	}
	last, err := migration.ParseVersion(version)
	if err != nil {
		return err
	}
	m, err := migrator.New(migrator.WMS(), ownerURL)
	if err != nil {
		return err
	}
	_, err = m.UpTo(ctx, last, actor.System(actor.CLI, "test set-up"), nil)
	return err
}

// AsUser is the address with another role.
func AsUser(address, role string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", fmt.Errorf("reading a database address: %w", err)
	}
	u.User = url.User(role)
	query := u.Query()
	if query.Has("user") {
		query.Set("user", role)
		u.RawQuery = query.Encode()
	}
	return u.String(), nil
}

// Open opens the database as the application does, and checks its role as the application does.
func Open(t testing.TB, d *pgtest.Database) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), d.AppURL)
	if err != nil {
		t.Fatalf("opening the test database: %v", err)
	}
	t.Cleanup(db.Close)
	if err := db.CheckRole(t.Context()); err != nil {
		t.Fatalf("the application's role: %v", err)
	}
	return db
}

// Person is somebody of a tenant who signed in just now with these roles.
func Person(tenant uuid.UUID, subject string, roles ...actor.Role) actor.Actor {
	code, name := "rivermark", "Rivermark Print"
	if tenant == Saltway {
		code, name = "saltway", "Saltway Packaging"
	}
	return actor.Actor{
		UserID: uuid.NewSHA1(tenant, []byte(subject)), Tenant: tenant, TenantCode: code, TenantName: name, Operator: tenant == Rivermark,
		Issuer: "https://id.test", Subject: subject, Name: subject, Roles: roles, AuthTime: time.Now(), Origin: actor.Web, IP: "127.0.0.1",
	}
}
