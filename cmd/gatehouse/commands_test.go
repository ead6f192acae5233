package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	changing "github.com/agogsaas/gatehouse/internal/change"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// operator is somebody at a shell with a database's addresses in the environment.
type operator struct {
	t *testing.T
	d *pgtest.Database
}

func atAShell(t *testing.T, version string) operator {
	t.Helper()
	d := housetest.At(t, version)
	t.Setenv("GATEHOUSE_DATABASE_URL", d.AppURL)
	t.Setenv("GATEHOUSE_OWNER_DATABASE_URL", d.OwnerURL)
	t.Setenv("GATEHOUSE_TOKEN", "")
	t.Setenv("GATEHOUSE_APPLY_TOKEN", "")
	return operator{t, d}
}

// run is `gatehouse args...`: what it prints and its error.
func (o operator) run(args ...string) (out string, err error) {
	o.t.Helper()
	root := rootCommand()
	var printed, said bytes.Buffer
	root.SetOut(&printed)
	root.SetErr(&said)
	root.SetArgs(args)
	err = root.ExecuteContext(o.t.Context())
	return printed.String(), err
}

func (o operator) must(args ...string) string {
	o.t.Helper()
	out, err := o.run(args...)
	if err != nil {
		o.t.Fatalf("gatehouse %s: %v", strings.Join(args, " "), err)
	}
	return out
}

// refused expects an exit code and words of the error.
func (o operator) refused(code int, words string, args ...string) {
	o.t.Helper()
	out, err := o.run(args...)
	got := exitCode(err)
	if got < 0 {
		got = 1 // what main makes of an error without a code of its own
	}
	if err == nil || got != code || !strings.Contains(err.Error(), words) {
		o.t.Errorf("gatehouse %s = %q, %v (exit %d); want exit %d and %q", strings.Join(args, " "), out, err, got, code, words)
	}
}

func (o operator) token(rights ...string) string {
	o.t.Helper()
	args := []string{"token", "--tenant", "rivermark", "--name", "ci"}
	for _, r := range rights {
		args = append(args, "--right", r)
	}
	return strings.TrimSpace(o.must(args...))
}

func (o operator) audited(action, outcome string) int {
	o.t.Helper()
	var n int
	err := pgtest.Pool(o.t, o.d.SuperURL).QueryRow(o.t.Context(), "SELECT count(*) FROM gatehouse.audit_events WHERE action = $1 AND outcome = $2", action, outcome).Scan(&n)
	if err != nil {
		o.t.Fatal(err)
	}
	return n
}

func TestTokensAreMadeListedAndRevoked(t *testing.T) {
	o := atAShell(t, "")
	token := o.token("health:read")
	listed := o.must("token", "list", "--tenant", "rivermark")
	id, _, _ := strings.Cut(listed, " ")
	for _, want := range []string{"ci", "good until", "health:read"} {
		if !strings.Contains(listed, want) {
			t.Errorf("the list %q lacks %q", listed, want)
		}
	}
	if strings.Contains(listed, token) {
		t.Error("the list shows the token itself")
	}
	if theirs := o.must("token", "list", "--tenant", "saltway"); theirs != "" {
		t.Errorf("the other tenant's list is %q, want nothing", theirs)
	}
	credentials := postgres.Credentials{DB: housetest.Open(t, o.d)}
	if by, err := credentials.Authenticate(t.Context(), token, actor.API, ""); err != nil || !by.Can(actor.HealthRead) || by.Can(actor.MigrationApply) {
		t.Fatalf("the token is %+v, %v; want somebody who may read health and nothing more", by, err)
	}
	o.refused(1, "There is no such credential", "token", "revoke", id, "--tenant", "saltway")
	o.refused(2, "must be the id", "token", "revoke", "ci", "--tenant", "rivermark")
	o.must("token", "revoke", id, "--tenant", "rivermark")
	if _, err := credentials.Authenticate(t.Context(), token, actor.API, ""); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("a revoked token is answered with %v, want unauthenticated", err)
	}
	if listed := o.must("token", "list", "--tenant", "rivermark"); !strings.Contains(listed, "revoked") {
		t.Errorf("after it was revoked the list is %q", listed)
	}
	o.refused(2, `no tenant "nobody"`, "token", "list", "--tenant", "nobody")
	o.refused(2, "no machine", "token", "--tenant", "rivermark", "--name", "ci", "--right", "gate:sign")
}

