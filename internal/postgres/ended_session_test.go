package postgres_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

// session begins one for QA, as a sign-in does, and gives its person in it.
func (r *release) session(hash string) actor.Actor {
	r.t.Helper()
	by := fresh(qa)
	err := r.super.QueryRow(r.t.Context(), `INSERT INTO gatehouse.sessions (token_sha256, tenant_id, provider_session, data, expires_at)
		VALUES ($1, $2, $1, '', now() + interval '1 hour') RETURNING session_id::text`, hash, housetest.Rivermark).Scan(&by.Session)
	if err != nil {
		r.t.Fatal(err)
	}
	return by
}

// I14, I16: a session that has ended signs nothing, also where it ended while its signature was waiting.
func TestAnEndedSessionSignsNothing(t *testing.T) {
	t.Parallel()
	r := started(t)
	r.ready()
	sessions := postgres.Sessions{DB: r.db}

	by := r.session("living")
	if _, err := r.signoff.Sign(t.Context(), by, r.request(signoff.GoNoGo, "qa")); err != nil {
		t.Fatalf("Sign in a living session: %v", err)
	}
	given := r.gate(signoff.GoNoGo).Signatures[0]
	if err := r.signoff.Withdraw(t.Context(), by, r.id, given.Gate, given.ID, "for what follows"); err != nil {
		t.Fatalf("Withdraw: %v", err)
	}
	request := r.request(signoff.GoNoGo, "qa")
	if n, err := sessions.EndByProvider(t.Context(), "living"); n != 1 || err != nil {
		t.Fatalf("EndByProvider = %d, %v", n, err)
	}
	r.knock(by, request, fault.Unauthenticated, "sign-in here has ended")

	// The release is locked by somebody else; the signature waits, and meanwhile its session ends.
	by, request = r.session("waiting"), r.request(signoff.GoNoGo, "qa")
	blocker, err := r.super.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = blocker.Rollback(t.Context()) }()
	if _, err := blocker.Exec(t.Context(), `SELECT FROM gatehouse.runs WHERE run_id = $1 FOR UPDATE`, r.id); err != nil {
		t.Fatal(err)
	}
	before, answered := r.signatures(), make(chan error)
	go func() {
		_, err := r.signoff.Sign(t.Context(), by, request)
		answered <- err
	}()
	r.untilSomebodyWaits()
	if n, err := sessions.EndByProvider(t.Context(), "waiting"); n != 1 || err != nil {
		t.Fatalf("EndByProvider = %d, %v", n, err)
	}
	if err := blocker.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; !fault.Is(err, fault.Unauthenticated) || r.signatures() != before {
		t.Errorf("Sign whose session ended while it waited = %v, with %d signatures more", err, r.signatures()-before)
	}
}

// untilSomebodyWaits returns once a connection of this database waits for a lock.
func (r *release) untilSomebodyWaits() {
	r.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		var waits bool
		err := r.super.QueryRow(r.t.Context(), `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`).Scan(&waits)
		if err != nil {
			r.t.Fatal(err)
		}
		if waits {
			return
		}
		select {
		case <-tick.C:
		case <-r.t.Context().Done():
			r.t.Fatal("nobody waited")
		}
	}
}

// waiting does the work beside the test, and returns once it waits for a lock. The work's end is sent; where it ends without
// having waited, the test fails.
func (r *release) waiting(work func() error) <-chan error {
	r.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- work() }()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for r.count(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) == 0 {
		select {
		case err := <-ended:
			r.t.Fatalf("nobody waited: %v", err)
		case <-tick.C:
		}
	}
	return ended
}

// I21: what was begun and never finished is swept by those who begin, and never piles up.
func TestTenThousandStartedSignInsAreSwept(t *testing.T) {
	t.Parallel()
	d := housetest.At(t, "")
	attempts := postgres.SignIns{DB: housetest.Open(t, d)}
	conn, err := pgx.Connect(t.Context(), d.SuperURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	if _, err := conn.Exec(t.Context(), `INSERT INTO gatehouse.sign_in_attempts (state_sha256, browser_sha256, nonce, verifier, return_to, expires_at)
		SELECT 'old ' || n, 'b', 'n', 'v', '/', now() - interval '1 second' FROM generate_series(1, 10000) n`); err != nil {
		t.Fatal(err)
	}
	for n := range 101 {
		if err := attempts.Begin(t.Context(), actor.SignIn{State: "new " + string(rune('a'+n)), Browser: "b", Anew: n%2 == 0}, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	var old, fresh, anew int
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE expires_at < now()), count(*) FILTER (WHERE expires_at > now()), count(*) FILTER (WHERE anew) FROM gatehouse.sign_in_attempts`).Scan(&old, &fresh, &anew); err != nil {
		t.Fatal(err)
	}
	if old != 0 || fresh != 101 || anew != 51 {
		t.Errorf("%d that are over and %d that are not are left, %d of them anew; want 0, 101 and 51", old, fresh, anew)
	}
	taken, ok, err := attempts.Take(t.Context(), "new a", "b")
	if err != nil || !ok || !taken.Anew {
		t.Errorf("Take = %+v, %v, %v, want the one that asks anew", taken, ok, err)
	}
}
