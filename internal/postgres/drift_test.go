package postgres_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// TestADifferenceIsAcceptedAndTakenBack tells the whole story through the application's role, with two tenants.
func TestADifferenceIsAcceptedAndTakenBack(t *testing.T) {
	t.Parallel()
	d := housetest.At(t, "0.0.18")
	m, err := migrator.New(migrator.WMS(), d.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	stories := migration.NewDrifts(postgres.Drift{DB: housetest.Open(t, d)}, m)
	ctx := t.Context()
	ours := housetest.Person(housetest.Rivermark, "lead", actor.DevOpsLead)
	theirs := housetest.Person(housetest.Saltway, "their lead", actor.DevOpsLead)

	if report, err := stories.Latest(ctx, ours); err != nil || report != nil {
		t.Fatalf("Latest before anybody looked = %v, %v", report, err)
	}
	if _, err := pgtest.Pool(t, d.OwnerURL).Exec(ctx, "ALTER TABLE public.lots ADD by_hand text"); err != nil {
		t.Fatal(err)
	}
	seen, err := stories.Check(ctx, ours)
	if err != nil || len(seen.Open()) != 1 {
		t.Fatalf("Check = %+v, %v; want one difference", seen, err)
	}
	hash := seen.Differences[0].SHA256
	open := func() int {
		t.Helper()
		report, err := stories.Latest(ctx, ours)
		if err != nil {
			t.Fatal(err)
		}
		return len(report.Open())
	}

	if _, err := stories.Latest(ctx, theirs); !fault.Is(err, fault.Forbidden) {
		t.Errorf("another tenant's look = %v, want Forbidden", err)
	}
	if err := stories.Accept(ctx, theirs, hash, "It is fine.", time.Time{}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("another tenant's acceptance = %v, want Forbidden", err)
	}
	claims := theirs
	claims.Operator = true // whatever the program believes, the statement asks the table
	if _, err := stories.Check(ctx, claims); err != nil {
		t.Fatal(err)
	}
	if err := stories.Accept(ctx, claims, hash, "It is fine.", time.Time{}); !fault.Is(err, fault.Conflict) {
		t.Errorf("an acceptance of somebody who only claims to operate = %v, want Conflict", err)
	}
	stale := ours
	stale.AuthTime = time.Now().Add(-time.Hour)
	if err := stories.Accept(ctx, stale, hash, "It is fine.", time.Time{}); !fault.Is(err, fault.Conflict) {
		t.Errorf("an acceptance after an old sign-in = %v, want Conflict", err)
	}
	if err := stories.Accept(ctx, ours, migration.Hash("another"), "It is fine.", time.Time{}); !fault.Is(err, fault.Conflict) {
		t.Errorf("an acceptance of what nobody saw = %v, want Conflict", err)
	}
	if err := stories.Accept(ctx, ours, hash, " ", time.Time{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("an acceptance without a reason = %v, want Invalid", err)
	}
	if got := open(); got != 1 {
		t.Fatalf("after refusals %d are open, want 1", got)
	}

	if err := stories.Accept(ctx, ours, hash, "The ERP's labels need it.", time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := open(); got != 0 {
		t.Errorf("after the acceptance %d are open, want 0", got)
	}
	report, err := stories.Latest(ctx, ours)
	if err != nil {
		t.Fatal(err)
	}
	id := report.Differences[0].AcceptanceID
	if err := stories.Withdraw(ctx, claims, id, "Not theirs."); !fault.Is(err, fault.NotFound) {
		t.Errorf("another tenant's withdrawal = %v, want NotFound", err)
	}
	if err := stories.Withdraw(ctx, ours, uuid.New(), "There is none."); !fault.Is(err, fault.NotFound) {
		t.Errorf("withdrawing nothing = %v, want NotFound", err)
	}
	if err := stories.Withdraw(ctx, ours, id, "The ERP has another place for it."); err != nil {
		t.Fatal(err)
	}
	if err := stories.Withdraw(ctx, ours, id, "Once more."); !fault.Is(err, fault.NotFound) {
		t.Errorf("withdrawing twice = %v, want NotFound", err)
	}
	if got := open(); got != 1 {
		t.Errorf("after the withdrawal %d are open, want 1", got)
	}

	if err := stories.Accept(ctx, ours, hash, "For an hour more.", time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := open(); got != 0 {
		t.Errorf("after the second acceptance %d are open, want 0", got)
	}
	hourLater := `ALTER TABLE gatehouse.drift_acceptances DISABLE TRIGGER ALL;
		UPDATE gatehouse.drift_acceptances SET accepted_at = accepted_at - interval '61 minutes', auth_time = auth_time - interval '61 minutes', expires_at = expires_at - interval '61 minutes'`
	if _, err := pgtest.Pool(t, d.SuperURL).Exec(ctx, hourLater); err != nil {
		t.Fatal(err)
	}
	if got := open(); got != 1 {
		t.Errorf("after the acceptance has expired %d are open, want 1", got)
	}
}
