package handlers

import (
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// onSample is how long a file took in a rehearsal on a sample, which is no estimate of how long it takes on everything.
func onSample(r migration.RehearsedFile, took time.Duration) string {
	return duration(took) + " on " + r.Sample.Words() + ", which says nothing about the whole"
}

// sampleView offers a rehearsal on a sample where something is pending and no backup was restored yet; the zero view where
// there is nothing to offer.
func (h migrations) sampleView(shell layouts.Shell, by actor.Actor, o migration.Overview) pages.SampleOffer {
	next, pending := o.Ladder.Next()
	if !pending || o.Restores || len(o.Ladder.Problems) > 0 {
		return pages.SampleOffer{}
	}
	v := pages.SampleOffer{
		Text: "No backup has been restored here yet, so " + next.Version.Title() + " can be rehearsed on a sample only: the schema, with tables of up to 10,000 rows whole " +
			"and about that many rows of larger ones. That finds what does not work. That it passed proves nothing; applying needs a rehearsal on a backup.",
	}
	switch {
	case !by.Can(actor.MigrationApply):
		v.WhoCan = roleTitles(actor.RolesWith(actor.MigrationApply))
	case h.stale(by):
		v.Fresh = web.LoginHref(migrationsPage, true)
	default:
		v.Order = pages.Order{Action: rehearsalsPage, Key: uuid.NewString(), Effect: "Rehearse on a sample of " + environment(shell)}
	}
	return v
}

// sampledTables are the tables of which a rehearsal did not have every row.
func sampledTables(data migration.RehearsalData) (rows []components.Fact) {
	if data.Sample == nil {
		return nil
	}
	for _, t := range data.Sample.Cut() {
		rows = append(rows, components.Fact{Label: t.Table, Value: strconv.FormatInt(t.Rows, 10) + " of " + counted(int(t.Of), "row", "rows")})
	}
	return rows
}
