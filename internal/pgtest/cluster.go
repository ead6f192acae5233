package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/agogsaas/gatehouse/internal/privatepg"
)

// Option changes a cluster before it starts.
type Option func(*privatepg.Config)

// WithPort gives the cluster a free loopback port beside its socket.
func WithPort() Option { return func(c *privatepg.Config) { c.Port = privatepg.AnyPort } }

// WithSetting sets one of PostgreSQL's settings.
func WithSetting(name, value string) Option {
	return func(c *privatepg.Config) { c.Settings[name] = value }
}

// Cluster starts a PostgreSQL for this test alone, which it may kill, freeze
// and restart. It keeps its promises to the disk. Stopped and removed at the
// end of the test.
func Cluster(t testing.TB, options ...Option) *privatepg.Server {
	t.Helper()
	cfg := privatepg.Config{Settings: map[string]string{"shared_buffers": "64MB"}, Notice: func(s string) { t.Log(s) }}
	for _, option := range options {
		option(&cfg)
	}
	pg, err := startCluster(t.Context(), cfg)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(func() {
		if err := pg.Stop(); err != nil {
			t.Errorf("pgtest: %v", err)
		}
		if err := os.RemoveAll(pg.Dir()); err != nil {
			t.Errorf("pgtest: removing the cluster: %v", err)
		}
	})
	return pg
}

// OpenOn makes a database in a cluster of Cluster's.
func OpenOn(t testing.TB, pg *privatepg.Server, prepare Prepare) *Database {
	t.Helper()
	s, err := connect(t.Context(), &server{url: pg.URL, superUser: privatepg.Superuser, prefix: "test_"})
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	defer s.pool.Close()
	if prepare == nil {
		prepare = standard
	}
	name := s.prefix + unique()
	if err := s.makeTemplate(t.Context(), name, prepare); err != nil {
		t.Fatalf("pgtest: preparing a database: %v", err)
	}
	return s.database(name)
}

const (
	folderPattern = "gatehouse-pgtest-*"
	// abandoned is how old a folder without a lock must be before it counts as
	// left behind and not as just being made.
	abandoned = 10 * time.Minute
)

// startCluster starts a cluster in a new temporary folder that outlives nobody.
func startCluster(ctx context.Context, cfg privatepg.Config) (*privatepg.Server, error) {
	if err := sweepFolders(ctx); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", folderPattern[:len(folderPattern)-1])
	if err != nil {
		return nil, fmt.Errorf("making a folder for the test server: %w", err)
	}
	if err := watch(dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	cfg.Dir, cfg.BinDir = dir, os.Getenv("PG_BINDIR")
	pg, err := privatepg.Start(ctx, cfg)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return pg, nil
}

// watch starts a shell that waits for this process to end, however it ends,
// then for the server to follow, and removes the folder. It notices the end by
// its input: the kernel closes our half of the pipe. A test may have died while
// its server was frozen, so everything is thawed first.
func watch(dir string) error {
	const script = `cat
pid=$(head -n 1 "$1/data/postmaster.pid") && for stat in /proc/[0-9]*/stat; do
	read -r child _ _ parent _ <"$stat" && [ "$parent" = "$pid" ] && kill -CONT "$child"
done && kill -CONT "$pid"
tries=0
while pid=$(head -n 1 "$1/data/postmaster.pid") && kill -0 "$pid"; do
	tries=$((tries + 1))
	[ $tries -gt 100 ] && kill -9 "$pid"
	[ $tries -gt 110 ] && break
	sleep 0.1
done
rm -rf "$1"`
	// No context: it must outlive us. No output: "go test" would wait for it.
	cmd := exec.Command("/bin/sh", "-c", script, "pgtest-watch", dir) //nolint:noctx // constant script, our own folder
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}             // Ctrl-C is for the tests
	input, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("watching the test server's folder: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("watching the test server's folder: %w", err)
	}
	watched.Store(dir, input)
	return nil
}

// watched keeps our ends of the watchers' pipes: one that the garbage collector
// closed would look like our death.
var watched sync.Map

// sweepFolders removes what dead processes left. Whoever lives holds the lock
// of its folder; removing takes the lock first.
func sweepFolders(ctx context.Context) error {
	dirs, err := filepath.Glob(filepath.Join(os.TempDir(), folderPattern))
	if err != nil {
		return fmt.Errorf("looking for folders left behind: %w", err)
	}
	for _, dir := range dirs {
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() || time.Since(info.ModTime()) < abandoned {
			continue
		}
		err = privatepg.Remove(ctx, privatepg.Config{Dir: dir, BinDir: os.Getenv("PG_BINDIR")})
		// Still used, gone meanwhile, or somebody else's: not ours to remove.
		if err != nil && !errors.Is(err, privatepg.ErrInUse) && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("removing what an earlier run left: %w", err)
		}
	}
	return nil
}
