package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/capacity"
	"github.com/agogsaas/gatehouse/internal/crossdock"
	"github.com/agogsaas/gatehouse/internal/fault"
)

type crossdockTx struct {
	tx pgx.Tx
	by actor.Actor
}

var _ crossdock.Tx = crossdockTx{}

// first is the first row of a statement, as the domain has it; false where there is none.
func first[R, T any](ctx context.Context, tx pgx.Tx, statement string, args pgx.StrictNamedArgs, as func(R) T) (T, bool, error) {
	var none T
	found, err := rowsOf[R](ctx, tx, statement, args)
	if err != nil || len(found) == 0 {
		return none, false, err
	}
	return as(found[0]), true, nil
}

func (t crossdockTx) Record(ctx context.Context, e audit.Event) error {
	return record(ctx, t.tx, t.by, e)
}

func (t crossdockTx) Hold(ctx context.Context) (time.Time, error) {
	var at time.Time
	err := t.tx.QueryRow(ctx, sql("HoldCrossDock")).Scan(&at, nil)
	return at.UTC(), err
}

func (t crossdockTx) Deployed(ctx context.Context) (deployed bool, err error) {
	return deployed, t.tx.QueryRow(ctx, sql("CrossDockDeployed")).Scan(&deployed)
}

type dockToldRow struct {
	CancellationID uuid.UUID
	ContentSHA256  string `db:"content_sha256"`
	Outcome        string
}

func (t crossdockTx) Told(ctx context.Context, teller, key string) (crossdock.Told, bool, error) {
	return first(ctx, t.tx, "CrossDockTold", pgx.StrictNamedArgs{"teller": teller, "key": key}, func(r dockToldRow) crossdock.Told {
		return crossdock.Told{Cancellation: r.CancellationID, Teller: teller, Key: key, Content: r.ContentSHA256, Outcome: crossdock.Outcome(r.Outcome)}
	})
}

func (t crossdockTx) AddTold(ctx context.Context, c crossdock.Cancellation, told crossdock.Told) error {
	_, err := t.tx.Exec(ctx, sql("AddCrossDockTold"), pgx.StrictNamedArgs{
		"teller": told.Teller, "key": told.Key, "cancellation": c.ID, "content": told.Content, "outcome": string(told.Outcome), "by": t.by.Name,
	})
	return err
}

func (t crossdockTx) Lot(ctx context.Context, facility, number string, now time.Time) (crossdock.Lot, bool, error) {
	return first(ctx, t.tx, "LockCrossDockLot", pgx.StrictNamedArgs{"facility": facility, "lot": number, "now": now}, arrivedLotRow.lot)
}

func (t crossdockTx) Spot(ctx context.Context, facility uuid.UUID, code string) (crossdock.Spot, bool, error) {
	return first(ctx, t.tx, "CrossDockSpot", pgx.StrictNamedArgs{"facility": facility, "code": code}, spotRow.spot)
}

func (t crossdockTx) SalesOrder(ctx context.Context, facility uuid.UUID, number string) (crossdock.Place, bool, error) {
	type row struct {
		SalesOrderID     uuid.UUID
		SalesOrderNumber string
	}
	return first(ctx, t.tx, "CrossDockOrder", pgx.StrictNamedArgs{"facility": facility, "number": number}, func(r row) crossdock.Place {
		return crossdock.Place{ID: r.SalesOrderID, Code: r.SalesOrderNumber}
	})
}

func (t crossdockTx) Facility(ctx context.Context, id uuid.UUID) (crossdock.Place, bool, error) {
	return first(ctx, t.tx, "CrossDockFacility", pgx.StrictNamedArgs{"facility": id}, dockPlaceRow.place)
}

func (t crossdockTx) OpenOf(ctx context.Context, l crossdock.Lot) (crossdock.Cancellation, bool, error) {
	return first(ctx, t.tx, "LockCrossDockOf", pgx.StrictNamedArgs{"facility": l.Facility.ID, "lot": l.Number}, errandRow.cancellation)
}

func (t crossdockTx) Cancellation(ctx context.Context, id uuid.UUID) (crossdock.Cancellation, bool, error) {
	return first(ctx, t.tx, "LockCrossDock", pgx.StrictNamedArgs{"cancellation": id}, errandRow.cancellation)
}

func (t crossdockTx) Bin(ctx context.Context, n crossdock.Need, code string) (crossdock.Bin, bool, error) {
	return first(ctx, t.tx, "CrossDockBin", pgx.StrictNamedArgs{"facility": n.Facility.ID, "for": n.For, "code": strings.TrimSpace(code)}, dockBinRow.bin)
}

// shelves reads the places page by page, until somebody has one.
type shelves struct {
	t     crossdockTx
	need  crossdock.Need
	after *crossdock.Bin
	done  bool
}

func (t crossdockTx) Shelves(n crossdock.Need) crossdock.Shelves {
	return &shelves{t: t, need: n}
}

// shelfPage is how many places are looked at at once.
const shelfPage = 100

func (s *shelves) Next(ctx context.Context) ([]crossdock.Bin, error) {
	if s.done {
		return nil, nil
	}
	args := pgx.StrictNamedArgs{
		"facility": s.need.Facility.ID, "for": s.need.For, "types": s.need.Types(), "clearances": s.need.Clearances(), "cold": s.need.Cold, "loose": s.need.Hold,
		"cubic_feet": s.need.Load.CubicFeet, "weight": s.need.Load.WeightLbs, "after_rank": -1, "after_free": capacity.Decimal{}, "after_id": uuid.Nil, "limit": shelfPage,
	}
	if s.after != nil {
		args["after_rank"], args["after_free"], args["after_id"] = s.after.Rank, s.after.Free.CubicFeet, s.after.ID
	}
	rows, err := rowsOf[dockBinRow](ctx, s.t.tx, "CrossDockShelves", args)
	if err != nil {
		return nil, err
	}
	bins := each(rows, dockBinRow.bin)
	if s.done = len(bins) < shelfPage; !s.done {
		s.after = &bins[len(bins)-1]
	}
	return bins, nil
}

