package handlers

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

var rollbackStates = map[runbook.RollbackState]components.State{
	runbook.RollbackAsked:   {Code: "asked", Word: "Waits for a second person", Tone: components.Blocked},
	runbook.RollbackGoing:   {Code: "under_way", Word: "Rolling back", Tone: components.Progress},
	runbook.RollbackDone:    {Code: "rolled_back", Word: "Rolled back", Tone: components.Warn},
	runbook.RollbackGivenUp: {Code: "given_up", Word: "Given up", Tone: components.Neutral},
}

func (h rollbacks) rollbackView(shell layouts.Shell, by actor.Actor, p runbook.RollbackPage) pages.ReleaseRollbackView {
	v := pages.ReleaseRollbackView{Shell: shell, Code: p.Run.Code, State: releaseStates[p.Run.State], Href: rollbackHref(p.Run.ID)}
	if p.Run.State == runbook.Active && p.Moment.Refusal != "" {
		v.Window = bannerOf(p.Moment, p.Run.Zone(), windowHref(p.Run.ID))
		v.Window.Text = "Gatehouse applies nothing and takes no migration back now. " + v.Window.Text
	}
	stale := h.now().Sub(by.AuthTime) > actor.FreshFor
	for _, b := range p.Rollbacks {
		shown := h.oneView(v, by, p, b, stale)
		if b.Open() {
			v.Current = &shown
		} else {
			v.Past = append(v.Past, shown)
		}
	}
	for _, o := range p.Options {
		choice := pages.RollbackChoice{ID: o.ID, Title: o.Title, Time: o.Time, Loss: o.DataLoss, Who: o.Who, When: o.When, Steps: o.Steps, Safe: o.Safe(), Takes: "one person alone, reviewed afterwards"}
		if !choice.Safe {
			choice.Takes = "two people, because data is lost or the runbook asks for it"
		}
		if goal := o.Within(); goal > 0 {
			choice.Goal = duration(goal)
		}
		v.Choices = append(v.Choices, choice)
	}
	v.WhoCan = roleTitles(actor.RolesWith(actor.ReleaseRollback))
	over := p.Run.State != runbook.Active && p.Run.State != runbook.SignedOff
	if !over {
		v.LiveHref, v.EventHref = v.Href, runPath(p.Run.ID)+eventsPath
	}
	switch {
	case over:
		v.Refused, v.WhoCan = "This release is over, so it is not rolled back any more.", nil
	case len(p.Options) == 0:
		v.Refused, v.WhoCan = "The runbook of this release names no way back.", nil
	case !by.Can(actor.ReleaseRollback) || by.Rights != nil:
		v.Refused = "Your roles do not include starting a rollback."
	default:
		v.Start = pages.RollbackStart{Action: v.Href, Key: uuid.NewString(), Effect: fmt.Sprintf("Roll %s back on %s, and start the clock", p.Run.Code, v.Environment.Word())}
		if stale {
			v.Start.FreshHref = web.LoginHref(v.Href, true)
		}
	}
	return v
}

func (h rollbacks) oneView(page pages.ReleaseRollbackView, by actor.Actor, p runbook.RollbackPage, b runbook.Rollback, stale bool) pages.RollbackView {
	zone := p.Run.Zone()
	at := func(a *runbook.RollbackAct) string {
		return a.By.Name + " on " + a.At.In(zone).Format("2 Jan 2006 at 15:04 MST")
	}
	v := pages.RollbackView{
		ID: b.ID.String(), Option: b.Option, Title: b.Title, Loss: b.DataLoss, State: rollbackStates[b.State()], By: b.By.Name,
		Started: moment(b.StartedAt, p.At, zone), Reason: b.Reason, Open: b.Open(),
	}
	for _, o := range p.Options {
		if o.ID == b.Option {
			v.Who = o.Who
		}
	}
	v.Clock, v.ClockTone = clockWords(b, p.At)
	if b.Agreed != nil {
		v.Agreed = at(b.Agreed)
	}
	href := page.Href + "/" + v.ID
	going := b.State() == runbook.RollbackGoing
	for i, s := range b.Steps {
		step := pages.RollbackStepView{Number: fmt.Sprint(i + 1), Text: s.Text, State: itemStates[runbook.Open]}
		switch {
		case s.Done != nil:
			step.By, step.At, step.Note, step.State = s.Done.By.Name, moment(s.Done.At, p.At, zone), s.Done.Note, itemStates[runbook.Done]
			if !s.Needed {
				step.State = components.State{Code: "not_needed", Word: "Not needed", Tone: components.Info}
			}
		case !b.Open():
			step.State = leftState
		case going && by.Can(actor.ItemWork) && by.Rights == nil:
			step.Action = href + "/steps"
		}
		v.Steps = append(v.Steps, step)
	}
	if b.Open() {
		h.openView(&v, by, p, b, href, stale)
	} else {
		endedView(&v, by, b, at, page.Href, href, stale)
	}
	return v
}

