package postgres_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
)

// lossy is a set whose second version makes a table, a column and a wider type, and whose undo takes all three away.
func lossy() fstest.MapFS {
	files := steps("CREATE TABLE public.t14 (id int PRIMARY KEY, price numeric(3,2));", "CREATE TABLE public.t15 (id int);\nALTER TABLE public.t14 ADD COLUMN note text;\nALTER TABLE public.t14 ALTER COLUMN price TYPE numeric(4,3);")
	files["U0.0.15__step.sql"] = &fstest.MapFile{Data: []byte("DROP TABLE public.t15;\nALTER TABLE public.t14 DROP COLUMN note, ALTER COLUMN price TYPE numeric(3,2);")}
	return files
}

func (s *schemaChange) filled() (release uuid.UUID) {
	s.t.Helper()
	release = s.release(housetest.Rivermark, true)
	for _, v := range []string{"0.0.14", "0.0.15"} {
		if run := s.apply(v, release); run.State != migration.Succeeded {
			s.t.Fatalf("%s is %s: %s", v, run.State, run.Error)
		}
	}
	s.super("INSERT INTO public.t14 VALUES (1, 1.25, 'kept'), (2, 1.255, NULL), (3, NULL, 'this as well')")
	s.super("INSERT INTO public.t15 SELECT generate_series(1, 4)")
	return release
}

