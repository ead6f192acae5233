package privatepg_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agogsaas/gatehouse/internal/privatepg"
)

func TestAKilledServerIsNoticedAndComesBack(t *testing.T) {
	t.Parallel()
	pg := start(t, config(used(t)))
	// Busy backends outlive their postmaster for a moment and hold its memory.
	var busy sync.WaitGroup
	for range 5 {
		conn := connect(t, pg.URL("postgres", privatepg.Superuser))
		busy.Go(func() { _, _ = conn.Exec(context.Background(), "SELECT sum(i) FROM generate_series(1, 2000000) i") })
	}
	t.Cleanup(busy.Wait) // before the connections are closed
	conn := connect(t, pg.URL("postgres", privatepg.Superuser))
	if _, err := conn.Exec(t.Context(), "INSERT INTO note VALUES ('new')"); err != nil {
		t.Fatal(err)
	}
	exited, before := pg.Exited(), pg.PID()
	kill(t, before)
	select {
	case <-exited:
	case <-t.Context().Done():
		t.Fatal("Exited stays open after the server was killed")
	}
	if err := pg.Restart(t.Context(), privatepg.Fast); err != nil {
		t.Fatal(err)
	}
	wantOne(t, pg, allNotes, "kept,new")
	if pg.PID() == before {
		t.Error("the process is the same")
	}
	select {
	case <-pg.Exited():
		t.Error("Exited is closed for the new server too")
	default:
	}
}

func TestStopAfterAKillIsFine(t *testing.T) {
	t.Parallel()
	pg := start(t, config(used(t)))
	exited := pg.Exited()
	kill(t, pg.PID())
	<-exited
	if err := pg.Stop(); err != nil {
		t.Errorf("Stop of a killed server: %v, want nil", err)
	}
}

func TestRestartKeepsWhatWasCommitted(t *testing.T) {
	t.Parallel()
	pg := start(t, config(used(t)))
	for _, mode := range []privatepg.Mode{privatepg.Fast, privatepg.Immediate} {
		conn := connect(t, pg.URL("postgres", privatepg.Superuser))
		if _, err := conn.Exec(t.Context(), "INSERT INTO note VALUES ($1)", fmt.Sprint(mode)); err != nil {
			t.Fatal(err)
		}
		before := pg.PID()
		if err := pg.Restart(t.Context(), mode); err != nil {
			t.Fatal(err)
		}
		if pg.PID() == before {
			t.Errorf("Restart(%d) kept the process", mode)
		}
		if err := conn.Ping(t.Context()); err == nil {
			t.Errorf("Restart(%d) kept a connection", mode)
		}
	}
	wantOne(t, pg, allNotes, "0,1,kept")
}

func TestTheServerFollowsAKilledProgram(t *testing.T) {
	t.Parallel()
	dir := used(t)
	other := otherProgram(t, dir)
	kill(t, other.cmd.Process.Pid)
	await(t, "the server ends after its program was killed", func() bool { return !alive(other.postmaster) })
	// It shut down, it did not crash: there is nothing to recover.
	wantOne(t, start(t, config(dir)), allNotes, "kept")
	log, err := os.ReadFile(filepath.Join(dir, "postgres.log"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(log), "not properly shut down") || !strings.Contains(string(log), "received fast shutdown request") {
		t.Errorf("the server did not shut down in order:\n%s", log)
	}
}

func TestBothKilled(t *testing.T) {
	t.Parallel()
	dir := used(t)
	other := otherProgram(t, dir)
	kill(t, other.postmaster, other.cmd.Process.Pid)
	await(t, "both end", func() bool { return !alive(other.postmaster) && !alive(other.cmd.Process.Pid) })
	wantOne(t, start(t, config(dir)), allNotes, "kept")
}

func TestStaleLockFilesDoNotBlockAndHarmNobody(t *testing.T) {
	t.Parallel()
	for name, pid := range map[string]func(account string) string{
		"a bystander": func(account string) string { return fmt.Sprint(bystander(t, account)) },
		"ourselves":   func(string) string { return fmt.Sprint(os.Getpid()) },
		"nobody":      func(string) string { return "4194304" },
		"half a line": func(string) string { return "" },
	} {
		dir := used(t)
		probe := start(t, config(dir))
		account, socket := probe.Account(), probe.Socket()
		if err := probe.Stop(); err != nil {
			t.Fatal(err)
		}
		holder := pid(account)
		write(t, filepath.Join(dir, "data", "postmaster.pid"), holder+"\n"+dir+"/data\n")
		write(t, socket+".lock", holder+"\n")
		write(t, socket, "")
		cfg, said := told(config(dir))
		pg := start(t, cfg)
		wantOne(t, pg, allNotes, "kept")
		if !strings.Contains(said.String(), "stale") {
			t.Errorf("%s: the start said %q, want that it removed a stale file", name, said)
		}
		var n int
		if _, err := fmt.Sscan(holder, &n); name == "a bystander" && (err != nil || !alive(n)) {
			t.Errorf("the bystander did not survive: %v", err)
		}
	}
}

func TestAnOrphanIsStoppedAndReplaced(t *testing.T) {
	t.Parallel()
	dir := used(t)
	probe := start(t, config(dir))
	account, bin := probe.Account(), probe.BinDir()
	if err := probe.Stop(); err != nil {
		t.Fatal(err)
	}
	// pg_ctl starts it in the background, bound to nobody.
	cmd := as(t, account, exec.CommandContext(t.Context(), filepath.Join(bin, "pg_ctl"), "-D", dir+"/data", "-w", "-s",
		"-l", "/dev/null", "-o", "-c listen_addresses= -c fsync=off -k "+filepath.Dir(probe.Socket()), "start"))
	cmd.Dir = dir + "/data"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("pg_ctl start: %v %s", err, out)
	}
	text, err := os.ReadFile(dir + "/data/postmaster.pid")
	if err != nil {
		t.Fatal(err)
	}
	var orphan int
	if _, err := fmt.Sscan(string(text), &orphan); err != nil {
		t.Fatal(err)
	}
	cfg, said := told(config(dir))
	pg := start(t, cfg)
	if !strings.Contains(said.String(), fmt.Sprintf("left running (process %d)", orphan)) {
		t.Errorf("the start said %q, want that it stops the orphan %d", said, orphan)
	}
	if alive(orphan) || pg.PID() == orphan {
		t.Errorf("the orphan %d still runs", orphan)
	}
	wantOne(t, pg, allNotes, "kept")
}

