package app

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// A shell that reads the file has what the demo was configured with, whatever stands in it.
func TestAShellReadsTheDemosConfiguration(t *testing.T) {
	t.Parallel()
	const awkward = "postgres://gatehouse_app@/gatehouse?host=%2Ftmp&port=5432 '$(touch it)' \"`x`\""
	d := &Demo{dir: filepath.Join(t.TempDir(), "it's a demo"), Config: Config{DatabaseURL: awkward, PublicURL: &url.URL{Scheme: "http", Host: "127.0.0.1:8080"}}}
	if err := d.writeEnviron(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(d.EnvironFile())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v, %v; want that only its owner reads it", info.Mode(), err)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", d.Sourcing()+`; printf %s "$GATEHOUSE_DATABASE_URL $GATEHOUSE_PUBLIC_URL"`)
	got, err := cmd.Output()
	if want := awkward + " http://127.0.0.1:8080"; err != nil || string(got) != want {
		t.Errorf("a shell reads %q, %v; want %q", got, err, want)
	}
}
