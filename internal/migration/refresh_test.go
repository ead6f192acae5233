package migration

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhichViewsAFileRefreshesConcurrently(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sql          string
		views, looks []string // that it refreshes at all, and that have to be ready before it runs
	}{
		{"REFRESH MATERIALIZED VIEW a;", nil, nil},
		{"REFRESH /* x */ MATERIALIZED VIEW CONCURRENTLY a; refresh materialized view concurrently w.\"b\" WITH DATA;", []string{"public.a", "w.b"}, []string{"public.a", "w.b"}},
		{"-- REFRESH MATERIALIZED VIEW CONCURRENTLY a\nSELECT 'REFRESH MATERIALIZED VIEW CONCURRENTLY a';", nil, nil},
		{"CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $f$ BEGIN REFRESH MATERIALIZED VIEW CONCURRENTLY a; END $f$;", []string{"public.a"}, nil},
		{"DO $$ BEGIN REFRESH MATERIALIZED VIEW CONCURRENTLY a; END $$;", []string{"public.a"}, []string{"public.a"}},
		{"CREATE MATERIALIZED VIEW a AS SELECT 1; REFRESH MATERIALIZED VIEW CONCURRENTLY a;", []string{"public.a"}, nil},
		{"CREATE UNIQUE INDEX i ON public.a (x); REFRESH MATERIALIZED VIEW CONCURRENTLY a;", []string{"public.a"}, nil},
		{"REFRESH MATERIALIZED VIEW CONCURRENTLY a; CREATE UNIQUE INDEX i ON public.a (x);", []string{"public.a"}, []string{"public.a"}},
	} {
		if diff := cmp.Diff(c.views, ViewsRefreshed(c.sql)); diff != "" {
			t.Errorf("ViewsRefreshed(%s) (-want +got):\n%s", c.sql, diff)
		}
		if diff := cmp.Diff(c.looks, File{SQL: c.sql}.MustBeRefreshable()); diff != "" {
			t.Errorf("MustBeRefreshable(%s) (-want +got):\n%s", c.sql, diff)
		}
	}
}

func TestThePostChecksNameTheIndexOfAConcurrentRefresh(t *testing.T) {
	t.Parallel()
	view := Object{Kind: "matview", Name: "public.a"}
	file := File{SQL: "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN REFRESH MATERIALIZED VIEW CONCURRENTLY a; END $$;", Card: Card{Creates: []Object{view}}}
	const name = "matview public.a can be refreshed CONCURRENTLY"
	for _, c := range []struct {
		fact   Fact
		passed bool
		found  string
	}{
		{Fact{Object: view, Found: true, Sound: true, Detail: "a_key"}, true, "index a_key"},
		{Fact{Object: view, Found: true, Sound: true}, false, "no such index"},
		{Fact{Object: view}, false, "no such view"},
	} {
		checks := Checks(file, true, []Fact{c.fact})
		if len(checks) != 2 || checks[1].Name != name || checks[1].Passed != c.passed || checks[1].Found != c.found || strings.Contains(checks[0].Found, "a_key") {
			t.Errorf("with %+v the checks are %+v, want %s: %t, %q", c.fact, checks, name, c.passed, c.found)
		}
	}
	plain := file
	plain.SQL = "SELECT 1;"
	if checks := Checks(plain, true, []Fact{{Object: view, Found: true, Sound: true}}); len(checks) != 1 {
		t.Errorf("a view that nothing refreshes CONCURRENTLY is checked for it: %+v", checks)
	}
}
