package snapshot

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/clock"
)

// Point is a moment of a release at which it is measured.
type Point string

// The points, in the order of time.
const (
	HalfHourBefore Point = "before_30m"
	Before         Point = "before"
	Hour1          Point = "hour_1"
	Hour4          Point = "hour_4"
	Hour24         Point = "hour_24"
	Hour48         Point = "hour_48"
)

// Points are all of them.
var Points = []Point{HalfHourBefore, Before, Hour1, Hour4, Hour24, Hour48}

type described struct {
	title, offset, items string
	due, closes          time.Duration // from T-0
}

// An hour can still be measured late until the next one is due.
var points = map[Point]described{
	HalfHourBefore: {"Half an hour before T-0", "T-30m", "", -30 * time.Minute, 0},
	Before:         {"Right before T-0", "T-1m", "", -time.Minute, 0},
	Hour1:          {"Hour 1", "T+1h", "H1-", time.Hour, 4 * time.Hour},
	Hour4:          {"Hour 4", "T+4h", "H4-", 4 * time.Hour, 24 * time.Hour},
	Hour24:         {"Hour 24", "T+24h", "H24-", 24 * time.Hour, 48 * time.Hour},
	Hour48:         {"Hour 48", "T+48h", "H48-", 48 * time.Hour, 72 * time.Hour},
}

const (
	// Grace is how long after its time a snapshot is still on time: the scheduler looks every few seconds, and a restart of
	// the server takes minutes.
	Grace = 10 * time.Minute
	// BaselineWithin is how old a baseline may be at T-0.
	BaselineWithin = time.Hour
)

// Title is the point as people say it.
func (p Point) Title() string { return points[p].title }

// Offset is the point as a runbook writes it: "T+4h".
func (p Point) Offset() string { return points[p].offset }

// Items is how the items of the runbook begin that are about this hour; empty before T-0.
func (p Point) Items() string { return points[p].items }

// Baseline says whether the point lies before T-0.
func (p Point) Baseline() bool { return points[p].due < 0 }

// Due is when the snapshot is to be taken.
func (p Point) Due(t0 time.Time) time.Time { return t0.Add(points[p].due) }

// Closes is from when on it cannot be taken any more, not even late.
func (p Point) Closes(t0 time.Time) time.Time { return t0.Add(points[p].closes) }

// Head is a stored snapshot without its content.
type Head struct {
	ID                 uuid.UUID
	Point              Point
	T0, DueAt, TakenAt time.Time
	SHA256             string
}

// Late is how long after its time it was taken.
func (h Head) Late() time.Duration { return h.TakenAt.Sub(h.DueAt) }

// Lateness says it in words; empty where it was on time.
func (h Head) Lateness() string {
	if h.Late() <= Grace {
		return ""
	}
	return "late by " + clock.Duration(h.Late().Truncate(time.Minute))
}

// Miss is a snapshot that was not there when it had to be.
type Miss struct {
	Point              Point
	T0, DueAt, FoundAt time.Time
	Why                string
}

// Run is what a release tells about when it is measured.
type Run struct {
	ID       uuid.UUID
	Code     string
	TimeZone string
	State    string
	T0       time.Time
	// PlannedAt is since when T-0 is what it is: when the release was started, or T-0 last moved.
	PlannedAt time.Time
	// EndedAt is when the release was aborted, closed or rolled back; zero where it goes on.
	EndedAt time.Time
	Taken   []Head
	Missed  []Miss
	// Migrated is when the last of the release's migrations was in the database; zero where there is none. Unmigrated is that
	// one of them is not in it: what is measured then says nothing of what the release does.
	Migrated   time.Time
	Unmigrated bool
}

// unmigrated says whether a snapshot of an hour was taken before what the release brings was in the database.
func (r Run) unmigrated(h Head) bool {
	return !h.Point.Baseline() && (r.Unmigrated || h.TakenAt.Before(r.Migrated))
}

// State is where the snapshot of a point stands.
type State string

// The states.
const (
	Waiting    State = "waiting"     // its time has not come
	Due        State = "due"         // it is to be taken now
	Taken      State = "taken"       // on time
	TakenLate  State = "late"        // it was taken, and says by how much too late
	Unmigrated State = "unmigrated"  // it was taken before the release's migrations were applied: it is of no hour after them
	Missed     State = "missed"      // it was not taken, and cannot be any more
	NotPlanned State = "not_planned" // its time had passed before T-0 was set
	Ended      State = "ended"       // the release was over before its time
)

