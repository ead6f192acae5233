package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/app"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/quality"
)

const (
	fewVerified  = 10_000
	qualityBins  = 10_000
	qualityReads = 20 // of the figures, in one pair
)

// subSelects are the figures of a facility as plain sub-selects over the tables.
const subSelects = `SELECT
	(SELECT count(DISTINCT material_id) FROM public.material_dimension_verifications v WHERE v.facility_id = f.facility_id AND v.verification_status <> 'VARIANCE_DETECTED') +
	(SELECT count(DISTINCT material_id) FROM public.material_dimension_verifications v WHERE v.facility_id = f.facility_id AND v.verification_status = 'VARIANCE_DETECTED') +
	(SELECT count(*) FROM public.capacity_validation_failures c WHERE c.facility_id = f.facility_id) +
	(SELECT count(*) FROM public.capacity_validation_failures c WHERE c.facility_id = f.facility_id AND NOT c.resolved) +
	(SELECT count(*) FROM public.cross_dock_cancellations x WHERE x.facility_id = f.facility_id AND NOT x.relocation_completed) +
	(SELECT COALESCE(avg(abs(v.cubic_feet_variance_pct)), 0) FROM public.material_dimension_verifications v WHERE v.facility_id = f.facility_id)
FROM public.facilities f`

// measuredHouse is a warehouse of P7.
type measuredHouse struct {
	rows    int
	conn    *pgx.Conn
	db      *postgres.DB
	service *quality.Service
	reads   sample
	plain   sample
}

// figures is P7: the figures of data quality as their page reads them, against plain sub-selects over the same tables, and
// against themselves in a warehouse with a hundredth of the rows. What computing them costs the scheduler is printed beside it.
func figures(ctx context.Context, b *bench) (err error) {
	by := app.DemoTenants[0].Actor(actor.Worker, "bench")
	by.Rights = []actor.Right{actor.HealthRead}
	var houses [2]*measuredHouse
	for i, rows := range []int{fewVerified, b.rows} {
		b.say("a warehouse with %d verifications and %d capacity failures", rows, rows)
		if houses[i], err = b.measured(ctx, fmt.Sprintf("bench_quality_%d", i), rows, by); err != nil {
			return err
		}
		defer func() {
			houses[i].db.Close()
			err = errors.Join(err, houses[i].conn.Close(context.WithoutCancel(ctx)))
		}()
	}
	var against, growth []pair
	for range b.pairs {
		var took [2]time.Duration
		for i, h := range houses {
			for range qualityReads {
				began := time.Now()
				if _, err := h.service.Report(ctx, by); err != nil {
					return err
				}
				h.reads = append(h.reads, time.Since(began))
			}
			took[i] = h.reads[len(h.reads)-qualityReads:].at(0.5)
		}
		large := houses[1]
		began := time.Now()
		if _, err := large.conn.Exec(ctx, subSelects); err != nil {
			return err
		}
		large.plain = append(large.plain, time.Since(began))
		against = append(against, pair{took[1].Seconds(), large.plain[len(large.plain)-1].Seconds()})
		growth = append(growth, pair{took[1].Seconds(), took[0].Seconds()})
	}
	large := houses[1]
	b.judge(figure{
		what: fmt.Sprintf("P7 data-quality figures over %d rows a table", large.rows), format: "ratio %.4f of the sub-selects", value: ratio(against), goal: 0.01,
		note: fmt.Sprintf("%d pairs; figures %s; sub-selects %s", len(against), large.reads, large.plain),
	})
	b.judge(figure{what: fmt.Sprintf("P7 data-quality figures, growth from %d to %d rows", houses[0].rows, large.rows), format: "ratio %.2f", value: ratio(growth), goal: 1.3})
	return nil
}

