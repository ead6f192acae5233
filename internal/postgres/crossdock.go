package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/crossdock"
)

// CrossDock keeps what stands at the dock after its order is gone. The warehouse's own table is what holds; what that has no
// room for stands beside it.
type CrossDock struct{ DB *DB }

var _ crossdock.Store = CrossDock{}

// noDock says what it means that the table is not there yet.
func noDock(err error) error {
	if missingTable(err) {
		return crossdock.NotDeployed()
	}
	return err
}

// errands is the statement of a query, with its arguments.
func errands(q crossdock.Query, limit int) (string, pgx.StrictNamedArgs) {
	args := pgx.StrictNamedArgs{"facility": orNull(q.Facility), "zone": q.Zone, "reason": string(q.Reason), "limit": limit, "after_at": q.After.At, "after_id": q.After.ID}
	if q.Standing == crossdock.Stored {
		if !q.After.Set() {
			args["after_at"], args["after_id"] = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), uuid.Max
		}
		return "CrossDockStored", args
	}
	if !q.After.Set() {
		args["after_at"] = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	args["standing"] = string(q.Standing)
	return "CrossDockOpen", args
}

// List is a page of cancellations, with what its filters offer.
func (s CrossDock) List(ctx context.Context, by actor.Actor, q crossdock.Query) (crossdock.List, error) {
	statement, args := errands(q, q.Limit)
	var l crossdock.List
	var clock struct{ At time.Time }
	err := s.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql(statement), args).Query(collectInto(&l.Rows, errandRow.cancellation))
		b.Queue(sql("CapacityFacilities")).Query(collectInto(&l.Facilities, dockPlaceRow.place))
		b.Queue(sql("CrossDockLimits")).Query(collectInto(&l.Limits, dockLimitRow.limit))
		b.Queue(sql("DatabaseClock")).Query(collectOne(&clock))
	})
	if missingTable(err) {
		return crossdock.List{}, nil
	}
	l.Now, l.Deployed = clock.At.UTC(), true
	return l, err
}

// nextAtDock is how many of those that stand at the dock longest its page shows.
const nextAtDock = 8

// Dock is what a scan at the dock finds, and what stands there longest.
func (s CrossDock) Dock(ctx context.Context, by actor.Actor, q crossdock.Scan) (crossdock.Dock, error) {
	var d crossdock.Dock
	var clock struct{ At time.Time }
	statement, args := errands(crossdock.Query{Facility: q.Facility}, nextAtDock)
	err := s.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("CapacityFacilities")).Query(collectInto(&d.Facilities, dockPlaceRow.place))
		if q.Asked() {
			b.Queue(sql("CrossDockFound"), pgx.StrictNamedArgs{"facility": orNull(q.Facility), "lot": q.Lot, "code": q.Code, "gtin": q.GTIN}).Query(collectInto(&d.Found, errandRow.cancellation))
			b.Queue(sql("CrossDockLots"), pgx.StrictNamedArgs{"facility": orNull(q.Facility), "numbers": []string{q.Lot, q.Code}}).Query(collectInto(&d.Lots, arrivedLotRow.lot))
		}
		b.Queue(sql(statement), args).Query(collectInto(&d.Next, errandRow.cancellation))
		b.Queue(sql("DatabaseClock")).Query(collectOne(&clock))
	})
	if missingTable(err) {
		return crossdock.Dock{}, nil
	}
	d.Now, d.Deployed = clock.At.UTC(), true
	for _, f := range d.Facilities {
		if f.ID == q.Facility {
			d.Facility = f
		}
	}
	return d, err
}

// One is everything that is known of one cancellation.
func (s CrossDock) One(ctx context.Context, by actor.Actor, id uuid.UUID) (crossdock.Page, bool, error) {
	var p crossdock.Page
	var found []crossdock.Cancellation
	var clock struct{ At time.Time }
	one := pgx.StrictNamedArgs{"cancellation": id}
	err := s.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("CrossDockOne"), one).Query(collectInto(&found, errandRow.cancellation))
		b.Queue(sql("CrossDockEvents"), one).Query(collectInto(&p.Events, dockEventRow.event))
		b.Queue(sql("DatabaseClock")).Query(collectOne(&clock))
	})
	if missingTable(err) {
		return p, false, nil // there is none where there is no table
	}
	if err != nil || len(found) == 0 {
		return p, false, err
	}
	p.Cancellation, p.Now = found[0], clock.At.UTC()
	return p, true, nil
}

// Each gives what the query finds, in the order of the list.
func (s CrossDock) Each(ctx context.Context, by actor.Actor, q crossdock.Query, yield func(crossdock.Cancellation) error) error {
	for {
		statement, args := errands(q, eachPage)
		var rows []crossdock.Cancellation
		err := s.DB.page(ctx, by, func(b *pgx.Batch) { b.Queue(sql(statement), args).Query(collectInto(&rows, errandRow.cancellation)) })
		if err != nil {
			return noDock(err)
		}
		for _, c := range rows {
			if err := yield(c); err != nil {
				return err
			}
			q.After = q.Standing.Place(c)
		}
		if len(rows) < eachPage {
			return nil
		}
	}
}

// InTenant runs work in one transaction of the actor's tenant.
func (s CrossDock) InTenant(ctx context.Context, by actor.Actor, work func(context.Context, crossdock.Tx) error) error {
	return s.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error { return work(ctx, crossdockTx{tx, by}) })
}
