package postgres_test

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// ownersStatements are run by set-up as another role, or are no single statement; their own tests run them.
var ownersStatements = map[string]bool{"PersonNamed": true, "AddSigningCode": true, "RevokeSigningCode": true, "SigningCodes": true, "SetUpRoles": true, "SetUpSchemas": true, "GrantJobs": true, "AddTenant": true, "AddWayBack": true, "DemoDatabaseExists": true, "DropHalfDemoDatabase": true, "CreateDemoDatabase": true, "FinishDemoDatabase": true}

func TestEveryStatementPrepares(t *testing.T) {
	d := housetest.At(t, "0.0.22")
	conn, err := pgx.Connect(t.Context(), d.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	for name, text := range postgres.Statements {
		if ownersStatements[name] {
			continue
		}
		if _, err := conn.Prepare(t.Context(), name, positional(text)); err != nil {
			t.Errorf("statement %s: %v", name, err)
		}
	}
}

var namedArgument = regexp.MustCompile(`([^@\w])@([a-z_][a-z0-9_]*)`)

// positional gives every named argument a number, as pgx does when it runs the statement.
func positional(text string) string {
	text = regexp.MustCompile(`--[^\n]*`).ReplaceAllString(text, "")
	numbers := map[string]string{}
	return namedArgument.ReplaceAllStringFunc(text, func(match string) string {
		parts := namedArgument.FindStringSubmatch(match)
		if _, ok := numbers[parts[2]]; !ok {
			numbers[parts[2]] = "$" + strconv.Itoa(len(numbers)+1)
		}
		return parts[1] + numbers[parts[2]]
	})
}

func TestEveryNameIsAStatementAndEveryStatementIsUsed(t *testing.T) {
	used := map[string]bool{}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	call := regexp.MustCompile(`\bsql\("([A-Za-z0-9]+)"\)`)
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		text, err := os.ReadFile(entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range call.FindAllStringSubmatch(string(text), -1) {
			used[match[1]] = true
			if _, ok := postgres.Statements[match[1]]; !ok {
				t.Errorf("%s names statement %s, which no .sql file has", entry.Name(), match[1])
			}
		}
		for name := range postgres.Statements {
			if strings.Contains(string(text), `"`+name+`"`) {
				used[name] = true
			}
		}
	}
	for name := range postgres.Statements {
		if !used[name] {
			t.Errorf("statement %s is used nowhere", name)
		}
	}
}
