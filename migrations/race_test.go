package migrations_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// waits answers once the connection of that process waits for a lock that another holds.
func waits(t *testing.T, conn *pgx.Conn, pid uint32) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		if one(t, conn, "SELECT cardinality(pg_blocking_pids($1)) > 0", pid) == "t" {
			return
		}
	}
	t.Fatal("nobody waited")
}

// TestTwoWritersOfOneBin: the second must count what the first has not committed when it starts. Whoever reads the
// stock in the statement that waits leaves a figure without one of the two lots.
func TestTwoWritersOfOneBin(t *testing.T) {
	t.Parallel()
	db, owner := stocked(t, 18)
	lot(t, owner, "L0", ink, binA, 1)
	const set = "UPDATE materials SET cubic_feet = 2 WHERE material_id = '" + paper + "'"
	const add = "INSERT INTO lots (tenant_id, facility_id, lot_number, material_id, location_id, original_quantity, quantity_on_hand, quantity_available, received_date) VALUES ('" + ours + "', '" + facility + "', '%s', '%s', '" + binA + "', 10, 10, 10, '2026-01-01')"
	for _, c := range []struct{ name, first, second, want string }{
		{"two lots arrive", fmt.Sprintf(add, "L1", paper), fmt.Sprintf(add, "L2", ink), "16 16 64 3 0 UNDERUTILIZED"},
		{"a material is measured while its first lot arrives", set, fmt.Sprintf(add, "L1", paper), "21 21 24 2 0 UNDERUTILIZED"},
		{"a lot arrives while its material is measured", fmt.Sprintf(add, "L1", paper), set, "21 21 24 2 0 UNDERUTILIZED"},
		{"a bin is measured while a lot arrives", "UPDATE inventory_locations SET cubic_feet = 50 WHERE location_id = '" + binA + "'", fmt.Sprintf(add, "L1", paper), "6 12 24 2 0 UNDERUTILIZED"},
		{"a bin comes into use while a lot arrives", "UPDATE inventory_locations SET is_active = true WHERE location_id = '" + binA + "'", fmt.Sprintf(add, "L1", paper), "6 6 24 2 0 UNDERUTILIZED"},
	} {
		mustExec(t, owner, "DELETE FROM lots WHERE lot_number <> 'L0'")
		mustExec(t, owner, "UPDATE materials SET cubic_feet = 0.5 WHERE material_id = $1", paper)
		mustExec(t, owner, "UPDATE inventory_locations SET cubic_feet = 100, is_active = $2 WHERE location_id = $1", binA, c.name != "a bin comes into use while a lot arrives")
		one, two := connect(t, db.OwnerURL), connect(t, db.OwnerURL)
		tx, err := one.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		mustExec(t, tx, c.first)
		done := make(chan error, 1)
		go func() {
			_, err := two.Exec(t.Context(), c.second)
			done <- err
		}()
		waits(t, owner, two.PgConn().PID())
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatalf("%s: the second writer: %v", c.name, err)
		}
		if got := bin(t, owner, binA); got != c.want {
			t.Errorf("%s: bin A is %q, want %q", c.name, got, c.want)
		}
	}
}

// TestRepeatableReadRefusesRatherThanMiscounts: a snapshot taken before the other's commit cannot see its lot.
func TestRepeatableReadRefusesRatherThanMiscounts(t *testing.T) {
	t.Parallel()
	db, owner := stocked(t, 18)
	late := connect(t, db.OwnerURL)
	tx, err := late.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		t.Fatal(err)
	}
	mustExec(t, tx, "SELECT 1 FROM lots")
	lot(t, owner, "L1", paper, binA, 10)
	_, err = tx.Exec(t.Context(), addLot, ours, facility, "L2", ink, binA, 10)
	if got, want := sqlState(err), "40001"; got != want {
		t.Errorf("a lot into a bin that has changed since: SQLSTATE %q (%v), want %s", got, err, want)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestManyWriters lets six of them do what they like, with two bins in a transaction so that they also deadlock. What
// is left must be right: a reconciliation finds nothing to do.
func TestManyWriters(t *testing.T) {
	t.Parallel()
	db, owner := stocked(t, 18)
	// Deadlocks are part of it, and found after a second unless told otherwise.
	mustExec(t, connect(t, db.SuperURL), "ALTER DATABASE "+db.Name+" SET deadlock_timeout = '5ms'")
	bins := []string{binA, binB, binC}
	for i := range 12 {
		lot(t, owner, fmt.Sprint("L", i), []string{paper, ink}[i%2], bins[i%3], 10)
	}
	var writers sync.WaitGroup
	var committed [6]int
	for w := range committed {
		conn, dice := connect(t, db.OwnerURL), rand.New(rand.NewPCG(1, uint64(w)))
		writers.Go(func() {
			for range 60 {
				err := pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error { return anything(t.Context(), tx, dice, bins) })
				if state := sqlState(err); err != nil && state != "40P01" {
					t.Errorf("a writer: %v", err)
					return
				}
				if err == nil {
					committed[w]++
				}
			}
		})
	}
	writers.Wait()
	for w, n := range committed {
		if n == 0 {
			t.Errorf("writer %d committed nothing", w)
		}
	}
	if got, want := one(t, owner, "SELECT outcome, bins_put_right FROM reconcile_bin_utilization()"), "SUCCESS 0"; got != want {
		t.Errorf("reconciling after the writers: %q, want %q", got, want)
	}
}

func anything(ctx context.Context, tx pgx.Tx, dice *rand.Rand, bins []string) error {
	lotNumber := func() string { return fmt.Sprint("L", dice.IntN(12)) }
	_, err := tx.Exec(ctx, "UPDATE lots SET quantity_on_hand = $1 WHERE lot_number = $2", dice.IntN(50), lotNumber())
	if err != nil {
		return err
	}
	switch dice.IntN(4) {
	case 0:
		_, err = tx.Exec(ctx, "UPDATE lots SET location_id = $1 WHERE lot_number = $2", bins[dice.IntN(3)], lotNumber())
	case 1:
		_, err = tx.Exec(ctx, "UPDATE materials SET cubic_feet = $1 WHERE material_id = $2", 0.1+dice.Float64(), paper)
	case 2:
		_, err = tx.Exec(ctx, "UPDATE lots SET deleted_at = CASE WHEN deleted_at IS NULL THEN now() END WHERE lot_number = $1", lotNumber())
	case 3:
		_, err = tx.Exec(ctx, "UPDATE inventory_locations SET is_active = NOT is_active, cubic_feet = $1 WHERE location_id = $2", 50+dice.IntN(50), bins[dice.IntN(3)])
	}
	return err
}