// Place is one point of a run: what stands there, or why nothing does.
type Place struct {
	Point Point
	Due   time.Time
	State State
	Head  *Head // the snapshot that counts
	Miss  *Miss // the finding, also beside a late snapshot
	// Overdue is that a finding has to be written now.
	Overdue bool
}

// Places are all points of the run at a moment, in the order of time.
func (r Run) Places(now time.Time) []Place {
	list := make([]Place, len(Points))
	for i, p := range Points {
		list[i] = r.place(p, now)
	}
	return list
}

func (r Run) place(p Point, now time.Time) Place {
	place := Place{Point: p, Due: p.Due(r.T0), Head: r.counting(p)}
	closes := p.Closes(r.T0)
	for i := range r.Missed {
		if m := &r.Missed[i]; m.Point == p && m.T0.Equal(r.T0) {
			place.Miss = m
		}
	}
	planned := !place.Due.Before(r.PlannedAt)
	missedFrom := place.Due.Add(Grace)
	if closes.Before(missedFrom) {
		missedFrom = closes
	}
	switch {
	case place.Head != nil && r.unmigrated(*place.Head):
		place.State = Unmigrated
	case place.Head != nil && place.Head.Lateness() != "":
		place.State = TakenLate
	case place.Head != nil:
		place.State = Taken
	case !r.EndedAt.IsZero() && r.EndedAt.Before(place.Due):
		place.State = Ended
	case now.Before(place.Due):
		place.State = Waiting
	case now.Before(closes):
		place.State = Due
	case planned:
		place.State = Missed
	default:
		place.State = NotPlanned
	}
	// A finding is written before anything is taken late, so that nothing taken late hides it.
	place.Overdue = planned && place.Head == nil && place.Miss == nil && !now.Before(missedFrom) && (place.State == Due || place.State == Missed)
	return place
}

// counting is the snapshot that stands for the point as T-0 is now: taken at its time or after it, and not so late that it
// speaks of another hour. Of several, the first.
func (r Run) counting(p Point) *Head {
	var first *Head
	for i := range r.Taken {
		h := &r.Taken[i]
		if h.Point != p || h.TakenAt.Before(p.Due(r.T0)) || !h.TakenAt.Before(p.Closes(r.T0)) {
			continue
		}
		if first == nil || h.TakenAt.Before(first.TakenAt) {
			first = h
		}
	}
	return first
}

// Baseline is the latest snapshot within the hour before T-0.
func (r Run) Baseline() (Head, bool) {
	var latest Head
	for _, h := range r.Taken {
		if !h.Point.Baseline() || !h.TakenAt.Before(r.T0) || r.T0.Sub(h.TakenAt) > BaselineWithin || !h.TakenAt.After(latest.TakenAt) {
			continue
		}
		latest = h
	}
	return latest, !latest.TakenAt.IsZero()
}

// Superseded are the snapshots that were taken for another T-0 and count for nothing as it is now.
func (r Run) Superseded() []Head {
	counts := map[uuid.UUID]bool{}
	for _, p := range Points {
		if h := r.counting(p); h != nil {
			counts[h.ID] = true
		}
	}
	if base, ok := r.Baseline(); ok {
		counts[base.ID] = true
	}
	var list []Head
	for _, h := range r.Taken {
		if !counts[h.ID] {
			list = append(list, h)
		}
	}
	return list
}

// missing is the finding as it is written down.
func (r Run) missing(p Place, now time.Time) Miss {
	at := func(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04 UTC") }
	why := fmt.Sprintf("The snapshot %s (%s) was due at %s and was not taken within %s. The server was not running, or could not reach the database.",
		p.Point.Title(), p.Point.Offset(), at(p.Due), clock.Duration(Grace))
	if p.Point.Baseline() && !now.Before(p.Point.Closes(r.T0)) {
		why = fmt.Sprintf("The snapshot %s (%s) was due at %s and was not taken before T-0 at %s. What was true then cannot be measured later.",
			p.Point.Title(), p.Point.Offset(), at(p.Due), at(r.T0))
	}
	return Miss{Point: p.Point, T0: r.T0, DueAt: p.Due, FoundAt: now, Why: why}
}
