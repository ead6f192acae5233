package privatepg_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/agogsaas/gatehouse/internal/privatepg"
)

func TestFirstStartCreatesAndTheSecondFindsItAgain(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	cfg, said := told(config(dir))
	pg := start(t, cfg)
	if !strings.Contains(said.String(), "Creating a private PostgreSQL") {
		t.Errorf("the first start said %q, want that it creates", said)
	}
	conn := connect(t, pg.URL("postgres", privatepg.Superuser))
	if _, err := conn.Exec(t.Context(), "CREATE TABLE note (body text); INSERT INTO note VALUES ('kept')"); err != nil {
		t.Fatal(err)
	}
	wantOne(t, pg, "SHOW listen_addresses", "")
	wantOne(t, pg, "SHOW data_checksums", "on")
	wantOne(t, pg, "SHOW server_encoding", "UTF8")
	wantOne(t, pg, "SELECT (current_setting('server_version_num')::int / 10000)::text", strconv.Itoa(pg.Version()))
	if err := pg.Stop(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-pg.Exited():
	default:
		t.Error("after Stop, Exited is still open")
	}
	if err := pg.Stop(); err != nil {
		t.Errorf("the second Stop: %v, want nil", err)
	}
	if err := pg.Restart(t.Context(), privatepg.Fast); err == nil {
		t.Error("Restart after Stop works, and the folder is no longer ours")
	}
	cfg, said = told(config(dir))
	again := start(t, cfg)
	if said.Len() != 0 {
		t.Errorf("the second start said %q, want nothing", said)
	}
	wantOne(t, again, allNotes, "kept")
}

func TestTheServerRunsUnprivilegedBehindAClosedFolder(t *testing.T) {
	t.Parallel()
	pg := start(t, config(used(t)))
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pg.PID()))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		fields := strings.Fields(line)
		root := false
		switch fields[0] {
		case "Uid:", "Gid:":
			root = strings.Contains(line+"\t", "\t0\t")
		case "Groups:":
			root = os.Geteuid() == 0 && len(fields) > 1
		}
		if root {
			t.Errorf("the server's process has %q, want none of root's and no further group", strings.TrimSpace(line))
		}
	}
	info, err := os.Stat(filepath.Dir(pg.Socket()))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := info.Mode().Perm(), os.FileMode(0o700); got != want {
		t.Errorf("the socket's folder has mode %v, want %v", got, want)
	}
}

func TestAnOrdinaryUserRunsItAsHimself(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	who := "nobody"
	if os.Geteuid() != 0 {
		who = start(t, config(folder(t))).Account()
	}
	// go test keeps its binary where nobody else can reach it.
	binary := filepath.Join(filepath.Dir(dir), "program")
	if out, err := exec.CommandContext(t.Context(), "cp", os.Args[0], binary).CombinedOutput(); err != nil {
		t.Fatalf("copying: %v %s", err, out)
	}
	if err := os.Chmod(filepath.Dir(dir), 0o777); err != nil {
		t.Fatal(err)
	}
	cmd := as(t, who, exec.CommandContext(context.WithoutCancel(t.Context()), binary)) // as in otherProgram
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "PRIVATEPG_TEST_PROGRAM="+dir)
	p := launch(t, cmd)
	if !strings.HasPrefix(p.said, "pid ") {
		t.Fatalf("as %s: %s", who, p.said)
	}
	info, err := os.Stat(filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Sys().(*syscall.Stat_t).Uid; got == 0 {
		t.Error("the data of an ordinary user belong to root")
	}
}

func TestExistingDataKeepTheirAccount(t *testing.T) {
	t.Parallel()
	cfg := config(folder(t))
	if os.Geteuid() == 0 {
		cfg.RunAs = "nobody" // as on a machine without the account postgres
	}
	first := start(t, cfg)
	want := first.Account()
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	cfg.RunAs = ""
	if got := start(t, cfg).Account(); got != want {
		t.Errorf("the second start runs as %s, want %s, whose data they are", got, want)
	}
}

