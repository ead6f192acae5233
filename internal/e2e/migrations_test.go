package e2e

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestMigrationsWalk takes the warehouse's schema through all that may befall it: a rehearsal, a backup and its drill, four
// signatures, the steps up, what somebody made by hand, its repair, the way down and up again.
func TestMigrationsWalk(t *testing.T) {
	p := start(t, "0.0.18")
	p.browse(t, "migrations.test.mjs", "HANDS="+p.hands(t), "SCREENSHOTS="+os.Getenv("MIGRATIONS_SCREENSHOTS"))
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
