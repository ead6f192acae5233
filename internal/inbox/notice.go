package inbox

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
)

// NoticeKind is why somebody is told.
type NoticeKind string

// The kinds of notices that Remind writes. Others may write others.
const (
	DueSoon        NoticeKind = "due_soon"
	Overdue        NoticeKind = "overdue"
	GateWaiting    NoticeKind = "gate_waiting"
	GateOverdue    NoticeKind = "gate_overdue"
	SnapshotMissed NoticeKind = "snapshot_missed"
	SecondPerson   NoticeKind = "second_person"
	ReviewWanted   NoticeKind = "review_wanted"
	ReviewMissed   NoticeKind = "review_missed"
	RollbackTold   NoticeKind = "rollback" // that one was decided, or has ended; package runbook writes it
	RollbackMissed NoticeKind = "rollback_review_missed"
	DeputyCalled   NoticeKind = "deputy_called"
	// CapacityFailure: goods do not fit where they were put; package capacity writes it.
	CapacityFailure NoticeKind = "capacity_failure"
)

// Notice is something that somebody is to be told: everybody who holds the role, or one person.
type Notice struct {
	ID   uuid.UUID
	Kind NoticeKind
	// Key names the cause; a cause is told once.
	Key            string
	Run            uuid.UUID // zero where it is about no release
	Role           actor.Role
	Person         Person
	Headline, Body string
	Path           string // the page on which it can be dealt with
	DueAt          time.Time
	Zone           string // of the release, when read; UTC where it is about none
	CreatedAt      time.Time
	DeliveredAt    time.Time // zero while nobody delivered it
	DeliveredBy    string
	Attempts       int
	Problem        string
	// Settled is what became of its cause since it was written; empty where it may still be to do.
	Settled string
}

// When somebody is told: so long before it is due, and so long after it was.
const (
	SoonBefore = 15 * time.Minute
	LateAfter  = time.Minute
)

// reminders are the notices that the tasks give cause for at a moment, in the order of their keys, so that two processes
// that write the same ones never wait for each other crosswise.
func reminders(tasks []Task, at time.Time) []Notice {
	var list []Notice
	for _, t := range tasks {
		if !t.Ready || !t.Required || t.EarlyStart() && t.Kind == Item {
			continue
		}
		switch t.Kind {
		case Item:
			if n, ok := itemReminder(t, at); ok {
				list = append(list, n)
			}
		case Gate:
			list = append(list, gateReminder(t, at))
			for _, d := range t.Deputies {
				list = append(list, deputyReminder(t, d))
			}
		case Override, Restore:
			for _, role := range actor.RolesWith(actor.GateSign) {
				list = append(list, requestReminder(t, role))
			}
		case Review:
			for _, role := range actor.RolesWith(actor.GateSign) {
				list = append(list, reviewReminder(t, role, at))
			}
		case RollbackReview:
			if t.Late(at) >= LateAfter {
				for _, role := range actor.RolesWith(actor.RollbackReview) {
					list = append(list, rollbackReminder(t, role))
				}
			}
		case Rollback, RestoreStart: // told as it was decided, and as it was agreed
		case DimensionReview: // waits on its own list, and nothing of a release depends on it
		}
	}
	slices.SortFunc(list, func(a, b Notice) int { return cmp.Compare(a.Key, b.Key) })
	return list
}