func TestAFolderThatTheAccountCannotReachIsNamed(t *testing.T) {
	t.Parallel()
	closed := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(closed, "state")
	pg, err := privatepg.Start(t.Context(), config(dir))
	if os.Geteuid() != 0 { // it is our own folder, then
		if err != nil {
			t.Fatal(err)
		}
		if err := pg.Stop(); err != nil {
			t.Error(err)
		}
		return
	}
	if err == nil || !strings.Contains(err.Error(), "cannot enter "+closed) {
		t.Errorf("Start(%s) = %v; want that the account cannot enter %s", dir, err, closed)
	}
}

func TestALongFolderNameGetsAShortSocket(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(folder(t), strings.Repeat("long", 30))
	pg := start(t, config(dir))
	wantOne(t, pg, "SELECT 'reached'", "reached")
	if got := len(pg.Socket()); got > 107 {
		t.Errorf("the socket's path has %d bytes, want at most 107", got)
	}
	if err := pg.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Dir(pg.Socket())); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after Stop the folder of the socket is left: %v", err)
	}
}

func TestAPortIsOpenedOnlyWhenAskedFor(t *testing.T) {
	t.Parallel()
	cfg := config(used(t))
	cfg.Port = privatepg.AnyPort
	pg := start(t, cfg)
	before := pg.Addr()
	wantOne(t, pg, "SHOW listen_addresses", "127.0.0.1")
	var got string
	if err := connect(t, pg.TCPURL("postgres", privatepg.Superuser, "")).QueryRow(t.Context(), allNotes).Scan(&got); err != nil || got != "kept" {
		t.Errorf("over TCP: %q, %v; want kept", got, err)
	}
	if err := pg.Restart(t.Context(), privatepg.Fast); err != nil {
		t.Fatal(err)
	}
	if pg.Addr() != before {
		t.Errorf("after Restart the address is %s, want %s", pg.Addr(), before)
	}
	quiet := start(t, config(used(t)))
	if quiet.Addr() != "" || quiet.TCPURL("postgres", "x", "") != "" {
		t.Errorf("without a port, Addr is %q, want none", quiet.Addr())
	}
}

func TestALastingReasonIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	cfg := config(used(t))
	cfg.Settings["shared_preload_libraries"] = "no_such_library"
	begun := time.Now()
	_, err := privatepg.Start(t.Context(), cfg)
	if err == nil || !strings.Contains(err.Error(), "no_such_library") {
		t.Fatalf("Start = %v; want the reason from the server's log", err)
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it took %v to say so", took)
	}
	log, err := os.ReadFile(filepath.Join(cfg.Dir, "postgres.log"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(log), "could not access file \"no_such_library\""); got != 1 {
		t.Errorf("the server was started %d times, want once", got)
	}
	start(t, config(cfg.Dir)) // and the folder is free again
}

func TestAnEndedContextEndsTheStart(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := used(t)
	if _, err := privatepg.Start(ctx, config(dir)); !errors.Is(err, context.Canceled) {
		t.Errorf("Start = %v; want context canceled", err)
	}
	start(t, config(dir))
}

func TestTheLogIsBounded(t *testing.T) {
	t.Parallel()
	dir := used(t)
	log := filepath.Join(dir, "postgres.log")
	old := strings.Repeat("an old line\n", 1_000_000)
	write(t, log, old)
	pg := start(t, config(dir))
	info, err := os.Stat(log)
	if err != nil || info.Size() > 1<<20 {
		t.Errorf("the log after a start: %v, %v; want a small one", info, err)
	}
	if kept, err := os.ReadFile(pg.LogFile() + ".1"); err != nil || string(kept) != old {
		t.Errorf("the old log was not put aside: %d bytes, %v", len(kept), err)
	}
}
