package postgres

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/review"
)

// Reviews is review.Store.
type Reviews struct{ DB *DB }

var _ review.Store = Reviews{}

type reviewItemRow struct {
	ItemID, Title, OwnerRole string
	Required                 bool
	State                    string
	DueAt                    time.Time
	SettledAt                *time.Time
	SettledName, Reason      string
	Failed, Reopened         int
}

type reviewGateRow struct {
	Gate, Name string
	DueAt      time.Time
	Passed     bool
	PassedAt   *time.Time
}

type reviewStopRow struct {
	Gate         string
	Attempt      int
	Kind, Role   string
	Name, Reason string
	StoppedAt    time.Time
	OpenedBy     string
	OpenedAt     *time.Time
	Note         string
}

type reviewSignatureRow struct {
	SignatureID                     uuid.UUID
	Gate, Slot, Role, Name, Meaning string
	SignedAt                        time.Time
	Standing, Reason                string
	Issuer, Subject                 string
}

type reviewMigrationRow struct {
	Version, Title      string
	RehearsedMs, TookMs *int64
	AppliedAt           *time.Time
	AppliedBy           string
	Failures            int
	Undone              bool
	ThereSince          *time.Time
}

type reviewOverrideRow struct {
	Kind, Reason, Name, SecondName string
	SecondedAt, ExpiresAt          time.Time
}

type reviewRollbackRow struct {
	OptionID, Reason, Name string
	StartedAt              time.Time
	EndedAt, ReviewedAt    *time.Time
	GivenUp, Objected      bool
	ReviewNote, Reviewer   string
}

type reviewMoveRow struct {
	At                               time.Time
	Name, Reason, MovedFrom, MovedTo string
}

type lessonRow struct {
	LessonID, RunID           uuid.UUID
	Code, Happened, Why, Todo string
	OwnerRole                 string
	DueOn                     time.Time
	Name                      string
	AddedAt                   time.Time
	DoneAt                    *time.Time
	DoneBy, DoneNote          string
}

func lessonsOf(rows []lessonRow) []review.Lesson {
	list := make([]review.Lesson, len(rows))
	for i, r := range rows {
		list[i] = review.Lesson{
			ID: r.LessonID, Run: r.RunID, Release: r.Code, Happened: r.Happened, Why: r.Why, Todo: r.Todo, Owner: r.OwnerRole, DueOn: r.DueOn.UTC(),
			By: r.Name, AddedAt: r.AddedAt.UTC(), DoneAt: r.DoneAt, DoneBy: r.DoneBy, DoneNote: r.DoneNote,
		}
	}
	return list
}

// reviewedSignatures are the signatures of a report; those by break-glass carry their mark as everywhere.
func reviewedSignatures(rows []reviewSignatureRow, glass []glassRow, r review.Report) []review.Signature {
	marks, states := map[uuid.UUID]string{}, map[uuid.UUID]string{}
	for _, row := range glass {
		of := row.glass()
		marks[row.SignatureID] = of.Says(r.At, zoneOf(r.Run.TimeZone))
		switch {
		case of.Review != nil:
			states[row.SignatureID] = string(of.Review.Verdict)
		case of.Overdue(r.At):
			states[row.SignatureID] = "missed"
		default:
			states[row.SignatureID] = "due"
		}
	}
	var list []review.Signature
	for _, s := range rows {
		list = append(list, review.Signature{
			Gate: s.Gate, Slot: s.Slot, Role: review.RoleTitle(s.Role), Name: s.Name, Meaning: s.Meaning, SignedAt: s.SignedAt.UTC(), Standing: s.Standing,
			Reason: strings.TrimSpace(s.Reason + " " + marks[s.SignatureID]), Issuer: s.Issuer, Subject: s.Subject, Glass: states[s.SignatureID],
		})
	}
	return list
}

// zoneOf is the zone of that name, or UTC where this machine does not know it.
func zoneOf(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}