func TestAPersonsAccessIsEndedAndGivenBack(t *testing.T) {
	o := atAShell(t, "")
	people := postgres.People{DB: housetest.Open(t, o.d)}
	who := actor.Identity{Issuer: "https://id.test", Subject: "dora", Name: "Dora", Tenant: "rivermark", Roles: []actor.Role{actor.Viewer}}
	if _, err := people.SignIn(t.Context(), who, ""); err != nil {
		t.Fatal(err)
	}
	them := []string{"--issuer", who.Issuer, "--subject", who.Subject, "--tenant"}
	o.refused(1, "", append(append([]string{"person", "disable"}, them...), "saltway")...)
	o.must(append(append([]string{"person", "disable"}, them...), "rivermark")...)
	if _, err := people.SignIn(t.Context(), who, ""); !fault.Is(err, fault.Forbidden) {
		t.Errorf("whose access has ended signs in with %v, want forbidden", err)
	}
	o.refused(1, "", append(append([]string{"person", "disable"}, them...), "rivermark")...)
	o.must(append(append([]string{"person", "enable"}, them...), "rivermark")...)
	if _, err := people.SignIn(t.Context(), who, ""); err != nil {
		t.Errorf("whose access was given back signs in with %v", err)
	}
}

// There is no way around the gate: the command is refused as the page is, and what it may do it really does.
func TestMigrateApplyGoesThroughTheGate(t *testing.T) {
	o := atAShell(t, "0.0.18")
	m, err := migrator.New(migrator.WMS(), o.d.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	closed := housetest.Release(t, o.d, housetest.Rivermark, m.Files(), false).String()
	o.refused(3, "GATEHOUSE_TOKEN is not set", "migrate", "apply", "V0.0.20", "--release", closed)
	t.Setenv("GATEHOUSE_TOKEN", o.token("migration:read"))
	o.refused(3, "", "migrate", "apply", "V0.0.20", "--release", closed)
	t.Setenv("GATEHOUSE_TOKEN", o.token("migration:read", "migration:apply"))
	o.refused(3, "", "migrate", "apply", "V0.0.20", "--release", closed)
	o.refused(2, "", "migrate", "apply", "twenty", "--release", closed)
	o.refused(2, "must be the id", "migrate", "apply", "V0.0.20", "--release", "REQ-1")
	if n := o.audited("migration:apply", "refused"); n != 2 {
		t.Errorf("the audit trail holds %d refusals, want 2", n)
	}
	if state := o.must("migrate", "status"); !strings.Contains(state, "pending       V0.0.20") {
		t.Errorf("after the refusals the status is\n%s", state)
	}
	end := "UPDATE gatehouse.runs SET state = 'aborted', ended_at = now(), ended_by = 'a test', end_reason = 'Over.'"
	if _, err := pgtest.Pool(t, o.d.SuperURL).Exec(t.Context(), end); err != nil {
		t.Fatal(err)
	}
	open := housetest.ReadyRelease(t, o.d, housetest.Rivermark, m.Files()).String()
	o.refused(3, "without a one-time token", "migrate", "apply", "V0.0.20", "--release", open)
	o.refused(3, migration.HowToken, "migrate", "apply", "V0.0.20", "--release", open)
	freeze := `INSERT INTO gatehouse.freezes (tenant_id, freeze_id, starts_at, ends_at, reason, issuer, subject, name)
		VALUES ($1, gen_random_uuid(), now() - interval '1 hour', now() + make_interval(secs => $2), 'Christmas trade.', 'test', 'test', 'Test')`
	o.applyToken(m, open, "0.0.20", "up")
	super := pgtest.Pool(t, o.d.SuperURL)
	if _, err := super.Exec(t.Context(), freeze, housetest.Rivermark, 3600); err != nil {
		t.Fatal(err)
	}
	o.refused(3, "while the environment is frozen", "migrate", "apply", "V0.0.20", "--release", open)
	if _, err := super.Exec(t.Context(), `ALTER TABLE gatehouse.freezes DISABLE TRIGGER USER; DELETE FROM gatehouse.freezes`); err != nil {
		t.Fatal(err)
	}
	if out := o.must("migrate", "apply", "V0.0.20", "--release", open); !strings.Contains(out, "post-checks hold") {
		t.Errorf("apply prints\n%s", out)
	}
	ladder, err := m.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if rung, _ := ladder.Find(20); rung.State != migration.StateApplied || rung.Effect.By.Origin != string(actor.CLI) {
		t.Errorf("V0.0.20 is %s by %s, want applied from the command line", rung.State, rung.Effect.By.Origin)
	}
	o.refused(1, "", "migrate", "apply", "V0.0.20", "--release", open)
	o.refused(3, "used already", "migrate", "apply", "V0.0.21", "--release", open)
}

// applyToken puts a one-time token into the environment, as a person makes it on the release's page.
func (o operator) applyToken(m *migrator.Migrator, release, version, direction string) {
	o.t.Helper()
	s := changing.NewService(postgres.Changes{DB: housetest.Open(o.t, o.d)}, filesOf{m.Files()})
	token, _, err := s.MakeToken(o.t.Context(), housetest.Person(housetest.Rivermark, "dora", actor.DevOpsLead), uuid.New(), uuid.MustParse(release), version, direction)
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Setenv("GATEHOUSE_APPLY_TOKEN", token)
}

type filesOf struct{ *migration.Files }

func (f filesOf) Hashes(version, direction string) (plan, file string, ok bool) {
	v, err := migration.ParseVersion(version)
	up, hasUp := f.Up(v)
	run, hasRun := f.In(migration.Direction(direction), v)
	return up.SHA256, run.SHA256, err == nil && hasUp && hasRun
}

func TestARefusalIsSaidInItsOwnWords(t *testing.T) {
	for want, err := range map[string]error{
		"no such file":                         errors.New("no such file"),
		"It is closed.":                        fault.New(fault.GateClosed, "It is closed.").Because(errors.New("gate go_no_go")),
		"It is away. (dial: refused)":          fault.New(fault.Unavailable, "It is away.").Because(errors.New("dial: refused")),
		"Not so.\n  file: No.\n  taken: When?": fault.New(fault.Invalid, "Not so.").WithField("taken", "When?").WithField("file", "No."),
		"setting up: It was so already.":       fmt.Errorf("setting up: %w", fault.New(fault.Conflict, "It was so already.")),
	} {
		if got := sentence(err); got != want {
			t.Errorf("sentence = %q, want %q", got, want)
		}
	}
}

// An existing warehouse is recorded once, on record; an empty database is none.
func TestBaselineStandsInTheTrail(t *testing.T) {
	o := atAShell(t, "")
	o.refused(1, "There is no warehouse here", "migrate", "baseline")
	o.must("migrate", "baseline", "--create")
	o.refused(1, "in the ledger already", "migrate", "baseline")
	if n := o.audited("migration:baseline", "done"); n != 1 {
		t.Errorf("the audit trail holds %d baselines, want 1", n)
	}
	if state := o.must("migrate", "status"); !strings.Contains(state, "applied       V0.0.14") {
		t.Errorf("after the baseline the status is\n%s", state)
	}
}

// A run that succeeded and left less than it promised is not a success for a script either.
func TestApplySaysWhenAPostCheckDoesNotHold(t *testing.T) {
	o := atAShell(t, "0.0.18")
	m, err := migrator.New(migrator.WMS(), o.d.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	release := housetest.ReadyRelease(t, o.d, housetest.Rivermark, m.Files()).String()
	t.Setenv("GATEHOUSE_TOKEN", o.token("migration:read", "migration:apply", "migration:down"))
	o.applyToken(m, release, "0.0.20", "up")
	o.must("migrate", "apply", "V0.0.20", "--release", release)
	// Something that another release leaves behind keeps the undo from being whole.
	trigger := `CREATE FUNCTION public.comeback() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
			IF tg_tag = 'DROP TABLE' AND to_regclass('public.cross_dock_cancellations') IS NULL THEN
				CREATE TABLE public.cross_dock_cancellations (id int);
			END IF; END $$;
		CREATE EVENT TRIGGER comeback ON ddl_command_end EXECUTE FUNCTION public.comeback()`
	if _, err := pgtest.Pool(t, o.d.SuperURL).Exec(t.Context(), trigger); err != nil {
		t.Fatal(err)
	}
	down := []string{"migrate", "down", "V0.0.20", "--release", release, "--confirm", "V0.0.20", "--reason", "a test"}
	o.refused(1, "no place to save it in", down...)
	dir := t.TempDir()
	t.Setenv("GATEHOUSE_BACKUP_DIR", dir)
	o.refused(3, "--loses 1", down...)
	if files, err := filepath.Glob(filepath.Join(dir, "undo_v0.0.20_*.dump")); err != nil || len(files) != 1 {
		t.Errorf("the folder holds %v, %v; want one file with what would be lost", files, err)
	}
	o.refused(2, "must be a number", append(down, "--loses", "all")...)
	o.refused(3, "used already", append(down, "--loses", "1")...)
	o.applyToken(m, release, "0.0.20", "down")
	o.refused(4, "post-checks do not hold", append(down, "--loses", "1")...)
}

// One tenant operates the environment: the first, unless somebody says otherwise, and never two.
func TestSetupDecidesWhoOperates(t *testing.T) {
	o := atAShell(t, "")
	third := []string{"setup", "--tenant", "third", "--tenant-id", "33333333-3333-7333-8333-333333333333"}
	o.must(third...)
	o.refused(1, "only one can", append(third, "--operator")...)
	o.refused(2, "must be the UUID", "setup", "--tenant", "fourth", "--tenant-id", "4")
	pool := pgtest.Pool(t, o.d.SuperURL)
	operators := func() (codes string) {
		t.Helper()
		err := pool.QueryRow(t.Context(), "SELECT coalesce(string_agg(tenant_code, ' '), '') FROM gatehouse.tenants WHERE is_operator").Scan(&codes)
		if err != nil {
			t.Fatal(err)
		}
		return codes
	}
	if got := operators(); got != "rivermark" {
		t.Errorf("the environment is operated by %q, want rivermark", got)
	}
	if _, err := pool.Exec(t.Context(), "UPDATE gatehouse.tenants SET is_operator = false"); err != nil {
		t.Fatal(err)
	}
	o.must(third...)
	if got := operators(); got != "" {
		t.Errorf("a later run without a word made %q the operator, want nobody", got)
	}
	o.must("setup", "--tenant", "fourth", "--tenant-id", "44444444-4444-7444-8444-444444444444")
	if got := operators(); got != "fourth" {
		t.Errorf("the first tenant that is added where none operates makes %q the operator, want fourth", got)
	}
}

// TestATypoIsNoSuccess: a group of commands that is asked for one it has not says so, and fails.
func TestATypoIsNoSuccess(t *testing.T) {
	for _, typed := range [][]string{{"migrate", "aply", "V0.0.20"}, {"audit", "verfy"}, {"person", "disble"}, {"backup", "creat"}, {"nonsense"}} {
		root := rootCommand()
		root.SetArgs(typed)
		root.SetOut(io.Discard)
		err := root.ExecuteContext(t.Context())
		if err == nil || !strings.Contains(err.Error(), typed[len(typed)-min(len(typed), 2)]) && !strings.Contains(err.Error(), typed[0]) {
			t.Errorf("gatehouse %s: %v, want an unknown command", strings.Join(typed, " "), err)
		}
		var exit exitError
		if len(typed) > 1 && (!errors.As(err, &exit) || exit.code != 2) {
			t.Errorf("gatehouse %s: %v, want exit code 2", strings.Join(typed, " "), err)
		}
	}
}

// What is typed wrongly is said in words and ends with 2, whether a flag or the database finds it; and nothing is passed over.
func TestWhatIsTypedWronglyIsRefused(t *testing.T) {
	o := atAShell(t, "")
	const id = "11111111-1111-7111-8111-111111111199"
	for _, c := range []struct {
		words string
		args  []string
	}{
		{`required flag(s) "covers", "evidence", "id", "taken" not set`, []string{"backup", "register", "--provider", "x"}},
		{"no right named", []string{"token", "--tenant", "rivermark", "--name", "ci", "--right", "gate:open"}},
		{"a lifetime", []string{"token", "--tenant", "rivermark", "--name", "ci", "--right", "health:read", "--lifetime", "-1h"}},
		{"a year at most", []string{"token", "--tenant", "rivermark", "--name", "ci", "--right", "health:read", "--lifetime", "8785h"}},
		{"at most 100 characters", []string{"token", "--tenant", "rivermark", "--name", strings.Repeat("ä", 101), "--right", "health:read"}},
		{"cannot be stored", []string{"token", "--tenant", "rivermark", "--name", "\xff", "--right", "health:read"}},
		{"cannot be stored", []string{"person", "disable", "--tenant", "rivermark", "--issuer", "i", "--subject", "\xff"}},
		{"--tenant does not say", []string{"setup", "--tenant-id", id}},
		{"--tenant does not say", []string{"setup", "--operator"}},
		{"no code of a tenant", []string{"setup", "--tenant", "Rivermark!", "--tenant-id", id}},
		{"no code of a tenant", []string{"setup", "--tenant", strings.Repeat("a", 51), "--tenant-id", id}},
		{"needs a name", []string{"setup", "--tenant", "third", "--tenant-id", id, "--tenant-name", " "}},
		{"--reason goes with --to", []string{"migrate", "baseline", "--reason", "by hand"}},
	} {
		o.refused(2, c.words, c.args...)
	}
	if made := o.must("token", "list", "--tenant", "rivermark"); made != "" {
		t.Errorf("credentials were made all the same: %q", made)
	}
}

// Doctor calls a schema good only where there is one and the files agree with it.
func TestDoctorDoesNotCallASchemaGoodThatDisagrees(t *testing.T) {
	o := atAShell(t, "0.0.18")
	line := func() string {
		out, _ := o.run("doctor") // other findings are not of interest
		for l := range strings.Lines(out) {
			if strings.Contains(l, "warehouse schema") {
				return l
			}
		}
		return "doctor does not speak of the warehouse schema"
	}
	if got := line(); !strings.HasPrefix(got, "ok ") || !strings.Contains(got, "stands at V0.0.18") {
		t.Errorf("at V0.0.18: %s", got)
	}
	o = inEveryState(t)
	if got := line(); !strings.HasPrefix(got, "note ") || !strings.Contains(got, "disagree") {
		t.Errorf("with another file than was applied: %s", got)
	}
	o = atAShell(t, "")
	if got := line(); !strings.HasPrefix(got, "note ") || !strings.Contains(got, "migrate baseline") {
		t.Errorf("without any version: %s", got)
	}
}
