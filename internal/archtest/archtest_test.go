// Package archtest holds the floors of the house as a table and reads the imports of every package against it.
//
// A package without a row fails, and so does an import that a row does not allow. Who needs a new arrow changes this
// table in a commit of its own, with an ADR.
package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/agogsaas/gatehouse/"

// words is floor 0: no imports of ours, and only uuid from outside.
var words = []string{"internal/fault", "internal/actor", "internal/audit", "internal/stats", "internal/clock"}

// libraries by the floor that may speak them.
var (
	uuid = []string{"github.com/google/uuid"}
	pgx  = []string{"github.com/jackc/pgx/v5", "github.com/google/uuid"}
	echo = []string{"github.com/labstack/echo/v4", "github.com/a-h/templ", "github.com/google/uuid"}
)

// row says what a package may import: ours by path below the module (a trailing /... takes all below), theirs by prefix;
// nil theirs means the standard library alone, and "*" anything.
type row struct{ ours, theirs []string }

// domain is floor 1: the words, uuid and the exact decimal type, and the sideways arrows that are named.
func domain(sideways ...string) row {
	return row{slices.Concat(words, sideways), append([]string{"github.com/shopspring/decimal"}, uuid...)}
}

var floors = map[string]row{
	"internal/fault": {nil, uuid}, "internal/actor": {[]string{"internal/fault"}, uuid}, "internal/audit": {nil, uuid}, "internal/clock": {nil, nil},
	"internal/live": {[]string{"internal/fault"}, uuid},

	"internal/signoff":   domain("internal/live"),
	"internal/change":    domain(),
	"internal/runbook":   domain("internal/signoff", "internal/change", "internal/live"),
	"internal/migration": domain("internal/signoff", "internal/change"),
	"internal/inbox":     domain("internal/live"),
	"internal/dossier":   domain("internal/snapshot"),
	"internal/health":    domain(),
	"internal/snapshot":  domain("internal/health"),
	"internal/review":    domain("internal/snapshot"),
	"internal/quality":   domain(),
	"internal/scan":      domain(),
	"internal/dimension": domain(),
	"internal/capacity":  domain(),
	"internal/crossdock": domain("internal/capacity"),
	"internal/backup":    domain(),
	"internal/operation": domain("internal/backup"),
	"internal/restore":   domain("internal/backup"),

	"internal/postgres":  {slices.Concat(words, []string{"internal/signoff", "internal/runbook", "internal/migration", "internal/health", "internal/quality", "internal/capacity", "internal/crossdock", "internal/backup", "internal/operation", "internal/restore", "internal/change", "internal/inbox", "internal/snapshot", "internal/review", "internal/dossier", "internal/dimension", "internal/live", "internal/faultpoint"}), append([]string{"github.com/shopspring/decimal"}, pgx...)},
	"internal/migrator":  {slices.Concat(words, []string{"internal/migration", "migrations", "internal/faultpoint"}), append([]string{"github.com/golang-migrate/migrate/v4"}, pgx...)},
	"internal/oidc":      {words, []string{"github.com/coreos/go-oidc/v3", "golang.org/x/oauth2", "github.com/go-jose/go-jose/v4", "golang.org/x/sync"}},
	"internal/privatepg": {nil, pgx},
	"internal/sqlparse":  {[]string{"internal/migration"}, []string{"github.com/wasilibs/go-pgquery"}},
	"internal/pgdump":    {slices.Concat(words, []string{"internal/backup", "internal/privatepg"}), pgx},

	"internal/objectstore": {slices.Concat(words, []string{"internal/backup"}), append([]string{"github.com/minio/minio-go/v7"}, uuid...)},

	"migrations":           {nil, nil},
	"static":               {nil, nil},
	"templates/layouts":    {nil, echo},
	"templates/components": {[]string{"templates/layouts"}, echo},
	"templates/pages":      {[]string{"templates/layouts", "templates/components"}, echo},

	"web":            {[]string{"internal/fault", "internal/actor", "internal/audit", "internal/live", "internal/faultpoint", "templates/...", "static"}, append([]string{"github.com/alexedwards/scs/v2", "golang.org/x/time", "github.com/shopspring/decimal"}, echo...)},
	"handlers":       {slices.Concat(words, []string{"internal/live", "web", "templates/...", "internal/signoff", "internal/runbook", "internal/migration", "internal/health", "internal/quality", "internal/capacity", "internal/crossdock", "internal/backup", "internal/operation", "internal/restore", "internal/change", "internal/inbox", "internal/snapshot", "internal/review", "internal/dossier", "internal/scan", "internal/dimension"}), append([]string{"github.com/shopspring/decimal"}, echo...)},
	"internal/graph": {slices.Concat(words, []string{"web", "internal/health", "internal/quality"}), append([]string{"github.com/99designs/gqlgen", "github.com/vektah/gqlparser/v2"}, echo...)},

	// The roof, and what stands beside the house to test and to show it.
	"internal/app": {[]string{"..."}, []string{"*"}}, "internal/setup": {[]string{"internal/actor", "internal/postgres", "internal/migrator", "migrations"}, []string{"*"}}, "cmd/gatehouse": {[]string{"..."}, []string{"*"}},
	"internal/demo/warehouse": {nil, pgx}, "internal/demoidp": {nil, []string{"*"}},
	"internal/pgtest":    {[]string{"internal/privatepg"}, pgx},
	"internal/housetest": {[]string{"..."}, pgx}, "internal/faultpoint": {nil, nil}, "internal/tcpproxy": {nil, nil},
	"internal/htmlcheck": {nil, []string{"golang.org/x/net"}},
	"internal/archtest":  {nil, nil}, "internal/e2e": {[]string{"..."}, []string{"*"}}, "internal/bench": {[]string{"..."}, []string{"*"}}, "internal/bench/prototype": {[]string{"templates/..."}, []string{"*"}},
}

