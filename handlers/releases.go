package handlers

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// ReleaseStories are the stories of a release as a whole.
type ReleaseStories interface {
	Environment() string
	Templates(ctx context.Context, by actor.Actor) ([]runbook.Template, error)
	List(ctx context.Context, by actor.Actor, q runbook.Query) ([]runbook.Run, error)
	Active(ctx context.Context, by actor.Actor) (runbook.Run, bool, error)
	Show(ctx context.Context, by actor.Actor, run uuid.UUID) (runbook.Release, error)
	CheckStart(ctx context.Context, by actor.Actor, r runbook.StartRequest) error
	Start(ctx context.Context, by actor.Actor, r runbook.StartRequest) (uuid.UUID, error)
	Schedule(ctx context.Context, by actor.Actor, seen runbook.SeenRun, t0 time.Time, reason string) error
	Abort(ctx context.Context, by actor.Actor, seen runbook.SeenRun, confirm, reason string) error
}

const (
	releasesPage    = "/releases"
	releasePageSize = 50
	// localTime is how an input of type datetime-local writes a moment.
	localTime = "2006-01-02T15:04"
)

var toReleases = layouts.Crumb{Label: "Releases", Href: releasesPage}

type releases struct {
	stories ReleaseStories
	lessons LessonStories
	now     func() time.Time
}

// RunbookStories are all stories of a runbook.
type RunbookStories interface {
	ReleaseStories
	ItemStories
	Marking
	TemplateStories
}

// Releases is the subject of releases: the list, the start, the timeline, and their items.
func Releases(stories RunbookStories, lessons LessonStories, now func() time.Time) []web.Route {
	h := releases{stories, lessons, now}
	return append([]web.Route{
		web.Needs(http.MethodGet, releasesPage, actor.ReleaseRead, h.list),
		web.Needs(http.MethodGet, releasesPage+"/new", actor.ReleaseRead, h.ask),
		web.Needs(http.MethodPost, releasesPage, actor.ReleaseStart, h.start),
		web.Needs(http.MethodGet, releasesPage+"/:release", actor.ReleaseRead, h.show),
		web.Needs(http.MethodGet, releasesPage+"/:release"+wallPath, actor.ReleaseRead, h.wall),
		{Method: http.MethodPost, Path: releasesPage + "/:release/schedule", Right: actor.ReleaseManage, Action: "release:schedule", Handler: h.schedule},
		{Method: http.MethodPost, Path: releasesPage + "/:release/abort", Right: actor.ReleaseManage, Action: "release:abort", Handler: h.abort},
	}, append(itemRoutes(stories), runbookRoutes(stories, now)...)...)
}

func runPath(id uuid.UUID) string { return releasesPage + "/" + id.String() }

func (h releases) list(c echo.Context) error {
	values := web.Query(c)
	q := runbook.Query{Limit: releasePageSize + 1}
	if state := optionalChoice(values, "state", "active", "signed_off", "closed", "aborted", "rolled_back"); state != "" {
		q.State = runbook.State(state)
	}
	if at := values.Text("before", 0, 80); at != "" {
		when, id, _ := strings.Cut(at, "_")
		var wrongTime, wrongID error
		q.BeforeAt, wrongTime = time.Parse(time.RFC3339Nano, when)
		q.BeforeID, wrongID = uuid.Parse(id)
		if wrongTime != nil || wrongID != nil {
			values.Complain("before", "This is no place in the list.")
		}
	}
	if err := values.Err(); err != nil {
		return err
	}
	runs, err := h.stories.List(c.Request().Context(), web.Actor(c), q)
	if err != nil {
		return err
	}
	return web.Page(c, http.StatusOK, pages.ReleaseList(h.listView(web.Shell(c, "Releases"), web.Actor(c), q, runs)))
}

func (h releases) ask(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	v, err := h.startView(c)
	if err != nil {
		return err
	}
	if typed := web.Prefill(c); typed != nil {
		h.keepStart(&v, func(name string) string { return typed[name] })
	}
	return web.Page(c, http.StatusOK, pages.ReleaseStart(v))
}

