package postgres_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// noSource restores nothing: these stories end before.
type noSource struct{}

func (noSource) RestoreMarked(context.Context, io.Reader) (backup.Manifest, []uuid.UUID, error) {
	panic("nothing is restored in this test")
}

func (noSource) Holds(context.Context) (backup.Manifest, error) {
	panic("nothing is counted in this test")
}

func TestAnExternalBackupIsRegisteredByAPersonOfTheOperatorWithAFreshSignIn(t *testing.T) {
	t.Parallel()
	d := housetest.At(t, "")
	s := backup.NewExternals(postgres.Externals{DB: housetest.Open(t, d)}, nil, noSource{}, time.Now, 30*24*time.Hour)
	registration := backup.Registration{
		Provider: "Northwind Cloud", Identifier: "snap-1", TakenAt: time.Now().Add(-time.Hour), Covers: "The whole cluster", Evidence: "https://status.example.com/1",
	}
	otto := housetest.Person(housetest.Rivermark, "otto", actor.DevOpsEngineer)
	stale := otto
	stale.AuthTime = time.Now().Add(-12 * time.Minute)
	stranger := housetest.Person(housetest.Saltway, "sven", actor.DevOpsLead)
	pretender := stranger
	pretender.Operator = true
	for who, by := range map[string]actor.Actor{
		"another tenant": stranger, "another tenant that says it operates": pretender, "a viewer": housetest.Person(housetest.Rivermark, "vera", actor.Viewer), "a stale sign-in": stale,
	} {
		if _, err := s.Register(t.Context(), by, registration); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s registers: %v, want Forbidden", who, err)
		}
	}
	x, err := s.Register(t.Context(), otto, registration)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Register(t.Context(), otto, registration); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "registered already") {
		t.Errorf("the same twice: %v", err)
	}
	word := backup.Attestation{RestoredAt: time.Now(), Evidence: "Ticket 4711"}
	for who, by := range map[string]actor.Actor{"another tenant": stranger, "a stale sign-in": stale, "a viewer": housetest.Person(housetest.Rivermark, "vera", actor.Viewer)} {
		if err := s.Attest(t.Context(), by, x.ID, word); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s attests: %v, want Forbidden", who, err)
		}
	}
	if err := s.Attest(t.Context(), pretender, x.ID, word); !fault.Is(err, fault.NotFound) {
		t.Errorf("another tenant that says it operates attests: %v, want NotFound", err)
	}
	early := word
	early.RestoredAt = x.TakenAt.Add(-time.Hour)
	if err := s.Attest(t.Context(), otto, x.ID, early); !fault.Is(err, fault.Invalid) {
		t.Errorf("restored before it was taken: %v, want Invalid", err)
	}
	if err := s.Attest(t.Context(), otto, x.ID, word); err != nil {
		t.Fatal(err)
	}
	if theirs, err := s.List(t.Context(), stranger); err != nil || len(theirs) != 0 {
		t.Errorf("another tenant sees %v, %v", theirs, err)
	}
	ours, err := s.List(t.Context(), housetest.Person(housetest.Rivermark, "vera", actor.Viewer))
	if err != nil || len(ours) != 1 {
		t.Fatalf("our own viewer sees %v, %v", ours, err)
	}
	if worth, _ := ours[0].Worth(time.Now(), s.Within()); worth != backup.ExternalAttested {
		t.Errorf("it is worth %q", worth)
	}
	super := pgtest.Pool(t, d.SuperURL)
	for _, change := range []string{
		"UPDATE gatehouse.external_backups SET evidence = 'x'", "DELETE FROM gatehouse.external_drills", "TRUNCATE gatehouse.backup_marks",
		// A word never counts as a backup.
		`INSERT INTO gatehouse.external_drills (tenant_id, drill_id, external_id, kind, passed, findings, restored_at, took_ms, evidence, backup_id, actor_issuer, actor_subject, actor_name, origin)
		 SELECT tenant_id, gen_random_uuid(), external_id, 'attested', true, '{}', now(), 1, 'x', gen_random_uuid(), 'i', 's', 'n', 'cli' FROM gatehouse.external_backups`,
	} {
		if _, err := super.Exec(t.Context(), change); err == nil {
			t.Errorf("%s went through", change)
		}
	}
}
