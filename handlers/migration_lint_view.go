package handlers

import (
	"fmt"
	"strconv"

	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/pages"
)

var lintLevels = map[migration.LintLevel]components.State{
	migration.LintNote: {Code: "note", Word: "To know", Tone: components.Info},
	migration.LintWarn: {Code: "warn", Word: "Think about it", Tone: components.Warn},
	migration.LintStop: {Code: "stop", Word: "Put it right", Tone: components.Bad},
}

// lintTone is the tone of the worst finding.
func lintTone(r migration.LintReport) components.Tone {
	worst, ok := r.Worst()
	switch {
	case !ok:
		return components.Good
	case worst.Accepted != "":
		return components.Neutral
	}
	return lintLevels[worst.Level].Tone
}

// lintView is the lint of a file; nil where nobody read it.
func lintView(r migration.Rung) *pages.LintView {
	if r.Lint == nil {
		return nil
	}
	v := &pages.LintView{
		Sentence: r.Lint.Summary(), Tone: lintTone(*r.Lint), Bounds: r.Lint.Bounds,
		Basis: "What depends on a table's size was decided by what the server has noted of it, without counting.",
	}
	if r.InDatabase() {
		v.Tone, v.Basis = components.Neutral, "It is in the database; the sizes are those of now, not those of then."
	}
	for _, f := range r.Lint.Findings {
		v.Findings = append(v.Findings, pages.LintRow{
			Level: lintLevels[f.Level], Rule: f.Rule, Line: strconv.Itoa(f.Line), Statement: f.Statement, Relation: f.Relation, Size: f.Size,
			Lock: f.Lock, Waits: f.Waits, Why: f.Why, Instead: f.Instead, Accepted: f.Accepted,
		})
	}
	for _, l := range r.Lint.Locks {
		v.Locks = append(v.Locks, pages.LintLockRow{Line: strconv.Itoa(l.Line), Relation: l.Relation, Lock: l.Lock, Waits: l.Waits})
	}
	return v
}

// diffView is how a changed file differs from what was applied; nil for every other.
func diffView(r migration.Rung) *pages.TextDiffView {
	if r.Diff == nil {
		return nil
	}
	v := &pages.TextDiffView{Sentence: r.Diff.Sentence()}
	for _, h := range r.Diff.Hunks {
		place := pages.DiffPlace{Where: fmt.Sprintf("Line %d then, line %d now", h.WasLine, h.NowLine)}
		for _, w := range h.Words {
			place.Words = append(place.Words, pages.DiffWords{Is: string(w.Is), Text: w.Text})
		}
		v.Places = append(v.Places, place)
	}
	return v
}
