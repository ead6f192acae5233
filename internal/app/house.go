package app

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/agogsaas/gatehouse/handlers"
	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/capacity"
	"github.com/agogsaas/gatehouse/internal/change"
	"github.com/agogsaas/gatehouse/internal/crossdock"
	"github.com/agogsaas/gatehouse/internal/dimension"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/graph"
	"github.com/agogsaas/gatehouse/internal/health"
	"github.com/agogsaas/gatehouse/internal/inbox"
	"github.com/agogsaas/gatehouse/internal/live"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/oidc"
	"github.com/agogsaas/gatehouse/internal/operation"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/quality"
	"github.com/agogsaas/gatehouse/internal/review"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/internal/signoff"
	"github.com/agogsaas/gatehouse/internal/snapshot"
	"github.com/agogsaas/gatehouse/static"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/web"
)

// house is what the services are joined by.
type house struct {
	worker   *migration.Worker
	copies   *operation.Worker
	backups  *backup.Service
	endpoint *endpoint
	hub      *live.Hub
	inbox    *inbox.Service
	presence *postgres.Presence
	listener *postgres.Listener
}

// listening tells the parts that speak to this server itself where it is.
func (h house) listening(addr net.Addr) { h.endpoint.listen(addr) }

// build wires adapters to services and services to pages.
func (a *App) build() error {
	provider, err := oidc.New(oidc.Config{
		DisplayName: a.config.OIDCName, Issuer: a.config.OIDCIssuer, ClientID: a.config.OIDCClientID, ClientSecret: string(a.config.OIDCClientSecret),
		RedirectURL: a.config.PublicURL.String() + "/oidc/callback", PostLogoutURL: a.config.PublicURL.String() + "/signed-out",
		Scopes: a.config.OIDCScopes, RoleClaim: a.config.OIDCRoleClaim, TenantClaim: a.config.OIDCTenantClaim, ACR: a.config.OIDCACR, Now: a.now,
	})
	if err != nil {
		return err
	}
	schema, err := migrator.New(migrator.WMS(), string(a.config.OwnerDatabaseURL))
	if err != nil {
		return fmt.Errorf("reading the warehouse's migrations: %w", err)
	}
	a.house.hub = &live.Hub{}
	a.house.listener = postgres.NewListener(string(a.config.DatabaseURL), a.house.hub, a.log)
	a.house.presence = postgres.NewPresence(a.db, a.log)
	a.house.inbox = inbox.NewService(postgres.Inbox{DB: a.db}, a.config.Environment, a.now)
	a.house.endpoint = &endpoint{url: a.config.GraphQLURL, credentials: postgres.Credentials{DB: a.db}}
	healthService := health.NewService(postgres.Health{DB: a.db}, a.now, postgres.Health{DB: a.db}, a.house.endpoint, a.log)
	capacityService := capacity.NewService(postgres.Capacity{DB: a.db})
	dockService := crossdock.NewService(postgres.CrossDock{DB: a.db}, crossdock.BestFit{})
	qualityService := quality.NewService(postgres.Quality{DB: a.db})

	queue := &migrationQueueing{}
	store := postgres.Migrations{DB: a.db, Jobs: queue}
	migrations := migration.NewService(store, schema.Files(), a.now)
	a.house.worker = migration.NewWorker(store, schema, schema.Files(), a.log)
	a.house.backups, err = Backups(a.config, a.db, func(text string, err error) { a.log.Warn(text, "error", err) })
	if err != nil {
		return err
	}
	if a.house.copies, err = NewOperationWorker(a.config, a.house.backups, a.db, schema, a.log); err != nil {
		return err
	}
	hours := snapshot.NewService(postgres.Snapshots{DB: a.db}, healthService, a.config.Environment)
	measuring := dimension.NewService(postgres.Dimensions{DB: a.db}, a.now)
	imports := &importQueueing{}
	files := dimension.NewImports(postgres.Imports{DB: a.db, Jobs: imports}, a.now)
	works := jobs{db: a.db, measuring: measuring, imports: files, trail: a.config.Trail(a.db), health: healthService, quality: qualityService, gates: signoff.NewService(postgres.Signoff{DB: a.db}), worker: a.house.worker, copies: a.house.copies, backups: a.house.backups, inbox: a.house.inbox, hours: hours, capacity: capacityService, dock: dockService, log: a.log}
	if a.config.KeepsBackups() {
		works.keep = a.config.BackupKeep
	}
	if a.jobs, err = works.client(); err != nil {
		return err
	}
	queue.client, imports.client = a.jobs, a.jobs

	templates, err := runbook.Embedded()
	if err != nil {
		return fmt.Errorf("reading the runbook: %w", err)
	}
	runs := runbook.NewService(postgres.Runbook{DB: a.db}, a.config.Environment, templates, migrationPlan{schema.Files()}, Checks{
		Database: postgres.Checks{DB: a.db}, Health: healthService, Migrations: migrations, Endpoint: a.house.endpoint, Now: a.now,
	})
	signing := signoff.NewService(postgres.Signoff{DB: a.db})

	console, err := migrator.New(migrator.Console(), string(a.config.OwnerDatabaseURL))
	if err != nil {
		return err
	}
	ready := health.NewProbe(postgres.Health{DB: a.db}, int64(console.Files().Last()), func(v int64) string { return migration.Version(v).Title() }, a.now,
		health.Note{Name: "identity provider", Check: func(ctx context.Context) string {
			if _, err := provider.Begin(ctx, actor.SignIn{State: "readiness", Nonce: "readiness", Verifier: "readiness"}); err != nil {
				return "It cannot be reached; nobody can sign in until it is back."
			}
			return ""
		}})
	graphql := graph.New(graph.Options{Health: healthService, Quality: qualityService, Introspection: a.config.Environment != "production", Log: a.log, Now: a.now})

	site, err := a.site(provider)
	if err != nil {
		return err
	}
	externals, err := Externals(a.config, a.db)
	if err != nil {
		return err
	}
	operations := operation.NewService(postgres.Operations{DB: a.db, Jobs: &operationQueueing{a.jobs}})
	site.Mount(handlers.Routes(handlers.Stories{
		Repairs: Repairs(a.config, a.db, schema, operations),
		Glass:   signoff.NewGlass(postgres.Glass{Signoff: postgres.Signoff{DB: a.db}, Provider: provider.Name()}, provider),
		Runbook: runs, Signoff: signing, Deputies: signoff.NewRoster(postgres.Deputies{DB: a.db}), Rollbacks: runbook.NewRollbacks(postgres.Rollbacks{DB: a.db}), Migrations: migrations, Changes: change.NewService(postgres.Changes{DB: a.db}, migrationPlan{schema.Files()}), Drift: migration.NewDrifts(postgres.Drift{DB: a.db}, schema),
		Rehearsals: migration.NewRehearsals(postgres.Rehearsals{DB: a.db}),
		Restores:   Restores(a.db, schema, operations),
		Operations: operations, NoBackups: a.config.noBackups(), Externals: externals, DrillWithin: a.config.ExternalDrill, Dimensions: measuring, Imports: files, Health: healthService, Quality: qualityService, Ready: ready, Snapshots: hours, Reviews: review.NewService(postgres.Reviews{DB: a.db}, hours, a.config.Environment),
		Capacity: capacityService, Measures: measuring, CrossDock: dockService,
		Audit: a.config.Trail(a.db), Dossiers: Dossiers(a.config, a.db), Inbox: a.house.inbox, Presence: a.house.presence, Sessions: postgres.Sessions{DB: a.db}, Claims: provider, Provider: provider.Name(), Idle: a.config.SessionIdle, Now: a.now,
	}))
	site.Mount(graphql.Routes())
	a.handler = site.Handler()
	a.routes = site.Routes()
	return nil
}

