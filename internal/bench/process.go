package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/agogsaas/gatehouse/internal/demoidp"
)

// process is a program under measurement.
type process struct {
	cmd  *exec.Cmd
	addr string
	log  string
	took time.Duration // from its start to the first byte of its first answer
}

// launch starts a program and asks it every half millisecond until it answers 200.
func launch(ctx context.Context, dir, program, addr, question string, args, env []string) (*process, error) {
	log, err := os.CreateTemp(dir, filepath.Base(program)+"-*.log")
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()                                              // the child has its own
	p := &process{cmd: exec.Command(program, args...), addr: addr, log: log.Name()} //nolint:noctx // our own programs; stopped by stop
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = append(withoutOurs(os.Environ()), env...), log, log
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", program, err)
	}
	for time.Since(began) < time.Minute && ctx.Err() == nil {
		if answers(addr, question) {
			p.took = time.Since(began)
			return p, nil
		}
		time.Sleep(500 * time.Microsecond)
	}
	said, _ := os.ReadFile(p.log) // where it cannot be read there is nothing to add
	return nil, errors.Join(fmt.Errorf("%s did not answer on %s within a minute:\n%s", program, addr, said), p.stop())
}

// answers asks on a connection of its own, as the first visitor does.
func answers(addr, question string) bool {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(context.Background(), "tcp", addr)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }() // nothing is left on it
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(conn, "GET "+question+" HTTP/1.1\r\nHost: "+addr+"\r\nConnection: close\r\n\r\n"); err != nil {
		return false
	}
	line := make([]byte, len("HTTP/1.1 200"))
	_, err = io.ReadFull(conn, line)
	return err == nil && string(line) == "HTTP/1.1 200"
}

func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	var ended *exec.ExitError
	if err := p.cmd.Wait(); err != nil && !errors.As(err, &ended) {
		return err
	}
	return nil
}

// memory is the process's VmRSS in MiB.
func (p *process) memory() (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
			return kb / 1024, err
		}
	}
	return 0, errors.New("the kernel shows no VmRSS")
}

// freeAddr is a loopback address nobody listens on.
func freeAddr(ctx context.Context) (string, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
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

const clientID, clientSecret = "gatehouse", "bench-secret"

// site is the product's server on a database, with somebody signed in.
type site struct {
	*process
	cookie string
}

// serve starts the product on a database. Its provider is started with the first site and knows that one's address.
func (h *home) serve(ctx context.Context, database, addr string) (*process, error) {
	if h.provider == nil {
		public := "http://" + addr
		var err error
		h.provider, err = demoidp.Start(ctx, demoidp.Config{
			ClientID: clientID, ClientSecret: clientSecret, RedirectURIs: []string{public + "/oidc/callback"}, PostLogoutURIs: []string{public + "/"},
		})
		if err != nil {
			return nil, err
		}
	}
	return launch(ctx, h.dir, h.binary, addr, "/livez", []string{"serve"}, []string{
		"GATEHOUSE_ADDR=" + addr, "GATEHOUSE_PUBLIC_URL=http://" + addr, "GATEHOUSE_ENVIRONMENT=demo",
		"GATEHOUSE_DATABASE_URL=" + h.app(database), "GATEHOUSE_OWNER_DATABASE_URL=" + h.owner(database),
		"GATEHOUSE_OIDC_ISSUER=" + h.provider.Issuer(), "GATEHOUSE_OIDC_CLIENT_ID=" + clientID, "GATEHOUSE_OIDC_CLIENT_SECRET=" + clientSecret,
	})
}

// mainDatabase is the one with the million rows.
const mainDatabase = "bench_main"

// open gives the site that P3 and P12 share, on a database with the rows of P3.
func (b *bench) open(ctx context.Context) (*site, error) {
	h := b.home
	if h.site != nil {
		return h.site, nil
	}
	b.say("a database with %d releases and as many audit entries", b.rows)
	if err := h.database(ctx, mainDatabase, "0.0.22"); err != nil {
		return nil, err
	}
	if err := h.execute(ctx, mainDatabase, pageRows(b.rows)...); err != nil {
		return nil, err
	}
	addr, err := freeAddr(ctx)
	if err != nil {
		return nil, err
	}
	p, err := h.serve(ctx, mainDatabase, addr)
	if err != nil {
		return nil, err
	}
	h.site = &site{process: p}
	h.site.cookie, err = signIn(ctx, "http://"+addr, "devops.lead@rivermark", demoidp.Password)
	return h.site, err
}

// get asks for one page.
func (s *site) get(ctx context.Context, path string) (*http.Response, error) {
	return get(ctx, plainClient, "http://"+s.addr+path, s.cookie)
}
