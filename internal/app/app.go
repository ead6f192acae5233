package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"golang.org/x/sync/errgroup"

	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/web"
)

// App is the running product: one HTTP server and one scheduler over one database.
type App struct {
	config  Config
	log     *slog.Logger
	now     func() time.Time
	db      *postgres.DB
	house   house
	handler http.Handler
	routes  []web.Route
	jobs    *river.Client[pgx.Tx]
}

// New opens the adapters, refuses a database it must not work on, and wires the services and pages. It waits up to
// patience for a database that is away. Close what it returns.
func New(ctx context.Context, config Config, log *slog.Logger, patience time.Duration) (*App, error) {
	db, err := postgres.Open(ctx, string(config.DatabaseURL))
	if err != nil {
		return nil, err
	}
	a := &App{config: config, log: log, now: time.Now, db: db}
	if err := a.open(ctx, patience); err != nil {
		db.Close()
		return nil, err
	}
	return a, nil
}

func (a *App) open(ctx context.Context, patience time.Duration) error {
	if err := a.waitForDatabase(ctx, patience); err != nil {
		return err
	}
	var opening errgroup.Group
	opening.Go(func() error { return a.db.CheckRole(ctx) })
	opening.Go(func() error { return checkConsoleSchema(ctx, string(a.config.OwnerDatabaseURL)) })
	opening.Go(a.build)
	if err := opening.Wait(); err != nil {
		return err
	}
	a.noticeOlder(ctx)
	a.noticeKey(ctx)
	return nil
}

// Close gives the connections back. Serve must have returned.
func (a *App) Close() { a.db.Close() }

// Handler is the whole site, for tests that bring their own listener.
func (a *App) Handler() http.Handler { return a.handler }

// Routes is the whole route table, for tests that knock at every door.
func (a *App) Routes() []web.Route { return a.routes }

func (a *App) waitForDatabase(ctx context.Context, patience time.Duration) error {
	deadline := time.Now().Add(patience)
	for said := false; ; {
		err := a.db.Ping(ctx)
		if err == nil || !fault.Is(err, fault.Unavailable) {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the database of GATEHOUSE_DATABASE_URL cannot be reached; `gatehouse doctor` says more: %w", err)
		}
		if !said {
			a.log.WarnContext(ctx, "waiting for the database", "patience", patience.String())
			said = true
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// checkConsoleSchema refuses tables that are older than this program, and says what to run. Newer ones it takes: while a
// release is rolled out, and where it is rolled back, the program of before works on them. Gatehouse's own files only add
// for that reason; what is to go goes a release later.
func checkConsoleSchema(ctx context.Context, ownerURL string) error {
	m, err := migrator.New(migrator.Console(), ownerURL)
	if err != nil {
		return err
	}
	ladder, err := m.Status(ctx)
	if err != nil {
		return fmt.Errorf("looking at the tables of schema gatehouse: %w; if they were never made, run `gatehouse setup`", err)
	}
	for _, rung := range ladder.Rungs {
		if !rung.InDatabase() {
			return fmt.Errorf("the tables of schema gatehouse are older than this program (%s is missing): run `gatehouse setup`", rung.Version)
		}
	}
	return nil
}

// begin starts what works beside the requests. The pages are served while it does.
func (a *App) begin(ctx context.Context) error {
	if err := a.resume(ctx); err != nil {
		return err
	}
	if err := a.jobs.Start(ctx); err != nil {
		return fmt.Errorf("starting the scheduler: %w", err)
	}
	// What only the start needed goes back to the system.
	time.AfterFunc(time.Second, debug.FreeOSMemory)
	return nil
}

// listen hears from the database what changes, for open pages, and tells it who has them open, until the function it returns is called.
func (a *App) listen(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var hearing sync.WaitGroup
	hearing.Go(func() { a.house.listener.Listen(ctx) })
	hearing.Go(func() { a.house.presence.Keep(ctx) })
	return func() {
		cancel()
		hearing.Wait()
	}
}

// Serve listens and works until ctx ends, then finishes the requests and jobs under way. ready is told the address.
func (a *App) Serve(ctx context.Context, ready func(addr net.Addr)) error {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", a.config.Addr)
	if err != nil {
		return fmt.Errorf("listening on %s: %w; GATEHOUSE_ADDR chooses another address", a.config.Addr, err)
	}
	server := &http.Server{
		Handler: a.handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 60 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelWarn),
	}
	a.house.listening(listener.Addr())
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	defer a.listen(ctx)()
	if err := a.begin(ctx); err != nil {
		return errors.Join(err, server.Close())
	}
	if ready != nil {
		ready(listener.Addr())
	}
	select {
	case err = <-failed:
	case <-ctx.Done():
		err = nil
	}
	// The request's and job's own deadlines are shorter than this; a migration is left to its database connection,
	// which finishes or rolls back, and the next start reads what became of it.
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	a.house.hub.Close() // open pages would keep the server waiting; they come back to whoever follows
	stopped := errors.Join(server.Shutdown(end), a.jobs.StopAndCancel(end))
	if err == nil || errors.Is(err, http.ErrServerClosed) {
		return stopped
	}
	return errors.Join(err, stopped)
}
