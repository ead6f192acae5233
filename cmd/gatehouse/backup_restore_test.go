package main

import (
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/app"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/operation"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/restore"
)

// putBack is an operator whose database has a proven backup, and a version applied since.
type putBack struct {
	operator
	backup  uuid.UUID
	stories *restore.Service
	worker  *operation.Worker
}

func puttingBack(t *testing.T) putBack {
	t.Helper()
	o, dir := backingUp(t)
	t.Setenv("GATEHOUSE_TOKEN", o.token("migration:read", "migration:apply", "migration:down"))
	db := housetest.Open(t, o.d)
	schema, err := migrator.New(migrator.WMS(), o.d.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	p := putBack{operator: o, stories: app.Restores(db, schema, operation.NewService(postgres.Operations{DB: db}))}
	p.backup = uuid.MustParse(strings.TrimSpace(o.must("backup", "create")))
	o.must("backup", "drill", p.backup.String())
	version, err := migration.ParseVersion("0.0.20")
	if err == nil {
		_, err = schema.UpTo(t.Context(), version, actor.System(actor.CLI, "a test"), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	config := app.Config{OwnerDatabaseURL: app.Secret(o.d.OwnerURL), BackupDir: dir}
	backups, err := app.Backups(config, db, nil)
	if err == nil {
		p.worker, err = app.NewOperationWorker(config, backups, db, schema, slog.New(slog.DiscardHandler))
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// asked is a request for a restore; agreed says whether a second person stands behind it.
func (p putBack) asked(agreed bool) string {
	p.t.Helper()
	ctx, dora := p.t.Context(), housetest.Person(housetest.Rivermark, "dora", actor.DevOpsLead)
	err := p.stories.Count(ctx, dora, p.backup)
	if err != nil {
		p.t.Fatal(err)
	}
	page, err := p.stories.Show(ctx, dora, p.backup)
	if err != nil {
		p.t.Fatal(err)
	}
	id := uuid.New()
	if err := p.stories.Ask(ctx, dora, restore.Wanted{ID: id, Backup: p.backup, Look: page.Look.ID, Reason: "a test", Database: p.d.Name}); err != nil {
		p.t.Fatal(err)
	}
	if !agreed {
		return id.String()
	}
	request, err := p.stories.Find(ctx, dora, id)
	if err == nil {
		_, err = p.stories.Agree(ctx, housetest.Person(housetest.Rivermark, "quentin", actor.QALead), id, p.d.Name, request.Content)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return id.String()
}

func (p putBack) text(query string) (s string) {
	p.t.Helper()
	if err := pgtest.Pool(p.t, p.d.SuperURL).QueryRow(p.t.Context(), "SELECT coalesce(("+query+")::text, '')").Scan(&s); err != nil {
		p.t.Fatalf("%s: %v", query, err)
	}
	return s
}

const standsAt = "SELECT max(version) FROM public.schema_version"

// The command line carries out what two people agreed to, and nothing else.
func TestARestoreFromAShellTakesTwoPeople(t *testing.T) {
	p := puttingBack(t)
	p.refused(3, "two people agreed to", "backup", "restore")
	p.refused(3, "two people agreed to", "backup", "restore", "--request", uuid.NewString())
	p.refused(2, "must be the id", "backup", "restore", "--request", "newest", "--confirm", p.d.Name)
	p.refused(3, "Nobody asked for such a restore", "backup", "restore", "--request", uuid.NewString(), "--confirm", p.d.Name)
	alone := p.asked(false)
	p.refused(3, "Nobody has agreed", "backup", "restore", "--request", alone, "--confirm", p.d.Name)
	request := p.asked(true)
	p.refused(3, "not the name of this database", "backup", "restore", "--request", request, "--confirm", "production")
	ours := os.Getenv("GATEHOUSE_TOKEN")
	t.Setenv("GATEHOUSE_TOKEN", p.token("migration:read", "migration:apply"))
	p.refused(3, "migration:down", "backup", "restore", "--request", request, "--confirm", p.d.Name)
	t.Setenv("GATEHOUSE_TOKEN", strings.TrimSpace(p.must("token", "--tenant", "saltway", "--name", "ci", "--right", "migration:read", "--right", "migration:apply", "--right", "migration:down")))
	p.refused(3, "operates this environment", "backup", "restore", "--request", request, "--confirm", p.d.Name)
	if got := p.text(standsAt); got != "0.0.20" {
		t.Fatalf("after refusals alone the warehouse stands at %s", got)
	}
	t.Setenv("GATEHOUSE_TOKEN", ours)
	if out := p.must("backup", "restore", "--request", request, "--confirm", p.d.Name); !strings.Contains(out, "V0.0.20 no longer in it") {
		t.Errorf("it says %q", out)
	}
	if got := p.text(standsAt); got != "0.0.18" {
		t.Errorf("the warehouse stands at %s, want 0.0.18", got)
	}
	p.refused(3, "carried out already", "backup", "restore", "--request", request, "--confirm", p.d.Name)
	if done, refused := p.audited("backup:restore", "done"), p.audited("restore:start", "refused"); done != 1 || refused != 6 {
		t.Errorf("the trail holds %d restores and %d refusals, want 1 and 6", done, refused)
	}
}

// Killed as kill -9 does at every instant that matters: the warehouse is what it was or what the backup held, the ledger
// says which, and so does the operation once it was looked at.
func TestAKilledRestoreSaysWhatIsKnown(t *testing.T) {
	p := puttingBack(t)
	binary := filepath.Join(t.TempDir(), "gatehouse")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-tags", "faultpoints", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	for _, c := range []struct{ point, stands, state, words string }{
		{"restore.after_safety", "0.0.20", "interrupted", "was not committed. The warehouse is as it was. The safety dump is kept."},
		{"restore.after_drop", "0.0.20", "interrupted", "was not committed"},
		{"restore.before_commit", "0.0.20", "interrupted", "was not committed"},
		{"restore.after_commit", "0.0.18", "succeeded", "V0.0.20 no longer in it"},
	} {
		request := p.asked(true)
		child := exec.CommandContext(t.Context(), binary, "backup", "restore", "--request", request, "--confirm", p.d.Name)
		child.Env = append(os.Environ(), "GATEHOUSE_FAULT="+c.point+"=kill")
		if out, err := child.CombinedOutput(); err == nil || child.ProcessState.ExitCode() != -1 {
			t.Fatalf("%s: the program ended with %v and was to be killed\n%s", c.point, err, out)
		}
		id := p.text("SELECT operation_id FROM gatehouse.operations WHERE argument = '" + request + "'")
		p.awaitGone("gatehouse-migrator " + id)
		if got := p.text(standsAt); got != c.stands {
			t.Errorf("%s: the warehouse stands at %s, want %s", c.point, got, c.stands)
		}
		if got := p.text("SELECT version FROM gatehouse.migration_state WHERE set_name = 'wms'"); "0.0."+got != c.stands {
			t.Errorf("%s: golang-migrate's row says %s, the ledger %s", c.point, got, c.stands)
		}
		p.behindItsBack("UPDATE gatehouse.operations SET heard_at = heard_at - interval '1 hour', started_at = started_at - interval '1 hour' WHERE state = 'running'")
		if err := p.worker.Resolve(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := p.text("SELECT state || ': ' || sentence FROM gatehouse.operations WHERE operation_id = '" + id + "'"); !strings.HasPrefix(got, c.state) || !strings.Contains(got, c.words) {
			t.Errorf("%s: the operation says %q, want it %s with %q", c.point, got, c.state, c.words)
		}
	}
	if n := p.text("SELECT count(*) FROM gatehouse.restore_outcomes") + p.text("SELECT count(*) FROM gatehouse.audit_events WHERE action = 'backup:restore'"); n != "11" {
		t.Errorf("outcomes and entries of the restores that happened: %s, want one each", n)
	}
	p.must("audit", "verify")
}
