package privatepg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// process is one run of the postmaster.
type process struct {
	pid      int
	signal   func(os.Signal) error
	done     chan struct{} // closed when it has ended
	err      error         // its exit, once done is closed
	logStart int64         // where its part of the log begins
}

// settings are what the server is started with. The caller's win.
func settings(more map[string]string) map[string]string {
	all := map[string]string{
		"max_connections": "200",
		// A sixteenth of the memory: a guest on somebody's machine, not a database server.
		"shared_buffers":    strconv.Itoa(min(max(memoryMB()/16, 64), 512)) + "MB",
		"logging_collector": "off",
		"log_timezone":      "UTC",
		"timezone":          "UTC",
	}
	maps.Copy(all, more)
	return all
}

func (s *Server) arguments() []string {
	args := []string{"-D", s.data, "-k", s.socket, "-c", "port=" + strconv.Itoa(s.port), "-c", "unix_socket_permissions=0700"}
	listen := ""
	if s.tcp {
		listen = "127.0.0.1"
	}
	args = append(args, "-c", "listen_addresses="+listen)
	for _, name := range slices.Sorted(maps.Keys(s.settings)) {
		args = append(args, "-c", name+"="+s.settings[name])
	}
	return args
}

// launch starts the postmaster and waits until it answers.
//
// It tries again for one reason alone: backends that outlive a killed
// postmaster for a moment hold its shared memory. Any other end is lasting, and
// trying again would only hide it.
func (s *Server) launch(ctx context.Context) error {
	const patience = 15 * time.Second
	deadline := time.Now().Add(patience)
	for {
		if err := s.clearStale(ctx); err != nil {
			return err
		}
		run, err := s.spawn()
		if err != nil {
			return err
		}
		s.run = run
		err = s.awaitReady(ctx, run)
		if err == nil {
			return nil
		}
		if endErr := run.end(Immediate, stopGrace); endErr != nil {
			err = errors.Join(err, endErr)
		}
		if !errors.Is(err, errMemoryHeld) || time.Now().After(deadline) {
			return err
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// spawn starts the postmaster on a thread of its own.
func (s *Server) spawn() (*process, error) {
	log, err := openLog(s.LogFile(), maxLogBytes)
	if err != nil {
		return nil, err
	}
	run := &process{done: make(chan struct{})}
	if run.logStart, err = log.Seek(0, io.SeekEnd); err != nil {
		return nil, errors.Join(fmt.Errorf("reading the server log: %w", err), log.Close())
	}
	cmd := exec.Command(filepath.Join(s.bin, "postgres"), s.arguments()...) //nolint:noctx // the server outlives the context of its start
	cmd.Dir = s.data                                                        // isPostmaster recognises it by this
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = environment(s.bin)
	// A fast shutdown if we are killed.
	cmd.SysProcAttr = childAttr(s.who.cred, syscall.SIGINT)

	started := make(chan error)
	go func() {
		// The signal fires when the thread that forked dies, so this goroutine
		// keeps its thread for the whole life of the server.
		runtime.LockOSThread()
		err := errors.Join(cmd.Start(), log.Close())
		started <- err
		if err != nil {
			return
		}
		run.err = cmd.Wait()
		close(run.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s/postgres: %w", s.bin, err)
	}
	run.pid, run.signal = cmd.Process.Pid, cmd.Process.Signal
	return run, nil
}

// awaitReady returns when a connection works, or when it is sure that none
// will: the server ended, refused for a lasting reason, or ctx ran out.
// Recovery after a crash may take long; a living server is waited for.
func (s *Server) awaitReady(ctx context.Context, run *process) error {
	for wait := 2 * time.Millisecond; ; wait = min(wait*2, 50*time.Millisecond) {
		conn, err := pgx.Connect(ctx, s.URL("postgres", Superuser))
		if err == nil {
			return conn.Close(ctx)
		}
		var refused *pgconn.PgError
		if errors.As(err, &refused) && refused.Code != startingUp {
			return fmt.Errorf("the server refuses connections: %w", err)
		}
		select {
		case <-run.done:
			return s.whyEnded(run)
		default:
		}
		if err := pause(ctx, wait); err != nil {
			return fmt.Errorf("waiting for the server to answer (its log is %s): %w", s.LogFile(), err)
		}
	}
}

// startingUp is SQLSTATE cannot_connect_now.
const startingUp = "57P03"

var errMemoryHeld = errors.New("the server's shared memory is still held by an earlier one")

// whyEnded reads what this run wrote to the log, so that the reason stands in
// the error and not only in a file.
func (s *Server) whyEnded(run *process) error {
	said, err := readFrom(s.LogFile(), run.logStart)
	if err != nil {
		return fmt.Errorf("the server ended while starting (%w), and its log cannot be read: %w", run.err, err)
	}
	var reasons []string
	for line := range strings.Lines(said) {
		if strings.Contains(line, "the database system is starting up") {
			continue // our own asking whether it is ready
		}
		if strings.Contains(line, "FATAL:") || strings.Contains(line, "PANIC:") || strings.Contains(line, "HINT:") || strings.Contains(line, "postgres:") {
			reasons = append(reasons, strings.TrimSpace(line))
		}
	}
	if strings.Contains(said, "pre-existing shared memory block") {
		return fmt.Errorf("%w: %s", errMemoryHeld, strings.Join(reasons, " "))
	}
	return fmt.Errorf("the server ended while starting (%w); its log %s says: %s", run.err, s.LogFile(), strings.Join(reasons, " "))
}

func readFrom(path string, offset int64) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	var text bytes.Buffer
	_, err = io.Copy(&text, io.NewSectionReader(f, offset, 1<<20))
	return text.String(), errors.Join(err, f.Close())
}

// end asks the server to stop and, if it takes longer than grace, insists. A
// server that has already ended is fine.
func (p *process) end(mode Mode, grace time.Duration) error {
	if p == nil {
		return nil
	}
	signals := []os.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL}
	if mode == Immediate {
		signals = signals[1:]
	}
	for i, signal := range signals {
		select {
		case <-p.done:
			return nil
		default:
		}
		if err := p.signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("signalling process %d: %w", p.pid, err)
		}
		timeout := time.NewTimer(grace)
		select {
		case <-p.done:
			timeout.Stop()
			if i == 0 && mode == Fast && p.err != nil {
				return fmt.Errorf("the server did not stop cleanly: %w", p.err)
			}
			return nil
		case <-timeout.C:
		}
	}
	return fmt.Errorf("process %d does not end, not even when killed", p.pid)
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
