package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLoadDefaults(t *testing.T) {
	c, err := Load(nil)
	if err != nil {
		t.Fatalf("Load(nil) = %v", err)
	}
	if c.Addr != "127.0.0.1:8080" || c.PublicURL.String() != "http://127.0.0.1:8080" || c.SessionIdle != 30*time.Minute || c.Environment != "production" {
		t.Errorf("Load(nil) = %+v: defaults are wrong", c)
	}
}

func TestLoadReportsEveryProblemAtOnceAndNoSecret(t *testing.T) {
	_, err := Load([]string{
		"GATEHOUSE_ADDR=nonsense", "GATEHOUSE_ENVIRONMENT=moon", "GATEHOUSE_DATABASE_URL=hunter2", "GATEHOUSE_SESSION_IDLE=-1s",
		"GATEHOUSE_PUBLIC_URL=javascript:alert(1)", "GATEHOUSE_TYPO=1", "GATEHOUSE_OIDC_CLIENT_SECRET_FILE=/does/not/exist",
		"GATEHOUSE_TRUSTED_PROXIES=10.0.0.0/8,x", "GATEHOUSE_LOG=xml",
	})
	if err == nil {
		t.Fatal("Load accepted nonsense")
	}
	for _, name := range []string{"GATEHOUSE_ADDR", "GATEHOUSE_ENVIRONMENT", "GATEHOUSE_DATABASE_URL", "GATEHOUSE_SESSION_IDLE", "GATEHOUSE_PUBLIC_URL", "GATEHOUSE_TYPO", "GATEHOUSE_OIDC_CLIENT_SECRET", "GATEHOUSE_TRUSTED_PROXIES", "GATEHOUSE_LOG"} {
		if !strings.Contains(err.Error(), name+":") {
			t.Errorf("Load does not name %s:\n%v", name, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("Load printed a secret:\n%v", err)
	}
}

// O02: who puts right what is wrong is not told afterwards what is missing.
func TestLoadServeNamesWhatIsWrongAndWhatIsMissing(t *testing.T) {
	_, err := LoadServe([]string{"GATEHOUSE_OIDC_ISSUER=ftp://x", "GATEHOUSE_DATABASE_URL=hunter2", "GATEHOUSE_TRUSTED_PROXIES=10.0.0.0/99, x,10.0.0.0/8"})
	if err == nil {
		t.Fatal("LoadServe accepted nonsense")
	}
	want := map[string]int{
		"GATEHOUSE_OIDC_ISSUER": 1, "GATEHOUSE_DATABASE_URL": 1, "GATEHOUSE_TRUSTED_PROXIES": 1,
		"GATEHOUSE_OWNER_DATABASE_URL": 1, "GATEHOUSE_OIDC_CLIENT_ID": 1, "GATEHOUSE_OIDC_CLIENT_SECRET": 1,
	}
	for name, times := range want {
		if got := strings.Count("\n"+err.Error(), "\n"+name+":"); got != times {
			t.Errorf("LoadServe names %s %d times, want %d:\n%v", name, got, times, err)
		}
	}
	for _, entry := range []string{`"10.0.0.0/99"`, `"x"`} {
		if !strings.Contains(err.Error(), entry) {
			t.Errorf("LoadServe does not name the entry %s:\n%v", entry, err)
		}
	}
}

func TestLoadReadsFileTwins(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load([]string{"GATEHOUSE_OIDC_CLIENT_SECRET_FILE=" + file})
	if err != nil || string(c.OIDCClientSecret) != "s3cret" {
		t.Errorf("Load(..._FILE) = %q, %v", string(c.OIDCClientSecret), err)
	}
	if got := fmt.Sprintf("%v %+v %#v %s", c.OIDCClientSecret, c, c, c.OIDCClientSecret); strings.Contains(got, "s3cret") {
		t.Errorf("a secret prints: %s", got)
	}
	if _, err := Load([]string{"GATEHOUSE_OIDC_CLIENT_SECRET=a", "GATEHOUSE_OIDC_CLIENT_SECRET_FILE=" + file}); err == nil {
		t.Error("Load accepted a variable and its _FILE twin together")
	}
}

func TestCheckServe(t *testing.T) {
	c, err := Load([]string{"GATEHOUSE_PUBLIC_URL=http://gatehouse.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	err = c.CheckServe()
	for _, want := range []string{"GATEHOUSE_DATABASE_URL", "GATEHOUSE_OWNER_DATABASE_URL", "GATEHOUSE_OIDC_ISSUER", "GATEHOUSE_OIDC_CLIENT_ID", "GATEHOUSE_OIDC_CLIENT_SECRET", "GATEHOUSE_PUBLIC_URL"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("CheckServe() does not name %s: %v", want, err)
		}
	}
}

// What single commands read may stand in a file like everything else, and is known to those that do not read it.
func TestVariablesOfCommands(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("gatehouse_x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := Variable([]string{"GATEHOUSE_TOKEN_FILE=" + file}, "GATEHOUSE_TOKEN"); got != "gatehouse_x" || err != nil {
		t.Errorf("Variable from a file = %q, %v", got, err)
	}
	if got, err := Variable(nil, "GATEHOUSE_TOKEN"); got != "" || err != nil {
		t.Errorf("Variable that is not set = %q, %v", got, err)
	}
	for _, wrong := range [][]string{{"GATEHOUSE_TOKEN=x", "GATEHOUSE_TOKEN_FILE=" + file}, {"GATEHOUSE_TOKEN_FILE=" + file + "-not-there"}} {
		if got, err := Variable(wrong, "GATEHOUSE_TOKEN"); err == nil || !strings.HasPrefix(err.Error(), "GATEHOUSE_TOKEN: ") {
			t.Errorf("Variable(%v) = %q, %v", wrong, got, err)
		}
	}
	if _, err := Load([]string{"GATEHOUSE_TENANT=rivermark", "GATEHOUSE_ADMIN_DATABASE_URL_FILE=" + file}); err != nil {
		t.Errorf("Load does not know what commands read: %v", err)
	}
}