func orNullSpot(s crossdock.Spot) *uuid.UUID { return orNull(s.ID) }

func (t crossdockTx) user(ctx context.Context) (uuid.UUID, error) {
	return warehouseUser(ctx, t.tx, capacity.Person{Issuer: t.by.Issuer, Subject: t.by.Subject, Name: t.by.Name})
}

func (t crossdockTx) Add(ctx context.Context, c crossdock.Cancellation, recommendation uuid.UUID) error {
	user, err := t.user(ctx)
	if err != nil {
		return err
	}
	var b pgx.Batch
	b.Queue(sql("AddCrossDock"), pgx.StrictNamedArgs{
		"cancellation": c.ID, "facility": c.Lot.Facility.ID, "material": c.Lot.Material.ID, "lot": c.Lot.Number, "recommendation": orNull(recommendation),
		"staging": orNullSpot(c.Staging), "order": orNull(c.Order.ID), "reason": string(c.Reason), "to": orNullSpot(c.To), "at": c.At, "user": user, "notes": c.Notes,
	})
	b.Queue(sql("AddCrossDockErrand"), t.errand(c))
	return t.tx.SendBatch(ctx, &b).Close()
}

func (t crossdockTx) errand(c crossdock.Cancellation) pgx.StrictNamedArgs {
	return pgx.StrictNamedArgs{"cancellation": c.ID, "since": c.Since, "why": c.Why}
}

func (t crossdockTx) Tried(ctx context.Context, c crossdock.Cancellation) error {
	_, err := t.tx.Exec(ctx, sql("AddCrossDockErrand"), t.errand(c))
	return err
}

// changed refuses what was written over another change.
func (t crossdockTx) changed(ctx context.Context, statement string, args pgx.StrictNamedArgs) error {
	tag, err := t.tx.Exec(ctx, sql(statement), args)
	if err == nil && tag.RowsAffected() != 1 {
		err = fault.New(fault.Conflict, "Somebody else has just changed this. Look at the page again.")
	}
	return err
}

func (t crossdockTx) Put(ctx context.Context, c crossdock.Cancellation) error {
	if err := t.changed(ctx, "PutCrossDock", pgx.StrictNamedArgs{"cancellation": c.ID, "to": orNullSpot(c.To), "version": c.Version}); err != nil {
		return err
	}
	return t.Tried(ctx, c)
}

func (t crossdockTx) Finish(ctx context.Context, c crossdock.Cancellation) error {
	user, err := t.user(ctx)
	if err != nil {
		return err
	}
	return t.changed(ctx, "FinishCrossDock", pgx.StrictNamedArgs{"cancellation": c.ID, "actual": c.Actual.ID, "at": c.StoredAt, "user": user, "version": c.Version})
}

func (t crossdockTx) HoldLot(ctx context.Context, l crossdock.Lot) error {
	return t.changed(ctx, "HoldLot", pgx.StrictNamedArgs{"lot": l.ID})
}

func (t crossdockTx) Move(ctx context.Context, c crossdock.Cancellation, to crossdock.Spot) error {
	user, err := t.user(ctx)
	if err != nil {
		return err
	}
	if err := t.changed(ctx, "MoveLot", pgx.StrictNamedArgs{"lot": c.Lot.ID, "to": to.ID, "from": orNullSpot(c.Lot.At)}); err != nil {
		return err
	}
	if !c.Lot.Quantity.IsPositive() {
		return nil // nothing was carried
	}
	_, err = t.tx.Exec(ctx, sql("AddTransfer"), pgx.StrictNamedArgs{
		"facility": c.Lot.Facility.ID, "number": "XD-" + strings.ReplaceAll(c.ID.String(), "-", ""), "material": c.Lot.Material.ID, "lot": c.Lot.Number, "quantity": c.Lot.Quantity,
		"from": orNullSpot(c.Lot.At), "to": to.ID, "user": user,
	})
	return err
}

func (t crossdockTx) AddEvent(ctx context.Context, id uuid.UUID, e crossdock.Event) error {
	event, err := uuid.NewV7()
	if err != nil {
		return err
	}
	_, err = t.tx.Exec(ctx, sql("AddCrossDockEvent"), pgx.StrictNamedArgs{
		"event": event, "cancellation": id, "act": e.Act, "note": e.Note, "from": e.From, "to": e.To, "issuer": e.By.Issuer, "subject": e.By.Subject, "name": e.By.Name,
	})
	return err
}

func (t crossdockTx) Unsettled(ctx context.Context, most int) ([]uuid.UUID, error) {
	rows, err := t.tx.Query(ctx, sql("CrossDockUnsettled"), pgx.StrictNamedArgs{"limit": most})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
}

func (t crossdockTx) SetLimit(ctx context.Context, l crossdock.Limit) (time.Duration, error) {
	var minutes int
	err := t.tx.QueryRow(ctx, sql("SetCrossDockLimit"), pgx.StrictNamedArgs{"facility": l.Facility.ID, "zone": l.Zone, "minutes": int(l.Within.Minutes()), "by": l.By}).Scan(&minutes)
	return time.Duration(minutes) * time.Minute, err
}