type goPackage struct {
	ImportPath string
	Imports    []string
	Standard   bool
}

func TestFloors(t *testing.T) {
	for _, p := range list(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		floor, known := floors[name]
		if !known {
			t.Errorf("package %s stands on no floor: give it a row in archtest", name)
			continue
		}
		for _, imported := range p.Imports {
			if !allowed(floor, imported) {
				t.Errorf("%s may not import %s", name, strings.TrimPrefix(imported, module))
			}
		}
	}
}

func allowed(floor row, imported string) bool {
	if ours, ok := strings.CutPrefix(imported, module); ok {
		return slices.ContainsFunc(floor.ours, func(pattern string) bool { return matches(pattern, ours) })
	}
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return true // the standard library
	}
	return slices.ContainsFunc(floor.theirs, func(library string) bool {
		return library == "*" || imported == library || strings.HasPrefix(imported, library+"/")
	})
}

func matches(pattern, name string) bool {
	if below, ok := strings.CutSuffix(pattern, "..."); ok {
		return strings.HasPrefix(name, below)
	}
	return pattern == name
}

func TestAllowedKnowsFloors(t *testing.T) {
	for _, c := range []struct {
		from, imported string
		want           bool
	}{
		{"internal/health", "github.com/jackc/pgx/v5", false},
		{"internal/health", module + "internal/postgres", false},
		{"internal/runbook", module + "internal/signoff", true},
		{"internal/signoff", module + "internal/runbook", false},
		{"internal/postgres", "github.com/jackc/pgx/v5/pgxpool", true},
		{"templates/pages", module + "internal/actor", false},
		{"web", "net/http", true},
		{"web", module + "internal/postgres", false},
	} {
		if got := allowed(floors[c.from], c.imported); got != c.want {
			t.Errorf("allowed(%s, %s) = %v, want %v", c.from, c.imported, got, c.want)
		}
	}
}

func list(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,Standard", "./...")
	cmd.Dir = "../.."
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, complaints.String())
	}
	var packages []goPackage
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("reading go list: %v", err)
		}
		packages = append(packages, p)
	}
}
