package handlers

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/snapshot"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// SnapshotStories show how a release was measured.
type SnapshotStories interface {
	Show(ctx context.Context, by actor.Actor, run uuid.UUID) (snapshot.Watch, error)
	Raw(ctx context.Context, by actor.Actor, run, id uuid.UUID) (snapshot.Stored, error)
}

type snapshots struct{ stories SnapshotStories }

// Snapshots is the subject of a release's snapshots.
func Snapshots(stories SnapshotStories) []web.Route {
	h := snapshots{stories}
	return []web.Route{
		web.Needs(http.MethodGet, releasesPage+"/:release/snapshots", actor.ReleaseRead, h.show),
		web.Needs(http.MethodGet, releasesPage+"/:release/snapshots/:snapshot", actor.ReleaseRead, h.raw),
	}
}

func snapshotsPath(run uuid.UUID) string { return runPath(run) + "/snapshots" }

func (h snapshots) show(c echo.Context) error {
	run, err := plainID(c, "release")
	if err != nil {
		return err
	}
	w, err := h.stories.Show(c.Request().Context(), web.Actor(c), run)
	if err != nil {
		return err
	}
	shell := web.Shell(c, "Snapshots", toReleases, layouts.Crumb{Label: w.Run.Code, Href: runPath(run)})
	return web.Page(c, http.StatusOK, pages.Snapshots(snapshotsView(shell, w)))
}

// raw is the very text of which the SHA-256 is.
func (h snapshots) raw(c echo.Context) error {
	run, err := plainID(c, "release")
	if err != nil {
		return err
	}
	id, err := web.ID(c, "snapshot")
	if err != nil {
		return err
	}
	s, err := h.stories.Raw(c.Request().Context(), web.Actor(c), run, id)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Content-Disposition", `attachment; filename="snapshot-`+string(s.Point)+"-"+s.SHA256[:12]+`.json"`)
	return c.Blob(http.StatusOK, "application/json; charset=utf-8", []byte(s.Text))
}

var snapshotStates = map[snapshot.State]components.State{
	snapshot.Waiting:    {Code: "waiting", Word: "Not yet", Tone: components.Neutral},
	snapshot.Due:        {Code: "due", Word: "Being taken", Tone: components.Progress},
	snapshot.Taken:      {Code: "taken", Word: "Taken on time", Tone: components.Good},
	snapshot.TakenLate:  {Code: "late", Word: "Taken late", Tone: components.Warn},
	snapshot.Unmigrated: {Code: "unmigrated", Word: "Before the migrations were applied", Tone: components.Warn},
	snapshot.Missed:     {Code: "missed", Word: "Missed", Tone: components.Bad},
	snapshot.NotPlanned: {Code: "not_planned", Word: "Not taken", Tone: components.Unknown},
	snapshot.Ended:      {Code: "ended", Word: "Not taken", Tone: components.Neutral},
}

var verdictStates = map[snapshot.Verdict]components.State{
	snapshot.Better:       {Code: "better", Word: "Better", Tone: components.Good},
	snapshot.Same:         {Code: "same", Word: "Same", Tone: components.Neutral},
	snapshot.Changed:      {Code: "changed", Word: "Changed", Tone: components.Info},
	snapshot.Worse:        {Code: "worse", Word: "Worse", Tone: components.Warn},
	snapshot.Uncomparable: {Code: "unknown", Word: "Not comparable", Tone: components.Unknown},
}

var lineKinds = map[snapshot.Kind]string{snapshot.KindCheck: "health check", snapshot.KindMetric: "metric", snapshot.KindSeries: "statistics, mean of the values"}

