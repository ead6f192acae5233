package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/dimension"
	"github.com/agogsaas/gatehouse/internal/fault"
)

type measureTaskRow struct {
	FacilityID, MaterialID               uuid.UUID
	MaterialCode, MaterialName           string
	Reason, Note                         string
	LastAt                               *time.Time
	Failures, Bins                       int
	Zone, LocationCode                   string
	Walk, Gain                           int
	TakenIssuer, TakenSubject, TakenName string
	TakenAt                              *time.Time
	AssignedBy                           string
	Version                              int
	Barred                               []dimension.Person
}

func (r measureTaskRow) task() dimension.Task {
	return dimension.Task{
		Facility: r.FacilityID, Material: r.MaterialID, Code: r.MaterialCode, Name: r.MaterialName, Reason: dimension.Reason(r.Reason), Note: r.Note, LastAt: timeOrZero(r.LastAt),
		Failures: r.Failures, Bins: r.Bins, Zone: r.Zone, Location: r.LocationCode, Walk: r.Walk, Gain: r.Gain,
		Holder:  dimension.Person{Issuer: r.TakenIssuer, Subject: r.TakenSubject, Name: r.TakenName},
		TakenAt: timeOrZero(r.TakenAt), AssignedBy: r.AssignedBy, Version: r.Version, Barred: r.Barred,
	}
}

type colleagueRow struct {
	PersonID              uuid.UUID
	Issuer, Subject, Name string
}

func (r colleagueRow) colleague() dimension.Colleague {
	return dimension.Colleague{ID: r.PersonID, Person: dimension.Person{Issuer: r.Issuer, Subject: r.Subject, Name: r.Name}}
}

type foundRow struct {
	MaterialID                 uuid.UUID
	MaterialCode, MaterialName string
	Kind, Location             string
}

func (r foundRow) found() dimension.Found {
	return dimension.Found{Material: r.MaterialID, Code: r.MaterialCode, Name: r.MaterialName, Kind: dimension.FoundKind(r.Kind), Location: r.Location}
}

// measuring are the roles that carry the right to measure.
func measuring() []string {
	var roles []string
	for _, role := range actor.RolesWith(actor.DimensionMeasure) {
		roles = append(roles, string(role))
	}
	return roles
}

// Work is a page of the work list, what was scanned, and the facilities, in one round trip.
func (d Dimensions) Work(ctx context.Context, by actor.Actor, q dimension.WorkQuery) (dimension.Work, error) {
	var w dimension.Work
	var zones []struct{ Zone string }
	var clock struct{ At time.Time }
	var deployed struct{ Any bool }
	facility := orNull(q.Facility)
	statement := "TasksByWalk"
	if q.Order == dimension.ByGain {
		statement = "TasksByGain"
	}
	page := pgx.StrictNamedArgs{"facility": facility, "zone": q.Zone, "after_number": q.AfterNumber, "after_material": q.AfterMaterial, "most": q.Limit}
	if q.Order == dimension.ByGain {
		if q.AfterMaterial == uuid.Nil {
			page["after_number"] = 1 << 30
		}
	} else {
		page["after_zone"] = q.AfterZone
		if q.AfterMaterial == uuid.Nil {
			page["after_number"] = -1 << 30
		}
	}
	err := d.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("FacilitiesToMeasureAt")).Query(collectInto(&w.Facilities, facilityRow.facility))
		b.Queue(sql(statement), page).Query(collectInto(&w.Tasks, measureTaskRow.task))
		b.Queue(sql("TaskZones"), pgx.StrictNamedArgs{"facility": facility}).Query(collect(&zones))
		b.Queue(sql("TasksOfMine"), pgx.StrictNamedArgs{"issuer": by.Issuer, "subject": by.Subject}).Query(collectInto(&w.Mine, measureTaskRow.task))
		if by.Can(actor.DimensionReview) {
			b.Queue(sql("Colleagues"), pgx.StrictNamedArgs{"measuring": measuring()}).Query(collectInto(&w.Colleagues, colleagueRow.colleague))
		}
		if q.Code != "" || q.GTIN != "" || q.Lot != "" {
			b.Queue(sql("FindMaterials"), pgx.StrictNamedArgs{"code": q.Code, "gtin": q.GTIN, "lot": q.Lot}).Query(collectInto(&w.Found, foundRow.found))
		}
		b.Queue(sql("VerificationsAreDeployed")).Query(collectOne(&deployed))
		b.Queue(sql("DatabaseClock")).Query(collectOne(&clock))
	})
	if err != nil {
		return dimension.Work{}, d.lacking(ctx, by, err, nil)
	}
	w.At = clock.At.UTC()
	for _, z := range zones {
		w.Zones = append(w.Zones, z.Zone)
	}
	for i, f := range w.Facilities {
		if f.ID == q.Facility || q.Facility == uuid.Nil && i == 0 {
			w.Facility = f
		}
	}
	if q.Facility != uuid.Nil && w.Facility.ID == uuid.Nil {
		return dimension.Work{}, nothingHere()
	}
	return w, nil
}

// Plan brings the work list up to date. Where the warehouse's tables are not there yet, there is nothing to plan.
func (d Dimensions) Plan(ctx context.Context, by actor.Actor) (added, removed int, err error) {
	err = d.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sql("AllowMinutes")); err != nil {
			return err
		}
		return tx.QueryRow(ctx, sql("PlanTasks")).Scan(&added, &removed)
	})
	if missingTable(err) {
		return 0, 0, nil
	}
	if err != nil {
		return added, removed, err
	}
	err = d.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, sql("PlanTasksOfOutliers"))
		added += int(tag.RowsAffected())
		return err
	})
	if missingTable(err) {
		return added, removed, nil // outliers come with a later version
	}
	return added, removed, err
}

func (t dimensionTx) Want(ctx context.Context, w dimension.Wanted) error {
	_, err := t.exec(ctx, "WantTask", pgx.StrictNamedArgs{"facility": w.Facility, "material": w.Material, "reason": string(w.Reason), "note": w.Note})
	return err
}

func (t dimensionTx) Done(ctx context.Context, facility, material uuid.UUID) error {
	_, err := t.exec(ctx, "DropTask", pgx.StrictNamedArgs{"facility": facility, "material": material})
	return err
}

func (t dimensionTx) Task(ctx context.Context, facility, material uuid.UUID) (dimension.Task, error) {
	found, err := rowsOf[measureTaskRow](ctx, t.tx, "MeasureTask", pgx.StrictNamedArgs{"facility": facility, "material": material})
	if err != nil {
		return dimension.Task{}, err
	}
	return one(found, measureTaskRow.task)
}

func (t dimensionTx) HoldTask(ctx context.Context, task dimension.Task, holder dimension.Person, assignedBy string) (bool, error) {
	return t.exec(ctx, "HoldTask", pgx.StrictNamedArgs{
		"facility": task.Facility, "material": task.Material, "version": task.Version, "issuer": holder.Issuer, "subject": holder.Subject, "name": holder.Name, "assigned_by": assignedBy,
	})
}

func (t dimensionTx) Colleague(ctx context.Context, id uuid.UUID) (dimension.Colleague, error) {
	found, err := rowsOf[colleagueRow](ctx, t.tx, "Colleague", pgx.StrictNamedArgs{"person": id, "measuring": measuring()})
	if err != nil {
		return dimension.Colleague{}, err
	}
	if len(found) == 0 {
		return dimension.Colleague{}, fault.New(fault.Invalid, "The task was not given to anybody.").WithField("colleague", "Choose who shall have it: somebody who has signed in here and may measure.")
	}
	return found[0].colleague(), nil
}
