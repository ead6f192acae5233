package postgres_test

import (
	"maps"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/pgtest"
)

// with is the service and the migrator of a later program, whose files are others, over the same database.
func (s *schemaChange) with(files fstest.MapFS) (*migration.Service, *migrator.Migrator) {
	s.t.Helper()
	m, err := migrator.New(migrator.Set{Name: "wms", FS: files, Ledger: migrator.WMSLedger}, s.d.OwnerURL)
	if err != nil {
		s.t.Fatal(err)
	}
	return migration.NewService(s.store, m.Files(), time.Now), m
}

func rungOf(t *testing.T, service *migration.Service, by actor.Actor, version string) migration.Rung {
	t.Helper()
	v, err := migration.ParseVersion(version)
	if err != nil {
		t.Fatal(err)
	}
	d, err := service.Show(t.Context(), by, v)
	if err != nil {
		t.Fatalf("Show(%s): %v", version, err)
	}
	return d.Rung
}

// M3 of the features, M05 of the bad luck: a column that is added to an applied file stops everything, and is shown word by
// word against what was applied; a comment is a note.
func TestAChangedFileIsShownAgainstWhatWasApplied(t *testing.T) {
	t.Parallel()
	files := steps("CREATE TABLE public.t14 (id int);")
	s := changing(t, housetest.At(t, ""), files)
	s.apply("0.0.14", s.release(housetest.Rivermark, true))
	theirs := housetest.Person(housetest.Saltway, "sam", actor.DevOpsLead)

	const name = "V0.0.14__step.sql"
	edited := maps.Clone(files)
	edited[name] = &fstest.MapFile{Data: []byte(strings.Replace(string(files[name].Data), "(id int)", "(id int, colour text)", 1))}
	later, m := s.with(edited)
	for _, by := range []actor.Actor{s.devops, theirs} {
		r := rungOf(t, later, by, "0.0.14")
		if r.State != migration.StateChanged || r.Diff == nil || !r.Diff.Kept || len(r.Diff.Hunks) != 1 {
			t.Fatalf("with a column more, %s sees %s, %+v; want changed, in one place", by.Name, r.State, r.Diff)
		}
		var said []string
		for _, w := range r.Diff.Hunks[0].Words {
			said = append(said, string(w.Is)+" "+w.Text)
		}
		if got, want := strings.Join(said, "|"), "same create table public . t14 ( id int|new , colour text|same ) ;"; got != want {
			t.Errorf("%s sees %q, want %q", by.Name, got, want)
		}
	}
	ladder, err := m.Status(t.Context())
	if err != nil || ladder.Rungs[0].Diff == nil || !ladder.Rungs[0].Diff.Kept || len(ladder.Problems) != 1 {
		t.Errorf("Status = %+v, %v; want the difference beside the problem", ladder, err)
	}

	commented := maps.Clone(files)
	commented[name] = &fstest.MapFile{Data: []byte(string(files[name].Data) + "\n-- a note\n")}
	later, _ = s.with(commented)
	if r := rungOf(t, later, s.devops, "0.0.14"); r.State != migration.StateApplied || r.Note == "" || r.Diff != nil {
		t.Errorf("with a comment more it is %s, note %q, %+v; want applied with a note", r.State, r.Note, r.Diff)
	}

	// As in a database that was migrated before texts were kept.
	s.super("SET session_replication_role = replica; DELETE FROM gatehouse.migration_texts")
	later, _ = s.with(edited)
	if r := rungOf(t, later, s.devops, "0.0.14"); r.Diff == nil || r.Diff.Kept || !strings.Contains(r.Diff.Sentence(), "before Gatehouse kept the texts") {
		t.Errorf("without the text that was applied: %+v, want that said", r.Diff)
	}
}

// The texts are what the hashes say, for the owner and for the application.
func TestTextsOfAppliedFilesCannotBeRewritten(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), steps("CREATE TABLE public.t14 (id int);", "CREATE TABLE wrong"))
	release := s.release(housetest.Rivermark, true)
	s.apply("0.0.14", release)
	if run := s.apply("0.0.15", release); run.State != migration.Failed {
		t.Fatalf("the second step is %s, want failed", run.State)
	}
	v, _ := migration.ParseVersion("0.0.15")
	file, _ := s.files.Up(v)
	if got := s.text("SELECT body FROM gatehouse.migration_texts WHERE sha256 = $1", file.SHA256); got != file.SQL {
		t.Errorf("of a try that failed the ledger keeps %q, want the text that was tried", got)
	}
	for _, url := range []string{s.d.OwnerURL, s.d.AppURL} {
		for _, sql := range []string{
			"UPDATE gatehouse.migration_texts SET body = 'x'", "DELETE FROM gatehouse.migration_texts", "TRUNCATE gatehouse.migration_texts",
			"INSERT INTO gatehouse.migration_texts (sha256, body) VALUES (repeat('a', 64), 'x')",
		} {
			if _, err := pgtest.Pool(t, url).Exec(t.Context(), sql); err == nil {
				t.Errorf("%s was not refused as %s", sql, url)
			}
		}
	}
}

