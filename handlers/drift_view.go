package handlers

import (
	"fmt"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/clock"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

func (h drift) view(c echo.Context) (pages.DriftView, error) {
	by := web.Actor(c)
	report, err := h.stories.Latest(c.Request().Context(), by)
	if err != nil {
		return pages.DriftView{}, err
	}
	v := pages.DriftView{Shell: web.Shell(c, "Drift", toMigrations)}
	v.Sentence, v.Tone = driftSaid(report)
	switch {
	case !by.Can(actor.MigrationApply):
		v.WhoCan = roleTitles(actor.RolesWith(actor.MigrationApply))
	case by.AuthTime.IsZero() || h.now().Sub(by.AuthTime) > migrationFreshness:
		v.FreshHref = web.LoginHref(driftPage, true)
	default:
		v.CheckHref, v.AcceptHref, v.TakeBack = driftPage+"/check", driftPage+"/accept", driftPage+"/withdraw"
	}
	if report == nil {
		return v, nil
	}
	v.Checked, v.CheckedAt = true, moment(report.CheckedAt, h.now(), time.UTC)
	for _, d := range report.Differences {
		v.Rows = append(v.Rows, driftRow(d))
	}
	return v, nil
}

// driftSaid adds what could not be seen. A server on which nobody has tried the comparison is not called good.
func driftSaid(r *migration.DriftReport) (string, components.Tone) {
	sentence, tone := driftSentence(r)
	if r == nil {
		return sentence, tone
	}
	limits, tried := r.Limits()
	if !tried && tone == components.Good {
		tone = components.Unknown
	}
	return strings.TrimSpace(sentence + " " + limits), tone
}

func driftSentence(r *migration.DriftReport) (string, components.Tone) {
	switch {
	case r == nil:
		return "Nobody has looked at the live schema yet. Every apply looks by itself before it changes anything.", components.Neutral
	case r.Version == 0:
		return "The ledger holds no version of the warehouse, so there is nothing to compare with.", components.Neutral
	case len(r.Differences) == 0:
		return fmt.Sprintf("The live schema was what %s left: %d objects compared, no difference.", r.Version.Title(), r.Compared), components.Good
	case len(r.Open()) == 0:
		return fmt.Sprintf("%s from what %s left, each accepted.", differ(len(r.Differences)), r.Version.Title()), components.Warn
	}
	return fmt.Sprintf("%s from what %s left, %d not accepted. Nothing is applied until each is repaired or accepted.",
		differ(len(r.Differences)), r.Version.Title(), len(r.Open())), components.Bad
}

func differ(n int) string {
	if n == 1 {
		return "1 object differed"
	}
	return fmt.Sprintf("%d objects differed", n)
}

func driftRow(d migration.Difference) pages.DriftRow {
	row := pages.DriftRow{
		Sentence: d.Sentence(), Object: d.ObjectKind + " " + d.Object, Repair: d.Repair, SHA256: d.SHA256,
		State: components.State{Code: string(d.Kind), Word: string(d.Kind), Tone: components.Bad},
		Facts: []components.Fact{{Label: "Expected", Value: d.Expected, Code: true}, {Label: "Found", Value: d.Found, Code: true}},
	}
	if d.Destructive {
		loses := d.Loses
		if loses == "" {
			loses = "what does not fit the old definition"
		}
		row.Facts = append(row.Facts, components.Fact{Label: "The repair throws away", Value: loses})
	}
	if d.Accepted() {
		row.State.Tone, row.State.Word = components.Warn, string(d.Kind)+", accepted"
		until := "until it is withdrawn"
		if !d.AcceptedUntil.IsZero() {
			until = "until " + clock.Stamp(d.AcceptedUntil)
		}
		row.Accepted, row.Acceptance = "Accepted by "+d.AcceptedBy+", "+until+": "+d.AcceptedBecause, d.AcceptanceID.String()
	}
	return row
}
