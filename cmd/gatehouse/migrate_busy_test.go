package main

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// FEATURES M11: of two who apply, the second is told who was first, by exit code 5 and by name; one run by Gatehouse
// counts, and one of another program that holds the migrator's lock.
func TestTheSecondToApplyIsToldWhoIsFirst(t *testing.T) {
	o := atAShell(t, "0.0.18")
	m, err := migrator.New(migrator.WMS(), o.d.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	release := housetest.ReadyRelease(t, o.d, housetest.Rivermark, m.Files())
	t.Setenv("GATEHOUSE_TOKEN", o.token("migration:read", "migration:apply"))

	lock, err := pgtest.Pool(t, o.d.OwnerURL).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	const class = 0x67617465 // "gate", and 2 for the ledger of the warehouse
	if _, err := lock.Exec(t.Context(), "SELECT set_config('application_name', 'another-tool', false), pg_advisory_lock($1, 2)", class); err != nil {
		t.Fatal(err)
	}
	o.applyToken(m, release.String(), "0.0.20", "up")
	o.refused(exitBusy, "another-tool", "migrate", "apply", "V0.0.20", "--release", release.String())
	if _, err := lock.Exec(t.Context(), "SELECT pg_advisory_unlock_all()"); err != nil {
		t.Fatal(err)
	}

	// What was changed behind the files' back is the disagreement of the help's exit code 4.
	o.behindItsBack("ALTER TABLE public.lots ADD by_hand text")
	o.applyToken(m, release.String(), "0.0.20", "up")
	o.refused(exitDisagree, "public.lots.by_hand", "migrate", "apply", "V0.0.20", "--release", release.String())
	o.behindItsBack("ALTER TABLE public.lots DROP by_hand")

	file, _ := m.Files().Up(20)
	first := migration.NewService(postgres.Migrations{DB: housetest.Open(t, o.d)}, m.Files(), time.Now)
	by := housetest.Person(housetest.Rivermark, "dora", actor.DevOpsLead)
	if _, err := first.Apply(t.Context(), by, migration.ApplyRequest{Version: 20, SHA256: file.SHA256, Release: release, Key: uuid.New()}); err != nil {
		t.Fatal(err)
	}
	o.applyToken(m, release.String(), "0.0.20", "up")
	o.refused(exitBusy, by.Name, "migrate", "apply", "V0.0.20", "--release", release.String())
}