func TestTheSecondProgramIsToldWhoUsesTheFolder(t *testing.T) {
	t.Parallel()
	dir := used(t)
	other := otherProgram(t, dir)
	_, err := privatepg.Start(t.Context(), config(dir))
	want := fmt.Sprintf("another program (process %d) already uses the private PostgreSQL in %s", other.cmd.Process.Pid, dir)
	if !errors.Is(err, privatepg.ErrInUse) || !strings.Contains(err.Error(), want) {
		t.Errorf("Start = %v; want ErrInUse and %q", err, want)
	}
	if err := privatepg.Remove(t.Context(), config(dir)); !errors.Is(err, privatepg.ErrInUse) {
		t.Errorf("Remove = %v; want ErrInUse", err)
	}
	if !alive(other.postmaster) {
		t.Error("the first program's server was stopped")
	}
	// Within one program it is the same.
	mine := used(t)
	start(t, config(mine))
	if _, err := privatepg.Start(t.Context(), config(mine)); !errors.Is(err, privatepg.ErrInUse) {
		t.Errorf("a second Start in one program = %v; want ErrInUse", err)
	}
}

func TestDataOfAnotherVersionAreNotTouched(t *testing.T) {
	t.Parallel()
	dir := used(t)
	write(t, filepath.Join(dir, "data", "PG_VERSION"), "14\n")
	before := tree(t, filepath.Join(dir, "data"))
	_, err := privatepg.Start(t.Context(), config(dir))
	var other *privatepg.OtherVersion
	if !errors.As(err, &other) || other.Have != "14" || !strings.Contains(err.Error(), "dump with the old version") {
		t.Errorf("Start = %v; want OtherVersion with a hint", err)
	}
	if diff := cmp.Diff(before, tree(t, filepath.Join(dir, "data"))); diff != "" {
		t.Errorf("the data changed (-before +after):\n%s", diff)
	}
}

func TestAFolderOfSomethingElseIsNotTouched(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	if err := os.MkdirAll(filepath.Join(dir, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "data", "thesis.txt"), "years of work")
	if _, err := privatepg.Start(t.Context(), config(dir)); err == nil || !strings.Contains(err.Error(), "is not a PostgreSQL data folder") {
		t.Errorf("Start = %v; want a refusal", err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "data", "thesis.txt")); err != nil || string(got) != "years of work" {
		t.Errorf("the file holds %q, %v", got, err)
	}
}

func TestAnInterruptedInitialisationIsBegunAgain(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		pg, err := privatepg.Start(ctx, config(dir))
		if err == nil {
			err = errors.Join(errors.New("it was too quick to be interrupted"), pg.Stop())
		}
		ended <- err
	}()
	await(t, "initdb begins", func() bool {
		_, err := os.Stat(filepath.Join(dir, "data.new", "PG_VERSION"))
		return err == nil
	})
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatalf("the interrupted Start = %v; want context canceled", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("an unfinished data folder is in place: %v", err)
	}
	// What initdb's own signal handler may have cleared, a kill leaves.
	if err := os.MkdirAll(filepath.Join(dir, "data.new"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "data.new", "PG_VERSION"), "15\n")
	wantOne(t, start(t, config(dir)), "SELECT 'whole'", "whole")
}

func TestAProgramKilledWhileInitialising(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "PRIVATEPG_TEST_PROGRAM="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "initdb begins", func() bool {
		_, err := os.Stat(filepath.Join(dir, "data.new", "PG_VERSION"))
		return err == nil
	})
	kill(t, cmd.Process.Pid)
	if err := cmd.Wait(); err == nil {
		t.Fatal("the program ended well before it was killed")
	}
	wantOne(t, start(t, config(dir)), "SELECT 'whole'", "whole")
}

func TestRemoveDeletesTheFolderAndEndsWhatRuns(t *testing.T) {
	t.Parallel()
	dir := used(t)
	pg := start(t, config(dir))
	if err := pg.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := privatepg.Remove(t.Context(), config(dir)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after Remove the folder is there: %v", err)
	}
	if err := privatepg.Remove(t.Context(), config(dir)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Remove of no folder = %v; want that it does not exist", err)
	}
}

// tree is every file with its size, time and owner's bits.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		all[path] = fmt.Sprint(info.Size(), info.ModTime().UnixNano(), info.Mode())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
