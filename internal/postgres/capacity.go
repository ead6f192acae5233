package postgres

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/capacity"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Capacity keeps capacity failures at work. Where the warehouse's table of failures is not there, its lists say so.
type Capacity struct{ DB *DB }

var _ capacity.Store = Capacity{}

type walkRow struct {
	At            time.Time
	Looked, Found int64
	Problem       string
	WalkedAt      time.Time
	AlertsAt      time.Time
}

// Overview is a page of groups, with what its filters offer.
func (s Capacity) Overview(ctx context.Context, by actor.Actor, q capacity.Query) (capacity.Overview, error) {
	args := filter(by, q)
	args["facility"], args["cause"], args["standing"], args["limit"] = orNull(q.Facility), string(q.Cause), string(q.Standing), q.Limit
	statement := "CapacityGroups"
	if q.Standing == capacity.PutUpWith || q.Standing == capacity.Settled {
		statement = "CapacityGroupsNewest"
		args = pgx.StrictNamedArgs{"facility": args["facility"], "cause": args["cause"], "standing": args["standing"], "limit": args["limit"]}
		afterTime(args, q.After)
	} else {
		after(args, q.After)
	}
	var (
		rows       []capacityGroupRow
		facilities []struct {
			FacilityID                 uuid.UUID
			FacilityCode, FacilityName string
		}
		walk     []walkRow
		undo     []bulkRow
		clock    struct{ At time.Time }
		deployed struct{ Deployed bool }
	)
	err := s.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("CapacityDeployed")).Query(collectOne(&deployed))
		b.Queue(sql(statement), args).Query(collect(&rows))
		b.Queue(sql("CapacityFacilities")).Query(collect(&facilities))
		b.Queue(sql("CapacityWalk")).Query(collect(&walk))
		b.Queue(sql("CapacityUndo"), undoArgs(by)).Query(collect(&undo))
		b.Queue(sql("DatabaseClock")).Query(collectOne(&clock))
	})
	if err != nil {
		return capacity.Overview{}, noWarehouse(err)
	}
	o := capacity.Overview{Deployed: deployed.Deployed, Undo: maybeBulk(undo), Now: clock.At.UTC()}
	for _, r := range rows {
		o.Groups = append(o.Groups, r.group())
	}
	for _, f := range facilities {
		o.Facilities = append(o.Facilities, capacity.Place{ID: f.FacilityID, Code: f.FacilityCode, Name: f.FacilityName})
	}
	for _, w := range walk {
		o.Walk = capacity.Walk{At: w.At.UTC(), WalkedAt: w.WalkedAt.UTC(), Looked: w.Looked, Found: w.Found, Problem: w.Problem}
	}
	return o, nil
}

func undoArgs(by actor.Actor) pgx.StrictNamedArgs {
	return pgx.StrictNamedArgs{"issuer": by.Issuer, "subject": by.Subject, "within": capacity.UndoWithin}
}

// noWarehouse says what it means that the warehouse's tables are not there at all.
func noWarehouse(err error) error {
	if missingTable(err) {
		return fault.New(fault.Unavailable, "There is no warehouse here yet. The page Migrations shows what has to be applied first.").Because(err)
	}
	return err
}

// Group is a group with a page of its cases.
func (s Capacity) Group(ctx context.Context, by actor.Actor, id uuid.UUID, q capacity.Query) (capacity.GroupPage, bool, error) {
	asked := states(q.Standing.States())
	page := filter(by, q)
	page["group"], page["states"], page["limit"] = id, asked, q.Limit
	after(page, q.After)
	many := filter(by, q)
	many["group"], many["states"], many["limit"] = id, asked, capacity.MostAtOnce+1
	var (
		groups  []capacityGroupRow
		rows    []overfullRow
		workers []candidateRow
		undo    []bulkRow
		clock   struct{ At time.Time }
		takes   struct{ Acknowledge, Assign int }
	)
	err := s.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("CapacityGroup"), pgx.StrictNamedArgs{"group": id}).Query(collect(&groups))
		b.Queue(sql("CapacityCases"), page).Query(collect(&rows))
		b.Queue(sql("CapacityActable"), many).Query(collectOne(&takes))
		b.Queue(sql("CapacityWorkers"), pgx.StrictNamedArgs{"working": working()}).Query(collect(&workers))
		b.Queue(sql("CapacityUndo"), undoArgs(by)).Query(collect(&undo))
		b.Queue(sql("DatabaseClock")).Query(collectOne(&clock))
	})
	if err != nil || len(groups) == 0 {
		return capacity.GroupPage{}, false, noWarehouse(err)
	}
	return capacity.GroupPage{
		Group: groups[0].group(), Cases: casesOf(rows), Workers: workersOf(workers), Undo: maybeBulk(undo), Now: clock.At.UTC(),
		Actable: map[capacity.Act]int{capacity.Acknowledge: takes.Acknowledge, capacity.Assign: takes.Assign},
	}, true, nil
}

