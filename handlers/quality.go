package handlers

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/quality"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// QualityStories tell how good the master data of the actor's tenant is.
type QualityStories interface {
	Report(ctx context.Context, by actor.Actor) (quality.Report, error)
}

type qualityFigures struct{ stories QualityStories }

const qualityPage = "/data-quality"

// Quality is the subject of master data: how much of it is verified, how far off it was, and what that broke.
func Quality(stories QualityStories) []web.Route {
	h := qualityFigures{stories}
	return []web.Route{
		web.Needs(http.MethodGet, qualityPage, actor.HealthRead, h.show),
		web.Needs(http.MethodGet, qualityPage+".csv", actor.HealthRead, h.table),
	}
}

func (h qualityFigures) show(c echo.Context) error {
	form := web.Query(c)
	facility := form.Text("facility", 0, 36)
	if err := form.Err(); err != nil {
		return err
	}
	shell := web.Shell(c, "Data quality")
	report, err := h.stories.Report(c.Request().Context(), web.Actor(c))
	var missing *quality.NotDeployed
	if errors.As(err, &missing) {
		return web.Page(c, http.StatusOK, pages.Quality(pages.QualityView{Shell: shell, Missing: missing.Error(), Way: toMigration(missing.Version)}))
	}
	if err != nil {
		return err
	}
	return web.Page(c, http.StatusOK, pages.Quality(qualityView(shell, report, facility)))
}

// table is the facilities for a spreadsheet. What was not computed is an empty cell.
func (h qualityFigures) table(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	report, err := h.stories.Report(c.Request().Context(), web.Actor(c))
	var missing *quality.NotDeployed
	if errors.As(err, &missing) {
		return web.SeeOther(c, qualityPage) // which says what brings them
	}
	if err != nil {
		return err
	}
	name := "data-quality-" + web.Actor(c).TenantCode + "-" + report.At.UTC().Format("20060102T150405Z") + ".csv"
	return web.Download(c, name, "text/csv; charset=utf-8", func(w io.Writer) error {
		out := csv.NewWriter(w)
		rows := [][]string{{
			"facility_id", "facility", "computed_at", "materials_held", "materials_due", "verified_pct", "failures_24h", "unresolved_24h", "unresolved", "crossdocks_pending",
			"summary_as_of", "materials_verified", "materials_with_variance", "avg_cubic_feet_variance_pct", "avg_weight_variance_pct", "remediations", "remediations_failed",
		}}
		for _, f := range report.Facilities {
			rows = append(rows, qualityRecord(f))
		}
		if err := out.WriteAll(rows); err != nil {
			return err
		}
		return out.Error()
	})
}

func qualityRecord(f quality.Facility) []string {
	record := []string{f.Facility.String(), audit.NotAFormula(f.FacilityName)}
	if now, ok := f.Now(); ok {
		record = append(record, now.ComputedAt.UTC().Format(time.RFC3339), strconv.Itoa(now.Held), strconv.Itoa(now.Due), verifiedShare(now, ""), strconv.Itoa(now.Failures24h),
			strconv.Itoa(now.Unresolved24h), strconv.Itoa(now.Unresolved), strconv.Itoa(now.Pending))
	} else {
		record = append(record, "", "", "", "", "", "", "", "")
	}
	return append(record, f.AsOf.UTC().Format(time.RFC3339), strconv.Itoa(f.MaterialsVerified), strconv.Itoa(f.MaterialsWithVariance), decimals(f.AvgCubicFeetVariancePct),
		decimals(f.AvgWeightVariancePct), strconv.Itoa(f.AutoRemediations), strconv.Itoa(f.FailedRemediations))
}

func decimals(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) }
