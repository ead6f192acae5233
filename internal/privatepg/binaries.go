package privatepg

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Oldest is the oldest major version of PostgreSQL that Gatehouse works with.
const Oldest = 15

// usualPlaces are where distributions and installers put the server binaries;
// they are not in PATH on Debian, Red Hat or Alpine.
var usualPlaces = []string{
	"/usr/lib/postgresql/*/bin",                          // Debian, Ubuntu
	"/usr/pgsql-*/bin",                                   // Red Hat, from postgresql.org
	"/usr/lib/postgresql*/bin",                           // SUSE
	"/usr/libexec/postgresql*",                           // Alpine
	"/usr/local/pgsql/bin",                               // from source
	"/opt/homebrew/opt/postgresql@*/bin",                 // Homebrew on Apple silicon
	"/usr/local/opt/postgresql@*/bin",                    // Homebrew on Intel
	"/Applications/Postgres.app/Contents/Versions/*/bin", // Postgres.app
	"/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",    // Homebrew on Linux
	"/run/current-system/sw/bin", "/usr/local/bin", "/opt/pgsql/bin",
}

// NotInstalled says that no usable server binaries were found and names the
// ways out.
type NotInstalled struct {
	Hint   string   // the folder that was named by the caller, or ""
	Looked []string // the places that were searched
}

func (e *NotInstalled) Error() string {
	first := "PostgreSQL server binaries (initdb and postgres) were not found in any usual place."
	if e.Hint != "" {
		first = fmt.Sprintf("The folder %s does not hold the PostgreSQL server binaries initdb and postgres.", e.Hint)
	}
	return first + fmt.Sprintf(" Do one of three things: install them (apt-get install postgresql-%d), "+
		"set PG_BINDIR to the folder that holds them, "+
		"or set GATEHOUSE_DATABASE_URL to use a PostgreSQL that already runs.", Oldest)
}

// FindBinDir returns the folder that holds initdb and postgres. A hint, when
// there is one, is the only folder looked at: who names a folder wants that one.
// Otherwise it is the newest version in the usual places and in PATH.
func FindBinDir(hint string) (string, error) {
	return findBinDir(hint, 0, usualPlaces)
}

// findBinDir prefers the major version that an existing data folder needs, so
// that installing a newer PostgreSQL beside the old one does not lock it out.
func findBinDir(hint string, prefer int, places []string) (string, error) {
	if hint != "" {
		if !holdsServer(hint) {
			return "", &NotInstalled{Hint: hint}
		}
		return filepath.Abs(hint)
	}
	var found []string
	for _, place := range places {
		matches, err := filepath.Glob(place)
		if err != nil {
			return "", fmt.Errorf("searching %s: %w", place, err)
		}
		found = append(found, matches...)
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			found = append(found, filepath.Dir(real))
		}
	}
	found = slices.DeleteFunc(found, func(dir string) bool { return !holdsServer(dir) })
	if len(found) == 0 {
		return "", &NotInstalled{Looked: places}
	}
	slices.SortStableFunc(found, func(a, b string) int { return versionInPath(b) - versionInPath(a) })
	for _, dir := range found {
		if prefer != 0 && versionInPath(dir) == prefer {
			return dir, nil
		}
	}
	return found[0], nil
}

func holdsServer(dir string) bool {
	return isExecutable(filepath.Join(dir, "initdb")) && isExecutable(filepath.Join(dir, "postgres"))
}

func isExecutable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir() && info.Mode()&0o111 != 0
}

// versionInPath reads the last number of a path: 15 in /usr/lib/postgresql/15/bin.
func versionInPath(path string) int {
	version := 0
	for _, digits := range strings.FieldsFunc(path, func(r rune) bool { return r < '0' || r > '9' }) {
		if n, err := strconv.Atoi(digits); err == nil {
			version = n
		}
	}
	return version
}

// majorVersion asks the binary; "postgres --version" may be run as root.
func majorVersion(ctx context.Context, bin string) (int, error) {
	out, err := exec.CommandContext(ctx, filepath.Join(bin, "postgres"), "--version").Output()
	if err != nil {
		return 0, fmt.Errorf("asking %s/postgres for its version: %w", bin, err)
	}
	major, err := parseVersion(string(out))
	if err != nil {
		return 0, fmt.Errorf("asking %s/postgres for its version: %w", bin, err)
	}
	return major, nil
}

// parseVersion reads "postgres (PostgreSQL) 15.20 (Debian ...)", "... 18beta1".
func parseVersion(line string) (int, error) {
	fields := strings.Fields(line)
	if len(fields) < 3 {
		return 0, fmt.Errorf("%q is not a PostgreSQL version", strings.TrimSpace(line))
	}
	digits := fields[2]
	if end := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
		digits = digits[:end]
	}
	major, err := strconv.Atoi(digits)
	if err != nil {
		return 0, fmt.Errorf("%q is not a PostgreSQL version", strings.TrimSpace(line))
	}
	return major, nil
}