// aisles are those who work in the aisles, with a telephone or a scanner in their hand.
var aisles = []actor.Role{actor.WarehouseStaff, actor.WarehouseSupervisor}

func (a *App) site(provider *oidc.Provider) (*web.Web, error) {
	var proxies []*net.IPNet
	for _, p := range a.config.TrustedProxies {
		proxies = append(proxies, &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())})
	}
	return web.New(web.Config{
		PublicURL: a.config.PublicURL.String(), Environment: layouts.Environment(a.config.Environment),
		Assets: layouts.Assets{Stylesheet: static.Path("console.css"), Script: static.Path("console.js"), Icon: static.Path("icon.svg"), Wall: static.Path("wall.css"), Warehouse: static.Path("warehouse.css")},
		Static: static.Handler(), TrustedProxies: proxies, IdleLimit: a.config.SessionIdle, AbsoluteLimit: a.config.SessionLifetime,
		Places: []web.Place{
			{Place: layouts.PlaceWaiting, Label: "Waiting for me", Short: "Waiting", Href: "/waiting", Right: actor.ReleaseRead, Counts: true},
			{Place: layouts.PlaceReleases, Label: "Releases", Href: "/releases", Right: actor.ReleaseRead},
			{Place: layouts.PlaceMigrations, Label: "Migrations", Href: "/migrations", Right: actor.MigrationRead},
			{Place: layouts.PlaceDimensions, Label: "Dimensions", Href: "/dimensions", Right: actor.DimensionRead, FirstFor: aisles},
			{Place: layouts.PlaceHealth, Label: "Health", Href: "/health-checks", Right: actor.HealthRead},
			{Place: layouts.PlaceQuality, Label: "Data quality", Short: "Quality", Href: "/data-quality", Right: actor.HealthRead},
			{Place: layouts.PlaceCapacity, Label: "Capacity failures", Short: "Capacity", Href: "/capacity-failures", Right: actor.CapacityRead, FirstFor: aisles},
			{Place: layouts.PlaceCrossDock, Label: "Cross-dock", Href: "/cross-dock", Right: actor.CrossDockRead, FirstFor: aisles},
			{Place: layouts.PlaceAudit, Label: "Audit", Href: "/audit", Right: actor.AuditRead},
			{Place: layouts.PlaceSettings, Label: "Settings", Href: "/settings/claims", Right: actor.IdentityExplain},
		},
		WithoutProvider: handlers.WithoutProvider, WayBack: postgres.WayBack{DB: a.db}, Knocks: postgres.Knocks{DB: a.db},
		Sessions: postgres.Sessions{DB: a.db}, Attempts: postgres.SignIns{DB: a.db}, People: postgres.People{DB: a.db},
		Credentials: postgres.Credentials{DB: a.db}, Provider: provider, Recorder: postgres.Audit{DB: a.db},
		Meter: func(ctx context.Context) (context.Context, func() (int64, int64)) {
			ctx, m := postgres.WithMeter(ctx)
			return ctx, func() (int64, int64) { return m.Statements(), m.Trips() }
		},
		Waiting: a.house.inbox, Hub: a.house.hub, Log: a.log, Now: a.now,
	})
}

