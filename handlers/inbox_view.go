package handlers

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/change"
	"github.com/agogsaas/gatehouse/internal/inbox"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

var (
	taskNow    = components.State{Code: "ready", Word: "Can be done now", Tone: components.Info}
	taskHeld   = components.State{Code: "in_hand", Word: "In your hands", Tone: components.Progress}
	taskFailed = components.State{Code: "failed", Word: "Failed", Tone: components.Bad}
	taskSoon   = components.State{Code: "soon", Word: "Not yet", Tone: components.Blocked}
)

func waitingView(shell layouts.Shell, by actor.Actor, q inbox.Query, list inbox.List) pages.WaitingView {
	v := pages.WaitingView{Shell: shell, LiveHref: waitingPage, EventHref: waitingPage + eventsPath, NoticesHref: noticesPage, Sentence: waitingSentence(list), Late: list.Late > 0}
	v.Pager.NewestWord, v.Pager.OlderWord = "Back to the soonest", "Later"
	if !by.Can(actor.ItemWork) && !by.Can(actor.GateSign) && !by.Can(actor.DimensionReview) {
		v.Reader = "Your roles only read, so nothing waits for you: work and signatures are for others."
	}
	if len(list.Tasks) > inboxPageSize {
		list.Tasks = list.Tasks[:inboxPageSize]
		last := list.Tasks[inboxPageSize-1]
		v.Pager.Older = waitingPage + "?" + url.Values{"after": {placeOf(last.DueAt, last.ID)}}.Encode()
	}
	if !q.AfterAt.IsZero() {
		v.Pager.Newest = waitingPage
		v.LiveHref += "?" + url.Values{"after": {placeOf(q.AfterAt, q.AfterID)}}.Encode()
	}
	for _, t := range list.Tasks {
		v.Rows = append(v.Rows, taskRow(by, t, list.At))
	}
	if len(v.Rows) > 0 {
		v.Pager.Shown = counted(len(v.Rows), "thing", "things") + ", soonest first"
	}
	return v
}

func waitingSentence(list inbox.List) string {
	switch {
	case list.Ready == 0 && len(list.Tasks) > 0:
		return "Nothing can be done by you now. What is listed comes to you soon."
	case list.Ready == 0:
		return "Nothing waits for you."
	case list.Late > 0:
		return fmt.Sprintf("%s for you, and %s late.", waits(list.Ready), isAre(list.Late))
	}
	return waits(list.Ready) + " for you."
}

func waits(n int) string {
	if n == 1 {
		return "1 thing waits"
	}
	return fmt.Sprintf("%d things wait", n)
}

func isAre(n int) string {
	if n == 1 {
		return "1 is"
	}
	return fmt.Sprintf("%d are", n)
}

// taskRow is a task as the list shows it.
func taskRow(by actor.Actor, t inbox.Task, now time.Time) pages.TaskRow {
	zone := t.Location()
	row := pages.TaskRow{ID: t.ID, Kind: string(t.Kind), Href: t.Path(), State: taskNow, Due: moment(t.DueAt, now, zone), Needs: t.Needs}
	if t.Release != "" {
		row.Release = components.Link{Label: t.Release, Href: runPath(t.Run)}
		row.TZero = moment(t.T0, now, zone)
	}
	if late := t.Late(now); late >= time.Minute {
		row.Late, row.Due.Relative = duration(late)+" late", ""
	} else if t.EarlyStart() {
		row.Late, row.Due.Relative, row.Calm = dueBeforeStart, "", true
	}
	switch {
	case !t.Ready:
		row.State = taskSoon
	case t.Failed:
		row.State = taskFailed
	case t.Kind == inbox.Item && t.Holder.Known():
		row.State = taskHeld
	}
	switch t.Kind {
	case inbox.Item:
		row.What, row.Name, row.As = t.Object, t.Title, t.Role.Title()
		if !t.Required {
			row.Note = "optional"
		}
	case inbox.Gate:
		row.Href += "?" + url.Values{"slot": {string(t.Role)}}.Encode() // who could fill several places comes to this one
		row.What, row.Name, row.As = "Sign", t.Title, t.Role.Title()
		if !by.Has(t.Role) {
			row.As = "deputy of the " + t.Role.Title()
		}
		if !t.Required {
			row.Note = "optional"
		}
	case inbox.Override:
		row.What, row.Name = "Second person", change.Kind(t.Object).Words()
		row.Note, row.Until = t.Holder.Name+" asks: "+t.Title, true
	case inbox.Review:
		row.What, row.Name = "Review", t.Title
		row.Note = t.Holder.Name + " signed it by break-glass"
	case inbox.Restore:
		row.What, row.Name = "Second person", "Restore of a backup"
		row.Note, row.Until = t.Holder.Name+" asks: "+t.Title, true
	case inbox.RestoreStart:
		row.What, row.Name = "Carry out", "Restore of a backup"
		row.Note, row.Until = t.Holder.Name+" agreed. The reason given: "+t.Title, true
	case inbox.Rollback:
		row.What, row.Name = "Second person", "Rollback by "+t.Title
		row.Note = t.Holder.Name + " decided it, and it loses data"
	case inbox.DimensionReview:
		row.What, row.Name = "Decide", "Measurement of "+t.Title
		row.Note = t.Holder.Name + " measured it, beyond the tolerance"
	case inbox.RollbackReview:
		row.What, row.Name = "Review", "Rollback by "+t.Title
		row.Note = t.Holder.Name + " ended it"
	}
	return row
}