type shelfRow struct {
	LocationID                              uuid.UUID
	LocationCode                            string
	Version                                 int
	LengthInches, WidthInches, HeightInches *capacity.Decimal
	CubicFeet, MaxWeightLbs                 *capacity.Decimal
	Gone                                    bool
}

func (r shelfRow) bin() capacity.BinNow {
	return capacity.BinNow{
		Place: capacity.Place{ID: r.LocationID, Code: r.LocationCode}, Version: r.Version, CubicFeet: r.CubicFeet, MaxWeight: r.MaxWeightLbs, Gone: r.Gone,
		Box: capacity.Box{Length: orNow(r.LengthInches), Width: orNow(r.WidthInches), Height: orNow(r.HeightInches)},
	}
}

type binNowRow struct {
	shelfRow
	MaterialName                         string
	UnitWidth, UnitHeight, UnitThickness *capacity.Decimal
	UnitCubicFeet, WeightLbsPerUnit      *capacity.Decimal
}

// unitOf is one piece; nil where its volume or its weight is unknown.
func unitOf(cubicFeet, pounds *capacity.Decimal) *capacity.Load {
	if cubicFeet == nil || pounds == nil || !cubicFeet.IsPositive() {
		return nil
	}
	return &capacity.Load{CubicFeet: *cubicFeet, WeightLbs: *pounds}
}

// Failure is everything that is known of one failure.
func (s Capacity) Failure(ctx context.Context, by actor.Actor, id uuid.UUID) (capacity.FailurePage, bool, error) {
	var (
		cases, sameBin, sameMaterial []overfullRow
		bins                         []binNowRow
		seen                         []sightingRow
		events                       []capacityEventRow
		sizes                        []sizeRow
		workers                      []candidateRow
		alerts                       []alertRow
		clock                        struct{ At time.Time }
	)
	one := pgx.StrictNamedArgs{"failure": id}
	same := pgx.StrictNamedArgs{"failure": id, "limit": capacity.MostAtOnce + 1}
	err := s.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("CapacityCase"), one).Query(collect(&cases))
		b.Queue(sql("CapacityBin"), one).Query(collect(&bins))
		b.Queue(sql("CapacitySeen"), one).Query(collect(&seen))
		b.Queue(sql("CapacityEvents"), one).Query(collect(&events))
		b.Queue(sql("CapacitySizes"), one).Query(collect(&sizes))
		b.Queue(sql("CapacityOfTheBin"), same).Query(collect(&sameBin))
		b.Queue(sql("CapacityOfTheMaterial"), same).Query(collect(&sameMaterial))
		b.Queue(sql("CapacityWorkers"), pgx.StrictNamedArgs{"working": working()}).Query(collect(&workers))
		b.Queue(sql("CapacityAlerts"), pgx.StrictNamedArgs{"failure": id.String()}).Query(collect(&alerts))
		b.Queue(sql("DatabaseClock")).Query(collectOne(&clock))
	})
	if err != nil || len(cases) == 0 {
		return capacity.FailurePage{}, false, noWarehouse(err)
	}
	p := capacity.FailurePage{
		Case: cases[0].failure(), Events: eventsOf(events), Workers: workersOf(workers), SameBin: casesOf(sameBin), SameMaterial: casesOf(sameMaterial), Now: clock.At.UTC(),
	}
	p.Group = capacity.Group{ID: p.Case.Group, Cause: p.Case.Cause}
	for _, r := range bins {
		p.Bin = r.bin()
		p.Bin.MaterialNow, p.Bin.MaterialName = unitOf(r.UnitCubicFeet, r.WeightLbsPerUnit), r.MaterialName
		p.Bin.MaterialUnit = capacity.Box{Length: orNow(r.UnitThickness), Width: orNow(r.UnitWidth), Height: orNow(r.UnitHeight)}
	}
	for _, r := range seen {
		p.Seen = append(p.Seen, capacity.Seen{
			Source: r.Source, Lot: r.LotNumber, Quantity: r.Quantity, At: r.SeenAt.UTC(), By: r.ToldBy,
			Needed: capacity.Load{CubicFeet: r.RequiredCubicFeet, WeightLbs: r.RequiredWeightLbs}, Free: capacity.Load{CubicFeet: r.AvailableCubicFeet, WeightLbs: r.AvailableWeightLbs},
		})
	}
	for _, r := range sizes {
		p.Sizes = append(p.Sizes, capacity.SizeChange{At: r.At.UTC(), By: r.Name, Before: sizeWords(r.Before), After: sizeWords(r.After), Reason: r.Reason, Cleared: r.Cleared})
	}
	for _, r := range alerts {
		p.Alerts = append(p.Alerts, capacity.Told{
			Role: actor.Role(r.Role), At: r.CreatedAt.UTC(), DeliveredAt: timeOrZero(r.DeliveredAt), DeliveredBy: r.DeliveredBy, Attempts: r.Attempts, Problem: r.Problem,
		})
	}
	return p, true, nil
}

