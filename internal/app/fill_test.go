package app

import (
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/demo/warehouse"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/pgtest"
)

// A demo that sends all six through the gate has decisions to judge afterwards, once, and none before.
func TestASampleFromTheStartHandsInItsRecommendations(t *testing.T) {
	t.Parallel()
	d := housetest.At(t, "0.0.14")
	m, err := migrator.New(migrator.WMS(), d.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	plan := DemoPlan{Size: "small", From: "0.0.14", Say: func(line string) { said = append(said, line) }}
	super := pgtest.Pool(t, d.SuperURL)
	for _, table := range []string{"facilities", "tenants"} {
		if _, err := super.Exec(t.Context(), "DELETE FROM public."+table); err != nil {
			t.Fatal(err)
		}
	}
	options := sample(warehouse.Small, time.Now(), plan)
	if err := asOwner(t.Context(), d.OwnerURL, func(conn *pgx.Conn) error { return warehouse.Warehouse(t.Context(), conn, options) }); err != nil {
		t.Fatal(err)
	}
	for _, last := range []migration.Version{18, 21} {
		if _, err := m.UpTo(t.Context(), last, actor.System(actor.CLI, "a test"), nil); err != nil {
			t.Fatal(err)
		}
		if done, err := handIn(t.Context(), m, d.OwnerURL, plan); err != nil || done {
			t.Fatalf("at V0.0.%d: handed in %t, %v; want that it waits for the last version", last, done, err)
		}
	}
	if _, err := m.UpTo(t.Context(), 22, actor.System(actor.CLI, "a test"), nil); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if done, err := handIn(t.Context(), m, d.OwnerURL, plan); err != nil || !done {
			t.Fatalf("after the last version: handed in %t, %v", done, err)
		}
	}
	var least int
	const judged = `SELECT min(n) FROM (SELECT count(*) AS n FROM public.putaway_recommendations WHERE decided_at > now() - interval '7 days' GROUP BY tenant_id) AS t HAVING count(*) = 2`
	if err := super.QueryRow(t.Context(), judged).Scan(&least); err != nil || least < 10 {
		t.Errorf("a company has %d decisions of the last seven days, %v; want the ten that the model is judged by", least, err)
	}
}

// A taken address is said at once, with what chooses another, and nothing is made.
func TestADemoSaysAtOnceThatAnAddressIsTaken(t *testing.T) {
	t.Parallel()
	var lc net.ListenConfig
	taken, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	for choice, addrs := range map[string][2]string{
		"GATEHOUSE_ADDR": {taken.Addr().String(), "127.0.0.1:0"}, "--sign-in-addr": {"127.0.0.1:0", taken.Addr().String()},
	} {
		dir := filepath.Join(t.TempDir(), "state")
		_, err := StartDemo(t.Context(), Config{Addr: addrs[0], StateDir: dir}, DemoPlan{Size: "small", From: "0.0.18", ProviderAddr: addrs[1], Say: func(string) {}}, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), choice) {
			t.Errorf("a demo on a taken address: %v; want %q named", err, choice)
		}
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: something was made in the state folder, %v", choice, err)
		}
	}
}
