package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	smallBins  = 1000
	lotsABlock = 100
)

// stockroom is a warehouse of P8 with a connection to it.
type stockroom struct {
	bins int
	conn *pgx.Conn
	lots []string
	bare sample // of all blocks
	lot  sample
}

// lots is P8: the quantity of one lot changes and the utilization of its bin is right in the same commit, against the
// commit of one row of a table of as many rows that nothing hangs on. Both are one statement as the tables' owner.
func lots(ctx context.Context, b *bench) (err error) {
	var rooms [2]*stockroom
	for i, bins := range []int{smallBins, b.bins} {
		b.say("a warehouse with %d bins and %d lots", bins, 3*bins)
		if rooms[i], err = b.stockroom(ctx, fmt.Sprintf("bench_lots_%d", i), bins); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, rooms[i].conn.Close(context.WithoutCancel(ctx))) }()
	}
	against := make([][]pair, len(rooms))
	var growth []pair
	for block := range b.pairs {
		var bare, lot [2]sample
		for n := range lotsABlock {
			for i, room := range rooms {
				k := (block*lotsABlock+n)*7919%len(room.lots) + 1
				one, err := room.change(ctx, "UPDATE bench_plain SET quantity = quantity + 1 WHERE id = $1", k)
				if err != nil {
					return err
				}
				two, err := room.change(ctx, "UPDATE public.lots SET quantity_on_hand = quantity_on_hand + 1 WHERE lot_id = $1", room.lots[k-1])
				if err != nil {
					return err
				}
				bare[i], lot[i] = append(bare[i], one), append(lot[i], two)
			}
		}
		for i, room := range rooms {
			against[i] = append(against[i], pair{lot[i].ms(), bare[i].ms()})
			room.bare, room.lot = append(room.bare, bare[i]...), append(room.lot, lot[i]...)
		}
		growth = append(growth, pair{lot[1].ms(), lot[0].ms()})
	}
	for i, room := range rooms {
		if err := room.right(ctx); err != nil {
			return err
		}
		b.judge(figure{
			what: fmt.Sprintf("P8 one lot changed, %d bins", room.bins), format: "ratio %.2f of a bare commit", value: ratio(against[i]), goal: 3,
			note: fmt.Sprintf("%d pairs; lot %s; bare %s", len(against[i]), room.lot, room.bare),
		})
	}
	b.judge(figure{
		what: fmt.Sprintf("P8 one lot changed, growth from %d to %d bins", rooms[0].bins, rooms[1].bins), format: "ratio %.2f", value: ratio(growth), goal: 1.2,
	})
	return nil
}

