package migration

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

const testCard = "-- title: A step\n-- risk: low\n-- estimate: 8s\n-- reversible: yes\n"

func text(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }

func TestReadFilesRefusesWithAList(t *testing.T) {
	t.Parallel()
	good := testCard + "SELECT 1;"
	for name, c := range map[string]struct {
		files fstest.MapFS
		want  []string
	}{
		"another name":      {fstest.MapFS{"20_fix.up.sql": text(good)}, []string{"20_fix.up.sql: not a name like"}},
		"upper case":        {fstest.MapFS{"V0.0.20__Fix.sql": text(good), "v0.0.21__fix.sql": text(good)}, []string{"V0.0.20__Fix.sql: not a name", "v0.0.21__fix.sql: not a name"}},
		"leading zero":      {fstest.MapFS{"V0.0.020__fix.sql": text(good)}, []string{"\"0.0.020\" is not a version"}},
		"out of the folder": {fstest.MapFS{"..V0.0.20__fix.sql": text(good)}, []string{"..V0.0.20__fix.sql: not a name"}},
		"a folder":          {fstest.MapFS{"V0.0.20__fix.sql/inside": text(good)}, []string{"V0.0.20__fix.sql: not a name"}},
		"two of a version":  {fstest.MapFS{"V0.0.20__fix.sql": text(good), "V0.0.20__mend.sql": text(good), "U0.0.20__fix.sql": text("SELECT 1")}, []string{"V0.0.20__mend.sql: the same version as V0.0.20__fix.sql"}},
		"no undo":           {fstest.MapFS{"V0.0.20__fix.sql": text(good)}, []string{"there is no U0.0.20__fix.sql"}},
		"undo of nothing":   {fstest.MapFS{"U0.0.20__fix.sql": text("SELECT 1")}, []string{"there is no V file"}},
		"undo renamed":      {fstest.MapFS{"V0.0.20__fix.sql": text(good), "U0.0.20__mend.sql": text("SELECT 1")}, []string{"V0.0.20__fix.sql has another name"}},
		"no text":           {fstest.MapFS{"V0.0.20__fix.sql": text(testCard), "U0.0.20__fix.sql": text("\xff")}, []string{"U0.0.20__fix.sql: not UTF-8", "V0.0.20__fix.sql: holds no statement"}},
		"commits itself":    {fstest.MapFS{"V0.0.20__fix.sql": text(testCard + "SELECT 1;\nCOMMIT;"), "U0.0.20__fix.sql": text("ROLLBACK")}, []string{"U0.0.20__fix.sql: line 1: ROLLBACK", "V0.0.20__fix.sql: line 6: COMMIT"}},
		"psql":              {fstest.MapFS{"V0.0.20__fix.sql": text(testCard + "SELECT 1;\n\\! rm -rf /\nSELECT 2"), "U0.0.20__fix.sql": text("\\i other.sql")}, []string{"V0.0.20__fix.sql: line 6: \\: a command of psql", "U0.0.20__fix.sql: line 1: \\: a command of psql"}},
		"another role":      {fstest.MapFS{"V0.0.20__fix.sql": text(testCard + "SET LOCAL ROLE postgres"), "U0.0.20__fix.sql": text("set session authorization postgres")}, []string{"line 5: SET LOCAL: the ledger's row", "line 1: SET SESSION"}},
		"the server":        {fstest.MapFS{"V0.0.20__fix.sql": text(testCard + "ALTER SYSTEM SET fsync = off"), "U0.0.20__fix.sql": text("COPY t (a) FROM PROGRAM 'id'")}, []string{"line 5: ALTER SYSTEM", "line 1: COPY ... PROGRAM"}},
		"prepared commit":   {fstest.MapFS{"V0.0.20__fix.sql": text(testCard + "PREPARE TRANSACTION 'x'"), "U0.0.20__fix.sql": text("SELECT 1")}, []string{"line 5: PREPARE"}},
		"too patient":       {fstest.MapFS{"V0.0.20__fix.sql": text("-- lock_timeout: 3s\n" + good), "U0.0.20__fix.sql": text("SELECT 1")}, []string{"line 1: lock_timeout is 3s"}},
		"card":              {fstest.MapFS{"V0.0.20__fix.sql": text("-- title: x\n-- risk: some\n-- colour: blue\n-- creates: table lots\nSELECT 1"), "U0.0.20__fix.sql": text("SELECT 1")}, []string{"line 2: risk", "knows no \"colour\"", "does not name a table", "no line for estimate", "no line for reversible"}},
	} {
		_, err := ReadFiles(c.files, Rules{Undo: true})
		var list *FilesError
		if !errors.As(err, &list) {
			t.Errorf("%s: ReadFiles = %v, want a list", name, err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: ReadFiles said\n%v\nwithout %q", name, err, want)
			}
		}
	}
}

