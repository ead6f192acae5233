package handlers

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/operation"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

var verdicts = map[migration.Verdict]components.State{
	migration.TookEffect:   {Code: "took_effect", Word: "Took effect", Tone: components.Good},
	migration.NotThere:     {Code: "not_there", Word: "Did not take effect", Tone: components.Neutral},
	migration.Otherwise:    {Code: "otherwise", Word: "Something else is there", Tone: components.Bad},
	migration.LeavesNone:   {Code: "no_trace", Word: "Leaves no trace", Tone: components.Warn},
	migration.NothingToSee: {Code: "nothing", Word: "Nothing to look at", Tone: components.Neutral},
}

// offers are the repairs in words: what each says, and what follows.
var offers = map[migration.Repair]components.Option{
	migration.RepairNotApplied: {Label: "Not applied", Hint: "Nothing of it is there. It can be applied again, through its gate."},
	migration.RepairApplied:    {Label: "Applied", Hint: "Everything that it leaves is there. It is recorded as found, and the next version may follow."},
	migration.RepairUndo:       {Label: "Run its undo file", Hint: "What is there is taken back, and that nothing is left is looked at before it is recorded."},
}

func (h repairs) view(c echo.Context, version migration.Version) (pages.MigrationRepairView, error) {
	by := web.Actor(c)
	known, err := h.stories.Latest(c.Request().Context(), by, version)
	if err != nil {
		return pages.MigrationRepairView{}, err
	}
	shell := web.Shell(c, "Repair "+version.Title(), toMigrations, layouts.Crumb{Label: version.Title(), Href: versionHref(version)})
	v := pages.MigrationRepairView{
		Shell: shell, Version: version.Title(), Key: uuid.NewString(), Effect: "Record it for " + version.Title() + " on " + environment(shell), Tone: components.Neutral,
		Sentence: "Nobody has looked yet what of " + version.Title() + " is in the database.",
	}
	switch {
	case !by.Can(actor.MigrationApply):
		v.WhoCan = roleTitles(actor.RolesWith(actor.MigrationApply))
	case by.AuthTime.IsZero() || h.now().Sub(by.AuthTime) > migrationFreshness:
		v.FreshHref = web.LoginHref(repairHref(version), true)
	default:
		v.LookHref, v.Action = versionHref(version)+"/probe", repairHref(version)
	}
	for _, r := range known.Done {
		v.Done = append(v.Done, pages.OperationRow{
			ID: r.Operation.String(), Href: operationHref(r.Operation), Title: "as " + string(r.Choice.As), By: r.By + " (" + r.Roles + ")",
			State: operationStates[operation.State(r.State)], Ordered: moment(r.Ordered, h.now(), time.UTC), Sentence: "Why: " + r.Choice.Reason + ". " + r.Sentence,
		})
	}
	switch {
	case known.Probe == nil:
	case known.Outdated:
		v.Sentence = version.Title() + " was applied, taken back or repaired since somebody last looked what of it is in the database."
	default:
		h.looked(&v, *known.Probe)
		h.loses(&v, by, known)
	}
	return v, nil
}

// loses says what running the undo file would lose, which has to be counted and saved first.
func (h repairs) loses(v *pages.MigrationRepairView, by actor.Actor, known migration.Known) {
	if !known.Probe.Offer(migration.RepairUndo).Offered() || !known.Loses {
		return
	}
	v.SavedText = "Running its undo file throws away rows or values. Nothing of that has been counted and saved in the last 15 minutes, and it is not run before."
	switch {
	case known.Unread != "":
		v.SavedText = "What " + known.Unread + " throws away cannot be counted beforehand, so its undo file is not run from here."
		return
	case known.Saved != nil:
		v.SavedText = known.Saved.Meaning()
		v.Counted, v.Files = lostFacts(*known.Saved)
	}
	if by.Can(actor.MigrationDown) && v.Action != "" {
		v.Save = saveOrder(known.Probe.Version)
		if known.Saved != nil {
			v.Save.Effect = saveAgain
		}
	}
}

// looked lays a look out.
func (h repairs) looked(v *pages.MigrationRepairView, p migration.Probe) {
	v.Sentence, v.SHA256, v.LookedBy, v.LookedAt = p.Sentence(), p.Hash(), p.LookedBy, moment(p.LookedAt, h.now(), time.UTC)
	for _, s := range p.Statements {
		h.lay(v, s)
	}
	v.Rest = effectRows(p.Rest)
	for _, o := range p.Offers {
		option := offers[o.As]
		if !o.Offered() {
			v.Refused = append(v.Refused, components.Fact{Label: option.Label, Value: o.WhyNot})
			continue
		}
		if o.As == migration.RepairUndo && p.Closed != "" {
			v.Refused = append(v.Refused, components.Fact{Label: option.Label, Value: p.Closed})
			continue
		}
		option.Value = string(o.As)
		v.Offers = append(v.Offers, option)
	}
	if len(v.Offers) > 0 {
		v.Tone = components.Warn
	}
}

// folded are the verdicts of which one line is enough where nothing disagrees, in the order of the page.
var folded = []struct {
	verdict   migration.Verdict
	one, many string
}{
	{migration.TookEffect, "statement took effect", "statements took effect"},
	{migration.NotThere, "statement did not take effect", "statements did not take effect"},
	{migration.NothingToSee, "statement has nothing to look at", "statements have nothing to look at"},
}

// lay puts a statement among those that a person must read, or folds it among those that all say the same.
func (h repairs) lay(v *pages.MigrationRepairView, s migration.Probed) {
	row := repairStatement(s)
	for _, f := range folded {
		if f.verdict != s.Verdict {
			continue
		}
		for i := range v.Folded {
			if g := &v.Folded[i]; g.State.Code == row.State.Code {
				g.Statements = append(g.Statements, row)
				g.Summary = counted(len(g.Statements), f.one, f.many)
				return
			}
		}
		v.Folded = append(v.Folded, pages.RepairFold{State: row.State, Summary: counted(1, f.one, f.many), Statements: []pages.RepairStatement{row}})
		return
	}
	v.Statements = append(v.Statements, row)
}

// repairStatement names what was looked at, and lays expected and found side by side only where they do not agree.
func repairStatement(s migration.Probed) pages.RepairStatement {
	row := pages.RepairStatement{Line: fmt.Sprint(s.Line), SQL: s.SQL, State: verdicts[s.Verdict]}
	if s.Verdict == migration.Otherwise {
		row.Mixed = effectRows(s.Effects)
		return row
	}
	for _, e := range s.Effects {
		row.Looked = append(row.Looked, e.Object)
	}
	row.Summary = counted(len(row.Looked), "thing", "things") + " looked at: "
	if s.Verdict == migration.TookEffect {
		row.Summary += "there, as the file leaves it"
	} else {
		row.Summary += "as before the file"
	}
	return row
}

func effectRows(effects []migration.Effect) []components.Check {
	var rows []components.Check
	for _, e := range effects {
		rows = append(rows, components.Check{Name: e.Object, State: verdicts[e.Verdict], Expected: e.After, Found: e.Found})
	}
	return rows
}
