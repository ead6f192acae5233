package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/housetest"
)

// systemTables have no tenant: each with why.
var systemTables = map[string]string{
	"warehouse_found":     "what the warehouse held when it was recorded, which is the environment's; only the owner reads it",
	"sessions":            "found by the hash of a cookie, before anybody is known",
	"sign_in_attempts":    "found by the hash of a state, before anybody is known",
	"knocks":              "counts addresses before anybody is known, by their hash and for minutes",
	"machine_credentials": "found by the hash of a token, before anybody is known",
	"console_ledger":      "the history of Gatehouse's own tables",
	"migration_ledger":    "the history of the one schema all tenants share; read through a view that masks names",
	"migration_texts":     "the texts behind the hashes of that history, which are this program's files",
	"migration_state":     "where that schema stands",
	"server_processes":    "the processes of this program that keep pages open, whoever looks at them",
	"job_runs":            "what the scheduler did, for all tenants at once",
}

func TestEveryTableOfOursKeepsTenantsApart(t *testing.T) {
	d := housetest.At(t, "")
	conn, err := pgx.Connect(t.Context(), d.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	rows, err := conn.Query(t.Context(), `
		SELECT c.relname, c.relrowsecurity,
		       EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'tenant' AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL),
		       pg_get_userbyid(c.relowner),
		       COALESCE((SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
		                  WHERE i.indrelid = c.oid AND i.indisprimary), '')
		  FROM pg_class c WHERE c.relnamespace = 'gatehouse'::regnamespace AND c.relkind IN ('r', 'p')`)
	if err != nil {
		t.Fatal(err)
	}
	var name, owner, key string
	var secured, policy bool
	seen := 0
	_, err = pgx.ForEachRow(rows, []any{&name, &secured, &policy, &owner, &key}, func() error {
		seen++
		if owner != "gatehouse_owner" {
			t.Errorf("gatehouse.%s is owned by %s", name, owner)
		}
		if _, system := systemTables[name]; system {
			return nil
		}
		if !secured || !policy {
			t.Errorf("gatehouse.%s: row security %v, policy tenant with USING and CHECK %v; give it both, or a line among the system tables", name, secured, policy)
		}
		if key != "tenant_id" {
			t.Errorf("gatehouse.%s: its primary key begins with %q, want tenant_id", name, key)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 15 {
		t.Errorf("only %d tables were looked at", seen)
	}
}