func itemReminder(t Task, at time.Time) (Notice, bool) {
	n := Notice{Run: t.Run, DueAt: t.DueAt, Path: t.Path(), Role: t.Role}
	if t.Holder.Known() {
		n.Role, n.Person = "", t.Holder
	}
	name := t.Object + ", " + t.Title
	switch {
	case t.Late(at) >= LateAfter && t.Checked && t.Watching:
		n.Kind, n.Headline = SnapshotMissed, fmt.Sprintf("%s was to be taken at %s, and was not", name, t.stamp())
		n.Body = fmt.Sprintf("Release %s is being watched after its sign-off. %s. What was true then cannot be measured later: take it now, and say why it is late.", t.Release, n.Headline)
	case t.Late(at) >= LateAfter:
		n.Kind, n.Headline = Overdue, fmt.Sprintf("%s was due at %s", name, t.stamp())
		n.Body = fmt.Sprintf("Release %s: %s and is not done. %s, and nothing keeps it from being done.", t.Release, n.Headline, whose(t))
	case at.Before(t.DueAt) && t.DueAt.Sub(at) <= SoonBefore:
		n.Kind, n.Headline = DueSoon, fmt.Sprintf("%s is due at %s", name, t.stamp())
		n.Body = fmt.Sprintf("Release %s: %s. %s.", t.Release, n.Headline, whose(t))
	default:
		return Notice{}, false
	}
	n.key(t.Run.String(), t.Object)
	return n.of(t), true
}

func whose(t Task) string {
	if t.Holder.Known() {
		return t.Holder.Name + " has it in hand"
	}
	return "It is for whoever is " + t.Role.Title()
}

func gateReminder(t Task, at time.Time) Notice {
	n := Notice{Kind: GateWaiting, Run: t.Run, DueAt: t.DueAt, Path: t.Path(), Role: t.Role}
	n.Headline = fmt.Sprintf("The gate %s waits for the signature of the %s%s", t.Title, t.Role.Title(), again(t))
	n.Body = fmt.Sprintf("Release %s: %s. It is due at %s, everything before it is done, and whoever is %s can read and sign it now.", t.Release, n.Headline, t.stamp(), t.Role.Title())
	if !at.Before(t.DueAt.Add(LateAfter)) {
		n.Kind = GateOverdue
		n.Headline = fmt.Sprintf("The gate %s was due at %s and lacks the signature of the %s%s", t.Title, t.stamp(), t.Role.Title(), again(t))
		n.Body = fmt.Sprintf("Release %s: %s. Everything before it is done; whoever is %s can read and sign it now.", t.Release, n.Headline, t.Role.Title())
	}
	n.key(t.ID, fmt.Sprint(t.Round))
	return n.of(t)
}

// again says why somebody who has signed is asked once more.
func again(t Task) string {
	if t.Round == 0 {
		return ""
	}
	return " again, because the one that was given does not count any more"
}

// deputyReminder calls a deputy whose moment has come: the place is empty, and they may fill it.
func deputyReminder(t Task, deputy Person) Notice {
	n := Notice{Kind: DeputyCalled, Run: t.Run, DueAt: t.DueAt, Path: t.Path(), Person: deputy}
	n.Headline = fmt.Sprintf("The gate %s still lacks the signature of the %s, and deputies may sign now", t.Title, t.Role.Title())
	n.Body = fmt.Sprintf("Release %s: %s. It was due at %s. The roster names you as a deputy of the %s; where four eyes keep you from it, the gate says so.", t.Release, n.Headline, t.stamp(), t.Role.Title())
	n.key(t.ID, fmt.Sprint(t.Round), deputy.Issuer, deputy.Subject)
	return n.of(t)
}

func requestReminder(t Task, role actor.Role) Notice {
	n := Notice{Kind: SecondPerson, Run: t.Run, DueAt: t.DueAt, Path: t.Path(), Role: role}
	switch t.Kind {
	case Override:
		n.Headline = fmt.Sprintf("%s asks for a second person to override %s", t.Holder.Name, overridden(t.Object))
		n.Body = fmt.Sprintf("Release %s: %s, until %s. The reason given: %s", t.Release, n.Headline, t.stamp(), t.Title)
	case Restore, Item, Gate, Review, Rollback, RollbackReview, RestoreStart, DimensionReview:
		n.Headline = fmt.Sprintf("%s asks for a second person to agree to a restore", t.Holder.Name)
		n.Body = fmt.Sprintf("%s. The request expires at %s. The reason given: %s", n.Headline, t.stamp(), t.Title)
	}
	n.key(t.ID, string(role))
	return n.of(t)
}