// resume finds out what became of migrations that a dead program left, and keeps looking.
func (a *App) resume(ctx context.Context) error {
	if err := a.house.worker.Resolve(ctx); err != nil && !fault.Is(err, fault.Unavailable) {
		return fmt.Errorf("looking for migrations that were interrupted: %w", err)
	}
	go a.house.worker.Watch(ctx, watchEvery)
	go a.sweepScratch(ctx)
	go a.watchOperations(ctx)
	return nil
}

// sweepScratch drops the scratch databases of drills, and of rehearsals on a sample, that were killed. Where it cannot, the
// next one tries again.
func (a *App) sweepScratch(ctx context.Context) {
	if err := a.house.backups.Sweep(ctx); err != nil && ctx.Err() == nil {
		a.log.WarnContext(ctx, "looking for scratch databases that were left behind", "error", err)
	}
}

// watchEvery is how often work is looked for whose program is gone.
const watchEvery = 15 * time.Second

// watchOperations calls operations interrupted of which nothing is heard any more, until ctx ends.
func (a *App) watchOperations(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		if err := a.house.copies.Resolve(ctx); err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, "looking for operations of which nothing is heard", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// migrationQueueing puts a migration's job into the transaction that asks for it.
type migrationQueueing struct{ client *river.Client[pgx.Tx] }

// EnqueueMigration adds the job; it is seen when the transaction commits.
func (q *migrationQueueing) EnqueueMigration(ctx context.Context, tx pgx.Tx, run migration.Ref) error {
	_, err := q.client.InsertTx(ctx, tx, migrationRunArgs{Run: run.Run, Tenant: run.Tenant}, nil)
	return err
}

// migrationPlan tells the runbook which files this program carries.
type migrationPlan struct{ files *migration.Files }

// Files are all versions after the baseline, lowest first, as a release freezes them.
func (p migrationPlan) Files(context.Context) ([]runbook.Migration, error) {
	var list []runbook.Migration
	for _, v := range p.files.Versions() {
		f, ok := p.files.Up(v)
		if !ok || v == baseline {
			continue
		}
		list = append(list, runbook.Migration{Version: v.String(), Title: f.Card.Title, SHA256: f.SHA256})
	}
	return list, nil
}

// Hashes are those of a version's up file, and of the file that the direction runs.
func (p migrationPlan) Hashes(version, direction string) (plan, file string, ok bool) {
	v, err := migration.ParseVersion(version)
	if err != nil {
		return "", "", false
	}
	up, hasUp := p.files.Up(v)
	run, hasRun := p.files.In(migration.Direction(direction), v)
	return up.SHA256, run.SHA256, hasUp && hasRun
}

// baseline is V0.0.14: the warehouse as the ERP made it, which no release brings.
const baseline = migration.Version(14)

// endpoint is this server's own GraphQL address, asked like anybody else asks it.
type endpoint struct {
	url         string
	credentials postgres.Credentials
	own         atomic.Pointer[string]

	mu     sync.Mutex
	tokens map[uuid.UUID]ownToken
}

type ownToken struct {
	value string
	ends  time.Time
}

const ownTokenLife = 12 * time.Hour

func (e *endpoint) listen(addr net.Addr) {
	url := "http://" + addr.String() + "/graphql"
	e.own.Store(&url)
}

// Ask posts a real query to the configured endpoint, or to this server itself.
func (e *endpoint) Ask(ctx context.Context, by actor.Actor) (health.EndpointReading, error) {
	return e.probe().Ask(ctx, by)
}

// token is a credential of this process for the tenant, renewed at half its life.
func (e *endpoint) token(ctx context.Context, by actor.Actor) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t, ok := e.tokens[by.Tenant]; ok && time.Until(t.ends) > ownTokenLife/2 {
		return t.value, nil
	}
	self := actor.System(actor.Worker, "server")
	self.Tenant, self.TenantCode, self.TenantName = by.Tenant, by.TenantCode, by.TenantName
	value, made, err := e.credentials.Create(ctx, self, "health check of the GraphQL endpoint", []actor.Right{actor.GraphQLQuery}, ownTokenLife)
	if err != nil {
		return "", err
	}
	if e.tokens == nil {
		e.tokens = map[uuid.UUID]ownToken{}
	}
	e.tokens[by.Tenant] = ownToken{value, made.ExpiresAt}
	return value, nil
}
