package privatepg

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// AnyPort asks for a free loopback port.
const AnyPort = -1

const socketPort = 5432

// Config says where and how the cluster runs. The zero value is usable.
type Config struct {
	// Dir is the state folder; "" is DefaultDir.
	Dir string
	// BinDir is the folder that holds initdb and postgres; "" searches.
	BinDir string
	// RunAs is the account that runs the server when we are root; "" is the
	// owner of existing data, else postgres, else nobody.
	RunAs string
	// Settings are added to, or replace, what the server is started with.
	Settings map[string]string
	// Port is 0 for a socket alone, AnyPort, or a loopback TCP port. Every
	// account of this machine can then sign in as anybody: tests only.
	Port int
	// Notice is told in a sentence what takes time or what was put right.
	Notice func(string)
}

// Server is a running private cluster.
type Server struct {
	dir, data, socket, bin string
	version                int
	port                   int
	tcp                    bool
	who                    account
	settings               map[string]string
	notice                 func(string)

	mu   sync.Mutex // one start, stop or restart at a time
	lock *os.File   // nil once stopped
	run  *process
}

// Start finds the binaries, creates the cluster if there is none, puts right
// what an earlier run left, and returns when the server answers. ctx bounds
// the starting alone; the server runs until Stop, or until this program ends.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	s, err := prepare(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("starting the private PostgreSQL: %w", err)
	}
	if err := s.initialise(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the private PostgreSQL: %w", err), s.release())
	}
	if err := s.launch(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the private PostgreSQL: %w", err), s.release())
	}
	return s, nil
}

// prepare chooses binaries, account and folders, and takes the folder's lock.
func prepare(ctx context.Context, cfg Config) (*Server, error) {
	s := &Server{dir: cfg.Dir, settings: settings(cfg.Settings), notice: cfg.Notice, port: socketPort, tcp: cfg.Port != 0}
	if s.notice == nil {
		s.notice = func(string) {}
	}
	var err error
	if s.dir == "" {
		if s.dir, err = DefaultDir(); err != nil {
			return nil, err
		}
	}
	have, err := dataVersion(filepath.Join(s.dir, "data"))
	if err != nil {
		return nil, err
	}
	prefer, _ := strconv.Atoi(have) // no number: no preference, and initialise will say what it is
	if s.bin, err = findBinDir(cfg.BinDir, prefer, usualPlaces); err != nil {
		return nil, err
	}
	if s.version, err = majorVersion(ctx, s.bin); err != nil {
		return nil, err
	}
	if s.version < Oldest {
		return nil, fmt.Errorf("the binaries in %s are PostgreSQL %d; Gatehouse needs %d or newer", s.bin, s.version, Oldest)
	}
	if s.who, err = chooseAccount(cfg.RunAs, filepath.Join(s.dir, "data")); err != nil {
		return nil, err
	}
	if s.dir, err = makeDir(s.dir, s.who); err != nil {
		return nil, err
	}
	s.data = filepath.Join(s.dir, "data")
	if s.lock, err = lockDir(s.dir); err != nil {
		return nil, err
	}
	if s.socket, err = makeSocketDir(s.dir, s.who); err != nil {
		return nil, errors.Join(err, s.release())
	}
	if cfg.Port == AnyPort {
		if s.port, err = freePort(ctx); err != nil {
			return nil, errors.Join(err, s.release())
		}
	} else if cfg.Port > 0 {
		s.port = cfg.Port
	}
	return s, nil
}

// Mode is how a server is asked to end.
type Mode int

const (
	// Fast ends the connections, writes a checkpoint and stops.
	Fast Mode = iota
	// Immediate stops as in a crash; the next start recovers from the log.
	Immediate
)

// Restart stops the server, if it runs, and starts it again on the same socket
// and port. It also brings back a server that was killed.
func (s *Server) Restart(ctx context.Context, mode Mode) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lock == nil {
		return errors.New("restarting the private PostgreSQL: it was stopped, and its folder given back")
	}
	if err := s.run.end(mode, stopGrace); err != nil {
		return fmt.Errorf("restarting the private PostgreSQL: %w", err)
	}
	if err := s.launch(ctx); err != nil {
		return fmt.Errorf("restarting the private PostgreSQL: %w", err)
	}
	return nil
}

