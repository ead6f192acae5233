package migrator_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/pgtest"
)

func TestUpDownUpLeavesAHistory(t *testing.T) {
	t.Parallel()
	db := empty(t)
	m := open(t, db, folder(tables(14, 15)))
	upTo(t, m)
	for _, d := range []migration.Direction{migration.Down, migration.Up} {
		if err := step(t, m, d, "0.0.15"); err != nil {
			t.Fatalf("Step(%s 0.0.15): %v", d, err)
		}
	}
	got := one[string](t, db.OwnerURL, `SELECT string_agg(version || ' ' || direction || ' ' || success, ', ' ORDER BY ledger_id) FROM gatehouse.migration_ledger`)
	if want := "0.0.14 up true, 0.0.15 up true, 0.0.15 down true, 0.0.15 up true"; got != want {
		t.Errorf("the ledger holds %q, want %q", got, want)
	}
	if diff := cmp.Diff(map[string]migration.State{"0.0.14": migration.StateApplied, "0.0.15": migration.StateApplied}, states(t, m)); diff != "" {
		t.Errorf("Status() (-want +got):\n%s", diff)
	}
	if err := step(t, m, migration.Down, "0.0.14"); !refusedAs(err, fault.Conflict) {
		t.Errorf("Step(down 0.0.14) below 0.0.15 = %v, want Conflict", err)
	}
}

func TestTheWarehouseItselfGoesUpAndDown(t *testing.T) {
	t.Parallel()
	db := empty(t)
	m, err := migrator.New(migrator.WMS(), db.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	upTo(t, m)
	versions := m.Files().Versions()
	for i := len(versions) - 1; i >= 0; i-- {
		if err := step(t, m, migration.Down, versions[i].String()); err != nil {
			t.Fatalf("Step(down %s): %v", versions[i], err)
		}
	}
	if got := one[int64](t, db.OwnerURL, `SELECT version FROM gatehouse.migration_state WHERE set_name = 'wms'`); got != -1 {
		t.Errorf("after all went down golang-migrate believes %d, want -1", got)
	}
	upTo(t, m)
}

func TestAFailingFileLeavesNothingAndSaysWhere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sql, state string
		line       int
	}{
		"syntax":             {"CREATE TABLE public.t14 (id int);\n\nSELEC 1;\n", "42601", 7},
		"while it runs":      {"CREATE TABLE public.t14 (id int CHECK (id < 1));\n-- a comment; with a semicolon\nINSERT INTO public.t14\nVALUES (1);\nSELECT 1;", "23514", 7},
		"inside a function":  {"CREATE TABLE public.t14 (id int);\nDO $$ BEGIN\n  RAISE EXCEPTION 'no; not so' USING ERRCODE = 'restrict_violation', HINT = 'look';\nEND $$;", "23001", 6},
		"statement too long": {"CREATE TABLE public.t14 (id int);\nSELECT pg_sleep(30);", "57014", 7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := empty(t)
			sql := c.sql
			if c.state == "57014" {
				sql = "-- statement_timeout: 200ms\n" + sql
			}
			m := open(t, db, folder(map[int]string{14: sql}))
			err := step(t, m, migration.Up, "0.0.14")
			var failed *migration.StepError
			if !errors.As(err, &failed) {
				t.Fatalf("Step(0.0.14) = %v, want a StepError", err)
			}
			if failed.SQLState != c.state || failed.Line != c.line || failed.Script != "V0.0.14__step.sql" || failed.Dirty {
				t.Errorf("Step(0.0.14) failed in %s line %d with %s, dirty %v; want line %d, %s, clean", failed.Script, failed.Line, failed.SQLState, failed.Dirty, c.line, c.state)
			}
			if one[bool](t, db.OwnerURL, `SELECT to_regclass('public.t14') IS NOT NULL`) {
				t.Error("the failed file left its table")
			}
			row := one[string](t, db.OwnerURL, `SELECT version || ' ' || success || ' ' || sqlstate || ' ' || (error LIKE 'V0.0.14\_\_step.sql line %') FROM gatehouse.migration_ledger`)
			if want := "0.0.14 false " + c.state + " true"; row != want {
				t.Errorf("the ledger says %q, want %q", row, want)
			}
			if got := states(t, m)["0.0.14"]; got != migration.StateFailed {
				t.Errorf("the state is %s, want failed", got)
			}
			// Not dirty: a corrected file goes on.
			upTo(t, open(t, db, folder(tables(14))))
		})
	}
}

