package app

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/capacity"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// capacityComesWith is the version that brings the warehouse's table of failures.
const capacityComesWith = migration.Version(20)

// tellCapacity lets the sample's warehouse system hand in what did not fit in its last week, once there is a table for it
// and nothing in it: through the same story as a program does, so that nothing of it is made up but what was seen. What it
// tells lies more than a day back, and so leaves the health of the release alone.
func tellCapacity(ctx context.Context, m *migrator.Migrator, db *postgres.DB, ownerURL string, now time.Time) (done bool, err error) {
	ladder, err := m.Status(ctx)
	if err != nil {
		return false, err
	}
	if rung, ok := ladder.Find(capacityComesWith); !ok || !rung.InDatabase() {
		return false, nil
	}
	var tales []tale
	err = asOwner(ctx, ownerURL, func(conn *pgx.Conn) error {
		var there bool
		if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM public.capacity_validation_failures)").Scan(&there); err != nil || there {
			return err
		}
		for _, t := range []struct {
			facility, material string
			offset, bins       int
		}{{"RM-MAIN", "SH-00008", 0, 14}, {"RM-MAIN", "PR-00021", 20, 3}, {"RM-MAIN", "FG-00019", 30, 2}, {"RM-WEST", "CO-00035", 0, 4}, {"RM-WEST", "PK-00018", 10, 1}, {"SW-DOCK", "PK-00017", 0, 5}} {
			rows, err := conn.Query(ctx, taleSQL, t.facility, t.material, t.offset, t.bins)
			if err != nil {
				return err
			}
			more, err := pgx.CollectRows(rows, pgx.RowToStructByPos[tale])
			if err != nil {
				return err
			}
			tales = append(tales, more...)
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	stories := capacity.NewService(postgres.Capacity{DB: db})
	for i, t := range tales {
		by := DemoTenants[0].Actor(actor.API, "sample warehouse system")
		if t.Facility == "SW-DOCK" {
			by = DemoTenants[1].Actor(actor.API, "sample warehouse system")
		}
		by.Rights, by.Name = []actor.Right{actor.CapacityRecord}, "Sample warehouse system"
		for again := range 1 + i%3/2 { // every third is seen twice
			seen := t.sighting(i, again, now)
			if _, err := stories.Record(ctx, by, seen); err != nil {
				return false, fmt.Errorf("%s into %s: %w", seen.Material, seen.Location, err)
			}
		}
	}
	return true, nil
}

// tale is a bin with the room it has, and a material that somebody put there.
type tale struct{ Facility, Location, Material, CubicFeet, Pounds, UnitCubicFeet, UnitPounds string }

// taleSQL finds bins with some room, and what one piece of a material really needs, by its sides where it has any.
const taleSQL = `
SELECT f.facility_code, c.location_code, m.material_code, c.available_cubic_feet::text, c.available_weight_lbs::text,
       round(coalesce(m.width_inches * m.height_inches * m.thickness_inches / 1728, m.cubic_feet, 2), 2)::text, round(m.weight_lbs_per_unit, 2)::text
  FROM public.facilities f
  JOIN public.materials m ON m.tenant_id = f.tenant_id AND m.material_code = $2
  JOIN public.bin_utilization_cache c ON c.tenant_id = f.tenant_id AND c.facility_id = f.facility_id
 WHERE f.facility_code = $1 AND c.location_type IN ('RESERVE', 'PICK_FACE') AND c.available_cubic_feet BETWEEN 8 AND 120
   AND c.available_cubic_feet >= coalesce(m.width_inches * m.height_inches * m.thickness_inches / 1728, m.cubic_feet, 2) AND c.available_weight_lbs >= m.weight_lbs_per_unit
 ORDER BY c.location_code
OFFSET $3 LIMIT $4`

// sighting is what was put there: more than there is room for, by a little or by much.
func (t tale) sighting(i, again int, now time.Time) capacity.Sighting {
	number := func(text string) capacity.Decimal {
		d, _ := capacity.ParseDecimal(text) // the database wrote it
		return d
	}
	hundredths := func(n int64) capacity.Decimal { return number(fmt.Sprintf("%d.%02d", n/100, n%100)) }
	room, unit := number(t.CubicFeet).Round(2), number(t.UnitCubicFeet)
	over := hundredths([]int64{103, 109, 118, 127, 160, 240}[i%6])
	pieces := room.Mul(over).Div(unit).Ceil()
	return capacity.Sighting{
		Key: fmt.Sprintf("sample-%d-%d", i, again), Facility: t.Facility, Location: t.Location, Material: t.Material, Lot: fmt.Sprintf("WMS-%05d", 4100+i), Quantity: pieces,
		Needed: capacity.Load{CubicFeet: unit.Mul(pieces).Round(2), WeightLbs: number(t.UnitPounds).Mul(pieces).Round(2)}, Free: capacity.Load{CubicFeet: room, WeightLbs: number(t.Pounds).Round(2)},
		At: now.Add(-time.Duration(26+(i*17)%130) * time.Hour).Add(time.Duration(again) * 20 * time.Minute), Source: capacity.ByWMS,
	}
}
