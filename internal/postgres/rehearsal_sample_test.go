package postgres_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// TestASampleIsShownOnlyWhereThereIsNothingBetter: a rehearsal on all of the data is what a file is measured by, and one that
// failed on a sample is not hidden by it.
func TestASampleIsShownOnlyWhereThereIsNothingBetter(t *testing.T) {
	t.Parallel()
	s := changing(t, housetest.At(t, ""), steps("CREATE TABLE public.t14 (id int);"))
	onSample := func(broken string) migration.Rehearsal {
		t.Helper()
		r := s.rehearsedReport(broken, "0.0.14")
		r.Data = migration.RehearsalData{Kind: migration.OnSample, Bytes: 1, Sample: &migration.RehearsalSample{RowsPerTable: 10, Tables: []migration.SampledTable{
			{Table: "public.lots", Rows: 10, Of: 1_204_331}, {Table: "public.facilities", Rows: 2, Of: 2},
		}}}
		kept, err := s.keep(s.devops, r)
		if err != nil {
			t.Fatal(err)
		}
		return kept
	}
	shown := func() migration.RehearsedFile {
		t.Helper()
		o, err := s.service.Ladder(t.Context(), s.devops, 0)
		if err != nil {
			t.Fatal(err)
		}
		if o.Restores {
			t.Error("a backup is said to restore, and there is none")
		}
		got := o.Ladder.Rungs[0].Rehearsed
		got.RecordedAt = time.Time{}
		return got
	}
	first := onSample("")
	file := migration.RehearsedFile{
		Rehearsal: first.ID, Version: "0.0.14", SHA256: first.Report.Versions[0].SHA256, Passed: true, Up: 1200 * time.Millisecond, Down: 300 * time.Millisecond,
		Sample: &migration.SampleSize{Rows: 12, Of: 1_204_333},
	}
	if diff := cmp.Diff(file, shown()); diff != "" || file.Measures() {
		t.Errorf("with a sample alone (-want +got):\n%s", diff)
	}
	whole, err := s.keep(s.devops, s.rehearsedReport("", "0.0.14"))
	if err != nil {
		t.Fatal(err)
	}
	onSample("")
	if got := shown(); got.Rehearsal != whole.ID || !got.Measures() {
		t.Errorf("with a rehearsal on everything and a later one on a sample the page shows %+v", got)
	}
	failed := onSample("0.0.14")
	if got := shown(); got.Rehearsal != failed.ID || got.Passed {
		t.Errorf("what failed on a sample since is hidden behind %+v", got)
	}
	list, err := migration.NewRehearsals(postgres.Rehearsals{DB: s.store.DB}).List(t.Context(), s.devops)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := list[len(list)-1].DataWords(), "a sample of 12 of 1,204,333 rows"; got != want {
		t.Errorf("the list says it ran on %q, want %q", got, want)
	}
}
