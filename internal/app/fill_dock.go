package app

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/crossdock"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// fillDock brings receipts to the sample's docks for orders that are gone by then, once there is a table for that and nothing in
// it, and lets the sample's warehouse system cancel them through the same story as a program does.
func fillDock(ctx context.Context, m *migrator.Migrator, db *postgres.DB, ownerURL string, now time.Time) (done bool, err error) {
	ladder, err := m.Status(ctx)
	if err != nil {
		return false, err
	}
	if rung, ok := ladder.Find(capacityComesWith); !ok || !rung.InDatabase() {
		return false, nil
	}
	var receipts []receipt
	err = asOwner(ctx, ownerURL, func(conn *pgx.Conn) error {
		var there bool
		if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM public.cross_dock_cancellations)").Scan(&there); err != nil || there {
			return err
		}
		rows, err := conn.Query(ctx, receiveSQL, now)
		if err != nil {
			return err
		}
		receipts, err = pgx.CollectRows(rows, pgx.RowToStructByPos[receipt])
		return err
	})
	if err != nil {
		return false, err
	}
	stories := crossdock.NewService(postgres.CrossDock{DB: db}, crossdock.BestFit{})
	reasons := crossdock.Reasons()
	for i, r := range receipts {
		by := DemoTenants[0].Actor(actor.API, "sample warehouse system")
		if r.Facility == "SW-DOCK" {
			by = DemoTenants[1].Actor(actor.API, "sample warehouse system")
		}
		by.Rights, by.Name = []actor.Right{actor.CrossDockCancel}, "Sample warehouse system"
		_, err := stories.Cancel(ctx, by, crossdock.Request{Key: "sample-" + r.Facility + "-" + r.Lot, Facility: r.Facility, Lot: r.Lot, Reason: reasons[i%len(reasons)], ArrivedAt: r.At})
		if err != nil {
			return false, fmt.Errorf("lot %s at the dock of %s: %w", r.Lot, r.Facility, err)
		}
	}
	return true, nil
}

// receipt is a lot that stands at a dock, and since when.
type receipt struct {
	Facility, Lot string
	At            time.Time
}

// receiveSQL puts six lots onto the dock of each facility: of materials that are measured, and the last of more than any place holds.
const receiveSQL = `
WITH docks AS (
    SELECT DISTINCT ON (l.facility_id) l.tenant_id, l.facility_id, f.facility_code, l.location_id
      FROM public.inventory_locations l JOIN public.facilities f ON f.tenant_id = l.tenant_id AND f.facility_id = l.facility_id
     WHERE l.location_type = 'STAGING' AND l.is_active AND l.deleted_at IS NULL
     ORDER BY l.facility_id, l.location_code
), goods AS (
    SELECT m.tenant_id, m.material_id, row_number() OVER (PARTITION BY m.tenant_id ORDER BY m.material_code DESC) AS n
      FROM public.materials m
     WHERE m.is_active AND m.deleted_at IS NULL AND NOT m.temperature_controlled AND m.weight_lbs_per_unit BETWEEN 1 AND 40
       AND public.unit_cubic_feet(m.cubic_feet, m.width_inches, m.height_inches, m.thickness_inches) BETWEEN 0.2 AND 8
), made AS (
    INSERT INTO public.lots (tenant_id, facility_id, lot_number, material_id, original_quantity, quantity_on_hand, quantity_available, location_id, received_date, created_at)
    SELECT d.tenant_id, d.facility_id, 'XD-' || lpad(g.n::text, 4, '0'), g.material_id, q.pieces, q.pieces, q.pieces, d.location_id, $1::timestamptz::date, $1::timestamptz - g.n * interval '55 minutes'
      FROM docks d JOIN goods g ON g.tenant_id = d.tenant_id AND g.n <= 6
     CROSS JOIN LATERAL (SELECT CASE g.n WHEN 6 THEN 5000 ELSE g.n * 2 END AS pieces) q
    RETURNING facility_id, lot_number, created_at
)
SELECT d.facility_code, k.lot_number, k.created_at
  FROM made k JOIN docks d ON d.facility_id = k.facility_id
 ORDER BY d.facility_code, k.lot_number`