// Stop ends the server and gives the folder back. A server that was already
// dead, or stopped, is not an error.
func (s *Server) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lock == nil {
		return nil
	}
	if err := errors.Join(s.run.end(Fast, stopGrace), s.release()); err != nil {
		return fmt.Errorf("stopping the private PostgreSQL: %w", err)
	}
	return nil
}

// Exited returns a channel that is closed when the running server ends, by
// itself or because it was asked to. After a Restart, ask for a new one.
func (s *Server) Exited() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.run.done
}

// URL returns a connection string over the socket for pgx and libpq.
func (s *Server) URL(database, user string) string {
	u := url.URL{Scheme: "postgres", User: url.User(user), Path: "/" + database}
	u.RawQuery = url.Values{"host": {s.socket}, "port": {strconv.Itoa(s.port)}, "sslmode": {"disable"}}.Encode()
	return u.String()
}

// TCPURL returns a connection string over the loopback port. addr replaces the
// server's own address, for a proxy in front of it; "" keeps it. It is "" when
// no port was asked for.
func (s *Server) TCPURL(database, user, addr string) string {
	if !s.tcp {
		return ""
	}
	if addr == "" {
		addr = s.Addr()
	}
	u := url.URL{Scheme: "postgres", User: url.User(user), Host: addr, Path: "/" + database, RawQuery: "sslmode=disable"}
	return u.String()
}

// Addr is the loopback address, or "" when no port was asked for.
func (s *Server) Addr() string {
	if !s.tcp {
		return ""
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port))
}

// Socket is the path of the server's socket.
func (s *Server) Socket() string {
	return filepath.Join(s.socket, ".s.PGSQL."+strconv.Itoa(s.port))
}

// Version is the major version of the server.
func (s *Server) Version() int { return s.version }

// BinDir is the folder of the server's programs: pg_dump and pg_restore of the
// same version are beside them.
func (s *Server) BinDir() string { return s.bin }

// Dir is the state folder.
func (s *Server) Dir() string { return s.dir }

// LogFile is the path of the server's log.
func (s *Server) LogFile() string { return filepath.Join(s.dir, "postgres.log") }

// Account is the name of the account that runs the server.
func (s *Server) Account() string { return s.who.name }

// PID is the process id of the postmaster, for tests that kill or freeze it.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.run.pid
}

// Remove deletes a state folder and everything in it. It takes the folder's
// lock first and ends a server that was left running there.
func Remove(ctx context.Context, cfg Config) error {
	if _, err := os.Stat(cfg.Dir); err != nil {
		return fmt.Errorf("removing a private PostgreSQL: %w", err)
	}
	s, err := prepare(ctx, cfg)
	if err != nil {
		return fmt.Errorf("removing a private PostgreSQL: %w", err)
	}
	err = s.clearStale(ctx)
	if err == nil {
		err = os.RemoveAll(s.dir)
	}
	if err := errors.Join(err, s.release()); err != nil {
		return fmt.Errorf("removing the private PostgreSQL in %s: %w", s.dir, err)
	}
	return nil
}

// release gives the folder back, and removes a socket folder outside of it.
func (s *Server) release() error {
	var err error
	if s.socket != "" && filepath.Dir(s.socket) != s.dir {
		err = os.RemoveAll(s.socket)
	}
	lock := s.lock
	s.lock = nil
	return errors.Join(err, lock.Close())
}

func freePort(ctx context.Context) (int, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("finding a free port: %w", err)
	}
	addr, ok := l.Addr().(*net.TCPAddr)
	if err := l.Close(); err != nil {
		return 0, fmt.Errorf("finding a free port: %w", err)
	}
	if !ok {
		return 0, errors.New("finding a free port: the listener has no TCP address")
	}
	return addr.Port, nil
}

const stopGrace = 20 * time.Second