// Report reads everything that a report is computed from, in one round trip.
func (s Reviews) Report(ctx context.Context, by actor.Actor, run uuid.UUID) (review.Report, error) {
	var head runRow
	var items []reviewItemRow
	var gates []reviewGateRow
	var stops []reviewStopRow
	var signatures []reviewSignatureRow
	var glass []glassRow
	var migrations []reviewMigrationRow
	var moves []reviewMoveRow
	var overrides []reviewOverrideRow
	var rollbacks []reviewRollbackRow
	var lessons []lessonRow
	var refused struct {
		Refused int
		At      time.Time
	}
	args := pgx.StrictNamedArgs{"run": run}
	err := s.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("Run"), args).Query(collectOne(&head))
		b.Queue(sql("ReviewItems"), args).Query(collect(&items))
		b.Queue(sql("ReviewGates"), args).Query(collect(&gates))
		b.Queue(sql("ReviewStops"), args).Query(collect(&stops))
		b.Queue(sql("ReviewSignatures"), args).Query(collect(&signatures))
		b.Queue(sql("GlassOfRun"), args).Query(collect(&glass))
		b.Queue(sql("ReviewMigrations"), args).Query(collect(&migrations))
		b.Queue(sql("ReviewMoves"), args).Query(collect(&moves))
		b.Queue(sql("ReviewOverrides"), args).Query(collect(&overrides))
		b.Queue(sql("ReviewRollbacks"), args).Query(collect(&rollbacks))
		b.Queue(sql("ReviewRefused"), args).Query(collectOne(&refused))
		b.Queue(sql("ReviewLessons"), args).Query(collect(&lessons))
	})
	if err != nil {
		return review.Report{}, noRelease(err)
	}
	of := head.run()
	r := review.Report{
		Run: review.Run{
			ID: of.ID, Code: of.Code, Title: of.Title, Environment: of.Environment, State: string(of.State), T0: of.T0.UTC(), TimeZone: of.TimeZone,
			Template: of.Template.Name + " " + of.Template.Version, SHA256: of.Template.SHA256, StartedBy: of.Starter.Name, StartedAt: of.StartedAt.UTC(),
			EndedBy: of.EndedBy, EndReason: of.EndReason,
		},
		At: refused.At.UTC(), Refused: refused.Refused, Lessons: lessonsOf(lessons),
	}
	if !of.EndedAt.IsZero() {
		r.Run.EndedAt = &of.EndedAt
	}
	for _, i := range items {
		r.Items = append(r.Items, review.Item{
			ID: i.ItemID, Title: i.Title, Owner: i.OwnerRole, Required: i.Required, State: i.State, Due: i.DueAt.UTC(), Settled: i.SettledAt, By: i.SettledName,
			Reason: i.Reason, Failed: i.Failed, Reopened: i.Reopened,
		})
	}
	for _, g := range gates {
		r.Gates = append(r.Gates, review.Gate{Gate: g.Gate, Name: g.Name, Due: g.DueAt.UTC(), Passed: g.Passed, PassedAt: g.PassedAt})
	}
	for _, s := range stops {
		one := review.Stop{
			Gate: s.Gate, Attempt: s.Attempt, Kind: s.Kind, Name: s.Name, Reason: s.Reason, At: s.StoppedAt.UTC(), OpenedBy: s.OpenedBy, OpenedAt: s.OpenedAt, Note: s.Note,
		}
		if s.Kind == "rejected" {
			one.Role = review.RoleTitle(s.Role)
		}
		r.Stops = append(r.Stops, one)
	}
	r.Signatures = reviewedSignatures(signatures, glass, r)
	for _, m := range migrations {
		r.Migrations = append(r.Migrations, review.Migration{
			Version: m.Version, Title: m.Title, RehearsedMs: m.RehearsedMs, TookMs: m.TookMs, AppliedAt: m.AppliedAt, By: m.AppliedBy, Failures: m.Failures, Undone: m.Undone, ThereSince: m.ThereSince,
		})
	}
	for _, o := range overrides {
		r.Overrides = append(r.Overrides, review.Override{Kind: o.Kind, Reason: o.Reason, By: o.Name, Second: o.SecondName, At: o.SecondedAt.UTC(), Until: o.ExpiresAt.UTC()})
	}
	for _, b := range rollbacks {
		r.Rollbacks = append(r.Rollbacks, review.Rollback{
			Option: b.OptionID, Reason: b.Reason, By: b.Name, StartedAt: b.StartedAt.UTC(), EndedAt: b.EndedAt, GivenUp: b.GivenUp,
			ReviewedAt: b.ReviewedAt, Objected: b.Objected, Reviewer: b.Reviewer, Review: b.ReviewNote,
		})
	}
	for _, m := range moves {
		r.Moves = append(r.Moves, review.Move{At: m.At.UTC(), By: m.Name, Reason: m.Reason, From: m.MovedFrom, To: m.MovedTo})
	}
	return r, nil
}

