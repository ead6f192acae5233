package warehouse

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
)

// History adds what V0.0.15, 16 and 18 have seen in the months they stood:
// recommendations and what people did with them, velocities, re-slottings. It
// ends with a reconciliation of the bins, which must find nothing wrong.
func History(ctx context.Context, owner *pgx.Conn, o Options) error {
	p := newPlan(o)
	steps := []step{p.recommendations()}
	for t := range p.tenants {
		steps = append(steps, p.reslottings(&p.tenants[t]))
	}
	return load(ctx, owner, o, inOrder(steps), func(tx pgx.Tx) error { return p.derive(ctx, tx) })
}

// MadeAt is the moment that a warehouse which is there was counted back from, as its ids keep it. History has to be given
// the same one.
func MadeAt(ctx context.Context, owner *pgx.Conn) (time.Time, error) {
	var id [16]byte
	if err := owner.QueryRow(ctx, "SELECT facility_id FROM public.facilities WHERE facility_code = $1", mainMill).Scan(&id); err != nil {
		return time.Time{}, fmt.Errorf("reading when the sample warehouse was made: %w", err)
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(id[:8])>>16)).UTC().AddDate(0, 0, days), nil
}

// derive works out from the rows what would have been worked out from them at the time.
func (p *plan) derive(ctx context.Context, tx pgx.Tx) error {
	for what, sql := range map[string]string{
		"velocities": `
			INSERT INTO public.material_velocity_metrics (tenant_id, metric_id, material_id, period_start, period_end, total_picks,
				total_quantity_picked, total_value_picked, abc_classification, velocity_rank, created_at)
			SELECT x.tenant_id, md5(x.material_id::text || w.month)::uuid, x.material_id, ($1::timestamptz - make_interval(days => 30 * w.month + 30))::date,
				($1::timestamptz - make_interval(days => 30 * w.month))::date, count(*), sum(x.quantity), sum(x.quantity * m.unit_cost),
				m.abc_classification, rank() OVER (PARTITION BY x.tenant_id, w.month ORDER BY count(*) DESC), $1
			FROM public.inventory_transactions x
			JOIN public.materials m ON m.tenant_id = x.tenant_id AND m.material_id = x.material_id
			JOIN generate_series(0, 5) AS w (month) ON x.transaction_date > $1::timestamptz - make_interval(days => 30 * w.month + 30)
				AND x.transaction_date <= $1::timestamptz - make_interval(days => 30 * w.month)
			WHERE x.transaction_type = 'ISSUE'
			GROUP BY x.tenant_id, x.material_id, w.month, m.abc_classification`,
		"the model's accuracy": `
			UPDATE public.ml_model_weights w
			SET accuracy_pct = d.accuracy_pct, total_predictions = d.decided, updated_at = $1::timestamptz
			FROM (SELECT tenant_id, count(*) AS decided, 100.0 * count(*) FILTER (WHERE accepted) / count(*) AS accuracy_pct
				FROM public.putaway_recommendations
				WHERE decided_at > $1::timestamptz - interval '90 days' GROUP BY tenant_id) d
			WHERE w.tenant_id = d.tenant_id AND w.model_name = 'putaway_confidence_adjuster'`,
	} {
		if _, err := tx.Exec(ctx, sql, p.Now); err != nil {
			return fmt.Errorf("working out %s: %w", what, err)
		}
	}
	var outcome string
	var problem *string
	if err := tx.QueryRow(ctx, "SELECT outcome, error FROM public.reconcile_bin_utilization()").Scan(&outcome, &problem); err != nil {
		return fmt.Errorf("reconciling the bins: %w", err)
	}
	if outcome != "SUCCESS" {
		return fmt.Errorf("reconciling the bins: %s", *problem)
	}
	return nil
}

// share says yes to a given part of its questions, spread evenly rather than by chance, so that a figure over a week is
// what it was meant to be even in the small warehouse.
type share struct{ owed float64 }

func (s *share) yes(part float64) bool {
	s.owed += part
	if s.owed < 1 {
		return false
	}
	s.owed--
	return true
}

// putaways decides one recommendation after the other.
type putaways struct {
	*plan
	dice      *rand.Rand
	followed  []share // of each tenant
	drifting  share
	driftBins []int
}

var algorithms = []string{"ABC_VELOCITY_BEST_FIT_V2", "ABC_VELOCITY_BEST_FIT_V2", "BEST_FIT_DECREASING_ENHANCED", "CROSS_DOCK_FAST_PATH"}

// recommendations rise in time from 180 days ago to now. Three in four are
// Rivermark's; of those at its main mill one in twenty, beside what falls there
// anyway, goes to the drifting aisle, where people followed nine in ten until
// eight weeks ago and follow three now.
func (p *plan) recommendations() step {
	made := &putaways{plan: p, dice: p.dice('r', 0), followed: make([]share, len(p.tenants))}
	for i, b := range p.tenants[0].facilities[0].bins {
		if planted(DriftingAisle, p.tenants[0].code, b.aisle) {
			made.driftBins = append(made.driftBins, i)
		}
	}
	return step{
		"putaway_recommendations",
		[]string{"tenant_id", "recommendation_id", "facility_id", "lot_number", "material_id", "quantity", "recommended_location_id", "algorithm_used", "confidence_score", "ml_adjusted_confidence", "features", "reason", "accepted", "actual_location_id", "decided_at", "decided_by", "created_at"},
		p.scale.recommendations, made.row,
	}
}

