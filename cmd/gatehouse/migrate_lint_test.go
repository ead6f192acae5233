package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/pgtest"
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

// What waits to be applied is judged by the sizes of the database; what is in it is only told.
func TestLintJudgesByTheDatabase(t *testing.T) {
	o := atAShell(t, "0.0.18")
	o.must("migrate", "lint")
	super := pgtest.Pool(t, o.d.SuperURL)
	if _, err := super.Exec(t.Context(), "UPDATE pg_class SET relpages = 100000, reltuples = 2000000 WHERE oid = 'public.putaway_recommendations'::regclass"); err != nil {
		t.Fatal(err)
	}
	o.refused(1, "V0.0.20__fix_bin_optimization_data_quality.sql has to be put right", "migrate", "lint")
	for _, said := range []string{o.must("migrate", "status"), o.must("migrate", "plan")} {
		if want := "AccessExclusiveLock on public.putaway_recommendations; worst finding: stop, rewrite in line 58."; !strings.Contains(said, want) {
			t.Errorf("migrate status and plan do not say %q:\n%s", want, said)
		}
	}
	if said := o.must("migrate", "status", "--json"); !strings.Contains(said, `"size": "2000000 rows`) {
		t.Errorf("migrate status --json does not say the table's size:\n%s", said)
	}
	if _, err := super.Exec(t.Context(), "UPDATE pg_class SET relpages = 100000, reltuples = 2000000 WHERE oid = 'public.lots'::regclass"); err != nil {
		t.Fatal(err)
	}
	if said := o.must("migrate", "lint", "V0.0.15"); !strings.Contains(said, "stop, line") || !strings.Contains(said, "in the database already") {
		t.Errorf("a version that is applied is not told of, or judged:\n%s", said)
	}
}
