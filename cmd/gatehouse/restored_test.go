package main

import (
	"context"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/privatepg"
)

// O01 and A03: a host onto which a backup was restored says whether that is the state which was published last.
func TestARestoredHostSaysWhatItHolds(t *testing.T) {
	o, dir := backingUp(t)
	heads := filepath.Join(t.TempDir(), "heads")
	t.Setenv("GATEHOUSE_AUDIT_HEADS", heads)
	o.must("audit", "verify")
	o.must("backup", "create")
	newer := strings.TrimSpace(o.must("token", "--tenant", "rivermark", "--name", "made after the backup", "--right", "health:read"))
	if newer == "" {
		t.Fatal("no token was made")
	}
	restored := o.restoreElsewhere(filepath.Join(dir, folder{t, dir}.names()[0]))
	t.Setenv("GATEHOUSE_DATABASE_URL", restored(o.d.AppURL))
	t.Setenv("GATEHOUSE_OWNER_DATABASE_URL", restored(o.d.OwnerURL))
	out, _ := o.run("doctor") // other findings are not of interest
	if !strings.Contains(out, "every chain holds from its first entry to its head") || !strings.Contains(out, "stands at V0.0.18") {
		t.Errorf("where nothing newer was published, doctor says\n%s", out)
	}
	// The real one publishes its newer head; then yesterday's state comes up in its place.
	t.Setenv("GATEHOUSE_DATABASE_URL", o.d.AppURL)
	o.must("audit", "verify")
	t.Setenv("GATEHOUSE_DATABASE_URL", restored(o.d.AppURL))
	out, err := o.run("doctor")
	if err == nil || !strings.Contains(out, "BAD   audit trail") || !strings.Contains(out, "an older state of the database was restored") {
		t.Errorf("on an older state doctor = %v and says\n%s", err, out)
	}
	o.refused(1, "does not hold", "audit", "verify")
}

// restoreElsewhere restores the dump into an empty database, by hand as one does on an empty host, and says how an address
// leads there.
func (o operator) restoreElsewhere(file string) func(address string) string {
	o.t.Helper()
	name := o.d.Name + "_restored"
	to := func(address string) string {
		o.t.Helper()
		u, err := url.Parse(address)
		if err != nil {
			o.t.Fatal(err)
		}
		u.Path = "/" + name
		return u.String()
	}
	super := pgtest.Pool(o.t, o.d.SuperURL)
	if _, err := super.Exec(o.t.Context(), "CREATE DATABASE "+name+" TEMPLATE template0 OWNER gatehouse_owner"); err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() {
		ctx := context.WithoutCancel(o.t.Context())
		conn, err := pgx.Connect(ctx, o.d.SuperURL)
		if err != nil {
			o.t.Fatal(err)
		}
		defer conn.Close(ctx) //nolint:errcheck // the test is over
		if _, err := conn.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			o.t.Error(err)
		}
	})
	tools, err := privatepg.FindBinDir("")
	if err != nil {
		o.t.Fatal(err)
	}
	if out, err := exec.CommandContext(o.t.Context(), filepath.Join(tools, "pg_restore"), "--exit-on-error", "--dbname="+to(o.d.OwnerURL), file).CombinedOutput(); err != nil {
		o.t.Fatalf("pg_restore: %v\n%s", err, out)
	}
	return to
}