func (p *putaways) row(i int) []any {
	n := p.scale.recommendations
	age := time.Duration(float64(n-i) / float64(n) * float64(days*24*time.Hour))
	at := p.Now.Add(-age).Truncate(time.Second)
	who := 0
	if i%4 == 3 {
		who = 1
	}
	t := &p.tenants[who]
	f := &t.facilities[(i/4)%len(t.facilities)]
	target := p.dice.IntN(len(f.bins) - 5) // never one of the five floor areas
	if f.number == 1 && p.dice.IntN(20) == 0 {
		target = p.driftBins[p.dice.IntN(len(p.driftBins))]
	}
	drifts := planted(DriftingAisle, f.code, f.bins[target].aisle)
	decision := at.Add(time.Duration(4+p.dice.IntN(90)) * time.Minute)
	pending := decision.After(p.Now) || (age < 36*time.Hour && p.dice.IntN(4) == 0)
	follow := false
	switch {
	case pending:
	case drifts:
		weeks := math.Max(0, 8-age.Hours()/(7*24))
		follow = p.drifting.yes(0.92 - 0.62*weeks/8)
	default:
		follow = p.followed[who].yes(t.acceptance + 0.03*math.Max(0, 1-age.Hours()/(30*24)))
	}
	confidence := 0.58 + 0.28*p.dice.Float64()
	if follow {
		confidence = 0.70 + 0.28*p.dice.Float64()
	}
	confidence = math.Round(confidence*100) / 100
	features, learned := p.features()
	m := p.dice.IntN(len(t.materials))
	var accepted, actual, decided, by any
	if !pending {
		accepted, decided, by, actual = follow, decision, t.users[p.dice.IntN(len(t.users))], f.bins[target].id
		if !follow {
			actual = f.bins[(target+1+p.dice.IntN(20))%(len(f.bins)-5)].id
		}
	}
	return []any{
		t.id, p.id('r', 0, i), f.id, fmt.Sprintf("%s-%07d", f.mark, 1+i/4), t.materials[m].id, decimal(float64(1+p.dice.IntN(40)), 4),
		f.bins[target].id, algorithms[p.dice.IntN(len(algorithms))], decimal(confidence, 2), decimal(math.Min(0.7*confidence+0.3*learned, 1), 3),
		features, "Class " + t.materials[m].class() + " material, " + f.bins[target].zone + " bin with room.", accepted, actual, decided, by, at,
	}
}

// features draws what the model saw, and adds up its default weights for it.
func (p *putaways) features() (string, float64) {
	seen := [5]bool{p.dice.IntN(10) < 7, p.dice.IntN(10) < 6, p.dice.IntN(10) < 4, true, p.dice.IntN(10) < 8}
	learned := 0.0
	for i, weight := range [5]float64{0.35, 0.25, 0.20, 0.15, 0.05} {
		if seen[i] {
			learned += weight
		}
	}
	return fmt.Sprintf(`{"abcMatch": %t, "utilizationOptimal": %t, "pickSequenceLow": %t, "locationTypeMatch": %t, "congestionLow": %t}`,
		seen[0], seen[1], seen[2], seen[3], seen[4]), learned
}

func (m material) class() string {
	if m.abc == "" {
		return "C"
	}
	return m.abc
}

// reslottings are a few moves a week, most of them done.
func (p *plan) reslottings(t *tenant) step {
	dice := p.dice('s', t.number)
	kinds := []string{"CONSOLIDATE", "REBALANCE", "RELOCATE", "ABC_CHANGE"}
	return step{
		"reslotting_history",
		[]string{"tenant_id", "reslot_id", "facility_id", "material_id", "quantity", "from_location_id", "to_location_id", "reslot_type", "reason", "estimated_efficiency_gain", "status", "executed_at", "executed_by", "created_at"},
		days / 3, func(i int) []any {
			f := &t.facilities[i%len(t.facilities)]
			from := dice.IntN(len(f.bins))
			to := (from + 1 + dice.IntN(len(f.bins)-1)) % len(f.bins)
			at := p.Now.AddDate(0, 0, -days+3*i)
			status, done, by := "COMPLETED", any(at.Add(6*time.Hour)), any(t.users[i%len(t.users)])
			if i > days/3-4 {
				status, done, by = "PENDING", nil, nil
			}
			return []any{
				t.id, p.id('s', t.number, i), f.id, t.materials[dice.IntN(len(t.materials))].id, decimal(float64(1+dice.IntN(30)), 4),
				f.bins[from].id, f.bins[to].id, kinds[i%len(kinds)], "Moved closer to where it is picked.", decimal(2+8*dice.Float64(), 2), status, done, by, at,
			}
		},
	}
}