// reviewReminder is told once when somebody has signed by break-glass, and once when nobody has reviewed that in time.
func reviewReminder(t Task, role actor.Role, at time.Time) Notice {
	n := Notice{Kind: ReviewWanted, Run: t.Run, DueAt: t.DueAt, Path: t.Path(), Role: role}
	n.Headline = fmt.Sprintf("%s signed the gate %s by break-glass; somebody else has to review it", t.Holder.Name, t.Title)
	n.Body = fmt.Sprintf("Release %s: %s, by %s. Without a review the release is not signed off, and after that time the gate counts as not passed.", t.Release, n.Headline, t.stamp())
	if t.Late(at) > 0 {
		n.Kind = ReviewMissed
		n.Headline = fmt.Sprintf("Nobody reviewed by %s that %s signed the gate %s by break-glass", t.stamp(), t.Holder.Name, t.Title)
		n.Body = fmt.Sprintf("Release %s: %s. Until somebody does, the gate counts as not passed.", t.Release, n.Headline)
	}
	n.key(t.ID, string(role))
	return n.of(t)
}

// rollbackReminder tells once that nobody has reviewed a rollback in time. That one is due was told as it ended.
func rollbackReminder(t Task, role actor.Role) Notice {
	n := Notice{Kind: RollbackMissed, Run: t.Run, DueAt: t.DueAt, Path: t.Path(), Role: role}
	n.Headline = fmt.Sprintf("Nobody has reviewed the rollback %s", t.Title)
	n.Body = fmt.Sprintf("Release %s: %s. It was to be reviewed by %s, by somebody who neither decided nor ended it; until then it stays a finding.", t.Release, n.Headline, t.stamp())
	n.key(t.ID, string(role))
	return n.of(t)
}

func overridden(kind string) string {
	switch kind {
	case "window":
		return "the change window"
	case "freeze":
		return "a freeze"
	case "proof":
		return "the age of the backup"
	}
	return kind
}

// key makes the notice's key. When it is due is part of it: what was moved is told again.
func (n *Notice) key(parts ...string) {
	n.Key = string(n.Kind)
	for _, part := range parts {
		n.Key += "/" + part
	}
	n.Key += "/" + n.DueAt.UTC().Format(time.RFC3339)
}

// of puts the release before the headline: whoever reads it on a telephone has several, and sees no more of it.
func (n Notice) of(t Task) Notice {
	if t.Release != "" {
		n.Headline = t.Release + ": " + n.Headline
	}
	return n.clipped()
}

// clipped keeps a notice within what is stored: titles and reasons are people's own, and may be long.
func (n Notice) clipped() Notice {
	n.Headline, n.Body, n.Key = clip(n.Headline, 300), clip(n.Body, 4000), clip(n.Key, 400)
	return n
}

func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// stamp is when a task is due, by the site's clock and in UTC.
func (t Task) stamp() string {
	local := t.DueAt.In(t.Location())
	if local.Location() == time.UTC {
		return local.Format("15:04 UTC on 2 Jan 2006")
	}
	return fmt.Sprintf("%s (%s) on %s", local.Format("15:04 MST"), t.DueAt.UTC().Format("15:04 UTC"), local.Format("2 Jan 2006"))
}

// Path is the page on which the task can be done.
func (t Task) Path() string {
	switch t.Kind {
	case Item:
		return "/releases/" + t.Run.String() + "/items/" + t.Object
	case Gate:
		return "/releases/" + t.Run.String() + "/gates/" + t.Object
	case Override:
		return "/releases/" + t.Run.String() + "/window"
	case Rollback, RollbackReview:
		return "/releases/" + t.Run.String() + "/rollback"
	case Restore, RestoreStart:
		return "/migrations/backups/" + t.Object + "/restore"
	case Review:
		return "/signatures/" + t.Object
	case DimensionReview:
		return "/dimensions/reviews/" + t.Object
	}
	return "/waiting"
}
