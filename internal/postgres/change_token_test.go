package postgres_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/change"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/pgtest"
)

// machine is a credential's actor at the command line.
func machine() actor.Actor {
	by := housetest.Person(housetest.Rivermark, "credential:ci")
	by.Origin, by.Rights = actor.CLI, []actor.Right{actor.MigrationRead, actor.MigrationApply, actor.MigrationDown}
	return by
}

func (s changeTime) token(version, direction string) string {
	s.t.Helper()
	token, _, err := s.changes.MakeToken(s.t.Context(), s.devops, uuid.New(), s.release, version, direction)
	if err != nil {
		s.t.Fatalf("MakeToken(%s, %s): %v", version, direction, err)
	}
	return token
}

// with is what the command line asks for.
func (s changeTime) with(version, token string) (migration.Run, error) {
	req := s.request(version, s.release)
	req.Token = token
	return s.service.Apply(s.t.Context(), machine(), req)
}

func TestTheCommandLineTakesOneStepWithOneToken(t *testing.T) {
	t.Parallel()
	s := timing(t, true)
	_, err := s.with("0.0.14", "")
	s.says(err, fault.GateClosed, "without a one-time token")
	_, err = s.with("0.0.14", "ghapply_made_up")
	s.says(err, fault.GateClosed, "none of this organisation's")
	// Other doors than the pages are asked, whatever they call themselves.
	other := machine()
	other.Origin = actor.API
	_, err = s.service.Apply(t.Context(), other, s.request("0.0.14", s.release))
	s.says(err, fault.GateClosed, migration.HowToken)
	for _, wrong := range []string{s.token("0.0.15", "up"), s.token("0.0.14", "down")} {
		_, err = s.with("0.0.14", wrong)
		s.says(err, fault.GateClosed, "another release, version, direction")
	}
	token := s.token("0.0.14", "up")
	run, err := s.with("0.0.14", token)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.worker.Work(t.Context(), migration.Ref{Tenant: run.Tenant, Run: run.ID}); err != nil {
		t.Fatal(err)
	}
	if got := s.see(run.ID).Run; got.State != migration.Succeeded {
		t.Fatalf("with a token the run ended %s: %s", got.State, got.Error)
	}
	if k := s.page().Tokens; k[0].State != "used" || k[0].Run != run.ID {
		t.Errorf("the token is %+v, want used by the run", k[0])
	}
	v := must(migration.ParseVersion("0.0.14"))
	undo, _ := s.files.Down(v)
	down := migration.DownRequest{Version: v, SHA256: undo.SHA256, Release: s.release, Loss: s.counted("0.0.14", 0), Confirm: "0.0.14", Reason: "too early", Key: uuid.New(), Token: token}
	_, err = s.service.Down(t.Context(), machine(), down)
	s.says(err, fault.GateClosed, "used already")
	down.Token, down.Key = s.token("0.0.14", "down"), uuid.New()
	back, err := s.service.Down(t.Context(), machine(), down)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.worker.Work(t.Context(), migration.Ref{Tenant: back.Tenant, Run: back.ID}); err != nil {
		t.Fatal(err)
	}
	_, err = s.with("0.0.14", token)
	s.says(err, fault.GateClosed, "used already")
	var kept int
	if err := pgtest.Pool(t, s.d.SuperURL).QueryRow(t.Context(), `SELECT count(*) FROM gatehouse.apply_tokens WHERE token_sha256 = $1`, change.Hash(token)).Scan(&kept); err != nil || kept != 1 {
		t.Errorf("%d rows hold the token's hash, %v; want 1", kept, err)
	}
}