func TestSplitKnowsWhereStatementsEnd(t *testing.T) {
	t.Parallel()
	sql := "-- a; comment\nSELECT ';', \";\", E'\\';', $$;$$, $a$;$$;$a$; /* ; /* ; */ ; */\n" +
		"CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END;\n" +
		"CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2);;\nSELECT 1"
	var got []int
	for _, s := range Split(sql) {
		got = append(got, s.Line)
	}
	if diff := cmp.Diff([]int{2, 3, 4, 5}, got); diff != "" {
		t.Errorf("Split: lines of the statements (-want +got):\n%s", diff)
	}
}

func TestHashesTellCosmeticFromReal(t *testing.T) {
	t.Parallel()
	const base = "SELECT id FROM t; -- why\n"
	for name, c := range map[string]struct {
		text            string
		same, sameWords bool
	}{
		"the same":        {base, true, true},
		"CRLF":            {strings.ReplaceAll(base, "\n", "\r\n"), true, true},
		"another comment": {"SELECT id\n\tFROM t; -- because\n", false, true},
		"capitals":        {"select ID from T; -- why\n", false, true},
		"another column":  {"SELECT ix FROM t; -- why\n", false, false},
		"in quotes":       {"SELECT \"ID\" FROM t; -- why\n", false, false},
	} {
		if got := Hash(c.text) == Hash(base); got != c.same {
			t.Errorf("%s: the same hash is %v, want %v", name, got, c.same)
		}
		if got := TokenHash(c.text) == TokenHash(base); got != c.sameWords {
			t.Errorf("%s: the same hash of tokens is %v, want %v", name, got, c.sameWords)
		}
	}
	if TokenHash("SELECT $$a -- b$$") == TokenHash("SELECT $$a -- c$$") {
		t.Error("a comment in a function body does not count, but the database keeps it")
	}
}

func TestVersionsReadAndPrint(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"0.0.20": "V0.0.20", "V1.2.3": "V1.2.3", "999.999.999": "V999.999.999"} {
		v, err := ParseVersion(in)
		if err != nil || v.Title() != want {
			t.Errorf("ParseVersion(%q) = %s, %v; want %s", in, v.Title(), err, want)
		}
	}
	for _, in := range []string{"", "20", "0.0", "0.0.1000", "0.0.-1", "0.0.01", "0.0.20 ", "VV0.0.20"} {
		if v, err := ParseVersion(in); err == nil {
			t.Errorf("ParseVersion(%q) = %s, want an error", in, v)
		}
	}
}

func TestTablesOfReadsColumns(t *testing.T) {
	t.Parallel()
	got := TablesOf("CREATE TABLE public.a (id uuid PRIMARY KEY, n numeric(4,3) CHECK (n > 0 AND n IN (1, 2)), CONSTRAINT c UNIQUE (id, n), z text);\nCREATE INDEX i ON public.a (id);")
	if diff := cmp.Diff([]Table{{"public.a", []string{"id", "n", "z"}}}, got); diff != "" {
		t.Errorf("TablesOf (-want +got):\n%s", diff)
	}
}

// An undo file has no card of its own; without its up file's bounds it would wait for a lock for ever.
func TestAnUndoFileHasTheBoundsOfItsUpFile(t *testing.T) {
	t.Parallel()
	files, err := ReadFiles(fstest.MapFS{
		"V0.0.20__fix.sql": text("-- lock_timeout: 1s\n-- statement_timeout: 3m\n" + testCard + "SELECT 1"), "U0.0.20__fix.sql": text("SELECT 1"),
	}, Rules{Undo: true})
	if err != nil {
		t.Fatal(err)
	}
	undo, _ := files.Down(files.Last())
	if undo.Card.LockTimeout != time.Second || undo.Card.StatementTimeout != 3*time.Minute {
		t.Errorf("the undo file waits %s for a lock and %s for a statement; want 1s and 3m", undo.Card.LockTimeout, undo.Card.StatementTimeout)
	}
}

func TestAnIndexMadeConcurrentlyIsKnown(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]bool{
		"CREATE INDEX CONCURRENTLY i ON t (a)":                      true,
		"create unique index concurrently if not exists i ON t (a)": true,
		"DROP INDEX CONCURRENTLY i":                                 true,
		"REINDEX TABLE CONCURRENTLY t":                              true,
		"CREATE INDEX i ON t (a)":                                   false,
		"REFRESH MATERIALIZED VIEW CONCURRENTLY v":                  false,
		"CREATE TABLE concurrently (index int)":                     false,
	} {
		if got := Split(sql)[0].IndexConcurrently(); got != want {
			t.Errorf("IndexConcurrently(%s) = %t, want %t", sql, got, want)
		}
	}
}

// What only looks like a refused statement is none.
func TestWhatOnlyLooksRefusedIsNot(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{
		"SELECT 'COMMIT; \\! id'", "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN SET LOCAL role = 'x'; COMMIT; END $$",
		"CREATE TABLE program (role text, system int)", "COPY program FROM STDIN", "SET LOCAL search_path = public", "ALTER TABLE system ADD a int",
		"ROLLBACK TO SAVEPOINT a", "-- COPY t FROM PROGRAM 'id'\nSELECT 1",
	} {
		if why := Split(sql)[0].refusal(); why != "" {
			t.Errorf("%s is refused: %s", sql, why)
		}
	}
}
