package handlers

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// AuditTrail reads the trail of the actor's tenant and walks its chain.
type AuditTrail interface {
	List(ctx context.Context, by actor.Actor, q audit.Query) (audit.Page, error)
	Verify(ctx context.Context, by actor.Actor) (audit.Check, error)
	// Acknowledge lets the tenant be changed again after an older state of the database was restored.
	Acknowledge(ctx context.Context, by actor.Actor, reason string) error
	// Export writes down that the trail is exported, and gives what is to be written.
	Export(ctx context.Context, by actor.Actor, q audit.Query, format string) (audit.Export, error)
}

const (
	// auditPageSize is as much as fits into 60 kB: each entry carries what it changed, and its two hashes.
	auditPageSize = 45
	// auditClip is how many characters of a value the list shows; the page of the one entry shows all.
	auditClip = 300
	// auditFields is how many changed fields of an entry the list shows.
	auditFields = 20
)

type auditTrail struct {
	trail AuditTrail
	now   func() time.Time
}

// Audit is the subject of the audit trail: who did what, when, to what.
func Audit(trail AuditTrail, now func() time.Time) []web.Route {
	h := auditTrail{trail, now}
	return []web.Route{
		web.Needs(http.MethodGet, "/audit", actor.AuditRead, h.list),
		{Method: http.MethodPost, Path: "/audit/export", Right: actor.AuditRead, Action: "audit:export", Streams: true, Handler: h.export},
		{Method: http.MethodPost, Path: "/audit/verify", Right: actor.AuditRead, Action: "audit:verify", Handler: h.verify},
		{
			Method: http.MethodPost, Path: "/audit/acknowledge", Right: actor.AuditAcknowledge, Fresh: actor.FreshFor,
			Doing: "acknowledge that an older state was restored", Handler: h.acknowledge,
		},
	}
}

func (h auditTrail) list(c echo.Context) error {
	values := web.Query(c)
	q := auditFilter(values)
	q.Limit = auditPageSize
	if values.Has("before") {
		before, err := strconv.ParseInt(values.Text("before", 1, 19), 10, 64)
		if err != nil || before < 1 {
			values.Complain("before", "This is no place in the list.")
		}
		q.Before = before
	}
	var entry int64
	if values.Has("entry") {
		var err error
		if entry, err = strconv.ParseInt(values.Text("entry", 1, 18), 10, 64); err != nil || entry < 1 {
			values.Complain("entry", "This is no entry of the trail.")
		}
		q.Before, q.Limit = entry+1, 1
	}
	if err := values.Err(); err != nil {
		return err
	}
	page, err := h.trail.List(c.Request().Context(), web.Actor(c), q)
	if err != nil {
		return err
	}
	if entry > 0 {
		page.Entries = slices.DeleteFunc(page.Entries, func(e audit.Entry) bool { return e.Seq != entry })
		page.More = false
	}
	return web.Page(c, http.StatusOK, pages.AuditList(auditListView(c, q, page, entry > 0, h.now())))
}

// auditFilter reads what of the trail is asked for.
func auditFilter(values *web.Values) audit.Query {
	q := audit.Query{
		Person:  values.Text("person", 0, 200),
		Action:  values.Text("action", 0, 60),
		Outcome: audit.Outcome(optionalChoice(values, "outcome", "done", "refused", "failed")),
	}
	q.ObjectKind, q.ObjectID, _ = strings.Cut(values.Text("object", 0, 300), " ")
	if day := values.Text("day", 0, 10); day != "" {
		from, err := time.Parse(time.DateOnly, day)
		if err != nil {
			values.Complain("day", "Write the day as 2026-11-23.")
		}
		q.From, q.To = from, from.AddDate(0, 0, 1)
	}
	return q
}

// export sends the trail as the page filters it.
func (h auditTrail) export(c echo.Context) error {
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	q, format := auditFilter(form), form.Choice("format", "jsonl", "csv")
	if err := form.Err(); err != nil {
		return err
	}
	x, err := h.trail.Export(c.Request().Context(), web.Actor(c), q, format)
	if err != nil {
		return err
	}
	name := "audit-" + x.TenantCode + "-" + x.At.UTC().Format("20060102T150405Z") + "." + format
	kind, write := "application/jsonl; charset=utf-8", x.WriteJSONL
	if format == "csv" {
		kind, write = "text/csv; charset=utf-8", x.WriteCSV
	}
	return web.Download(c, name, kind, func(w io.Writer) error {
		out := bufio.NewWriterSize(w, 64<<10)
		if _, err := write(out); err != nil {
			return err
		}
		return out.Flush()
	})
}

func (h auditTrail) verify(c echo.Context) error {
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	if err := form.Err(); err != nil {
		return err
	}
	check, err := h.trail.Verify(c.Request().Context(), web.Actor(c))
	if err != nil {
		return err
	}
	if !check.Whole() {
		return fault.New(fault.Conflict, "The audit chain does not hold: %s. Tell whoever runs the database at once, and keep the newest backup.", check.Break)
	}
	web.Flash(c, layouts.FlashGood, fmt.Sprintf("The chain was walked from its first entry to entry %d and is whole.", check.Seq))
	return web.SeeOther(c, "/audit")
}

func (h auditTrail) acknowledge(c echo.Context) error {
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	reason := form.Text("reason", 0, 2000)
	if err = form.Err(); err == nil {
		err = h.trail.Acknowledge(c.Request().Context(), web.Actor(c), reason)
	}
	if refused, ok := correctable(err); ok {
		page, err := h.trail.List(c.Request().Context(), web.Actor(c), audit.Query{Limit: auditPageSize})
		if err != nil {
			return err
		}
		v := auditListView(c, audit.Query{}, page, false, h.now())
		v.Reason, v.Complaints = form.Raw("reason"), allComplaints(refused, "reason")
		return web.Again(c, refused, pages.AuditList(v))
	}
	if err != nil {
		return err
	}
	web.Flash(c, layouts.FlashGood, "It is acknowledged, and things may be changed again. Walk the chain, so that its new head is published.")
	return web.SeeOther(c, "/audit")
}

// optionalInt reads a number that need not be there; zero where it is not.
func optionalInt(values *web.Values, name string, least, most int) int {
	if !values.Has(name) {
		values.Allow(name)
		return 0
	}
	return values.Int(name, least, most)
}

func optionalChoice(values *web.Values, name string, options ...string) string {
	if !values.Has(name) {
		values.Allow(name)
		return ""
	}
	return values.Choice(name, options...)
}