func TestATokenIsVoidRevokedOrExpired(t *testing.T) {
	t.Parallel()
	s := timing(t, true)
	token := s.token("0.0.14", "up")
	id := s.page().Tokens[0].ID
	theirs := pretending(housetest.Person(housetest.Saltway, "sam", actor.DevOpsLead))
	s.says(s.changes.Revoke(t.Context(), theirs, s.release, id), fault.Conflict, "no such token")
	if err := s.changes.Revoke(t.Context(), s.devops, s.release, id); err != nil {
		t.Fatal(err)
	}
	s.says(s.changes.Revoke(t.Context(), s.devops, s.release, id), fault.Conflict, "already")
	_, err := s.with("0.0.14", token)
	s.says(err, fault.GateClosed, "revoked")

	token = s.token("0.0.14", "up")
	s.super(`ALTER TABLE gatehouse.apply_tokens DISABLE TRIGGER USER`)
	s.super(`UPDATE gatehouse.apply_tokens SET made_at = made_at - interval '1 hour 2 seconds', expires_at = clock_timestamp() - interval '1 second' WHERE token_sha256 = $1`, change.Hash(token))
	_, err = s.with("0.0.14", token)
	s.says(err, fault.GateClosed, "expired")

	// Two gates of the same content are the same gate; this one is signed on another.
	token = s.token("0.0.14", "up")
	s.super(`UPDATE gatehouse.runs SET title = 'Another title' WHERE run_id = $1`, s.release)
	_, err = s.with("0.0.14", token)
	s.says(err, fault.GateClosed, "gate")
	v := must(migration.ParseVersion("0.0.14"))
	s.super(`UPDATE gatehouse.runs SET title = 'A release' WHERE run_id = $1`, s.release)
	s.apply("0.0.14", s.release)
	token = s.token("0.0.14", "down")
	s.super(`UPDATE gatehouse.runs SET title = 'Another title' WHERE run_id = $1`, s.release)
	undo, _ := s.files.Down(v)
	_, err = s.service.Down(t.Context(), machine(), migration.DownRequest{Version: v, SHA256: undo.SHA256, Release: s.release, Loss: s.counted("0.0.14", 0), Confirm: "0.0.14", Reason: "too early", Key: uuid.New(), Token: token})
	s.says(err, fault.GateClosed, "void")
	if got := s.page().Tokens[0].State; got != "void" {
		t.Errorf("the page calls the token %s, want void", got)
	}
}

func TestATokenIsMadeByAPersonAtASignedGateOnly(t *testing.T) {
	t.Parallel()
	s := timing(t, true)
	try := func(by actor.Actor, version, direction string) error {
		_, _, err := s.changes.MakeToken(t.Context(), by, uuid.New(), s.release, version, direction)
		return err
	}
	s.says(try(machine(), "0.0.14", "up"), fault.Forbidden, "no machine")
	s.says(try(s.lead, "0.0.14", "up"), fault.Forbidden, "")
	s.says(try(housetest.Person(housetest.Saltway, "sam", actor.DevOpsLead), "0.0.14", "up"), fault.Forbidden, "another organisation")
	s.says(try(pretending(housetest.Person(housetest.Saltway, "sam", actor.DevOpsLead)), "0.0.14", "up"), fault.NotFound, "")
	s.says(try(s.devops, "0.0.99", "up"), fault.NotFound, "no file")
	s.window("-1 hour", "10 minutes")
	if _, until, err := s.changes.MakeToken(t.Context(), s.devops, uuid.New(), s.release, "0.0.14", "up"); err != nil || !until.Equal(s.page().Moment.Ends) {
		t.Errorf("a token is good until %s, %v; want the end of the window", until, err)
	}
	s.window("1 hour", "2 hours")
	s.says(try(s.devops, "0.0.14", "up"), fault.GateClosed, "outside the change window")
	s.super(`UPDATE gatehouse.runs SET title = 'Another title' WHERE run_id = $1`, s.release)
	s.says(try(s.devops, "0.0.14", "up"), fault.GateClosed, "not open")
}

// A program of before the windows asks for neither window nor token: the table refuses it.
func TestAnOlderProgramKeepsWindowAndToken(t *testing.T) {
	t.Parallel()
	s := timing(t, true)
	pool := pgtest.Pool(t, s.d.AppURL)
	older := func(origin string) error {
		tx, err := pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback(t.Context()) //nolint:errcheck // nothing is to stay
		if _, err := tx.Exec(t.Context(), `SELECT set_config('app.current_tenant_id', $1, true)`, housetest.Rivermark.String()); err != nil {
			t.Fatal(err)
		}
		_, err = tx.Exec(t.Context(), `INSERT INTO gatehouse.migration_runs (tenant_id, run_id, request_key, release_id, version, version_number, direction, sha256,
			    actor_issuer, actor_subject, actor_name, actor_roles, origin)
			VALUES ($1, gen_random_uuid(), gen_random_uuid(), $2, '0.0.14', 14, 'up', repeat('a', 64), 'test', 'test', 'Test', '', $3)`, housetest.Rivermark, s.release, origin)
		return err
	}
	if err := older("web"); err != nil {
		t.Errorf("in the window: %v", err)
	}
	if err := older("cli"); err == nil || !strings.Contains(err.Error(), "one-time token") {
		t.Errorf("without a token: %v, want a refusal", err)
	}
	s.window("1 hour", "2 hours")
	if err := older("web"); err == nil || !strings.Contains(err.Error(), "outside the change window") {
		t.Errorf("outside the window: %v, want a refusal", err)
	}
}
