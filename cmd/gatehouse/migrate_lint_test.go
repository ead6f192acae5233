package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/agogsaas/gatehouse/internal/migration"
)

func typedLint(t *testing.T, args ...string) (string, error) {
	t.Helper()
	root := rootCommand()
	var out bytes.Buffer
	root.SetArgs(append([]string{"migrate", "lint"}, args...))
	root.SetOut(&out)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

func TestLintNamesTheRewriteOfV20(t *testing.T) {
	said, err := typedLint(t, "V0.0.20", "V0.0.21")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"line 58, rewrite", "V0.0.21__fix_uuid_generation.sql: 0 findings"} {
		if !strings.Contains(said, want) {
			t.Errorf("migrate lint does not say %q:\n%s", want, said)
		}
	}
	said, err = typedLint(t, "--json", "V0.0.20")
	var reports []migration.LintReport
	if err != nil || json.Unmarshal([]byte(said), &reports) != nil || len(reports) != 1 || len(reports[0].Locks) == 0 || reports[0].Live {
		t.Errorf("migrate lint --json: %v, %s", err, said)
	}
}

func TestLintOfWhatThereIsNot(t *testing.T) {
	for _, named := range []string{"V0.0.17", "20; DROP", ""} {
		_, err := typedLint(t, named)
		var exit exitError
		if !errors.As(err, &exit) || exit.code != 2 {
			t.Errorf("migrate lint %q: %v, want exit code 2", named, err)
		}
	}
}
