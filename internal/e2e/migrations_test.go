package e2e

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/postgres"
)

// TestMigrationsWalk takes the warehouse's schema through all that may befall it: a rehearsal, a backup and its drill, four
// signatures, the steps up, what somebody made by hand, its repair, the way down and up again. Then two people put the
// warehouse back to that backup, and at last the database itself comes up as it was before all of it.
func TestMigrationsWalk(t *testing.T) {
	p, balancer := prepare(t, "0.0.18")
	p.copyAs(t, "before")
	p.up(t, balancer)
	hands := []string{"HANDS=" + p.hands(t), "BACKUPS=" + p.demo.Config.BackupDir, "SCREENSHOTS=" + os.Getenv("MIGRATIONS_SCREENSHOTS")}
	p.browse(t, "migrations.test.mjs", hands...)
	p.browse(t, "restore.test.mjs", hands...)
	p.setBack(t, "before")
	p.browse(t, "older.test.mjs", hands...)
}

// copyAs keeps a copy of the database as it is now; nobody may be connected to it.
func (p *product) copyAs(t *testing.T, name string) {
	t.Helper()
	p.aside(t, "CREATE DATABASE "+name+" TEMPLATE "+postgres.DemoDatabase, "GRANT CONNECT ON DATABASE "+name+" TO gatehouse_app",
		"GRANT CREATE, CONNECT, TEMPORARY ON DATABASE "+name+" TO gatehouse_owner")
}

// setBack publishes where the audit trails end, ends the servers, puts the copy in the database's place, as who restores a
// host does, and starts them again.
func (p *product) setBack(t *testing.T, name string) {
	t.Helper()
	p.command(t, "audit", "verify")
	p.down(t)
	p.aside(t, "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '"+postgres.DemoDatabase+"'",
		"ALTER DATABASE "+postgres.DemoDatabase+" RENAME TO gone", "ALTER DATABASE "+name+" RENAME TO "+postgres.DemoDatabase)
	p.again(t)
}

// aside does something to the server from another database than the product's.
func (p *product) aside(t *testing.T, statements ...string) {
	t.Helper()
	address, err := url.Parse(string(p.demo.Config.ScratchDatabaseURL))
	if err != nil {
		t.Fatal(err)
	}
	address.Path = "/postgres"
	for _, s := range statements {
		if err := byHand(t.Context(), address.String(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// hands is an address to which a browser test posts what somebody does to the database past Gatehouse.
func (p *product) hands(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err == nil {
			err = byHand(r.Context(), string(p.demo.Config.ScratchDatabaseURL), string(text))
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func byHand(ctx context.Context, address, statements string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // what it did is committed
	_, err = conn.PgConn().Exec(ctx, statements).ReadAll()
	return err
}