// M13: what an undo would lose is counted and saved, and only then undone.
func TestWhatAnUndoLosesIsCountedAndSavedFirst(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), lossy())
	// Somebody's long transaction, older than every row, is nobody's reason to call these rows unsaved.
	other, err := pgx.Connect(t.Context(), s.d.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // a test's own connection
	if _, err := other.Exec(t.Context(), "BEGIN; SELECT pg_current_xact_id()"); err != nil {
		t.Fatal(err)
	}
	release := s.filled()
	dir := t.TempDir()
	saved, err := s.save("0.0.15", backup.Folder{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range saved.Losses {
		got = append(got, l.Count()+" "+l.What())
	}
	if diff := cmp.Diff([]string{"4 rows of public.t15", "2 values of public.t14.note", "1 values of public.t14.price that do not fit numeric(3,2)"}, got); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"undo.dump", "undo_public.t14.note.csv", "undo_public.t14.price.csv"}, filesIn(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if text := string(must(os.ReadFile(filepath.Join(dir, "undo_public.t14.note.csv")))); text != "id,note\n1,kept\n3,this as well\n" {
		t.Errorf("the column was saved as %q", text)
	}
	_, theirs := s.down("0.0.15", release, uuid.New())
	if !fault.Is(theirs, fault.GateClosed) {
		t.Errorf("down on a saving that nobody made = %v, want a closed gate", theirs)
	}
	run, err := s.down("0.0.15", release, saved.ID)
	if err != nil || run.State != migration.Succeeded {
		t.Fatalf("down = %s %s, %v", run.State, run.Error, err)
	}
	notices := s.text("SELECT notices FROM gatehouse.migration_ledger WHERE version = '0.0.15' AND direction = 'down'")
	if !strings.Contains(notices, "throws away 7 rows and values") || !strings.Contains(notices, saved.Files[0].SHA256) {
		t.Errorf("the ledger says %q", notices)
	}
	signed := s.text("SELECT after::text FROM gatehouse.audit_events WHERE action = 'migration:down' AND object_id = '0.0.15' AND outcome = 'done'")
	for _, want := range []string{"throws away 7 rows and values", "auth_time", saved.Files[0].SHA256, "devops_lead"} {
		if !strings.Contains(signed, want) {
			t.Errorf("the audit entry lacks %q: %s", want, signed)
		}
	}
}

// A row that is written after the saving would be lost without a copy, so nothing is undone; nor on an old saving, nor by a
// sign-in that is not fresh.
func TestNothingIsUndoneThatWasNotSaved(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), lossy())
	release := s.filled()
	for what, write := range map[string]string{
		"a new row":            "INSERT INTO public.t15 VALUES (5)",
		"a changed row":        "UPDATE public.t15 SET id = 6 WHERE id = 1",
		"a note":               "UPDATE public.t14 SET note = 'new' WHERE id = 2",
		"a value of three":     "UPDATE public.t14 SET price = 1.999 WHERE id = 3",
		"a row in a savepoint": "DO $$ BEGIN BEGIN INSERT INTO public.t15 VALUES (7); EXCEPTION WHEN OTHERS THEN NULL; END; END $$",
	} {
		saved, err := s.save("0.0.15", backup.Folder{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		s.super(write)
		run, err := s.down("0.0.15", release, saved.ID)
		if err != nil || run.State != migration.Failed || !strings.Contains(run.Error, "were written about when, or after") {
			t.Errorf("%s: down = %s %q, %v; want it given up", what, run.State, run.Error, err)
		}
	}
	s.stands("0.0.15", migration.StateApplied)
	saved, err := s.save("0.0.15", backup.Folder{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	dora := s.devops
	s.devops.AuthTime = time.Now().Add(-12 * time.Minute)
	if _, err := s.down("0.0.15", release, saved.ID); !fault.Is(err, fault.GateClosed) {
		t.Errorf("down with an old sign-in = %v, want a closed gate", err)
	}
	s.devops = dora
	s.super("ALTER TABLE gatehouse.migration_losses DISABLE TRIGGER migration_losses_append_only")
	s.super("UPDATE gatehouse.migration_losses SET taken_at = taken_at - interval '16 minutes' WHERE loss_id = $1", saved.ID)
	if _, err := s.down("0.0.15", release, saved.ID); !fault.Is(err, fault.GateClosed) {
		t.Errorf("down on an old saving = %v, want a closed gate", err)
	}
	s.stands("0.0.15", migration.StateApplied)
}

// Where it cannot be saved nothing is undone, and no file is left. A transaction that was under way when it was saved, and
// ends later, is seen.
func TestNothingIsUndoneWhereTheSavingFails(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), lossy())
	release := s.filled()
	dir := t.TempDir()
	if _, err := s.save("0.0.15", fullDisk{backup.Folder{Dir: dir}}); err == nil {
		t.Fatal("saved on a full disk")
	}
	if left := filesIn(t, dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := s.save("0.0.15", nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("without a folder = %v, want it refused", err)
	}
	writer, err := pgx.Connect(t.Context(), s.d.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close(t.Context()) //nolint:errcheck // a test's own connection
	if _, err := writer.Exec(t.Context(), "BEGIN; SAVEPOINT a; INSERT INTO public.t15 VALUES (99); RELEASE a"); err != nil {
		t.Fatal(err)
	}
	s.super("INSERT INTO public.t15 VALUES (100)") // a later transaction that ends earlier, so that the writer's lies in between
	saved, err := s.save("0.0.15", backup.Folder{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := writer.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	if run, err := s.down("0.0.15", release, saved.ID); err != nil || run.State != migration.Failed {
		t.Errorf("down = %s, %v; want the row seen that was not committed when it was saved", run.State, err)
	}
	// The database itself refuses a record of a loss that is in no file.
	_, err = writer.Exec(t.Context(), fmt.Sprintf(`INSERT INTO gatehouse.migration_losses (tenant_id, loss_id, operation_id, version_number, undo_sha256, taken_at, oldest_xid, next_xid, lost, items, files, file_count)
		SELECT tenant_id, gen_random_uuid(), operation_id, version_number, undo_sha256, taken_at, oldest_xid, next_xid, 1, items, '[]', 0 FROM gatehouse.migration_losses WHERE loss_id = '%s'`, saved.ID))
	if err == nil || !strings.Contains(err.Error(), "migration_losses_saved") {
		t.Errorf("a loss without a file was recorded: %v", err)
	}
	// Another tenant sees nothing of it.
	theirs := housetest.Person(housetest.Saltway, "sal", "devops_lead")
	if d, err := s.service.Show(t.Context(), theirs, must(migration.ParseVersion("0.0.15"))); err != nil || d.Saved != nil {
		t.Errorf("another tenant sees %+v, %v", d.Saved, err)
	}
}
