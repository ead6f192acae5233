package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/capacity"
)

func (t capacityTx) BulkWith(ctx context.Context, key uuid.UUID) (capacity.Bulk, bool, error) {
	return t.bulk(ctx, "CapacityBulkWith", pgx.StrictNamedArgs{"key": key})
}

func (t capacityTx) Bulk(ctx context.Context, id uuid.UUID) (capacity.Bulk, bool, error) {
	return t.bulk(ctx, "CapacityBulk", pgx.StrictNamedArgs{"bulk": id})
}

func (t capacityTx) bulk(ctx context.Context, statement string, args pgx.StrictNamedArgs) (capacity.Bulk, bool, error) {
	found, err := rowsOf[bulkRow](ctx, t.tx, statement, args)
	if err != nil || len(found) == 0 {
		return capacity.Bulk{}, false, err
	}
	return found[0].bulk(), true, nil
}

func (t capacityTx) Matching(ctx context.Context, group uuid.UUID, q capacity.Query, from []capacity.State, most int) ([]capacity.Case, error) {
	// What the filter shows and the act takes.
	var both []capacity.State
	for _, s := range q.Standing.States() {
		for _, f := range from {
			if s == f {
				both = append(both, s)
			}
		}
	}
	args := filter(t.by, q)
	args["group"], args["states"], args["limit"] = group, states(both), most
	return t.many(ctx, "CapacityMatching", args)
}

func (t capacityTx) SaveMany(ctx context.Context, b capacity.Bulk, key uuid.UUID, before, after []capacity.Case) error {
	ids, versions := make([]uuid.UUID, len(before)), make([]int, len(before))
	for i, c := range before {
		ids[i], versions[i] = c.ID, c.Version
	}
	owner, owns := after[0].Owner, b.Act == capacity.Assign
	var batch pgx.Batch
	batch.Queue(sql("AddCapacityBulk"), pgx.StrictNamedArgs{
		"bulk": b.ID, "act": string(b.Act), "reason": b.Reason, "cases": b.Cases, "issuer": b.By.Issuer, "subject": b.By.Subject, "name": b.By.Name, "key": key, "at": b.DoneAt,
	})
	batch.Queue(sql("SaveCapacityMany"), pgx.StrictNamedArgs{
		"failures": ids, "versions": versions, "state": string(b.Act.To()), "owns": owns, "owner_issuer": owner.Issuer, "owner_subject": owner.Subject, "owner_name": owner.Name,
		"act": string(b.Act), "reason": b.Reason, "bulk": b.ID, "issuer": b.By.Issuer, "subject": b.By.Subject, "name": b.By.Name,
	})
	return t.tx.SendBatch(ctx, &batch).Close()
}

func (t capacityTx) PutBack(ctx context.Context, b capacity.Bulk, by capacity.Person) ([]uuid.UUID, error) {
	found, err := rowsOf[struct{ FailureID uuid.UUID }](ctx, t.tx, "PutBackCapacity", pgx.StrictNamedArgs{
		"bulk": b.ID, "issuer": by.Issuer, "subject": by.Subject, "name": by.Name,
	})
	ids := make([]uuid.UUID, len(found))
	for i, f := range found {
		ids[i] = f.FailureID
	}
	return ids, err
}

type putawayRow struct {
	TransactionID                            uuid.UUID
	FacilityCode, LocationCode, MaterialCode string
	LotNumber                                string
	Quantity                                 *capacity.Decimal
	TransactionDate                          time.Time
	PerformedByUserID                        uuid.UUID `db:"performed_by_user_id"`
	UnitCubicFeet, WeightLbsPerUnit          *capacity.Decimal
	BinCubicFeet, MaxWeightLbs               *capacity.Decimal
	UsedCubicFeet, UsedWeightLbs             *capacity.Decimal
	Still                                    bool
}

// putaway judges against what else lies in the bin: what it holds in all, less what is in it, plus these pieces, which are
// part of that.
func (r putawayRow) putaway() capacity.Putaway {
	p := capacity.Putaway{
		ID: r.TransactionID, Facility: r.FacilityCode, Location: r.LocationCode, Material: r.MaterialCode, Lot: r.LotNumber, Quantity: orNow(r.Quantity),
		At: r.TransactionDate.UTC(), By: r.PerformedByUserID, Unit: unitOf(r.UnitCubicFeet, r.WeightLbsPerUnit), Still: r.Still,
	}
	if p.Unit != nil && r.BinCubicFeet != nil && r.MaxWeightLbs != nil && r.UsedCubicFeet != nil && r.UsedWeightLbs != nil {
		p.Free = &capacity.Load{
			CubicFeet: r.BinCubicFeet.Sub(*r.UsedCubicFeet).Add(p.Unit.CubicFeet.Mul(p.Quantity)).Round(4),
			WeightLbs: r.MaxWeightLbs.Sub(*r.UsedWeightLbs).Add(p.Unit.WeightLbs.Mul(p.Quantity)).Round(4),
		}
	}
	return p
}

func (t capacityTx) Step(ctx context.Context, most int) ([]capacity.Putaway, error) {
	if _, err := t.tx.Exec(ctx, sql("BeginCapacityWalk")); err != nil {
		return nil, err
	}
	found, err := rowsOf[putawayRow](ctx, t.tx, "StepCapacityWalk", pgx.StrictNamedArgs{"limit": most})
	list := make([]capacity.Putaway, len(found))
	for i, r := range found {
		list[i] = r.putaway()
	}
	return list, err
}

func (t capacityTx) Stand(ctx context.Context, looked, found int, problem string) error {
	var b pgx.Batch
	b.Queue(sql("StandCapacityWalk"), pgx.StrictNamedArgs{"looked": looked, "found": found, "problem": clipped(problem, 1000)})
	b.Queue(sql("ForgetCapacityWalked"))
	return t.tx.SendBatch(ctx, &b).Close()
}

type strangerRow struct {
	sceneRow
	FailureID                             uuid.UUID
	LotNumber                             string
	RequiredCubicFeet, AvailableCubicFeet capacity.Decimal
	RequiredWeightLbs, AvailableWeightLbs capacity.Decimal
	LastSeenAt, CreatedAt                 time.Time
}

func (t capacityTx) Strangers(ctx context.Context, most int) ([]capacity.Stranger, error) {
	found, err := rowsOf[strangerRow](ctx, t.tx, "CapacityStrangers", pgx.StrictNamedArgs{"limit": most})
	list := make([]capacity.Stranger, len(found))
	for i, r := range found {
		scene := r.scene()
		list[i] = capacity.Stranger{ID: r.FailureID, Scene: scene, Opened: r.CreatedAt.UTC(), Sighting: capacity.Sighting{
			Facility: r.FacilityCode, Location: r.LocationCode, Material: r.MaterialCode, Lot: r.LotNumber, At: r.LastSeenAt.UTC(), Source: capacity.ByTable,
			Needed: capacity.Load{CubicFeet: r.RequiredCubicFeet, WeightLbs: r.RequiredWeightLbs}, Free: capacity.Load{CubicFeet: r.AvailableCubicFeet, WeightLbs: r.AvailableWeightLbs},
		}}
	}
	return list, err
}

func (t capacityTx) Ending(ctx context.Context, before time.Time, most int) ([]capacity.Case, error) {
	return t.many(ctx, "CapacityEnding", pgx.StrictNamedArgs{"before": before, "limit": most})
}

func (t capacityTx) Deliver(ctx context.Context) (delivered int, err error) {
	return delivered, t.tx.QueryRow(ctx, sql("DeliverCapacityAlerts")).Scan(&delivered)
}
