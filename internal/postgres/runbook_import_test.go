package postgres_test

import (
	"strings"
	"testing"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/runbook"
)

func TestAnImportedRunbookIsItsCompanysAndIsNeverReplaced(t *testing.T) {
	t.Parallel()
	r := newHouse(t)
	ctx := t.Context()
	own := func(version, title string) []byte {
		return []byte(strings.NewReplacer(`"name":"small"`, `"name":"ours"`, `"version":"1.0.0"`, `"version":"`+version+`"`, `"title":"Small"`, `"title":"`+title+`"`).Replace(small))
	}
	if _, _, err := r.runbook.Import(ctx, qa, own("1.9.0", "Ours")); !fault.Is(err, fault.Forbidden) {
		t.Errorf("importing as QA lead: %v, want forbidden", err)
	}
	if _, _, err := r.runbook.Import(ctx, devops, []byte(small)); !fault.Is(err, fault.Invalid) {
		t.Errorf("importing under a name of the program's: %v, want a refusal", err)
	}
	first, problems, err := r.runbook.Import(ctx, devops, own("1.9.0", "Ours"))
	if err != nil || len(problems) == 0 || !problems[0].Warning {
		t.Fatalf("Import: %v, %v; want it taken, with a warning that it names no way back", problems, err)
	}
	for _, title := range []string{"Ours", "Another"} {
		if _, _, err := r.runbook.Import(ctx, devops, own("1.9.0", title)); !fault.Is(err, fault.Conflict) {
			t.Errorf("the same version again, as %s: %v, want a conflict", title, err)
		}
	}
	if _, err := r.super.Exec(ctx, "UPDATE gatehouse.runbook_templates SET person = 'x'"); err == nil {
		t.Error("an imported runbook was changed by hand, past no trigger")
	}
	if n := r.count("SELECT count(*) FROM gatehouse.audit_events WHERE action = 'runbook:import' AND after ->> 'sha256' = $1", first.SHA256); n != 1 {
		t.Errorf("%d entries of the import, want 1", n)
	}

	// The other company neither sees it nor starts from it.
	if _, err := r.runbook.Template(ctx, stranger, first.SHA256); !fault.Is(err, fault.NotFound) {
		t.Errorf("the runbook for another company: %v, want not found", err)
	}
	request := runbook.StartRequest{Template: first.SHA256, Code: "REQ-2", Title: "Two", T0: t0, TimeZone: "Europe/Lisbon"}
	if _, err := r.runbook.Start(ctx, stranger, request); !fault.Is(err, fault.Invalid) {
		t.Errorf("another company starts from it: %v, want a refusal", err)
	}
	if r.id, err = r.runbook.Start(ctx, starter, request); err != nil {
		t.Fatalf("Start: %v", err)
	}
	if _, _, err := r.runbook.Import(ctx, devops, own("1.10.0", "Ours, better")); err != nil {
		t.Fatalf("Import of the next version: %v", err)
	}
	release, newest, err := r.runbook.Frozen(ctx, qa, r.id)
	if err != nil || release.Template.Version != "1.9.0" || release.Newest.Version != "1.10.0" || newest.Version != "1.10.0" {
		t.Errorf("the release runs by %s, the newest is %s (%s), %v; want 1.9.0, frozen, and 1.10.0", release.Template.Version, release.Newest.Version, newest.Version, err)
	}
	if changes := runbook.DiffTemplates(release.Template, newest); len(changes) != 1 || changes[0].Now != "Ours, better" {
		t.Errorf("they differ in %+v, want the title", changes)
	}
	if !newest.Imported.By.Known() || newest.Imported.By.Name != devops.Name {
		t.Errorf("it was imported by %+v", newest.Imported)
	}
	machine := actor.Actor{Tenant: devops.Tenant, Issuer: "gatehouse", Subject: "command line", Name: "command line", Rights: []actor.Right{actor.ReleaseRead}}
	if _, _, err := r.runbook.Import(ctx, machine, own("3.0.0", "Ours")); !fault.Is(err, fault.Forbidden) {
		t.Errorf("importing by a machine without the right: %v, want forbidden", err)
	}
}

// The pages that offer runbooks read all of a company's, so what they hold together is bounded.
func TestRunbooksOfACompanyAreBoundedTogether(t *testing.T) {
	t.Parallel()
	r := newHouse(t)
	ctx := t.Context()
	_, err := r.super.Exec(ctx, `INSERT INTO gatehouse.runbook_templates (tenant_id, name, version, sha256, template, issuer, subject, person)
		SELECT $1, 'large', '1.0.' || n, encode(sha256(convert_to(x.body, 'UTF8')), 'hex'), x.body, 'i', 's', 'p'
		  FROM generate_series(1, 10) n, LATERAL (SELECT n || repeat('x', $2) AS body) x`, devops.Tenant, runbook.MaxTemplate-50)
	if err != nil {
		t.Fatal(err)
	}
	ours := []byte(strings.Replace(small, `"name":"small"`, `"name":"ours"`, 1))
	_, _, err = r.runbook.Import(ctx, devops, ours)
	if refused, ok := fault.As(err); !ok || refused.Kind != fault.Conflict || !strings.Contains(refused.Fields[runbook.TemplateField], "20 MiB together") {
		t.Errorf("one more runbook than there is room for: %v, want a conflict that says so", err)
	}
	if _, _, err := r.runbook.Import(ctx, stranger, ours); err != nil {
		t.Errorf("the other company has room of its own: %v", err)
	}
}