func (b *bench) stockroom(ctx context.Context, database string, bins int) (*stockroom, error) {
	h := b.home
	if err := h.database(ctx, database, "0.0.14"); err != nil {
		return nil, err
	}
	if err := h.execute(ctx, database, stock(bins)...); err != nil {
		return nil, err
	}
	if err := h.warehouse(ctx, database, "0.0.22"); err != nil {
		return nil, err
	}
	if err := h.execute(ctx, database, "VACUUM (ANALYZE)", "CHECKPOINT"); err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, h.owner(database))
	if err != nil {
		return nil, err
	}
	room := &stockroom{bins: bins, conn: conn}
	rows, err := conn.Query(ctx, "SELECT lot_id::text FROM public.lots ORDER BY lot_number")
	if err == nil {
		room.lots, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if err == nil {
		err = room.warm(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	return room, nil
}

// warm lets both statements be prepared and planned, as on a connection that has worked before.
func (r *stockroom) warm(ctx context.Context) error {
	for n := 1; n <= 20; n++ {
		if _, err := r.change(ctx, "UPDATE bench_plain SET quantity = quantity + 1 WHERE id = $1", n); err != nil {
			return err
		}
		if _, err := r.change(ctx, "UPDATE public.lots SET quantity_on_hand = quantity_on_hand + 1 WHERE lot_id = $1", r.lots[n]); err != nil {
			return err
		}
	}
	return nil
}

func (r *stockroom) change(ctx context.Context, statement string, id any) (time.Duration, error) {
	began := time.Now()
	tag, err := r.conn.Exec(ctx, statement, id)
	took := time.Since(began)
	if err == nil && tag.RowsAffected() != 1 {
		err = fmt.Errorf("%s changed %d rows, not one", statement, tag.RowsAffected())
	}
	return took, err
}

// right stands over every figure: a reconciliation finds nothing to put right.
func (r *stockroom) right(ctx context.Context) error {
	var outcome string
	var wrong, checked *int
	if err := r.conn.QueryRow(ctx, "SELECT outcome, bins_put_right, bins_checked FROM public.reconcile_bin_utilization()").Scan(&outcome, &wrong, &checked); err != nil {
		return err
	}
	if outcome != "SUCCESS" || wrong == nil || *wrong != 0 || checked == nil || *checked != r.bins {
		return fmt.Errorf("the utilization of %d bins is not right after the changes: %s", r.bins, outcome)
	}
	return nil
}

// stock fills the tables of V0.0.14: a fifth as many materials as bins, three lots a bin, half full.
func stock(bins int) []string {
	const tenant, facility = `'11111111-1111-7111-8111-111111111111'`, `md5('facility')::uuid`
	n, materials, lots := strconv.Itoa(bins), strconv.Itoa(bins/5), strconv.Itoa(3*bins)
	return []string{
		`INSERT INTO public.tenants (tenant_id, tenant_code, tenant_name) VALUES (` + tenant + `, 'rivermark', 'Rivermark Print') ON CONFLICT DO NOTHING`,
		`INSERT INTO public.facilities (tenant_id, facility_id, facility_code, facility_name, address_line1, city, postal_code, country)
			VALUES (` + tenant + `, ` + facility + `, 'BENCH', 'Bench', '1 Mill Lane', 'Rivermark', '10001', 'US')`,
		`INSERT INTO public.materials (tenant_id, material_id, material_code, material_name, material_type, width_inches, height_inches,
			thickness_inches, cubic_feet, weight_lbs_per_unit, abc_classification, unit_cost)
		SELECT ` + tenant + `, md5('material ' || i)::uuid, 'M-' || i, 'Material ' || i, 'SUBSTRATE', 12, 12, 1 + i % 12, (1 + i % 12) / 12.0, 1 + i % 20,
			(ARRAY['A', 'B', 'C'])[1 + i % 3], 5 FROM generate_series(1, ` + materials + `) AS i`,
		`INSERT INTO public.inventory_locations (tenant_id, location_id, facility_id, location_code, zone_code, aisle_code, location_type,
			abc_classification, length_inches, width_inches, height_inches, cubic_feet, max_weight_lbs, pick_sequence)
		SELECT ` + tenant + `, md5('bin ' || i)::uuid, ` + facility + `, 'B-' || i, 'Z' || i % 8, 'A' || i % 500, 'RESERVE', (ARRAY['A', 'B', 'C'])[1 + i % 3],
			48, 48, 60, 80, 20000, i FROM generate_series(1, ` + n + `) AS i`,
		`INSERT INTO public.lots (tenant_id, lot_id, facility_id, lot_number, material_id, original_quantity, quantity_on_hand, quantity_available,
			location_id, received_date)
		SELECT ` + tenant + `, md5('lot ' || i)::uuid, ` + facility + `, 'L-' || lpad(i::text, 9, '0'), md5('material ' || 1 + i % ` + materials + `)::uuid, 100, 10 + i % 30, 10 + i % 30,
			md5('bin ' || 1 + (i * 7919::bigint) % ` + n + `)::uuid, date '2026-06-01' + i % 150 FROM generate_series(1, ` + lots + `) AS i`,
		`CREATE TABLE public.bench_plain (id integer PRIMARY KEY, quantity numeric(18,4) NOT NULL)`,
		`ALTER TABLE public.bench_plain OWNER TO gatehouse_owner`,
		`INSERT INTO public.bench_plain SELECT i, 10 FROM generate_series(1, ` + lots + `) AS i`,
		"ANALYZE",
	}
}
