package pgtest_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/pgtest"
)

// TestMain is also the other test process: with PGTEST_HOLD it runs its tests,
// says how that went, and then stays until it is killed.
func TestMain(m *testing.M) {
	code := m.Run()
	if os.Getenv("PGTEST_HOLD") != "" {
		fmt.Println("ran with code", code)
		_, _ = io.Copy(io.Discard, os.Stdin)
	}
	os.Exit(code)
}

// testProcess runs some of these tests in another process, whose folders go to
// a temporary folder of its own.
func testProcess(t *testing.T, run string, env ...string) (cmd *exec.Cmd, tmp string) {
	t.Helper()
	tmp, err := os.MkdirTemp("", "pgtest-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(tmp) })
	cmd = exec.CommandContext(t.Context(), os.Args[0], "-test.run="+run)
	cmd.Env = append(append(os.Environ(), "GATEHOUSE_TEST_DATABASE_URL=", "TMPDIR="+tmp), env...)
	return cmd, tmp
}

func TestNothingIsLeftWhenTheTestsEnd(t *testing.T) {
	t.Parallel()
	cmd, tmp := testProcess(t, "TestOpenGives|TestCleanUp")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	wantNothingLeft(t, tmp)
}

func TestNothingIsLeftWhenTheTestsAreKilled(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]string{"shared server": "TestOpenGives", "frozen cluster": "TestFreeze"} {
		cmd, tmp := testProcess(t, run, "PGTEST_HOLD=1", "PGTEST_KILL_IN_FREEZE=1")
		if _, err := cmd.StdinPipe(); err != nil {
			t.Fatal(err)
		}
		output, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(output)
		held := false
		for !held && lines.Scan() {
			held = lines.Text() == "ran with code 0" || lines.Text() == "frozen"
		}
		if len(servers(t, tmp)) == 0 {
			t.Errorf("%s: there is no server to be left behind", name)
		}
		if err := cmd.Process.Kill(); err != nil || !held {
			t.Fatalf("%s: the other process did not get far enough: %v", name, err)
		}
		_ = cmd.Wait() // says that it was killed
		wantNothingLeft(t, tmp)
	}
}

func TestFreezeStopsAnswersAndThawBringsThem(t *testing.T) {
	t.Parallel()
	pg := pgtest.Cluster(t)
	db := pgtest.OpenOn(t, pg, nil)
	conn, err := pgx.Connect(t.Context(), db.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	thaw := pgtest.Freeze(t, pg)
	answered := make(chan error, 1)
	go func() { answered <- conn.Ping(t.Context()) }()
	select {
	case err := <-answered:
		t.Fatalf("a frozen server answered: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	if os.Getenv("PGTEST_KILL_IN_FREEZE") != "" {
		fmt.Println("frozen")
		select {} // until killed
	}
	thaw()
	if err := <-answered; err != nil {
		t.Errorf("after thawing: %v", err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestANamedServerIsUsedWithPasswordsAndSwept(t *testing.T) {
	t.Parallel()
	pg := pgtest.Cluster(t, pgtest.WithPort(), pgtest.WithSetting("fsync", "off"))
	hba := filepath.Join(pg.Dir(), "data", "pg_hba.conf")
	if err := os.WriteFile(hba, []byte("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	super := pgtest.Pool(t, pg.URL("postgres", "postgres"))
	if _, err := super.Exec(t.Context(), "ALTER ROLE postgres PASSWORD 'known'"); err != nil {
		t.Fatal(err)
	}
	if _, err := super.Exec(t.Context(), "SELECT pg_reload_conf()"); err != nil {
		t.Fatal(err)
	}
	named := "GATEHOUSE_TEST_DATABASE_URL=" + strings.Replace(pg.TCPURL("postgres", "postgres", ""), "postgres@", "postgres:known@", 1)
	var before []string
	// The first tests come before anybody made the roles of Gatehouse.
	for _, run := range []string{"TestClonesAreSeparate", "TestOpenGives|TestClone|TestCleanUp", "TestOpenGives|TestClone|TestCleanUp"} {
		cmd, tmp := testProcess(t, run, named)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		wantNothingLeft(t, tmp)
		now := databases(t, pg.URL("postgres", "postgres"))
		// Templates of the last process may be there, nothing older and no clone.
		for _, name := range now {
			if slices.Contains(before, name) || !strings.Contains(name, "_t_") {
				t.Errorf("the database %s was left behind", name)
			}
		}
		if len(now) == 0 {
			t.Error("the named server was not used")
		}
		before = now
	}
	wrong, _ := testProcess(t, "TestOpenGives", "GATEHOUSE_TEST_DATABASE_URL=host=/nowhere")
	if out, err := wrong.CombinedOutput(); err == nil || !strings.Contains(string(out), "must be a URL like") {
		t.Errorf("with a name that is no URL the tests say %v\n%s", err, out)
	}
}

func TestWithoutBinariesTestsFailAndAreNotSkipped(t *testing.T) {
	t.Parallel()
	cmd, _ := testProcess(t, "TestOpenGives", "PG_BINDIR=/nowhere")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "apt-get install postgresql-15") {
		t.Errorf("without binaries the tests ended with %v:\n%s", err, out)
	}
}

func TestTheNextRunSweepsWhatWasLeft(t *testing.T) {
	t.Parallel()
	cmd, tmp := testProcess(t, "TestOpenGives")
	old := filepath.Join(tmp, "gatehouse-pgtest-old")
	young := filepath.Join(tmp, "gatehouse-pgtest-young")
	for _, dir := range []string{old, young} {
		if err := os.MkdirAll(filepath.Join(dir, "data"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	yesterday := time.Now().Add(-24 * time.Hour)
	if err := os.Chtimes(old, yesterday, yesterday); err != nil {
		t.Fatal(err)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Errorf("yesterday's folder is there: %v", err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("a folder that may just be being made is gone: %v", err)
	}
}

func wantNothingLeft(t *testing.T, tmp string) {
	t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		folders, err := filepath.Glob(filepath.Join(tmp, "*"))
		if err != nil {
			t.Fatal(err)
		}
		running := servers(t, tmp)
		if len(folders) == 0 && len(running) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("left behind: folders %v, processes %v", folders, running)
		}
		<-ticker.C
	}
}

// servers lists the processes that work in a folder below tmp, or name one.
func servers(t *testing.T, tmp string) []string {
	t.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil || len(processes) == 0 {
		t.Fatalf("no processes in /proc: %v", err)
	}
	var found []string
	for _, dir := range processes {
		command, _ := os.ReadFile(dir + "/cmdline") // it may have ended meanwhile
		cwd, _ := os.Readlink(dir + "/cwd")
		if strings.Contains(string(command), tmp) || strings.HasPrefix(cwd, tmp) {
			found = append(found, filepath.Base(dir)+" "+strings.ReplaceAll(string(command), "\x00", " "))
		}
	}
	return found
}

func databases(t *testing.T, url string) []string {
	t.Helper()
	rows, err := pgtest.Pool(t, url).Query(t.Context(), "SELECT datname FROM pg_database WHERE starts_with(datname, 'gatehouse_test_')")
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return names
}