type sightingRow struct {
	Source, LotNumber                     string
	Quantity                              capacity.Decimal
	RequiredCubicFeet, AvailableCubicFeet capacity.Decimal
	RequiredWeightLbs, AvailableWeightLbs capacity.Decimal
	SeenAt                                time.Time
	ToldBy                                string
}

type sizeRow struct {
	At            time.Time
	Name          string
	Before, After []byte
	Reason        string
	Cleared       int
}

type alertRow struct {
	Role        string
	CreatedAt   time.Time
	DeliveredAt *time.Time
	DeliveredBy string
	Attempts    int
	Problem     string
}

// keptSize is a bin's size as its history keeps it, exactly.
type keptSize struct {
	Length string `json:"length_inches"`
	Width  string `json:"width_inches"`
	Height string `json:"height_inches"`
	Volume string `json:"cubic_feet"`
	Weight string `json:"max_weight_lbs"`
}

func sizeWords(raw []byte) string {
	var size keptSize
	_ = json.Unmarshal(raw, &size) // AddBinSize made it
	known := func(s string) string {
		if s == "" {
			return "?"
		}
		return s
	}
	return strings.Join([]string{known(size.Length), known(size.Width), known(size.Height)}, " × ") + " in, " + known(size.Volume) + " ft³, " + known(size.Weight) + " lb"
}

// eachPage is how many cases an export reads at once; between two reads it holds nothing of the database.
const eachPage = 1000

// Each gives what the query finds, newest first.
func (s Capacity) Each(ctx context.Context, by actor.Actor, q capacity.Query, yield func(capacity.Case) error) error {
	for {
		args := filter(by, q)
		args["facility"], args["cause"], args["group"], args["states"], args["limit"] = orNull(q.Facility), string(q.Cause), orNull(q.Group), states(q.Standing.States()), eachPage
		afterTime(args, q.After)
		var rows []overfullRow
		err := s.DB.page(ctx, by, func(b *pgx.Batch) { b.Queue(sql("CapacityAll"), args).Query(collect(&rows)) })
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := yield(r.failure()); err != nil {
				return err
			}
			q.After = capacity.Cursor{At: r.OpenedAt, ID: r.FailureID}
		}
		if len(rows) < eachPage {
			return nil
		}
	}
}

// InTenant runs work in one transaction of the actor's tenant.
func (s Capacity) InTenant(ctx context.Context, by actor.Actor, work func(context.Context, capacity.Tx) error) error {
	return s.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error { return work(ctx, capacityTx{tx, by}) })
}
