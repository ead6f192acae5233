package e2e

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/demoidp"
)

// process is one server that may be killed and started again at its address.
type process struct {
	cmd       *exec.Cmd
	addr, log string
	ended     chan struct{}
}

// besieged is the running whole with its parts at hand: two processes that can be killed, a provider that can be away,
// and the database as its owner.
type besieged struct {
	*product
	t         *testing.T
	binary    string
	processes [2]*process
	people    map[string]*client
	release   string // the address of its page
}

func besiege(t *testing.T) *besieged {
	t.Helper()
	p, balancer := prepare(t, "0.0.18")
	b := &besieged{product: p, t: t, binary: build(t, "-tags", "faultpoints"), people: map[string]*client{}}
	p.demo.Provider.Behave(demoidp.Behaviour{Down: true}) // the servers start without it
	var backends []*url.URL
	for n := range b.processes {
		b.processes[n] = &process{addr: freeAddr(t)}
		b.start(n)
		backends = append(backends, &url.URL{Scheme: "http", Host: b.processes[n].addr})
	}
	balance(t, balancer, backends)
	return b
}

// start starts a process that does not run, perhaps with a fault in it, and waits until it is ready.
func (b *besieged) start(n int, faults ...string) {
	b.t.Helper()
	p := b.processes[n]
	p.log = filepath.Join(b.t.TempDir(), "server.log")
	log, err := os.Create(p.log)
	if err != nil {
		b.t.Fatal(err)
	}
	cmd, ended := exec.Command(b.binary, "serve"), make(chan struct{})
	cmd.Env = append(b.environ(p.addr), "GATEHOUSE_FAULT="+strings.Join(faults, ","))
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	p.cmd, p.ended = cmd, ended
	go func() { _ = cmd.Wait(); close(ended) }() // how it ended stands in ProcessState
	b.t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended already
		<-ended
		if said, err := os.ReadFile(log.Name()); err == nil && b.t.Failed() {
			b.t.Logf("server %d said:\n%s", n, tail(string(said), 25))
		}
	})
	waitReady(b.t, "http://"+p.addr+"/readyz", p.log)
}

// kill ends a process as kill -9 does, and waits for its end.
func (b *besieged) kill(n int) {
	_ = b.processes[n].cmd.Process.Kill() // it may have ended already
	<-b.processes[n].ended
}

func (b *besieged) restart(n int, faults ...string) {
	b.t.Helper()
	b.kill(n)
	b.start(n, faults...)
}

// via is the address of one process.
func (b *besieged) via(n int) string { return "http://" + b.processes[n].addr }

// as gives the person of that name, signed in.
func (b *besieged) as(name string) *client {
	b.t.Helper()
	if !strings.Contains(name, "@") {
		name = strings.ReplaceAll(name, "_", ".") + "@rivermark"
	}
	if b.people[name] == nil {
		b.people[name] = newClient(b.t, b.url, b.url, name)
		if a := b.people[name].signIn("/login?return=/releases"); a.status != 200 || !strings.Contains(a.body, `data-page="release_list"`) {
			b.t.Fatalf("%s signed in and got %d: %s", name, a.status, words(a.body))
		}
	}
	return b.people[name]
}

// ask runs a query as the owner of the tables, who sees all tenants.
func ask[T any](b *besieged, query string, args ...any) T {
	b.t.Helper()
	var got T
	b.owner(func(ctx context.Context, conn *pgx.Conn) {
		if err := conn.QueryRow(ctx, query, args...).Scan(&got); err != nil {
			b.t.Fatalf("%s: %v", query, err)
		}
	})
	return got
}

// tell runs statements as the owner of the tables.
func (b *besieged) tell(statements string) {
	b.t.Helper()
	b.owner(func(ctx context.Context, conn *pgx.Conn) {
		if _, err := conn.PgConn().Exec(ctx, statements).ReadAll(); err != nil {
			b.t.Fatalf("%s: %v", statements, err)
		}
	})
}

func (b *besieged) owner(work func(context.Context, *pgx.Conn)) {
	b.t.Helper()
	ctx := context.WithoutCancel(b.t.Context())
	conn, err := pgx.Connect(ctx, string(b.demo.Config.OwnerDatabaseURL))
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }() // only its answers are wanted
	work(ctx, conn)
}

// withLocked works while pages of releases wait for a lock, until release is called.
func (b *besieged) withLocked(t *testing.T, work func(release func())) {
	t.Helper()
	b.owner(func(ctx context.Context, conn *pgx.Conn) {
		if _, err := conn.Exec(ctx, "BEGIN; LOCK TABLE gatehouse.runs IN ACCESS EXCLUSIVE MODE"); err != nil {
			t.Fatal(err)
		}
		work(func() {
			if _, err := conn.Exec(ctx, "ROLLBACK"); err != nil {
				t.Errorf("giving the lock back: %v", err)
			}
		})
	})
}

// until waits for a condition, and fails the test where it does not come true in time.
func (b *besieged) until(within time.Duration, what string, holds func() bool) {
	b.t.Helper()
	limit := time.After(within)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-limit:
			b.t.Fatalf("%s did not come about within %s", what, within)
		case <-tick.C:
		}
	}
}

// terminate asks a process to end, and gives its exit code.
func (b *besieged) terminate(n int, within time.Duration) int {
	b.t.Helper()
	p := b.processes[n]
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		b.t.Fatal(err)
	}
	select {
	case <-p.ended:
	case <-time.After(within):
		b.t.Fatalf("server %d did not end within %s of SIGTERM", n, within)
	}
	return p.cmd.ProcessState.ExitCode()
}
