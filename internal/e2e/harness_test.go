// Package e2e walks the whole product in a real browser: a demo database and provider, two server processes behind a
// balancer that alternates with every request, and Chromium driven by playwright-core.
package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/agogsaas/gatehouse/internal/app"
)

// product is the running whole.
type product struct {
	demo      *app.Demo
	url       string
	binary    string
	addresses []string // of the servers
	processes []*exec.Cmd
}

// start runs the demo's database and provider, and two servers on them, and stops all at the end of the test.
func start(t *testing.T, from string) *product {
	t.Helper()
	p, balancer := prepare(t, from)
	p.up(t, balancer)
	return p
}

// up starts two servers behind the balancer.
func (p *product) up(t *testing.T, balancer net.Listener) {
	t.Helper()
	p.binary = build(t)
	var backends []*url.URL
	for n := range 2 {
		p.addresses = append(p.addresses, freeAddr(t))
		backends = append(backends, p.serve(t, n))
	}
	balance(t, balancer, backends)
}

// down ends the servers in order.
func (p *product) down(t *testing.T) {
	t.Helper()
	for _, cmd := range p.processes {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Fatalf("a server that was told to end: %v", err)
		}
	}
}

// again starts the servers where they were.
func (p *product) again(t *testing.T) {
	t.Helper()
	for n := range p.addresses {
		p.serve(t, n)
	}
}

// command runs one of the program's commands against the product.
func (p *product) command(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), p.binary, args...)
	cmd.Env = p.environ(p.addresses[0])
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("gatehouse %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// prepare runs the demo's database and provider, and takes the balancer's address.
func prepare(t *testing.T, from string) (*product, net.Listener) {
	t.Helper()
	balancer, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &product{url: "http://" + balancer.Addr().String()}
	config, err := app.Load([]string{"GATEHOUSE_STATE_DIR=" + stateDir(t), "GATEHOUSE_PUBLIC_URL=" + p.url, "PG_BINDIR=" + os.Getenv("PG_BINDIR")})
	if err != nil {
		t.Fatal(err)
	}
	plan := app.DemoPlan{Size: "small", From: from, ProviderAddr: "127.0.0.1:0", Say: func(line string) { t.Log(line) }}
	p.demo, err = app.StartDemo(t.Context(), config, plan, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("starting the demo: %v", err)
	}
	t.Cleanup(p.demo.Close)
	return p, balancer
}

func balance(t *testing.T, balancer net.Listener, backends []*url.URL) {
	t.Helper()
	server := &http.Server{Handler: alternate(backends), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(balancer) }() // ends with Close below
	t.Cleanup(func() { _ = server.Close() })
}

// stateDir is a folder that PostgreSQL's account can enter also when we are root.
func stateDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "gatehouse-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func build(t *testing.T, flags ...string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "gatehouse")
	out, err := exec.CommandContext(t.Context(), "go", append(append([]string{"build"}, flags...), "-o", binary, "../../cmd/gatehouse")...).CombinedOutput()
	if err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	return binary
}

// serve starts one server process and waits until it is ready.
func (p *product) serve(t *testing.T, n int) *url.URL {
	t.Helper()
	addr := p.addresses[n]
	log, err := os.Create(filepath.Join(t.TempDir(), fmt.Sprintf("server-%d.log", n)))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(p.binary, "serve")
	cmd.Env = p.environ(addr)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.processes = append(p.processes, cmd)
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
		_ = cmd.Wait()
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("server %d said:\n%s", n, tail(string(text), 60))
		}
	})
	backend := &url.URL{Scheme: "http", Host: addr}
	waitReady(t, backend.String()+"/readyz", log.Name())
	return backend
}

// environ is what a server process is configured by.
func (p *product) environ(addr string) []string {
	c := p.demo.Config
	return append(withoutOurs(os.Environ()),
		"GATEHOUSE_ADDR="+addr, "GATEHOUSE_PUBLIC_URL="+p.url, "GATEHOUSE_ENVIRONMENT=demo",
		"GATEHOUSE_DATABASE_URL="+string(c.DatabaseURL), "GATEHOUSE_OWNER_DATABASE_URL="+string(c.OwnerDatabaseURL),
		"GATEHOUSE_OIDC_ISSUER="+c.OIDCIssuer, "GATEHOUSE_OIDC_CLIENT_ID="+c.OIDCClientID, "GATEHOUSE_OIDC_CLIENT_SECRET="+string(c.OIDCClientSecret),
		"GATEHOUSE_BACKUP_DIR="+c.BackupDir, "GATEHOUSE_AUDIT_HEADS="+c.AuditHeads, "GATEHOUSE_SCRATCH_DATABASE_URL="+string(c.ScratchDatabaseURL), "GATEHOUSE_TRUSTED_PROXIES=127.0.0.1/32")
}

func withoutOurs(environ []string) []string {
	var kept []string
	for _, pair := range environ {
		if !strings.HasPrefix(pair, "GATEHOUSE_") {
			kept = append(kept, pair)
		}
	}
	return kept
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // only its number is wanted
	return l.Addr().String()
}

func waitReady(t *testing.T, address, log string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(request)
		if err == nil {
			_ = answer.Body.Close() // only the status is wanted
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-ctx.Done():
			text, _ := os.ReadFile(log) // where it cannot be read there is nothing to add
			t.Fatalf("%s was not ready within a minute:\n%s", address, tail(string(text), 60))
		case <-tick.C:
		}
	}
}

// alternate sends every request to the next process, so that nothing can live in one process's memory unnoticed.
func alternate(backends []*url.URL) http.Handler {
	var turn atomic.Uint64
	return &httputil.ReverseProxy{
		FlushInterval: -1,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(backends[turn.Add(1)%uint64(len(backends))])
			r.Out.Host = r.In.Host
			r.SetXForwarded()
		},
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
}

func tail(text string, lines int) string {
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// browse runs one file of browser tests against the product.
func (p *product) browse(t *testing.T, file string, env ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", "--test", "--test-reporter=spec", file)
	cmd.Env = append(os.Environ(), append(env, "GATEHOUSE_URL="+p.url, "CHROMIUM="+chromium(t))...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	out, err := cmd.CombinedOutput()
	t.Logf("%s:\n%s", file, out)
	if err != nil {
		t.Fatalf("%s failed: %v", file, err)
	}
}

func chromium(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("no Chromium was found: `make chromium` installs it, CHROMIUM names it")
	return ""
}
