package handlers

import (
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/web"
)

// Stories are what the pages call.
type Stories struct {
	Runbook    RunbookStories
	Signoff    SignoffStories
	Glass      GlassStories
	Deputies   DeputyStories
	Rollbacks  RollbackStories
	Migrations MigrationStories
	Changes    ChangeStories
	Drift      DriftStories
	Rehearsals RehearsalStories
	Repairs    RepairStories
	Operations OperationStories
	Restores   RestoreStories
	Externals  ExternalStories
	// DrillWithin is how long after its registration an external backup has to be restored.
	DrillWithin time.Duration
	NoBackups   string // why no backup can be taken; empty where one can
	Dimensions  DimensionStories
	Imports     ImportStories
	Health      HealthChecks
	Quality     QualityStories
	Ready       Readiness
	Snapshots   SnapshotStories
	Reviews     ReviewStories
	Audit       AuditTrail
	Capacity    CapacityStories
	Measures    Measures
	CrossDock   CrossDockStories
	Dossiers    DossierStories
	Inbox       InboxStories
	Presence    Presence
	Sessions    OwnSessions
	Claims      ClaimsExplainer
	Provider    string // the identity provider's name
	Idle        time.Duration
	Now         func() time.Time
}

// Routes is the table of this site. What every site has (sign-in, sign-out, assets) web adds by itself.
func Routes(s Stories) []web.Route {
	return slices.Concat(
		[]web.Route{{Method: http.MethodGet, Path: "/", Access: web.Public, Handler: home}},
		Inbox(s.Inbox),
		lookoutRoutes(s.Runbook, s.Presence),
		Releases(s.Runbook, s.Reviews, s.Now),
		Snapshots(s.Snapshots),
		Reports(s.Reviews),
		Gates(s.Signoff, s.Now),
		Glass(s.Glass, s.Provider, s.Now),
		Deputies(s.Deputies, s.Now),
		Rollbacks(s.Rollbacks, s.Now),
		Migrations(s.Migrations, s.Now),
		Windows(s.Changes, s.Now),
		Drift(s.Drift, s.Now),
		Rehearsals(s.Rehearsals, s.Now),
		Repairs(s.Repairs, s.Now),
		Backups(s.Operations, s.NoBackups, s.DrillWithin, s.Now),
		Restores(s.Restores, s.NoBackups, s.Now),
		Externals(s.Externals, s.Operations, s.Now),
		Dimensions(s.Dimensions, s.Now),
		Imports(s.Imports, s.Now),
		Health(s.Health, s.Ready, s.Now),
		Quality(s.Quality),
		Capacity(s.Capacity, s.Measures, s.Now),
		CrossDock(s.CrossDock, s.Now),
		Audit(s.Audit, s.Now),
		Dossiers(s.Dossiers),
		Me(s.Sessions, s.Provider, s.Idle, s.Now),
		Claims(s.Claims),
	)
}

// home leads to the releases; who is not signed in is asked to there.
func home(c echo.Context) error { return web.SeeOther(c, "/releases") }
