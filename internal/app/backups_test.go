package app

import (
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/pgtest"
)

// The scheduler removes what is old by itself, for the tenant that operates the environment, and says so in the trail. What
// killed drills left is gone once the server has started.
func TestTheSchedulerKeepsBackupsTidy(t *testing.T) {
	t.Parallel()
	d, dir := housetest.At(t, "0.0.14"), t.TempDir()
	config := Config{OwnerDatabaseURL: Secret(d.OwnerURL), ScratchDatabaseURL: Secret(d.SuperURL), BackupDir: dir}
	db, log := housetest.Open(t, d), slog.New(slog.DiscardHandler)
	backups, err := Backups(config, db, func(text string, err error) { t.Errorf("%s: %v", text, err) })
	if err != nil {
		t.Fatal(err)
	}
	by := housetest.Person(housetest.Rivermark, "otto", actor.DevOpsEngineer)
	var names []string
	for range 2 {
		b, err := backups.Create(t.Context(), by)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, b.Name)
	}
	super := pgtest.Pool(t, d.SuperURL)
	if _, err := super.Exec(t.Context(), "ALTER TABLE gatehouse.backups DISABLE TRIGGER ALL; UPDATE gatehouse.backups SET taken_at = taken_at - interval '40 days'"); err != nil {
		t.Fatal(err)
	}
	j := jobs{db: db, backups: backups, keep: 30 * 24 * time.Hour, log: log}
	for range 2 { // the second time there is nothing to do
		if err := j.pruneBackups(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 || left[0].Name() != names[1] {
		t.Errorf("the folder holds %v, %v; want the newest, %s, alone", left, err, names[1])
	}
	var said string
	const trail = "SELECT string_agg(t.tenant_code || ' ' || a.name || ' ' || a.outcome, ',') FROM gatehouse.audit_events a JOIN gatehouse.tenants t USING (tenant_id) WHERE a.action = 'backup:prune'"
	if err := super.QueryRow(t.Context(), trail).Scan(&said); err != nil || said != "rivermark Gatehouse scheduler done" {
		t.Errorf("the trail says %q, %v; want one removal by the scheduler", said, err)
	}

	if _, err := super.Exec(t.Context(), "CREATE DATABASE gatehouse_scratch_drill_1_killed"); err != nil {
		t.Fatal(err)
	}
	a := &App{config: config, log: log}
	a.house.backups = backups
	a.sweepScratch(t.Context())
	var n int
	if err := super.QueryRow(t.Context(), "SELECT count(*) FROM pg_database WHERE datname = 'gatehouse_scratch_drill_1_killed'").Scan(&n); err != nil || n != 0 {
		t.Errorf("after the start %d scratch databases are left, %v; want none", n, err)
	}
}

// A place for backups that is half configured, or twice, is said at once, and no secret with it.
func TestThePlaceForBackupsIsWholeOrNone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		environ string
		want    string
	}{
		"folder":            {"GATEHOUSE_BACKUP_DIR=/b", ""},
		"bucket":            {"GATEHOUSE_S3_ENDPOINT=s3.example.com GATEHOUSE_S3_BUCKET=b GATEHOUSE_S3_ACCESS_KEY=k GATEHOUSE_S3_SECRET_KEY=hidden", ""},
		"both":              {"GATEHOUSE_BACKUP_DIR=/b GATEHOUSE_S3_ENDPOINT=s3.example.com GATEHOUSE_S3_BUCKET=b GATEHOUSE_S3_ACCESS_KEY=k GATEHOUSE_S3_SECRET_KEY=hidden", "kept in one place"},
		"no keys":           {"GATEHOUSE_S3_ENDPOINT=s3.example.com GATEHOUSE_S3_BUCKET=b GATEHOUSE_S3_SECRET_KEY=hidden", "GATEHOUSE_S3_ACCESS_KEY: is not set"},
		"no endpoint":       {"GATEHOUSE_S3_BUCKET=b", "is set without GATEHOUSE_S3_ENDPOINT"},
		"an address":        {"GATEHOUSE_S3_ENDPOINT=https://s3.example.com", "must be a host"},
		"plain elsewhere":   {"GATEHOUSE_S3_ENDPOINT=s3.example.com:9000 GATEHOUSE_S3_TLS=off GATEHOUSE_S3_BUCKET=b GATEHOUSE_S3_ACCESS_KEY=k GATEHOUSE_S3_SECRET_KEY=hidden", "must not send backups unencrypted"},
		"plain, the same":   {"GATEHOUSE_S3_ENDPOINT=127.0.0.1:9000 GATEHOUSE_S3_TLS=off GATEHOUSE_S3_BUCKET=b GATEHOUSE_S3_ACCESS_KEY=k GATEHOUSE_S3_SECRET_KEY=hidden", ""},
		"kept too short":    {"GATEHOUSE_BACKUP_KEEP=1h", "at least 24h"},
		"kept for ever":     {"GATEHOUSE_BACKUP_KEEP=forever", ""},
		"neither on or off": {"GATEHOUSE_S3_TLS=maybe", "on or off"},
	} {
		_, err := Load(strings.Fields(c.environ))
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: Load = %v, want no problem", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hidden")):
			t.Errorf("%s: Load = %v, want %q and no secret", name, err, c.want)
		}
	}
}
