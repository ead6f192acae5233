package postgres_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

func TestSessionsAreOnesOwn(t *testing.T) {
	t.Parallel()
	db := housetest.Open(t, housetest.At(t, ""))
	people, sessions := postgres.People{DB: db}, postgres.Sessions{DB: db}
	in := func(subject, tenant, hash string) (actor.Actor, uuid.UUID) {
		t.Helper()
		by, err := people.SignIn(t.Context(), actor.Identity{
			Issuer: "https://id.test", Subject: subject, Name: subject, Tenant: tenant, Roles: []actor.Role{actor.Viewer},
		}, "127.0.0.1")
		if err != nil {
			t.Fatalf("SignIn(%s): %v", subject, err)
		}
		if err := sessions.Add(t.Context(), hash, actor.Session{Tenant: by.Tenant, Person: by.UserID, Data: []byte("data of " + subject)}, time.Hour); err != nil {
			t.Fatalf("Add(%s): %v", subject, err)
		}
		found, ok, err := sessions.Find(t.Context(), hash, time.Minute)
		if err != nil || !ok || string(found.Data) != "data of "+subject {
			t.Fatalf("Find(%s) = %+v, %v, %v", hash, found, ok, err)
		}
		return by, found.ID
	}
	ours, oursID := in("ann", "rivermark", "hash 1")
	colleague, _ := in("bob", "rivermark", "hash 2")
	theirs, _ := in("cyd", "saltway", "hash 3")

	list, err := sessions.Own(t.Context(), ours, time.Minute)
	if err != nil || len(list) != 1 || list[0].ID != oursID {
		t.Errorf("Own = %+v, %v, want the one session of ann", list, err)
	}
	for name, by := range map[string]actor.Actor{"a colleague": colleague, "another tenant": theirs} {
		if err := sessions.EndOwn(t.Context(), by, oursID); !fault.Is(err, fault.NotFound) {
			t.Errorf("EndOwn by %s = %v, want NotFound", name, err)
		}
	}
	// The tenant alone is not enough either: the person of one tenant under the id of another.
	crossed := theirs
	crossed.UserID = ours.UserID
	if list, err := sessions.Own(t.Context(), crossed, time.Minute); err != nil || len(list) != 0 {
		t.Errorf("Own across tenants = %+v, %v, want nothing", list, err)
	}
	if err := sessions.EndOwn(t.Context(), ours, oursID); err != nil {
		t.Errorf("EndOwn = %v", err)
	}
	if _, ok, err := sessions.Find(t.Context(), "hash 1", time.Minute); ok || err != nil {
		t.Errorf("Find after EndOwn = %v, %v, want nothing", ok, err)
	}
}

func TestPeopleStayInTheirTenant(t *testing.T) {
	t.Parallel()
	d := housetest.At(t, "")
	db := housetest.Open(t, d)
	people := postgres.People{DB: db}
	id := actor.Identity{Issuer: "https://id.test", Subject: "ann", Name: "Ann", Tenant: "rivermark", Roles: []actor.Role{actor.Viewer}}
	first, err := people.SignIn(t.Context(), id, "127.0.0.1")
	if err != nil {
		t.Fatalf("SignIn: %v", err)
	}
	id.Roles = []actor.Role{actor.QALead}
	again, err := people.SignIn(t.Context(), id, "127.0.0.1")
	if err != nil || again.UserID != first.UserID || !again.Has(actor.QALead) || again.Has(actor.Viewer) {
		t.Errorf("SignIn again = %+v, %v, want the same person with the new roles alone", again, err)
	}
	id.Tenant = "saltway"
	if _, err := people.SignIn(t.Context(), id, "127.0.0.1"); !fault.Is(err, fault.Forbidden) {
		t.Errorf("SignIn in another tenant = %v, want Forbidden", err)
	}
	app := pgtest.Pool(t, d.AppURL)
	insert := `WITH here AS MATERIALIZED (SELECT set_config('app.current_tenant_id', $1, false))
	           INSERT INTO gatehouse.people (tenant_id, person_id, issuer, subject, name)
	           SELECT $2::uuid, gen_random_uuid(), 'https://id.test', 'crafted', 'x' FROM here`
	if _, err := app.Exec(t.Context(), insert, housetest.Saltway.String(), housetest.Rivermark.String()); err == nil {
		t.Errorf("a person was written into another tenant")
	}
	var seen []string
	if err := app.QueryRow(t.Context(), `SELECT coalesce(array_agg(subject), '{}') FROM gatehouse.people`).Scan(&seen); err != nil {
		t.Fatalf("reading people: %v", err)
	}
	if diff := cmp.Diff([]string{}, seen); diff != "" {
		t.Errorf("people seen from the other tenant, or without one (-want +got):\n%s", diff)
	}
}

func TestSignInAttemptsEndAndAreSwept(t *testing.T) {
	t.Parallel()
	d := housetest.At(t, "")
	attempts := postgres.SignIns{DB: housetest.Open(t, d)}
	begin := func(state string, lifetime time.Duration) actor.SignIn {
		t.Helper()
		s := actor.SignIn{State: state, Browser: "browser", Nonce: "n", Verifier: "v", ReturnTo: "/x", ExpectIssuer: "i", ExpectSubject: "s"}
		if err := attempts.Begin(t.Context(), s, lifetime); err != nil {
			t.Fatalf("Begin(%s): %v", state, err)
		}
		return s
	}
	begin("old", -time.Second)
	want := begin("new", time.Minute)
	if _, ok, err := attempts.Take(t.Context(), "old", "browser"); ok || err != nil {
		t.Errorf("Take of one that is over = %v, %v, want nothing", ok, err)
	}
	if _, ok, err := attempts.Take(t.Context(), "new", "another"); ok || err != nil {
		t.Errorf("Take in another browser = %v, %v, want nothing", ok, err)
	}
	got, ok, err := attempts.Take(t.Context(), "new", "browser")
	if diff := cmp.Diff(want, got); diff != "" || !ok || err != nil {
		t.Errorf("Take = %v, %v (-want +got):\n%s", ok, err, diff)
	}
	begin("last", time.Minute)
	var left int
	if err := pgtest.Pool(t, d.SuperURL).QueryRow(t.Context(), `SELECT count(*) FROM gatehouse.sign_in_attempts`).Scan(&left); err != nil || left != 1 {
		t.Errorf("%d attempts are left (%v), want the last one alone", left, err)
	}
}
