package handlers

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

func (h migrations) downView(c echo.Context, by actor.Actor, d migration.Detail) pages.MigrationDownView {
	r, shell := d.Rung, web.Shell(c, "Undo "+d.Rung.Version.Title(), toMigrations, layouts.Crumb{Label: d.Rung.Version.Title(), Href: versionHref(d.Rung.Version)})
	v := pages.MigrationDownView{
		Shell: shell, Version: r.Version.Title(), Name: r.File.Card.Title, CancelHref: versionHref(r.Version),
		SHA256: d.Undo.SHA256, UndoSQL: d.Undo.SQL, Key: uuid.NewString(),
		LostText: "Undoing " + r.Version.Title() + " takes back what it made, and loses: " + r.File.Card.UndoLoses + ".",
		Keeps:    "The ledger keeps every run, this one too. Everything that earlier versions hold stays.",
		Effect:   "Undo " + r.Version.Title() + " on " + environment(shell),
	}
	for _, o := range r.File.Card.Creates {
		if o.Kind == "table" || o.Kind == "matview" || o.Kind == "column" {
			v.Lost = append(v.Lost, components.Fact{Label: o.Kind, Value: o.Name, Code: true})
		}
	}
	h.downSaved(&v, d, shell)
	switch {
	case !by.Can(actor.MigrationDown) || !by.Operator:
		v.Refused, v.WhoCan = "You may not undo a migration here.", roleTitles(actor.RolesWith(actor.MigrationDown))
	case r.State == migration.StateHandMade:
		v.WhyNot = []components.Link{{Label: r.StrayWords() + " It is taken back on its page of repair, where what would be lost is counted and saved as well.", Href: repairHref(r.Version)}}
	case !r.InDatabase() && r.State != migration.StateDirty:
		v.WhyNot = []components.Link{{Label: r.Version.Title() + " is not in the database."}}
	case r.State == migration.StateDirty:
		v.WhyNot = []components.Link{{Label: r.Version.Title() + " stopped half way. It is taken back on its page of repair.", Href: repairHref(r.Version)}}
		if !h.stale(by) && d.HasUndo {
			v.Save = saveOrder(r.Version)
		}
	case !r.CanUndo || !d.HasUndo:
		v.WhyNot = cannotUndo(d)
	case d.Release == nil:
		v.WhyNot = []components.Link{{Label: "No release is active. Start a release that plans this version; a migration is undone as part of one.", Href: "/releases"}}
	case d.Release.Plan[r.Version.String()] == "":
		v.WhyNot = []components.Link{{Label: "Release " + d.Release.Code + " does not plan this version.", Href: releaseHref(d.Release)}}
	case d.Release.Moment.Refusal != "":
		v.WhyNot = []components.Link{{Label: d.Release.Moment.Refusal, Href: windowHref(d.Release.ID)}}
	case h.stale(by):
		v.FreshHref = web.LoginHref(versionHref(r.Version)+"/down", true)
	case d.Saved == nil || d.Saved.WhyNot(r, h.now()) != "":
		v.Save = saveOrder(r.Version)
	default:
		v.Save = saveOrder(r.Version)
		v.Save.Effect = saveAgain
		v.Action, v.Release, v.Loss, v.Signs = versionHref(r.Version)+"/down", d.Release.ID.String(), d.Saved.ID.String(), d.Saved.Meaning()
		if n, _ := d.Saved.Lost(); n > 0 {
			v.Effect += " and lose " + d.Saved.Things()
		}
	}
	return v
}

func saveOrder(v migration.Version) pages.Order {
	return pages.Order{Action: versionHref(v) + "/losses", Key: uuid.NewString(), Effect: "Count what undoing " + v.Title() + " would lose, and save it"}
}

// downSaved shows what was counted and where it was saved.
func (h migrations) downSaved(v *pages.MigrationDownView, d migration.Detail, shell layouts.Shell) {
	if d.Saved == nil {
		v.SavedText = "What would be lost on " + environment(shell) + " has not been counted yet. Nothing is undone before it was counted and saved."
		return
	}
	v.SavedText = d.Saved.Meaning()
	v.SavedAt, v.Work = moment(d.Saved.TakenAt, h.now(), time.UTC), components.Link{Label: "with this log", Href: operationHref(d.Saved.Operation)}
	if why := d.Saved.WhyNot(d.Rung, h.now()); why != "" {
		v.SavedText = "It was counted and saved at " + d.Saved.TakenAt.UTC().Format("15:04:05") + " UTC. " + why
		return
	}
	v.Counted, v.Files = lostFacts(*d.Saved)
}

const saveAgain = "Count and save it again"

// lostFacts are what was counted, and where it was saved.
func lostFacts(s migration.Saved) (lost, files []components.Fact) {
	for _, l := range s.Losses {
		lost = append(lost, components.Fact{Label: l.What(), Value: l.Count()})
	}
	for _, f := range s.Files {
		files = append(files, components.Fact{Label: f.Name, Value: fmt.Sprintf("%s; %d bytes, SHA-256 %s", f.Holds, f.Bytes, f.SHA256)})
	}
	return lost, files
}

func cannotUndo(d migration.Detail) []components.Link {
	var why []components.Link
	for _, p := range d.Ladder.Problems {
		why = append(why, components.Link{Label: p})
	}
	for _, run := range d.Runs {
		why = append(why, components.Link{Label: runLabel(run), Href: runHref(run.ID)})
	}
	if why == nil {
		why = []components.Link{{Label: "Only the last version that was applied here can be undone.", Href: migrationsPage}}
	}
	return why
}