func TestAFileWithoutTransactionIsDirtyWhenItStopsHalfWay(t *testing.T) {
	t.Parallel()
	db := empty(t)
	up := tables(14)
	files := folder(up)
	files["V0.0.15__index.sql"] = &fstest.MapFile{Data: []byte("-- migrate:no-transaction\n" + card + "CREATE INDEX CONCURRENTLY i ON public.t14 (id);\nCREATE INDEX CONCURRENTLY j ON public.t14 (nothing);\n")}
	files["U0.0.15__index.sql"] = &fstest.MapFile{Data: []byte("DROP INDEX public.i;")}
	m := open(t, db, files)
	_, err := m.UpTo(t.Context(), v(t, "0.0.15"), setUp, nil)
	var failed *migration.StepError
	if !errors.As(err, &failed) || !failed.Dirty || failed.SQLState != "42703" || failed.Line != 7 {
		t.Fatalf("UpTo(0.0.15) = %v, want dirty, 42703, line 7", err)
	}
	if err := step(t, m, migration.Up, "0.0.15"); disagreement(err) == nil {
		t.Errorf("Step(0.0.15) on a dirty schema = %v, want a disagreement", err)
	}

	clean := empty(t)
	files["V0.0.15__index.sql"].Data = []byte("-- migrate:no-transaction\n" + card + "CREATE INDEX CONCURRENTLY i ON public.t14 (id);\nCREATE INDEX CONCURRENTLY j ON public.t14 (id);\n")
	m = open(t, clean, files)
	upTo(t, m)
	if got := states(t, m)["0.0.15"]; got != migration.StateApplied {
		t.Errorf("two indexes CONCURRENTLY in one file: %s, want applied", got)
	}
}

func TestEditedMissingAndLateFilesStopEverything(t *testing.T) {
	t.Parallel()
	edited := tables(14, 15, 16)
	edited[14] = "CREATE TABLE public.t14 (id bigint);\n"
	late := tables(14, 15, 16, 17)
	db := empty(t)
	applied := tables(14, 15)
	applied[17] = tables(17)[17]
	upTo(t, open(t, db, folder(applied)))
	for name, c := range map[string]struct {
		files map[int]string
		says  string
	}{
		"edited (M05)":   {withoutTable(edited, 16, 17), "V0.0.14__step.sql has been changed"},
		"missing":        {tables(14, 15), "V0.0.17 is applied, but its file V0.0.17__step.sql is missing"},
		"late (M07, M4)": {late, "V0.0.16__step.sql is out of order: V0.0.17 is applied already"},
	} {
		m := open(t, db, folder(c.files))
		err := step(t, m, migration.Up, "0.0.16")
		problems := strings.Join(disagreement(err), "\n")
		if !refusedAs(err, fault.Conflict) || !strings.Contains(problems, c.says) {
			t.Errorf("%s: Step(0.0.16) = %v, want a Conflict that says %q", name, err, c.says)
		}
		if _, err := m.UpTo(t.Context(), m.Files().Last(), setUp, nil); disagreement(err) == nil {
			t.Errorf("%s: UpTo = %v, want a disagreement", name, err)
		}
	}
	if one[bool](t, db.OwnerURL, `SELECT to_regclass('public.t16') IS NOT NULL`) {
		t.Error("a late file was run")
	}
}

func withoutTable(files map[int]string, drop, add int) map[int]string {
	delete(files, drop)
	files[add] = fmt.Sprintf("CREATE TABLE public.t%d (id int);\n", add)
	return files
}