func (h releases) start(c echo.Context) error {
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	r := runbook.StartRequest{Template: form.Text("template", 0, 64), Code: form.Text("code", 0, 200), Title: form.Text("title", 0, 400)}
	r.T0, r.TimeZone = readTZero(form)
	var id uuid.UUID
	if err = form.Err(); err != nil {
		err = withComplaints(err, h.stories.CheckStart(c.Request().Context(), web.Actor(c), r)) // all that is wrong at once, not one thing after the other
	} else {
		id, err = h.stories.Start(c.Request().Context(), web.Actor(c), r)
	}
	if refused, ok := correctable(err); ok {
		v, err := h.startView(c)
		if err != nil {
			return err
		}
		h.keepStart(&v, form.Raw)
		v.Complaints = allComplaints(refused, "template", "code", "title", "t_zero", "zone")
		return web.Again(c, refused, pages.ReleaseStart(v))
	}
	if err != nil {
		return err
	}
	web.Flash(c, layouts.FlashGood, "The release has been started, and its runbook is frozen.")
	return web.SeeOther(c, runPath(id))
}

// keepStart puts what was typed back into the form that starts a release.
func (h releases) keepStart(v *pages.ReleaseStartView, typed func(string) string) {
	v.Code, v.Name, v.TZero, v.Zones = typed("code"), typed("title"), typed("t_zero"), zoneOptions(typed("zone"), h.now())
	for i := range v.Templates {
		v.Templates[i].Chosen = v.Templates[i].Value == typed("template")
	}
}

// keepSchedule and keepAbort do the same for the two forms of a release's page.
func (h releases) keepSchedule(v *pages.ReleaseShowView, typed func(string) string) {
	v.Reschedule.TZero, v.Reschedule.Reason, v.Reschedule.Zones = typed("t_zero"), typed("reason"), zoneOptions(typed("zone"), h.now())
}

func keepAbort(v *pages.ReleaseShowView, typed func(string) string) {
	v.Abort.Confirm, v.Abort.Reason = typed("confirm"), typed("abort_reason")
}

// readTZero reads date, time and zone, each with its complaint.
func readTZero(form *web.Values) (time.Time, string) {
	name := form.Text("zone", 1, 60)
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		form.Complain("zone", "Choose the time zone of the site.")
		return form.Time("t_zero", time.UTC), name // never used: only what is wrong with it as typed
	}
	return form.Time("t_zero", zone), name
}

// correctable is a refusal that the person can put right on the same page.
func correctable(err error) (*fault.Error, bool) {
	refused, ok := fault.As(err)
	if !ok || (refused.Kind == fault.Invalid && refused.Fields == nil) {
		return nil, false
	}
	tooLarge := refused.Kind == fault.TooLarge && refused.Fields != nil
	return refused, refused.Kind == fault.Invalid || refused.Kind == fault.Conflict || tooLarge
}

// withComplaints adds to what the form refuses what the story would refuse besides. Each field keeps its first complaint,
// and a refusal that is not about fields stays as it is.
func withComplaints(form, story error) error {
	refused, ok := fault.As(form)
	more, also := fault.As(story)
	if !ok || !also || refused.Fields == nil {
		return form
	}
	for name, text := range more.Fields {
		if _, already := refused.Fields[name]; !already {
			refused = refused.WithField(name, text)
		}
	}
	return refused
}

// allComplaints are the complaints about the fields, and before them what is wrong with the form as a whole.
func allComplaints(refused *fault.Error, names ...string) components.Complaints {
	list := complaints(refused, names...)
	if len(list) == 0 {
		list = components.Complaints{{Text: refused.Message}}
	}
	return list
}

