package app

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

func find(t *testing.T, list []Setting, name string) Setting {
	t.Helper()
	i := slices.IndexFunc(list, func(s Setting) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("Settings does not list %s", name)
	}
	return list[i]
}

func TestSettingsSayWhereEachComesFrom(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	list := Settings([]string{
		"GATEHOUSE_ADDR=127.0.0.1:9000", "GATEHOUSE_OIDC_CLIENT_SECRET_FILE=" + file, "GATEHOUSE_DATABASE_URL=postgres://u:hunter2@db/erp",
		"GATEHOUSE_SESSION_IDLE=soon", "GATEHOUSE_TOKEN=gatehouse_hunter3", "GATEHOUSE_S3_SECRET_KEY_FILE=" + file + "-not-there",
	})
	for _, want := range []Setting{
		{Name: "GATEHOUSE_ADDR", Value: "127.0.0.1:9000", Source: "environment"},
		{Name: "GATEHOUSE_ENVIRONMENT", Value: "production", Source: "default"},
		{Name: "GATEHOUSE_DATABASE_URL", Value: "***", Source: "environment"},
		{Name: "GATEHOUSE_OWNER_DATABASE_URL", Source: "not set"},
		{Name: "GATEHOUSE_OIDC_CLIENT_SECRET", Value: "***", Source: "file " + file},
		{Name: "GATEHOUSE_SESSION_IDLE", Value: "soon", Source: "environment", Problem: "must be a time of at least a minute, like 30m or 8h"},
		{Name: "GATEHOUSE_TOKEN", Value: "***", Source: "environment, for single commands"},
	} {
		if diff := cmp.Diff(want, find(t, list, want.Name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want.Name, diff)
		}
	}
	if missing := find(t, list, "GATEHOUSE_S3_SECRET_KEY"); missing.Problem == "" || missing.Value != "" {
		t.Errorf("a file that is not there: %+v, want a problem", missing)
	}
	for _, o := range Options {
		find(t, list, o.Name)
	}
	for _, secret := range []string{"hunter2", "hunter3", "s3cret"} {
		if said := fmt.Sprintf("%+v", list); strings.Contains(said, secret) {
			t.Errorf("Settings tell %q", secret)
		}
	}
}

func TestPGVariablesStandInForTheAddress(t *testing.T) {
	pg := []string{"PGHOST=db.example.com", "PGPORT=6432", "PGDATABASE=erp", `PGPASSWORD=it's a \ secret`, "PGSSLMODE=verify-full"}
	c, err := Load(pg)
	if err != nil {
		t.Fatal(err)
	}
	read, err := pgx.ParseConfig(string(c.DatabaseURL))
	if err != nil {
		t.Fatalf("what was made of PG*: %v", err)
	}
	got := []any{read.Host, read.Port, read.Database, read.User, read.Password, read.TLSConfig != nil}
	if diff := cmp.Diff([]any{"db.example.com", uint16(6432), "erp", "gatehouse_app", `it's a \ secret`, true}, got); diff != "" {
		t.Errorf("the address (-want +got):\n%s", diff)
	}
	if s := find(t, Settings(pg), "GATEHOUSE_DATABASE_URL"); s.Value != "***" || s.Source != "PGHOST, PGPORT, PGDATABASE, PGPASSWORD, PGSSLMODE" {
		t.Errorf("its source is %+v", s)
	}
	if err := c.CheckServe(); err == nil || strings.Contains(err.Error(), "GATEHOUSE_DATABASE_URL") || !strings.Contains(err.Error(), "GATEHOUSE_OWNER_DATABASE_URL") {
		t.Errorf("CheckServe = %v; want that the owner's address is missing and the application's is not", err)
	}
	for name, environ := range map[string][]string{
		"beside an address":      append(slices.Clone(pg), "GATEHOUSE_DATABASE_URL=postgres://gatehouse_app@elsewhere/erp"),
		"beside a wrong address": append(slices.Clone(pg), "GATEHOUSE_DATABASE_URL=nonsense"),
		"a database alone":       {"PGDATABASE=erp", "PGUSER=me"},
	} {
		if c, _ := Load(environ); strings.Contains(string(c.DatabaseURL), "db.example.com") || strings.Contains(string(c.DatabaseURL), "dbname") {
			t.Errorf("%s: PG* were used", name)
		}
	}
}

func TestUnknownVariablesSuggestTheNearest(t *testing.T) {
	for name, want := range map[string]string{
		"GATEHOUSE_ADRR":                    "did you mean GATEHOUSE_ADDR?",
		"GATEHOUSE_DATABSE_URL_FILE":        "did you mean GATEHOUSE_DATABASE_URL_FILE?",
		"GATEHOUSE_OIDC_ROLES_CLAIM":        "did you mean GATEHOUSE_OIDC_ROLE_CLAIM?",
		"GATEHOUSE_SOMETHING_ELSE_ENTIRELY": "no such variable; `gatehouse",
	} {
		if _, err := Load([]string{name + "=hunter2"}); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Load(%s) = %v, want %q and not the value", name, err, want)
		}
	}
}

// I9: a path prefix is refused, and the sentence says why and what to do.
func TestAPathPrefixIsRefused(t *testing.T) {
	for _, address := range []string{"https://tools.example.com/gatehouse", "https://tools.example.com/gatehouse/"} {
		if _, err := Load([]string{"GATEHOUSE_PUBLIC_URL=" + address}); err == nil || !strings.Contains(err.Error(), "without a path") || !strings.Contains(err.Error(), "name of its own") {
			t.Errorf("Load(%s) = %v, want a refusal that says what to do", address, err)
		}
	}
	if c, err := Load([]string{"GATEHOUSE_PUBLIC_URL=https://gatehouse.example.com/"}); err != nil || c.PublicURL.Host != "gatehouse.example.com" {
		t.Errorf("Load with a slash alone = %v", err)
	}
}
