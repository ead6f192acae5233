package postgres_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
)

// M1: what somebody made by hand of a version that is not applied is named, and nothing is applied over it.
func TestObjectsMadeByHandAreNamedAndNotAppliedOver(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), steps("CREATE TABLE public.t14 (id int);", "CREATE TABLE public.t15 (id int);", "CREATE TABLE public.t16 (id int);"))
	release := s.release(housetest.Rivermark, true)
	s.super("CREATE TABLE public.t14 (id int); CREATE TABLE public.t16 (id int)")
	for _, by := range []actor.Actor{s.devops, housetest.Person(housetest.Saltway, "sam", actor.DevOpsLead)} {
		o, err := s.service.Ladder(t.Context(), by, 0)
		if err != nil {
			t.Fatal(err)
		}
		if next, is := o.Ladder.Next(); is {
			t.Errorf("%s may be applied, want nothing", next.Version.Title())
		}
		for i, want := range []migration.State{migration.StateHandMade, migration.StateBlocked, migration.StateHandMade} {
			r := o.Ladder.Rungs[i]
			if made := strings.Contains(r.StrayWords(), "table public.t1"); r.State != want || made != (want == migration.StateHandMade) {
				t.Errorf("%s is %s: %q; want %s", r.Version.Title(), r.State, r.StrayWords(), want)
			}
		}
	}
	if d, err := s.service.Show(t.Context(), s.devops, must(migration.ParseVersion("0.0.16"))); err != nil || d.Rung.State != migration.StateHandMade {
		t.Errorf("the page of V0.0.16 says %s, %v", d.Rung.State, err)
	}
	if _, err := s.service.Apply(t.Context(), s.devops, s.request("0.0.14", release)); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "table public.t14") {
		t.Errorf("applying it past the page = %v, want a conflict that names the table", err)
	}
	s.super("DROP TABLE public.t14")
	if run := s.apply("0.0.14", release); run.State != migration.Succeeded {
		t.Errorf("without the table it is %s: %s", run.State, run.Error)
	}
	s.stands("0.0.14", migration.StateApplied)
	s.stands("0.0.16", migration.StateHandMade)
}

// An object that an applied version made as well is no trace of a later one that makes it anew.
func TestAnObjectOfAnAppliedVersionIsNoTraceOfALaterOne(t *testing.T) {
	t.Parallel()
	files := steps("CREATE TABLE public.t14 (id int);", "DROP TABLE public.t14; CREATE TABLE public.t14 (id bigint); CREATE TABLE public.t15 (id int);")
	files["V0.0.15__step.sql"] = &fstest.MapFile{Data: []byte(strings.Replace(string(files["V0.0.15__step.sql"].Data), "-- creates: table public.t15", "-- creates: table public.t15\n-- creates: table public.t14", 1))}
	s := changing(t, housetest.At(t, ""), files)
	release := s.release(housetest.Rivermark, true)
	for _, v := range []string{"0.0.14", "0.0.15"} {
		if run := s.apply(v, release); run.State != migration.Succeeded {
			t.Errorf("%s is %s: %s", v, run.State, run.Error)
		}
	}
}

// A saving from before a version was applied again is of rows that are gone. It is not offered, and the statement refuses it.
func TestASavingDoesNotOutliveWhatItSaved(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), lossy())
	release := s.filled()
	v := must(migration.ParseVersion("0.0.15"))
	saved, err := s.save("0.0.15", backup.Folder{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	why := func() string {
		t.Helper()
		d, err := s.service.Show(t.Context(), s.devops, v)
		if err != nil || d.Saved == nil {
			t.Fatalf("the version's page: %v, saved %v", err, d.Saved)
		}
		return d.Saved.WhyNot(d.Rung, d.Saved.TakenAt)
	}
	if got := why(); got != "" {
		t.Errorf("a fresh saving is not offered: %s", got)
	}
	if run, err := s.down("0.0.15", release, saved.ID); err != nil || run.State != migration.Succeeded {
		t.Fatalf("down = %s %s, %v", run.State, run.Error, err)
	}
	if got := why(); !strings.Contains(got, "taken back since") {
		t.Errorf("after the undo the page says %q", got)
	}
	if run := s.apply("0.0.15", release); run.State != migration.Succeeded {
		t.Fatalf("up again = %s: %s", run.State, run.Error)
	}
	if got := why(); !strings.Contains(got, "before V0.0.15 was applied again") {
		t.Errorf("after it was applied again the page says %q", got)
	}
	if _, err := s.down("0.0.15", release, saved.ID); !fault.Is(err, fault.GateClosed) {
		t.Errorf("down on the saving from before = %v, want a closed gate", err)
	}
}

// A step refused for drift is a refusal of ours: no SQLSTATE, each difference on a line, and the run says that nothing ran.
func TestAStepRefusedForDriftIsARefusal(t *testing.T) {
	t.Parallel()
	r := repairingAt(t, "0.0.20")
	release := r.release(housetest.Rivermark, true)
	r.super("ALTER TABLE public.lots ADD by_hand text")
	run := r.apply("0.0.21", release)
	if !run.Refused() || !run.Drifted() || run.SQLState != "" || !strings.Contains(run.Error, "public.lots.by_hand") {
		t.Errorf("the run is %s, refused %t, for drift %t: %q, %q", run.State, run.Refused(), run.Drifted(), run.Error, run.Resolution)
	}
	r.stands("0.0.21", migration.StatePending)
}

// What somebody made by hand of a later version keeps the next one from being applied; it is taken back first, and then both
// are applied in their order.
func TestWhatWasMadeByHandAheadOfItsTurnIsTakenBack(t *testing.T) {
	t.Parallel()
	r := repairingAt(t, "0.0.20")
	release := r.release(housetest.Rivermark, true)
	up, _ := r.files.Up(must(migration.ParseVersion("0.0.22")))
	r.super("SET ROLE gatehouse_owner; " + up.SQL + "; RESET ROLE")
	if run := r.apply("0.0.21", release); !run.Drifted() {
		t.Errorf("under what was made by hand the next one is %s: %s", run.State, run.Error)
	}
	p := r.look("0.0.22")
	r.offers(p, migration.RepairUndo)
	saved, err := r.save("0.0.22", backup.Folder{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := saved.Lost(); n == 0 {
		t.Error("the file's own rows would be lost, and none was counted")
	}
	r.chosen(p, migration.RepairUndo)
	r.stands("0.0.22", migration.StateUndone)
	for _, v := range []string{"0.0.21", "0.0.22"} {
		if run := r.apply(v, release); run.State != migration.Succeeded {
			t.Fatalf("%s is %s: %s", v, run.State, run.Error)
		}
	}
}
