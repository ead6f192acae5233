package privatepg_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/privatepg"
)

// TestMain is also the other program: the one that is killed, or that comes
// second. It starts a server, says so, and waits to be ended.
func TestMain(m *testing.M) {
	if dir := os.Getenv("PRIVATEPG_TEST_PROGRAM"); dir != "" {
		pg, err := privatepg.Start(context.Background(), config(dir))
		if err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		fmt.Println("pid", pg.PID())
		_, _ = io.Copy(io.Discard, os.Stdin) // until our parent closes it
		if err := pg.Stop(); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if initialised.dir != "" {
		_ = os.RemoveAll(initialised.dir)
	}
	os.Exit(code)
}

func config(dir string) privatepg.Config {
	return privatepg.Config{
		Dir: dir, BinDir: os.Getenv("PG_BINDIR"),
		Settings: map[string]string{"fsync": "off", "shared_buffers": "16MB"},
	}
}

// folder is an empty state folder. Not t.TempDir: that is 0700 and root's, and
// the account that runs the server could not pass it.
func folder(t *testing.T) string {
	t.Helper()
	parent, err := os.MkdirTemp("", "gatehouse-pgtest-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(parent, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(parent); err != nil {
			t.Error(err)
		}
	})
	return filepath.Join(parent, "state")
}

var initialised struct {
	once sync.Once
	dir  string
	err  error
}

// used is a state folder that has run before, with one committed row. It is
// made once and copied.
func used(t *testing.T) string {
	t.Helper()
	initialised.once.Do(func() {
		dir, err := os.MkdirTemp("", "gatehouse-pgtest-")
		if err != nil {
			initialised.err = err
			return
		}
		initialised.dir = dir
		pg, err := privatepg.Start(context.Background(), config(dir))
		if err != nil {
			initialised.err = err
			return
		}
		conn, err := pgx.Connect(context.Background(), pg.URL("postgres", privatepg.Superuser))
		if err == nil {
			_, err = conn.Exec(context.Background(), "CREATE TABLE note (body text); INSERT INTO note VALUES ('kept')")
			_ = conn.Close(context.Background())
		}
		if stopErr := pg.Stop(); err == nil {
			err = stopErr
		}
		initialised.err = err
	})
	if initialised.err != nil {
		t.Fatal(initialised.err)
	}
	dir := folder(t)
	if out, err := exec.CommandContext(t.Context(), "cp", "-a", initialised.dir, dir).CombinedOutput(); err != nil {
		t.Fatalf("copying: %v %s", err, out)
	}
	return dir
}

func start(t *testing.T, cfg privatepg.Config) *privatepg.Server {
	t.Helper()
	pg, err := privatepg.Start(t.Context(), cfg)
	if err != nil {
		t.Fatalf("Start(%s): %v", cfg.Dir, err)
	}
	t.Cleanup(func() {
		if err := pg.Stop(); err != nil {
			t.Errorf("Stop: %v", err)
		}
	})
	return pg
}

// told collects the notices of a start.
func told(cfg privatepg.Config) (privatepg.Config, *strings.Builder) {
	var b strings.Builder
	cfg.Notice = func(s string) { b.WriteString(s + "\n") }
	return cfg, &b
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatalf("connecting: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) }) // may be dead by then
	return conn
}

func wantOne(t *testing.T, pg *privatepg.Server, sql, want string) {
	t.Helper()
	var got string
	err := connect(t, pg.URL("postgres", privatepg.Superuser)).QueryRow(t.Context(), sql).Scan(&got)
	if err != nil || got != want {
		t.Errorf("%s = %q, %v; want %q", sql, got, err, want)
	}
}

const allNotes = "SELECT string_agg(body, ',' ORDER BY body) FROM note"

// program is another process of ours that runs a server in dir.
type program struct {
	cmd        *exec.Cmd
	input      io.Closer
	said       string // its first line
	postmaster int
}

func otherProgram(t *testing.T, dir string) *program {
	t.Helper()
	// The test's context ends before its clean-up, and would kill the program, whose server then still writes into the
	// folder while that is removed. The clean-up ends it in order.
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), os.Args[0])
	cmd.Env = append(os.Environ(), "PRIVATEPG_TEST_PROGRAM="+dir)
	p := launch(t, cmd)
	var err error
	if p.postmaster, err = strconv.Atoi(strings.TrimPrefix(p.said, "pid ")); err != nil {
		t.Fatalf("the other program said %q", p.said)
	}
	return p
}

func launch(t *testing.T, cmd *exec.Cmd) *program {
	t.Helper()
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(output).ReadString('\n') // what is missing shows in said
	p := &program{cmd: cmd, input: input, said: strings.TrimSpace(line)}
	t.Cleanup(func() {
		_ = input.Close()
		_ = cmd.Wait()
	})
	return p
}

// kill ends a process as kill -9 does and waits until it is no more.
func kill(t *testing.T, pids ...int) {
	t.Helper()
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatalf("killing %d: %v", pid, err)
		}
	}
}

// await asks until it is so.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	timeout := time.After(20 * time.Second)
	for !so() {
		select {
		case <-ticker.C:
		case <-timeout:
			t.Fatalf("waited 20 s in vain: %s", what)
		}
	}
}

// alive reports whether a process runs; a zombie does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(after, "Z") && !strings.HasPrefix(after, "X")
}

// as makes cmd run as the account that runs the server of pg.
func as(t *testing.T, name string, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	if os.Geteuid() != 0 {
		return cmd
	}
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return cmd
}

// bystander is a process of the server's account that is no server.
func bystander(t *testing.T, account string) int {
	t.Helper()
	cmd := as(t, account, exec.CommandContext(t.Context(), "/bin/cat"))
	cmd.Dir = "/"
	if _, err := cmd.StdinPipe(); err != nil { // it waits for an input that never comes
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd.Process.Pid
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
