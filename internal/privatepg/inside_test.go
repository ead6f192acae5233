package privatepg

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNoBinariesNamesTheThreeWaysOut(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	empty := t.TempDir()
	for name, find := range map[string]func() (string, error){
		"nothing installed": func() (string, error) { return findBinDir("", 0, []string{filepath.Join(empty, "*", "bin")}) },
		"a wrong PG_BINDIR": func() (string, error) { return FindBinDir(empty) },
	} {
		got, err := find()
		var none *NotInstalled
		if !errors.As(err, &none) {
			t.Fatalf("%s: %q, %v; want NotInstalled", name, got, err)
		}
		for _, way := range []string{"apt-get install postgresql-15", "PG_BINDIR", "GATEHOUSE_DATABASE_URL"} {
			if !strings.Contains(err.Error(), way) {
				t.Errorf("%s: the error %q does not name %s", name, err, way)
			}
		}
	}
}

func TestFindBinDirTakesTheNewestUnlessTheDataNeedAnother(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	root := t.TempDir()
	for _, version := range []string{"9", "15", "16", "17"} {
		dir := filepath.Join(root, version, "bin")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		programs := []string{"initdb", "postgres"}
		if version == "17" {
			programs = []string{"psql", "initdb"} // the client package alone
		}
		for _, program := range programs {
			if err := os.WriteFile(filepath.Join(dir, program), nil, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		prefer int
		want   string
	}{{0, "16"}, {15, "15"}, {14, "16"}} {
		got, err := findBinDir("", c.prefer, []string{filepath.Join(root, "*", "bin")})
		if want := filepath.Join(root, c.want, "bin"); err != nil || got != want {
			t.Errorf("findBinDir with data of %d = %q, %v; want %q", c.prefer, got, err, want)
		}
	}
}

func TestParseVersion(t *testing.T) {
	for line, want := range map[string]int{
		"postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)\n": 15,
		"postgres (PostgreSQL) 18beta1":                          18,
		"postgres (PostgreSQL) 16":                               16,
		"postgres: command not found":                            0,
		"":                                                       0,
	} {
		got, err := parseVersion(line)
		if got != want || (err == nil) != (want != 0) {
			t.Errorf("parseVersion(%q) = %d, %v; want %d", line, got, err, want)
		}
	}
}

func TestASocketFolderThatSomebodyPreparedIsRefused(t *testing.T) {
	who, err := chooseAccount("", "")
	if err != nil {
		t.Fatal(err)
	}
	target := t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if err := checkSocketDir(link, who); err == nil {
		t.Error("a link is taken for the socket folder")
	}
	if owner, _ := ownerOf(target); owner != os.Geteuid() {
		t.Errorf("the link's target was given to user %d", owner)
	}
	if os.Geteuid() == 0 {
		other := t.TempDir()
		if err := os.Chown(other, 12345, 12345); err != nil {
			t.Fatal(err)
		}
		if err := checkSocketDir(other, who); err == nil {
			t.Error("a folder of user 12345 is taken for the socket folder")
		}
	}
}

func TestDefaultDir(t *testing.T) {
	got, err := DefaultDir()
	want := "/var/lib/gatehouse/postgres"
	if os.Geteuid() != 0 {
		t.Setenv("XDG_STATE_HOME", "/somewhere/state")
		got, err = DefaultDir()
		want = "/somewhere/state/gatehouse/postgres"
	}
	if err != nil || got != want {
		t.Errorf("DefaultDir() = %q, %v; want %q", got, err, want)
	}
}