func (b *bench) measured(ctx context.Context, database string, rows int, by actor.Actor) (*measuredHouse, error) {
	h := b.home
	if err := h.database(ctx, database, "0.0.14"); err != nil {
		return nil, err
	}
	if err := h.execute(ctx, database, stock(qualityBins)...); err != nil {
		return nil, err
	}
	if err := h.warehouse(ctx, database, "0.0.22"); err != nil {
		return nil, err
	}
	if err := h.execute(ctx, database, verified(rows)...); err != nil {
		return nil, err
	}
	db, err := postgres.Open(ctx, h.app(database))
	if err != nil {
		return nil, err
	}
	m := &measuredHouse{rows: rows, db: db, service: quality.NewService(postgres.Quality{DB: db})}
	began := time.Now()
	if failed, err := (postgres.Quality{DB: db}).RefreshSummaries(ctx, 0); err != nil || len(failed) > 0 {
		return nil, fmt.Errorf("refreshing the summaries: %v: %w", failed, err)
	}
	refreshed := time.Since(began)
	if err := m.service.Compute(ctx, by); err != nil {
		return nil, err
	}
	b.print("P7 computing the figures over %d rows a table: %d ms, after the summaries' refresh of %d ms", rows, (time.Since(began) - refreshed).Milliseconds(), refreshed.Milliseconds())
	m.conn, err = pgx.Connect(ctx, h.owner(database))
	return m, err
}

// verified fills what V0.0.20 brings: so many measurements of the materials, and so many failures of which one in a hundred is
// open.
func verified(rows int) []string {
	const tenant, facility, person = `'11111111-1111-7111-8111-111111111111'`, `md5('facility')::uuid`, `md5('person')::uuid`
	n, bins, materials := strconv.Itoa(rows), strconv.Itoa(qualityBins), strconv.Itoa(qualityBins/5)
	return []string{
		`INSERT INTO public.users (tenant_id, user_id, username, email) VALUES (` + tenant + `, ` + person + `, 'bench', 'bench@example.com')`,
		`SET session_replication_role = replica`, // a million keys are not looked up one by one
		`INSERT INTO public.material_dimension_verifications (tenant_id, verification_id, material_id, facility_id, measured_cubic_feet, measured_weight_lbs,
			cubic_feet_variance_pct, weight_variance_pct, verification_status, variance_threshold_exceeded, verified_by, verified_at)
		SELECT ` + tenant + `, md5('verification ' || i)::uuid, md5('material ' || 1 + i % ` + materials + `)::uuid, ` + facility + `, 1, 1, i % 25 - 12, i % 7,
			CASE WHEN abs(i % 25 - 12) > 10 THEN 'VARIANCE_DETECTED' ELSE 'VERIFIED' END, abs(i % 25 - 12) > 10, ` + person + `, now() - i * interval '10 seconds'
		FROM generate_series(1, ` + n + `) AS i`,
		`INSERT INTO public.capacity_validation_failures (tenant_id, failure_id, facility_id, location_id, material_id, lot_number, required_cubic_feet, available_cubic_feet,
			required_weight_lbs, available_weight_lbs, failure_type, severity, resolved, resolved_at, resolved_by, resolution_code, resolution_notes, created_at, last_seen_at)
		SELECT ` + tenant + `, md5('failure ' || i)::uuid, ` + facility + `, md5('bin ' || 1 + i % ` + bins + `)::uuid, md5('material ' || 1 + i % ` + materials + `)::uuid, 'L-' || i, 2, 1, 1, 2,
			'CUBIC_FEET_EXCEEDED', 'CRITICAL', i % 100 > 0, CASE WHEN i % 100 > 0 THEN now() END, CASE WHEN i % 100 > 0 THEN ` + person + ` END,
			CASE WHEN i % 100 > 0 THEN 'STOCK_MOVED' END, CASE WHEN i % 100 > 0 THEN 'moved to another bin' END, now() - i * interval '10 seconds', now() - i * interval '10 seconds'
		FROM generate_series(1, ` + n + `) AS i`,
		`SET session_replication_role = origin`,
		`VACUUM (ANALYZE)`,
	}
}