var (
	noticeWaiting   = components.State{Code: "undelivered", Word: "Not delivered", Tone: components.Neutral}
	noticeDelivered = components.State{Code: "delivered", Word: "Delivered", Tone: components.Good}
	noticeFailing   = components.State{Code: "failing", Word: "Could not be delivered", Tone: components.Bad}
)

var noticeWords = map[inbox.NoticeKind]string{
	inbox.DueSoon: "due soon", inbox.Overdue: "overdue", inbox.GateWaiting: "signature wanted", inbox.GateOverdue: "signature overdue",
	inbox.DeputyCalled: "deputy called", inbox.ReviewWanted: "review wanted", inbox.ReviewMissed: "review missed",
	inbox.SnapshotMissed: "missed snapshot", inbox.SecondPerson: "second person wanted",
	inbox.RollbackTold: "rollback", inbox.RollbackMissed: "review missed",
}

func noticesView(shell layouts.Shell, q inbox.NoticeQuery, notices []inbox.Notice, now time.Time) pages.NoticesView {
	v := pages.NoticesView{Shell: shell}
	if len(notices) > inboxPageSize {
		notices = notices[:inboxPageSize]
		last := notices[inboxPageSize-1]
		v.Pager.Older = noticesPage + "?" + url.Values{"before": {placeOf(last.CreatedAt, last.ID.String())}}.Encode()
	}
	if !q.BeforeAt.IsZero() {
		v.Pager.Newest = noticesPage
	}
	for _, n := range notices {
		row := pages.NoticeRow{
			Key: n.Key, Kind: noticeKind(n.Kind), Headline: n.Headline, Body: n.Body, Href: n.Path, To: n.Person.Name,
			Written: moment(n.CreatedAt, now, n.Location()), Due: moment(n.DueAt, now, n.Location()), State: noticeWaiting, Problem: n.Problem,
		}
		if n.Role != "" {
			row.To = "everybody who is " + n.Role.Title()
		}
		switch {
		case !n.DeliveredAt.IsZero():
			row.State, row.Delivered, row.By = noticeDelivered, moment(n.DeliveredAt, now, n.Location()), n.DeliveredBy
		case n.Settled != "":
			row.State = components.State{Code: "settled", Word: n.Settled, Tone: components.Neutral}
		case n.Problem != "":
			row.State = noticeFailing
		default:
			v.Undelivered = true
		}
		v.Rows = append(v.Rows, row)
	}
	if len(v.Rows) > 0 {
		v.Pager.Shown = counted(len(v.Rows), "notice", "notices") + ", newest first"
	}
	return v
}

// noticeKind says a kind in words; one that another part writes is said as it writes it.
func noticeKind(k inbox.NoticeKind) string {
	if words, ok := noticeWords[k]; ok {
		return words
	}
	return strings.ReplaceAll(string(k), "_", " ")
}