func (h releases) show(c echo.Context) error {
	query := web.Query(c)
	version, then, _ := strings.Cut(query.Text("since", 0, 40), ".")
	since, wrongVersion := strconv.Atoi(cmp.Or(version, "0"))
	seen, wrongTime := strconv.ParseInt(cmp.Or(then, "0"), 10, 64)
	if wrongVersion != nil || wrongTime != nil {
		query.Complain("since", "This is no state of the release.")
	}
	if err := query.Err(); err != nil {
		return err
	}
	release, err := h.load(c)
	if err != nil {
		return err
	}
	v := h.releaseView(web.Shell(c, release.Run.Code, toReleases), web.Actor(c), release)
	if since > 0 && since < release.Run.Version {
		movedRelease(&v, release, version+"."+then, time.Unix(seen, 0))
	}
	if kept := web.Prefill(c); kept != nil {
		typed := func(name string) string { return kept[name] }
		if kept["t_zero"] != "" {
			h.keepSchedule(&v, typed)
		}
		keepAbort(&v, typed)
	}
	return web.Page(c, http.StatusOK, pages.ReleaseShow(v))
}

func (h releases) load(c echo.Context) (runbook.Release, error) {
	id, err := web.ID(c, "release")
	if err != nil {
		return runbook.Release{}, err
	}
	return h.stories.Show(c.Request().Context(), web.Actor(c), id)
}

func (h releases) showView(c echo.Context) (pages.ReleaseShowView, error) {
	release, err := h.load(c)
	if err != nil {
		return pages.ReleaseShowView{}, err
	}
	return h.releaseView(web.Shell(c, release.Run.Code, toReleases), web.Actor(c), release), nil
}

func (h releases) schedule(c echo.Context) error {
	id, err := web.ID(c, "release")
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	seen := runbook.SeenRun{Run: id, Version: form.Int("version", 1, 1<<30)}
	reason := form.Text("reason", 0, 4000)
	t0, _ := readTZero(form)
	if err = form.Err(); err != nil {
		err = withComplaints(err, runbook.CheckReason(reason))
	} else {
		err = h.stories.Schedule(c.Request().Context(), web.Actor(c), seen, t0, reason)
	}
	if refused, ok := correctable(err); ok {
		v, err := h.showView(c)
		if err != nil || v.Reschedule.Action == "" {
			return firstOf(err, refused)
		}
		h.keepSchedule(&v, form.Raw)
		v.Reschedule.Complaints = allComplaints(refused, "t_zero", "zone", "reason")
		return web.Again(c, refused, pages.ReleaseShow(v))
	}
	if err != nil {
		return err
	}
	web.Flash(c, layouts.FlashGood, "T-0 has been moved, and everything that is open moved with it. Signatures given before are void, because the time was signed too.")
	return web.SeeOther(c, runPath(id))
}

func (h releases) abort(c echo.Context) error {
	id, err := web.ID(c, "release")
	if err != nil {
		return err
	}
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	seen := runbook.SeenRun{Run: id, Version: form.Int("version", 1, 1<<30)}
	confirm, reason := form.Text("confirm", 0, 200), form.Text("abort_reason", 0, 4000)
	if err = form.Err(); err != nil {
		err = withComplaints(err, runbook.CheckReason(reason))
	} else {
		err = h.stories.Abort(c.Request().Context(), web.Actor(c), seen, confirm, reason)
	}
	if refused, ok := correctable(err); ok {
		v, err := h.showView(c)
		if err != nil || v.Abort.Action == "" {
			return firstOf(err, refused)
		}
		if text := refused.Fields["reason"]; text != "" {
			refused = refused.WithField("abort_reason", text)
		}
		keepAbort(&v, form.Raw)
		v.Abort.Complaints = allComplaints(refused, "abort_reason", "confirm")
		return web.Again(c, refused, pages.ReleaseShow(v))
	}
	if err != nil {
		return err
	}
	web.Flash(c, layouts.FlashInfo, "The release has been aborted. What was applied stays applied.")
	return web.SeeOther(c, runPath(id))
}

func firstOf(err error, refused *fault.Error) error {
	if err != nil {
		return err
	}
	return refused
}