// Open reads the lessons that nobody has acted on.
func (s Reviews) Open(ctx context.Context, by actor.Actor, environment string) ([]review.Lesson, time.Time, error) {
	var rows []lessonRow
	var now struct{ At time.Time }
	err := s.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("OpenLessons"), pgx.StrictNamedArgs{"environment": environment}).Query(collect(&rows))
		b.Queue(sql("DatabaseClock")).Query(collectOne(&now))
	})
	return lessonsOf(rows), now.At.UTC(), err
}

// InTenant runs work in one transaction of the actor's tenant.
func (s Reviews) InTenant(ctx context.Context, by actor.Actor, work func(context.Context, review.Tx) error) error {
	return s.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error { return work(ctx, reviewTx{tx, by}) })
}

type reviewTx struct {
	tx pgx.Tx
	by actor.Actor
}

func (t reviewTx) Record(ctx context.Context, e audit.Event) error { return record(ctx, t.tx, t.by, e) }

func (t reviewTx) Clock(ctx context.Context) (at time.Time, err error) {
	err = t.tx.QueryRow(ctx, sql("DatabaseClock")).Scan(&at)
	return at, err
}

func (t reviewTx) there(ctx context.Context, run, lesson uuid.UUID) (there bool, err error) {
	err = t.tx.QueryRow(ctx, sql("LessonThere"), pgx.StrictNamedArgs{"run": run, "lesson": lesson}).Scan(&there)
	return there, err
}

func (t reviewTx) AddLesson(ctx context.Context, run uuid.UUID, d review.Draft) (bool, error) {
	args := pgx.StrictNamedArgs{
		"lesson": d.ID, "run": run, "happened": d.Happened, "why": d.Why, "todo": d.Todo, "owner": d.Owner, "due_on": d.DueOn,
		"issuer": t.by.Issuer, "subject": t.by.Subject, "name": t.by.Name,
	}
	tag, err := t.tx.Exec(ctx, sql("AddLesson"), args)
	if err != nil || tag.RowsAffected() == 1 {
		return true, err
	}
	delete(args, "name")
	var same bool
	err = t.tx.QueryRow(ctx, sql("LessonSaid"), args).Scan(&same)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return false, fault.New(fault.NotFound, "There is no such release here.")
	case err == nil && !same:
		err = review.ErrSaidOtherwise
	}
	return false, err
}

func (t reviewTx) MarkDone(ctx context.Context, run, lesson uuid.UUID, note string) (bool, error) {
	tag, err := t.tx.Exec(ctx, sql("MarkLesson"), pgx.StrictNamedArgs{
		"run": run, "lesson": lesson, "note": note, "issuer": t.by.Issuer, "subject": t.by.Subject, "name": t.by.Name,
	})
	if err != nil || tag.RowsAffected() == 1 {
		return true, err
	}
	if there, err := t.there(ctx, run, lesson); err != nil || there {
		return false, err
	}
	return false, fault.New(fault.NotFound, "There is no such lesson here.")
}