// openView offers what can be done to a rollback that has not ended.
func (h rollbacks) openView(v *pages.RollbackView, by actor.Actor, p runbook.RollbackPage, b runbook.Rollback, href string, stale bool) {
	if b.State() == runbook.RollbackAsked {
		switch {
		case !by.Can(actor.RollbackAgree) || by.SamePerson(b.By.Issuer, b.By.Subject):
			v.AgreeWho = roleTitles(actor.RolesWith(actor.RollbackAgree))
		case stale:
			v.AgreeFresh = web.LoginHref(rollbackHref(p.Run.ID), true)
		default:
			v.AgreeAction, v.AgreeEffect = href+"/agree", fmt.Sprintf("Agree to %s of %s: %s is lost", b.Option, p.Run.Code, b.DataLoss)
		}
	}
	v.AgreeWhy = "This way back needs two people, so a second person has to agree before its first step. Is lost: " + b.DataLoss + "."
	if by.Can(actor.ReleaseRollback) && by.Rights == nil {
		v.EndAction, v.EndEffect = href+"/end", "End "+p.Run.Code+" as rolled back, and stop the clock"
		v.MayEnd = b.State() == runbook.RollbackGoing && len(b.Left()) == 0
	}
	i := slices.IndexFunc(p.Options, func(o runbook.RollbackOption) bool { return o.ID == b.Option })
	if i < 0 {
		return
	}
	for _, page := range p.Options[i].Pages() {
		switch page {
		case runbook.ShowMigrations:
			own := slices.DeleteFunc(slices.Clone(p.Migrations), func(m runbook.MigrationShown) bool { return !m.Own })
			lines, _ := migrationLines(runbook.Release{Plan: runbook.Plan{Run: p.Run}, Migrations: own})
			if v.NoUndo = ""; len(lines) == 0 {
				v.NoUndo = "This release has applied no migration, so there is none of its own to take back."
			}
			for _, m := range slices.Backward(lines) {
				if m.State.Code == "applied" {
					m.Href += "/down"
					v.Still = append(v.Still, m.Version)
				}
				v.Undo = append(v.Undo, m)
			}
		case runbook.ShowBackups:
			v.Pages = append(v.Pages, components.Link{Label: "Restore a backup", Href: migrationsPage + "/backups"})
		case runbook.ShowHealth:
			v.Pages = append(v.Pages, components.Link{Label: "Run the health checks", Href: "/health-checks"})
		}
	}
}

func endedView(v *pages.RollbackView, by actor.Actor, b runbook.Rollback, at func(*runbook.RollbackAct) string, page, href string, stale bool) {
	word := "Ended as rolled back by "
	if b.GivenUp {
		word = "Given up by "
	}
	v.Ended = word + at(b.Ended) + ": " + b.Ended.Note
	switch {
	case b.Reviewed != nil && b.Objected:
		v.Review, v.ReviewTone = "Reviewed by "+at(b.Reviewed)+", and something was not in order: "+b.Reviewed.Note, components.Bad
	case b.Reviewed != nil:
		v.Review, v.ReviewTone = "Reviewed by "+at(b.Reviewed)+", and it was in order: "+b.Reviewed.Note, components.Good
	default:
		v.WantsReview = "Finding: nobody else has reviewed this rollback yet. It should be reviewed within " + duration(runbook.ReviewWithin) + " of its end."
		involved := by.SamePerson(b.By.Issuer, b.By.Subject) || by.SamePerson(b.Ended.By.Issuer, b.Ended.By.Subject)
		switch {
		case involved || !by.Can(actor.RollbackReview) || by.Rights != nil:
			v.ReviewWho = roleTitles(actor.RolesWith(actor.RollbackReview))
		case stale:
			v.ReviewFresh = web.LoginHref(page, true)
		default:
			v.ReviewAction = href + "/review"
		}
	}
}

