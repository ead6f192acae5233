package warehouse

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Size is how much there is of everything.
type Size string

// The sizes: some thousand materials and bins, ready in seconds; ten times
// that; and 100,000 bins, 300,000 lots and a million recommendations.
const (
	Small  Size = "small"
	Medium Size = "medium"
	Large  Size = "large"
)

// ParseSize reads a size as a person types it.
func ParseSize(s string) (Size, error) {
	switch size := Size(s); size {
	case Small, Medium, Large:
		return size, nil
	}
	return "", fmt.Errorf("there is no size %q; choose small, medium or large", s)
}

// Options fix what is made.
type Options struct {
	Size     Size   // empty: Small
	Seed     uint64 // the same seed makes the same warehouse
	Now      time.Time
	Progress func(done, total int, what string) // nil: nobody watches
}

// RivermarkID and SaltwayID are the two tenants, under the ids the demo's
// identity provider puts into its tokens.
const (
	RivermarkID = "11111111-1111-7111-8111-111111111111"
	SaltwayID   = "22222222-2222-7222-8222-222222222222"
)

// days is how far back orders, picks and recommendations go.
const days = 180

// Warehouse fills the tables of V0.0.14. They must be empty.
func Warehouse(ctx context.Context, owner *pgx.Conn, o Options) error {
	p := newPlan(o)
	steps := p.masterData()
	for t := range p.tenants {
		for f := range p.tenants[t].facilities {
			steps = append(steps, p.operations(&p.tenants[t], &p.tenants[t].facilities[f])...)
		}
	}
	return load(ctx, owner, o, inOrder(steps), nil)
}

// step is one COPY.
type step struct {
	table   string
	columns []string
	rows    int
	row     func(i int) []any
}

// order is the one in which foreign keys allow the tables to be filled.
var order = []string{
	"tenants", "facilities", "users", "materials", "inventory_locations", "lots", "sales_orders", "sales_order_lines",
	"inventory_transactions", "wave_processing", "pick_lists", "wave_lines", "putaway_recommendations", "reslotting_history",
}

func inOrder(steps []step) []step {
	sorted := make([]step, 0, len(steps))
	for _, table := range order {
		for _, s := range steps {
			if s.table == table {
				sorted = append(sorted, s)
			}
		}
	}
	return sorted
}

// load copies the steps and runs what comes after them, all in one transaction.
func load(ctx context.Context, owner *pgx.Conn, o Options, steps []step, after func(pgx.Tx) error) error {
	total, done := 0, 0
	for _, s := range steps {
		total += s.rows
	}
	report := func(what string) {
		if o.Progress != nil {
			o.Progress(done, total, what)
		}
	}
	return pgx.BeginFunc(ctx, owner, func(tx pgx.Tx) error {
		for i, s := range steps {
			report(s.table)
			_, err := tx.CopyFrom(ctx, pgx.Identifier{"public", s.table}, s.columns, pgx.CopyFromSlice(s.rows, func(i int) ([]any, error) {
				if done++; done%10_000 == 0 {
					report(s.table)
				}
				return s.row(i), nil
			}))
			if err != nil {
				return fmt.Errorf("filling %s: %w", s.table, err)
			}
			// Foreign keys are checked by plans that are made once a session. Without figures about the table just
			// filled, the next one's checks may walk through all of a tenant for every row.
			if i+1 == len(steps) || steps[i+1].table != s.table {
				if _, err := tx.Exec(ctx, "ANALYZE public."+pgx.Identifier{s.table}.Sanitize()); err != nil {
					return fmt.Errorf("taking figures of %s: %w", s.table, err)
				}
			}
		}
		if after != nil {
			if err := after(tx); err != nil {
				return err
			}
		}
		report("done")
		return nil
	})
}