func snapshotsView(shell layouts.Shell, w snapshot.Watch) pages.SnapshotsView {
	v := pages.SnapshotsView{Shell: shell, Tone: components.Info, ReportHref: reportPath(w.Run.ID)}
	zone := siteZone(w.Run.TimeZone)
	missed, taken := 0, 0
	for _, p := range w.Places {
		place := pages.SnapshotPlace{
			Point: string(p.Point), Title: p.Point.Title(), Offset: p.Point.Offset(), State: snapshotStates[p.State], Due: moment(p.Due, w.At, zone),
		}
		if p.Head != nil {
			taken++
			place = withHead(place, w, *p.Head, zone)
			if r := readingOf(w, p); r != nil {
				place.Mismatch = !r.Intact
			}
		}
		if p.Miss != nil {
			missed++
			place.Finding = p.Miss.Why
		}
		switch p.State {
		case snapshot.NotPlanned:
			place.Note = "Its time had passed already when T-0 was set to what it is."
		case snapshot.Ended:
			place.Note = "The release was over before."
		case snapshot.Missed:
			if p.Miss == nil {
				place.Note = "It was not taken in its time; the finding is written within seconds."
			}
		case snapshot.Unmigrated:
			place.Note = "When it was taken, the migrations of the release were not all applied. It says how things were before them, and is not compared."
		case snapshot.Due:
			if w.At.Sub(p.Due) > snapshot.Grace {
				place.Note = "Its time has passed; a late one is taken as soon as the server can, and says so."
			}
		case snapshot.Waiting, snapshot.Taken, snapshot.TakenLate:
		}
		place.Baseline = w.Base != nil && p.Head != nil && p.Head.ID == w.Base.ID
		v.Places = append(v.Places, place)
	}
	for _, h := range w.Run.Superseded() {
		v.Superseded = append(v.Superseded, withHead(pages.SnapshotPlace{
			Point: string(h.Point), Title: h.Point.Title(), Offset: h.Point.Offset(), State: components.State{Code: "superseded", Word: "T-0 moved", Tone: components.Neutral}, Due: moment(h.DueAt, w.At, zone),
		}, w, h, zone))
	}
	v.Sentence = counted(taken, "snapshot", "snapshots") + " of " + counted(len(w.Places), "moment", "moments") + " taken, none missed."
	if missed > 0 {
		v.Tone = components.Bad
		v.Sentence = counted(taken, "snapshot", "snapshots") + " of " + counted(len(w.Places), "moment", "moments") + " taken; " + counted(missed, "was missed, which is a finding", "were missed, which are findings") + "."
	}
	if w.Base == nil {
		v.NoBaseline = noBaseline(w)
	}
	v.Nothing = "Nothing has been measured yet. The first snapshot is taken half an hour before T-0, the next right before it, and then after 1, 4, 24 and 48 hours."
	if !w.Run.EndedAt.IsZero() {
		v.Nothing = "Nothing that could be compared was measured, and the release is over."
	}
	comparison(&v, w)
	return v
}

func noBaseline(w snapshot.Watch) string {
	if over := w.Run.EndedAt; !over.IsZero() && over.Before(w.Run.T0) {
		return "There is no baseline: the release was over before one was taken, and none is taken any more."
	}
	if w.At.Before(w.Run.T0) {
		return "There is no baseline yet. It is taken half an hour and a minute before T-0; the later one counts."
	}
	return "There is no baseline: nothing was measured within the hour before T-0, and it cannot be measured later. What the hours say stands for itself, and whether it is better or worse than before is not known."
}

func withHead(p pages.SnapshotPlace, w snapshot.Watch, h snapshot.Head, zone *time.Location) pages.SnapshotPlace {
	p.Taken, p.Late, p.SHA256 = moment(h.TakenAt, w.At, zone), h.Lateness(), h.SHA256
	p.RawHref = snapshotsPath(w.Run.ID) + "/" + h.ID.String()
	return p
}

func readingOf(w snapshot.Watch, p snapshot.Place) *snapshot.Reading {
	if w.Base != nil && p.Head.ID == w.Base.ID {
		return w.Base
	}
	return w.Hours[p.Point]
}

// comparison lays baseline and hours side by side; of the hours, those that were measured.
func comparison(v *pages.SnapshotsView, w snapshot.Watch) {
	if len(w.Lines) == 0 {
		return
	}
	v.Columns = []string{"Baseline"}
	var hours []snapshot.Point
	for _, p := range snapshot.Hours {
		if w.Hours[p] != nil {
			hours, v.Columns = append(hours, p), append(v.Columns, p.Title())
		}
	}
	for _, l := range w.Lines {
		line := pages.SnapshotLine{Name: string(l.Kind) + " " + l.Name, Title: l.Title, Kind: lineKinds[l.Kind], Threshold: l.Threshold}
		if l.Kind == snapshot.KindMetric {
			line.Kind = "metric " + l.Name
		}
		line.Cells = append(line.Cells, snapshotCell("Baseline", l.Unit, l.Base))
		for _, p := range hours {
			line.Cells = append(line.Cells, snapshotCell(p.Title(), l.Unit, l.Hours[p]))
		}
		v.Lines = append(v.Lines, line)
	}
}

func snapshotCell(column, unit string, c snapshot.Cell) pages.SnapshotCell {
	cell := pages.SnapshotCell{Column: column, There: c.There}
	if !c.There {
		return cell
	}
	cell.State, cell.Value, cell.Why, cell.More, cell.Change = healthState(c.State), c.Value, c.Why, c.More, c.Change
	if cell.Value != "" && unit != "" {
		cell.Value += " " + unit
	}
	if c.Verdict != "" {
		cell.Verdict = verdictStates[c.Verdict]
	}
	return cell
}

// siteZone is a zone by its name; UTC where this machine does not know it.
func siteZone(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}
