package migrations_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/migrations"
)

// release is one version of the warehouse: the file that does and the file that takes back.
type release struct {
	patch    int
	name     string // V0.0.20__fix_bin_optimization_data_quality.sql
	up, down string
}

var fileName = regexp.MustCompile(`^V0\.0\.(\d+)__([a-z0-9_]+)\.sql$`)

// releases lists the warehouse's versions in order; fs.ReadDir sorts by name, and all have two digits.
func releases(t testing.TB) []release {
	t.Helper()
	entries, err := fs.ReadDir(migrations.WMS, ".")
	if err != nil {
		t.Fatal(err)
	}
	var all []release
	for _, e := range entries {
		m := fileName.FindStringSubmatch(e.Name())
		if m == nil {
			continue
		}
		patch, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, release{patch: patch, name: e.Name(), up: text(t, e.Name()), down: text(t, "U"+e.Name()[1:])})
	}
	if got, want := len(entries), 2*len(all); got != want {
		t.Fatalf("migrations/wms holds %d files, want %d: a V and a U file for each of %d versions", got, want, len(all))
	}
	return all
}

func text(t testing.TB, name string) string {
	t.Helper()
	b, err := fs.ReadFile(migrations.WMS, name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// at opens a database whose warehouse stands at a version, 0 for none at all.
func at(t testing.TB, patch int) *pgtest.Database {
	t.Helper()
	all := releases(t)
	return pgtest.OpenWith(t, "wms-"+strconv.Itoa(patch), func(ctx context.Context, superURL, database string) error {
		conn, err := pgx.Connect(ctx, superURL)
		if err != nil {
			return fmt.Errorf("connecting to the template: %w", err)
		}
		work := func() error {
			for _, role := range []string{"gatehouse_owner LOGIN", "gatehouse_app LOGIN", "wms_application_role NOLOGIN"} {
				var there *pgconn.PgError
				_, err := conn.Exec(ctx, "CREATE ROLE "+role)
				if err != nil && (!errors.As(err, &there) || there.Code != "42710") {
					return err
				}
			}
			if _, err := conn.Exec(ctx, "ALTER DATABASE "+pgx.Identifier{database}.Sanitize()+" OWNER TO gatehouse_owner"); err != nil {
				return err
			}
			if _, err := conn.Exec(ctx, "SET SESSION AUTHORIZATION gatehouse_owner"); err != nil {
				return err
			}
			for _, r := range all {
				if r.patch <= patch {
					if err := run(ctx, conn, r.up); err != nil {
						return fmt.Errorf("%s: %w", r.name, err)
					}
				}
			}
			return nil
		}
		return errors.Join(work(), conn.Close(ctx))
	})
}

// run sends a file as it is: several statements, one implicit transaction.
func run(ctx context.Context, conn *pgx.Conn, sql string) error {
	_, err := conn.PgConn().Exec(ctx, sql).ReadAll()
	return err
}

func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return conn
}

// querier is a connection or a transaction.
type querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func mustExec(t testing.TB, q querier, sql string, args ...any) {
	t.Helper()
	if _, err := q.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// rows reads a result of one column or more as text, a row per string, columns joined by a space, NULL as a dash.
func rows(t testing.TB, q querier, sql string, args ...any) []string {
	t.Helper()
	r, err := q.Query(t.Context(), sql, append([]any{pgx.QueryResultFormats{pgx.TextFormatCode}}, args...)...)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	all, err := pgx.CollectRows(r, func(row pgx.CollectableRow) (string, error) {
		line := ""
		for i, v := range row.RawValues() {
			if i > 0 {
				line += " "
			}
			if v == nil {
				line += "-"
			} else {
				line += string(v)
			}
		}
		return line, nil
	})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return all
}

func one(t testing.TB, q querier, sql string, args ...any) string {
	t.Helper()
	all := rows(t, q, sql, args...)
	if len(all) != 1 {
		t.Fatalf("%s: %d rows, want 1", sql, len(all))
	}
	return all[0]
}

// asTenant runs work as the application's role inside a tenant, and undoes what it did.
func asTenant(t testing.TB, app *pgx.Conn, tenant string, work func(tx pgx.Tx)) {
	t.Helper()
	tx, err := app.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	mustExec(t, tx, "SELECT set_config('app.current_tenant_id', $1, true)", tenant)
	work(tx)
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Ours and theirs: two tenants with one facility, one user, three bins and two materials each. An id's first digit says
// whose it is.
const (
	ours, theirs = "10000000-0000-7000-8000-000000000001", "20000000-0000-7000-8000-000000000001"
	facility     = "10000000-0000-7000-8000-00000000000f"
	user         = "10000000-0000-7000-8000-00000000000e"
	binA         = "10000000-0000-7000-8000-0000000000a1" // 100 cubic feet, 1000 lb each
	binB         = "10000000-0000-7000-8000-0000000000a2"
	binC         = "10000000-0000-7000-8000-0000000000a3"
	paper        = "10000000-0000-7000-8000-0000000000b1" // 0.5 cubic feet, 2 lb
	ink          = "10000000-0000-7000-8000-0000000000b2" // 12 x 12 x 12 inches, 4 lb
)

const stock = `
INSERT INTO tenants (tenant_id, tenant_code, tenant_name)
SELECT (n || '0000000-0000-7000-8000-000000000001')::uuid, 'tenant-' || n, 'Tenant ' || n FROM generate_series(1, 2) n;
INSERT INTO facilities (tenant_id, facility_id, facility_code, facility_name, address_line1, city, postal_code, country)
SELECT tenant_id, (left(tenant_id::text, 1) || '0000000-0000-7000-8000-00000000000f')::uuid, 'F1', 'Facility of ' || tenant_name,
    '1 Mill Road', 'Rivermark', '01001', 'US' FROM tenants;
INSERT INTO users (tenant_id, user_id, username, email)
SELECT tenant_id, (left(tenant_id::text, 1) || '0000000-0000-7000-8000-00000000000e')::uuid, 'ada', 'ada@example.com' FROM tenants;
INSERT INTO inventory_locations (tenant_id, facility_id, location_id, location_code, location_type, cubic_feet, max_weight_lbs)
SELECT tenant_id, facility_id, (left(tenant_id::text, 1) || '0000000-0000-7000-8000-0000000000a' || n)::uuid, 'Z1-A0' || n || '-R1-B1',
    'RESERVE', 100, 1000 FROM facilities, generate_series(1, 3) n;
INSERT INTO materials (tenant_id, material_id, material_code, material_name, material_type, cubic_feet, weight_lbs_per_unit)
SELECT tenant_id, (left(tenant_id::text, 1) || '0000000-0000-7000-8000-0000000000b1')::uuid, 'PAPER', 'Paper roll', 'SUBSTRATE', 0.5, 2 FROM tenants;
INSERT INTO materials (tenant_id, material_id, material_code, material_name, material_type, width_inches, height_inches, thickness_inches, weight_lbs_per_unit)
SELECT tenant_id, (left(tenant_id::text, 1) || '0000000-0000-7000-8000-0000000000b2')::uuid, 'INK', 'Ink drum', 'INK', 12, 12, 12, 4 FROM tenants;
`

// stocked opens a database at a version, with ours and theirs in it, and a connection of its owner.
func stocked(t testing.TB, patch int) (*pgtest.Database, *pgx.Conn) {
	t.Helper()
	db := at(t, patch)
	owner := connect(t, db.OwnerURL)
	if err := run(t.Context(), owner, stock); err != nil {
		t.Fatal(err)
	}
	return db, owner
}

const addLot = `INSERT INTO lots (tenant_id, facility_id, lot_number, material_id, location_id, original_quantity, quantity_on_hand,
	quantity_available, received_date) VALUES ($1, $2, $3, $4, $5, $6, $6, $6, '2026-01-01')`

func lot(t testing.TB, q querier, number, material, bin string, quantity int) {
	t.Helper()
	mustExec(t, q, addLot, ours, facility, number, material, bin, quantity)
}