// M2 of the features: the ledger's row says how often a step waited for a lock, how long and for whom; whom, only to the
// organisation whose step it was.
func TestLockWaitsStandInTheLedger(t *testing.T) {
	t.Parallel()
	s, release, reader := behindAReader(t)
	s.migrator.LockTries = 2
	s.apply("0.0.15", release)
	if _, err := reader.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	s.apply("0.0.15", release)
	theirs := housetest.Person(housetest.Saltway, "sam", actor.DevOpsLead)
	for _, c := range []struct {
		by  actor.Actor
		who string
	}{{s.devops, "reporting"}, {theirs, ""}} {
		o, err := s.service.Ladder(t.Context(), c.by, 0)
		if err != nil || len(o.History) != 3 {
			t.Fatalf("Ladder: %d entries, %v; want 3", len(o.History), err)
		}
		free, waited := o.History[0].Waits, o.History[1].Waits
		if waited == nil || waited.Times < 2 || waited.Took < 4*time.Second || waited.Took > 6*time.Second {
			t.Errorf("%s sees of two tries in vain: %+v, want two waits of 2 s each", c.by.Name, waited)
			continue
		}
		if strings.Contains(waited.For, "reporting") != (c.who != "") {
			t.Errorf("%s sees that it waited for %q, want %q in it", c.by.Name, waited.For, c.who)
		}
		if free == nil || free.Times != 0 || o.History[0].Server == "" {
			t.Errorf("%s sees of the step that waited for nobody %+v, by server %q", c.by.Name, free, o.History[0].Server)
		}
	}
}

// A wait that ends well leaves nothing in the file's notices, and stands in the ledger all the same.
func TestAWaitThatEndedWellIsKept(t *testing.T) {
	t.Parallel()
	s, release, reader := behindAReader(t)
	run, err := s.service.Apply(t.Context(), s.devops, s.request("0.0.15", release))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.worker.Work(t.Context(), migration.Ref{Tenant: run.Tenant, Run: run.ID}) }()
	await(t, "the step queues behind the reader", func() bool { return strings.Contains(s.log(run.ID), "Waiting: ") })
	if _, err := reader.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if got := s.text("SELECT (lock_waits >= 1 AND lock_wait_ms > 0 AND lock_waited_for LIKE '%reporting%')::text FROM gatehouse.migration_ledger WHERE run_id = $1 AND success", run.ID); got != "true" {
		t.Errorf("a wait that ended well is not in the ledger")
	}
}

// Entries that are older than the column say nothing, and not that nobody waited.
func TestOldEntriesSayNothingOfWaits(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), steps("CREATE TABLE public.t14 (id int);"))
	s.apply("0.0.14", s.release(housetest.Rivermark, true))
	s.super("SET session_replication_role = replica; UPDATE gatehouse.migration_ledger SET lock_waits = NULL, lock_wait_ms = NULL, lock_waited_for = NULL")
	o, err := s.service.Ladder(t.Context(), s.devops, 0)
	if err != nil || o.History[0].Waits != nil || o.History[0].WaitWords() != "not recorded" {
		t.Errorf("an old entry's waits are %+v, %v; want not recorded", o.History[0].Waits, err)
	}
}

// M4 of the features, M07: the page and the command say how a file that came late gets its place.
func TestALateFileIsToldItsName(t *testing.T) {
	t.Parallel()
	files := steps("CREATE TABLE public.t14 (id int);", "CREATE TABLE public.t15 (id int);", "CREATE TABLE public.t16 (id int);")
	s := changing(t, housetest.At(t, ""), files)
	release := s.release(housetest.Rivermark, true)
	for _, v := range []string{"0.0.14", "0.0.15"} {
		s.apply(v, release)
	}
	s.super("INSERT INTO gatehouse.migration_state (set_name, version, dirty) VALUES ('wms', 14, false) ON CONFLICT (set_name) DO UPDATE SET version = 14; SET session_replication_role = replica; UPDATE gatehouse.migration_ledger SET version = '0.0.13', version_number = 13 WHERE version = '0.0.14'; UPDATE gatehouse.migration_ledger SET version = '0.0.16', version_number = 16 WHERE version = '0.0.15'")
	const want = "git mv V0.0.14__step.sql V0.0.17__step.sql && git mv U0.0.14__step.sql U0.0.17__step.sql"
	r := rungOf(t, s.service, s.devops, "0.0.14")
	if r.State != migration.StateOutOfOrder || r.Rename != want {
		t.Errorf("a late file is %s, renamed by %q; want out of order, %q", r.State, r.Rename, want)
	}
	if second := rungOf(t, s.service, s.devops, "0.0.15"); !strings.Contains(second.Rename, "V0.0.18__step.sql") {
		t.Errorf("a second late file is renamed by %q, want another version", second.Rename)
	}
	_, err := s.service.Apply(t.Context(), s.devops, s.request("0.0.14", release))
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("applying it = %v, want a refusal with the command", err)
	}
}