func TestLineEndsAndCommentsAreNoDrift(t *testing.T) {
	t.Parallel()
	db := empty(t)
	files := folder(tables(14))
	upTo(t, open(t, db, files))
	files["V0.0.14__step.sql"].Data = []byte(strings.ReplaceAll(string(files["V0.0.14__step.sql"].Data), "\n", "\r\n"))
	ladder, err := open(t, db, files).Status(t.Context())
	if err != nil || len(ladder.Problems) > 0 || ladder.Rungs[0].State != migration.StateApplied || ladder.Rungs[0].Note != "" {
		t.Errorf("with CRLF (M06): %+v, %v; want applied without a note", ladder.Rungs[0].State, ladder.Problems)
	}
	files["V0.0.14__step.sql"].Data = []byte(card + "-- why\nCREATE TABLE   public.t14 (id int);")
	ladder, err = open(t, db, files).Status(t.Context())
	if err != nil || len(ladder.Problems) > 0 || ladder.Rungs[0].State != migration.StateApplied || ladder.Rungs[0].Note == "" {
		t.Errorf("with another comment: %s %q %v; want applied with a note", ladder.Rungs[0].State, ladder.Rungs[0].Note, ladder.Problems)
	}
}

func TestTwentyRoundsOfRacersApplyEachVersionOnce(t *testing.T) {
	t.Parallel()
	db := empty(t)
	const rounds = 20
	up := map[int]string{}
	for i := range rounds {
		up[100+i] = fmt.Sprintf("CREATE TABLE public.t%d (id int);", 100+i)
	}
	files := folder(up)
	for i := range rounds {
		version := fmt.Sprintf("0.0.%d", 100+i)
		errs := make([]error, 2)
		var both sync.WaitGroup
		for racer := range errs {
			m := open(t, db, files)
			both.Go(func() {
				_, errs[racer] = m.Step(t.Context(), migrator.StepRequest{Version: v(t, version), Direction: migration.Up, By: setUp})
			})
		}
		both.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !refusedAs(err, fault.Conflict) {
				t.Errorf("round %d: the loser got %v, want a Conflict", i, err)
			}
		}
		if won != 1 {
			t.Fatalf("round %d: %d racers applied %s, want 1: %v", i, won, version, errs)
		}
	}
	if got := one[int64](t, db.OwnerURL, `SELECT count(*) FROM gatehouse.migration_ledger WHERE success`); got != rounds {
		t.Errorf("the ledger holds %d successes, want %d", got, rounds)
	}
}

func TestWhoHoldsTheLockIsNamed(t *testing.T) {
	t.Parallel()
	db := empty(t)
	holder, err := pgx.Connect(t.Context(), db.OwnerURL+"&application_name=somebody")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = holder.Close(t.Context()) })
	if _, err := holder.Exec(t.Context(), "SELECT pg_advisory_lock(1734440037, 2)"); err != nil {
		t.Fatal(err)
	}
	m := open(t, db, folder(tables(14)))
	m.Patience = 100 * time.Millisecond
	err = step(t, m, migration.Up, "0.0.14")
	var locked *migration.Locked
	if !errors.As(err, &locked) || locked.Holder.Application != "somebody" || locked.Holder.PID != int(holder.PgConn().PID()) {
		t.Errorf("Step while somebody holds the lock = %v, want Locked by somebody, process %d", err, holder.PgConn().PID())
	}
}

func TestHistoryCannotBeRewrittenByItsOwner(t *testing.T) {
	t.Parallel()
	db := empty(t)
	upTo(t, open(t, db, folder(tables(14))))
	for _, table := range []string{"gatehouse.migration_ledger", "gatehouse.console_ledger"} {
		for _, sql := range []string{"UPDATE %s SET success = false", "DELETE FROM %s", "TRUNCATE %s"} {
			for _, url := range []string{db.OwnerURL, db.AppURL} {
				if _, err := pgtest.Pool(t, url).Exec(t.Context(), fmt.Sprintf(sql, table)); err == nil {
					t.Errorf(sql+" was not refused", table)
				}
			}
		}
	}
	if _, err := pgtest.Pool(t, db.AppURL).Exec(t.Context(), "SELECT actor_name FROM gatehouse.migration_ledger"); err == nil {
		t.Error("the application may read the ledger itself, past the view that masks other tenants' names")
	}
}
