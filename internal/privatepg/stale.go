package privatepg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// clearStale deals with what an earlier run left: a live server of this data
// folder is stopped, a lock file that names a process of somebody else is
// removed. We hold the folder's lock, so nobody else is starting a server here.
func (s *Server) clearStale(ctx context.Context) error {
	pid, err := postmasterPID(s.data)
	if err != nil {
		return err
	}
	if pid != 0 {
		if err := s.endOrphan(ctx, pid); err != nil {
			return err
		}
		path := filepath.Join(s.data, "postmaster.pid")
		if err := os.Remove(path); err == nil {
			s.notice(fmt.Sprintf("Removed a stale %s left by process %d.", path, pid))
		} else if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing a stale lock file: %w", err)
		}
	}
	return s.clearSockets()
}

// endOrphan stops the server that an earlier program left running here.
func (s *Server) endOrphan(ctx context.Context, pid int) error {
	if !isPostmaster(pid, s.data) {
		return nil
	}
	s.notice(fmt.Sprintf("Stopping a PostgreSQL that an earlier program left running (process %d).", pid))
	stop := func(mode string) error {
		return s.tool(ctx, "pg_ctl", "-D", s.data, "-m", mode, "-w", "-t", "30", "stop")
	}
	err := stop("fast")
	// It may have ended by itself between our look and pg_ctl's.
	if err != nil && isPostmaster(pid, s.data) {
		err = stop("immediate")
	}
	if err != nil && isPostmaster(pid, s.data) {
		return fmt.Errorf("stopping the PostgreSQL left running in %s (process %d): %w", s.data, pid, err)
	}
	return nil
}

// clearSockets removes the socket and its lock file. The lock file of a killed
// server blocks the next start for as long as its zombie is not reaped.
func (s *Server) clearSockets() error {
	stale, err := filepath.Glob(filepath.Join(s.socket, ".s.PGSQL.*"))
	if err != nil {
		return fmt.Errorf("looking for stale sockets: %w", err)
	}
	for _, path := range stale {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing a stale socket: %w", err)
		}
	}
	return nil
}

// postmasterPID reads the lock file of a data folder; 0 where there is none.
func postmasterPID(data string) (int, error) {
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading the server's lock file: %w", err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || pid == 0 {
		return -1, nil // half written: nobody's, so it is stale
	}
	return max(pid, -pid), nil // a negative number is a server in single-user mode
}
