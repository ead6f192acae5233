package postgres_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// at18 is the warehouse before V0.0.20, with the files' readings.
func at18(t *testing.T) *schemaChange {
	t.Helper()
	d := housetest.At(t, "0.0.18")
	m, err := migrator.New(migrator.WMS(), d.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	s := &schemaChange{t: t, d: d, files: m.Files(), devops: housetest.Person(housetest.Rivermark, "dora", actor.DevOpsLead)}
	s.store = postgres.Migrations{DB: housetest.Open(t, d)}
	s.service = migration.NewService(s.store, m.Files(), nil)
	return s
}

// found is the lint of V0.0.20 as the page shows it: rule, level and size.
func (s *schemaChange) found(by actor.Actor) (list []string) {
	s.t.Helper()
	v, err := migration.ParseVersion("0.0.20")
	if err != nil {
		s.t.Fatal(err)
	}
	d, err := s.service.Show(s.t.Context(), by, v)
	if err != nil || d.Rung.Lint == nil {
		s.t.Fatalf("Show(%s) = lint %v, %v", v, d.Rung.Lint, err)
	}
	for _, f := range d.Rung.Lint.Findings {
		list = append(list, f.Rule+" "+string(f.Level)+" "+f.Size)
	}
	return list
}

// M6 of the features: how heavy the rewrite of V0.0.20 is depends on the table as it is now, for whoever looks.
func TestTheLintWeighsByTheLiveTable(t *testing.T) {
	t.Parallel()
	s := at18(t)
	theirs := housetest.Person(housetest.Saltway, "sam", actor.DevOpsLead)
	for _, c := range []struct {
		set  string
		want []string
	}{
		{"relpages = 0, reltuples = 0", []string{"rewrite note 0 rows, %s", "constraint-validated-at-once note 0 rows, %s"}},
		{"relpages = 1000, reltuples = 50000", []string{"rewrite warn 50000 rows, %s", "constraint-validated-at-once warn 50000 rows, %s"}},
		{"relpages = 100000, reltuples = 2000000", []string{"rewrite stop 2000000 rows, %s", "constraint-validated-at-once stop 2000000 rows, %s"}},
	} {
		s.super("UPDATE pg_class SET " + c.set + " WHERE oid = 'public.putaway_recommendations'::regclass")
		size := s.text(`SELECT round((c.relpages + coalesce((SELECT sum(x.relpages) FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid), 0)
			+ coalesce((SELECT relpages FROM pg_class WHERE oid = c.reltoastrelid), 0)) * 8192 / 1e6, 1)::text || ' MB' FROM pg_class c WHERE oid = 'public.putaway_recommendations'::regclass`)
		var want []string
		for _, w := range c.want {
			want = append(want, w[:len(w)-2]+size)
		}
		for _, by := range []actor.Actor{s.devops, theirs} {
			if diff := cmp.Diff(want, s.found(by)); diff != "" {
				t.Errorf("%s, seen by %s of %s (-want +got):\n%s", c.set, by.Name, by.TenantCode, diff)
			}
		}
	}
}

// Who looks at the page while V0.0.20 rewrites the table is answered: the size is read and not measured.
func TestTheLintWaitsForNoLock(t *testing.T) {
	t.Parallel()
	s := at18(t)
	writer, err := pgx.Connect(t.Context(), s.d.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // a test's own connection
	if _, err := writer.Exec(t.Context(), "BEGIN; LOCK TABLE public.putaway_recommendations IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	if got := s.found(s.devops); len(got) != 2 {
		t.Errorf("while somebody rewrites the table the page finds %v", got)
	}
}

// Without the view's disappearance the type change would be refused by PostgreSQL, so it is a stop.
func TestTheLintSeesViewsAndTypes(t *testing.T) {
	t.Parallel()
	s := at18(t)
	s.super("ALTER TABLE public.putaway_recommendations ALTER confidence_score TYPE numeric(3,3)")
	if got := s.found(s.devops); !slices.ContainsFunc(got, func(f string) bool { return f[:16] == "type-change note" }) {
		t.Errorf("from numeric(3,3) to numeric(4,3) finds %v, want no rewrite", got)
	}
	s.super("CREATE VIEW public.scores AS SELECT confidence_score FROM public.putaway_recommendations")
	if got := s.found(s.devops); got[0][:19] != "dependent-view stop" {
		t.Errorf("with a view on the column the lint finds %v, want it named first", got)
	}
}
