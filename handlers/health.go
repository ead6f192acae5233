package handlers

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/health"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// HealthChecks runs and remembers the eight checks.
type HealthChecks interface {
	Latest(ctx context.Context, by actor.Actor) (health.Report, error)
	Run(ctx context.Context, by actor.Actor) (health.Report, error)
}

// Readiness says whether this process can serve.
type Readiness interface {
	Ready(ctx context.Context) health.Readiness
}

type healthChecks struct {
	checks HealthChecks
	ready  Readiness
	now    func() time.Time
}

// The addresses of the subject; the JSON one is the requirement's.
const (
	healthPage = "/health-checks"
	healthJSON = "/api/wms/optimization/health"
)

// Health is the subject of how things are: the page, its JSON form, and the three addresses that balancers and
// supervisors ask.
func Health(checks HealthChecks, ready Readiness, now func() time.Time) []web.Route {
	h := healthChecks{checks, ready, now}
	return []web.Route{
		web.Needs(http.MethodGet, healthPage, actor.HealthRead, h.show),
		web.Needs(http.MethodPost, healthPage+"/run", actor.HealthRun, h.run),
		web.Needs(http.MethodGet, healthJSON, actor.HealthRead, h.report),
		{Method: http.MethodGet, Path: "/livez", Access: web.Bare, Handler: alive},
		{Method: http.MethodGet, Path: "/readyz", Access: web.Bare, Handler: h.readiness},
		{Method: http.MethodGet, Path: "/health", Access: web.Bare, Handler: h.short},
	}
}

func (h healthChecks) show(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	report, err := h.checks.Latest(c.Request().Context(), web.Actor(c))
	if err != nil {
		return err
	}
	return web.Page(c, http.StatusOK, pages.Health(healthView(web.Shell(c, "Health"), web.Actor(c), report, h.now())))
}

func (h healthChecks) run(c echo.Context) error {
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	if err := form.Err(); err != nil {
		return err
	}
	report, err := h.checks.Run(c.Request().Context(), web.Actor(c))
	if err != nil {
		return err
	}
	tone := layouts.FlashGood
	if report.Level() != health.Healthy {
		tone = layouts.FlashInfo
	}
	web.Flash(c, tone, "Checked: "+string(report.Status())+". "+report.Sentence())
	return web.SeeOther(c, healthPage)
}

// report answers programs. Warnings and degradation are 200 with the word in the body; only unhealthy is 503, so that
// a monitor which knows nothing but the status raises no alarm for a warning.
func (h healthChecks) report(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	by := web.Actor(c)
	report, err := h.checks.Latest(c.Request().Context(), by)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if report.Status() == health.StatusUnhealthy {
		status = http.StatusServiceUnavailable
	}
	return c.JSON(status, report.Document(by.TenantCode))
}

// alive says that this process answers, and nothing else: a supervisor that restarts us because the database is away
// makes two outages of one.
func alive(c echo.Context) error {
	return c.JSON(http.StatusOK, map[string]string{"status": "ok"})
}

func (h healthChecks) readiness(c echo.Context) error {
	r := h.ready.Ready(c.Request().Context())
	return c.JSON(statusWhen(r.Ready), r)
}

// short is for anybody: whether the database answers, and no more.
func (h healthChecks) short(c echo.Context) error {
	for _, gate := range h.ready.Ready(c.Request().Context()).Gates {
		if gate.Name == "database" && !gate.OK {
			return c.JSON(http.StatusServiceUnavailable, map[string]string{"status": "unavailable"})
		}
	}
	return c.JSON(http.StatusOK, map[string]string{"status": "ok"})
}

func statusWhen(ok bool) int {
	if ok {
		return http.StatusOK
	}
	return http.StatusServiceUnavailable
}
