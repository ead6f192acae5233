package pgtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/agogsaas/gatehouse/internal/privatepg"
)

// Freeze stops every process of a cluster of Cluster's where it stands, as a
// machine that swaps or a paused container does: connections stay open and
// nothing answers. thaw lets it go on; the end of the test does so too.
func Freeze(t testing.TB, pg *privatepg.Server) (thaw func()) {
	t.Helper()
	postmaster := pg.PID()
	// The postmaster first: from then on no process is added.
	if err := syscall.Kill(postmaster, syscall.SIGSTOP); err != nil {
		t.Fatalf("pgtest: freezing the server: %v", err)
	}
	children, err := childrenOf(postmaster)
	if err != nil {
		t.Fatalf("pgtest: freezing the server: %v", err)
	}
	signal := func(signal syscall.Signal) {
		for _, pid := range append(children, postmaster) {
			if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
				t.Errorf("pgtest: freezing or thawing process %d: %v", pid, err)
			}
		}
	}
	signal(syscall.SIGSTOP)
	thaw = func() { signal(syscall.SIGCONT) }
	t.Cleanup(thaw)
	return thaw
}

func childrenOf(parent int) ([]int, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(stats) == 0 {
		return nil, fmt.Errorf("there is no /proc to find the server's processes in: %w", err)
	}
	var children []int
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		name, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest)
		if len(fields) < 2 || fields[1] != strconv.Itoa(parent) {
			continue
		}
		pid, err := strconv.Atoi(strings.Fields(name)[0])
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", path, err)
		}
		children = append(children, pid)
	}
	return children, nil
}