// clockWords are the clock of a rollback: how long it runs or took, and against which goal.
func clockWords(b runbook.Rollback, at time.Time) (string, components.Tone) {
	took, left := b.Clock(at)
	// Nobody reads the clock of an outage by the millisecond; a second that has begun counts.
	took, left = (took + time.Second - 1).Truncate(time.Second), left.Truncate(time.Second)
	switch {
	case b.Ended != nil && b.GivenUp:
		return fmt.Sprintf("Given up after %s.", duration(took)), components.Neutral
	case b.Goal == 0 && b.Ended != nil:
		return fmt.Sprintf("Took %s. The runbook sets no goal for it.", duration(took)), components.Neutral
	case b.Goal == 0:
		return fmt.Sprintf("Running for %s. The runbook sets no goal for it.", duration(took)), components.Progress
	case b.Ended != nil && b.Kept:
		return fmt.Sprintf("Took %s: the goal of %s was kept.", duration(took), duration(b.Goal)), components.Good
	case b.Ended != nil:
		return fmt.Sprintf("Took %s: the goal of %s was missed by %s.", duration(took), duration(b.Goal), duration(-left)), components.Bad
	case left < 0:
		return fmt.Sprintf("Running for %s: %s over its goal of %s.", duration(took), duration(-left), duration(b.Goal)), components.Bad
	}
	return fmt.Sprintf("Running for %s: %s left of its goal of %s.", duration(took), duration(left), duration(b.Goal)), components.Warn
}

// nextOfRollback is what a release that is being rolled back waits for: nothing of its own runbook goes on meanwhile.
func nextOfRollback(by actor.Actor, r runbook.Release, b runbook.Rollback) pages.NextStep {
	n := pages.NextStep{Tone: components.Bad, Way: components.Link{Label: "Open the rollback", Href: rollbackHref(r.Run.ID)}, Yours: by.Can(actor.ItemWork), Who: strings.Join(roleTitles(actor.RolesWith(actor.ItemWork)), ", ")}
	left := b.Left()
	switch {
	case b.State() == runbook.RollbackAsked:
		n.Text, n.Who = b.Option+" waits for a second person to agree.", strings.Join(roleTitles(actor.RolesWith(actor.RollbackAgree)), ", ")
		n.Yours = by.Can(actor.RollbackAgree) && !by.SamePerson(b.By.Issuer, b.By.Subject)
	case len(left) == 0:
		n.Text, n.Who = "Every step of "+b.Option+" is settled: end the rollback.", strings.Join(roleTitles(actor.RolesWith(actor.ReleaseRollback)), ", ")
		n.Yours = by.Can(actor.ReleaseRollback)
	default:
		n.Text = fmt.Sprintf("%s, step %d: %s", b.Option, left[0], b.Steps[left[0]-1].Text)
	}
	return n
}

// rollbackBanner is what the page of a release says of its rollbacks.
func rollbackBanner(r runbook.Release) pages.RollbackBanner {
	way := components.Link{Label: "Open the rollback", Href: rollbackHref(r.Run.ID)}
	for _, b := range r.Rollbacks {
		switch {
		case b.Open():
			words, _ := clockWords(b, r.At)
			return pages.RollbackBanner{Text: fmt.Sprintf("This release is being rolled back by %s, decided by %s. %s Nothing of it is applied or signed. ", b.Option, b.By.Name, words), Tone: components.Bad, Way: way}
		case b.WantsReview():
			return pages.RollbackBanner{Text: fmt.Sprintf("Finding: the rollback by %s has not been reviewed by somebody else yet. ", b.Option), Tone: components.Warn, Way: way}
		}
	}
	return pages.RollbackBanner{}
}
