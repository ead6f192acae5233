package app

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/operation"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// TestARehearsalOnASampleIsOrderedWithoutAnyPlaceForBackups: what the button on Migrations orders is done, kept and marked.
func TestARehearsalOnASampleIsOrderedWithoutAnyPlaceForBackups(t *testing.T) {
	t.Parallel()
	d := housetest.At(t, "0.0.18")
	db := housetest.Open(t, d)
	schema, err := migrator.New(migrator.WMS(), d.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	config := Config{OwnerDatabaseURL: Secret(d.OwnerURL), ScratchDatabaseURL: Secret(d.SuperURL)}
	worker, err := NewOperationWorker(config, nil, db, schema, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	orders := operation.NewService(postgres.Operations{DB: db})
	for who, by := range map[string]actor.Actor{
		"another tenant": housetest.Person(housetest.Saltway, "sven", actor.DevOpsLead), "a viewer": housetest.Person(housetest.Rivermark, "vera", actor.Viewer),
	} {
		if _, err := orders.Order(t.Context(), by, operation.Sample, uuid.Nil, uuid.New()); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s orders a rehearsal on a sample: %v, want Forbidden", who, err)
		}
	}
	by := housetest.Person(housetest.Rivermark, "otto", actor.DevOpsEngineer)
	o, err := orders.Order(t.Context(), by, operation.Sample, uuid.Nil, uuid.New())
	if err != nil {
		t.Fatal(err)
	}
	if err := worker.Work(t.Context(), operation.Ref{Tenant: by.Tenant, ID: o.ID}); err != nil {
		t.Fatal(err)
	}
	done, lines, err := orders.Look(t.Context(), by, o.ID)
	if err != nil {
		t.Fatal(err)
	}
	var log []string
	for _, l := range lines {
		log = append(log, l.Text)
	}
	if done.State != operation.Succeeded || !strings.Contains(done.Sentence, "on a sample of") || !strings.Contains(strings.Join(log, " "), "opens no gate") {
		t.Fatalf("it is %s: %s\n%s", done.State, done.Sentence, strings.Join(log, "\n"))
	}
	kept, err := migration.NewRehearsals(postgres.Rehearsals{DB: db}).Show(t.Context(), by, done.Result)
	if err != nil {
		t.Fatal(err)
	}
	if kept.Report.Data.Kind != migration.OnSample || kept.By.Name != by.Name {
		t.Errorf("what was kept ran on %q for %q", kept.Report.Data.Kind, kept.By.Name)
	}
}
