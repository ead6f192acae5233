package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/dimension"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// ImportJobs puts the work on a file into the queue as part of the transaction that asks for it.
type ImportJobs interface {
	EnqueueImport(ctx context.Context, tx pgx.Tx, ref dimension.ImportRef) error
}

// Imports is dimension.ImportStore. Jobs may be nil where the caller does the work itself.
type Imports struct {
	DB   *DB
	Jobs ImportJobs
}

var _ dimension.ImportStore = Imports{}

type importRow struct {
	ImportID                                         uuid.UUID
	FileName, State                                  string
	Lines, Problems, Asked                           int
	Found                                            bool
	NextLine, DoneLines                              int
	Preview, Result                                  []byte
	Issuer, Subject, Name                            string
	ReceivedAt                                       time.Time
	Sure                                             bool
	ConfirmedUser                                    *uuid.UUID
	ConfirmedIssuer, ConfirmedSubject, ConfirmedName string
	ConfirmedRoles                                   []string
	ConfirmedIP                                      string `db:"confirmed_ip"`
	ConfirmedOrigin                                  string
	ConfirmedAt, EndedAt                             *time.Time
	Version                                          int
}

func (r importRow) fileOf(tenant uuid.UUID) (dimension.Import, error) {
	i := dimension.Import{
		ID: r.ImportID, Name: r.FileName, State: dimension.ImportState(r.State), Lines: r.Lines, Problems: r.Problems, Asked: r.Asked, Found: r.Found, Position: r.NextLine, Done: r.DoneLines,
		Preview: dimension.Tally{}, Result: dimension.Tally{}, By: dimension.Person{Issuer: r.Issuer, Subject: r.Subject, Name: r.Name}, At: r.ReceivedAt.UTC(), Sure: r.Sure,
		Confirmed: actor.Actor{
			UserID: deref(r.ConfirmedUser), Tenant: tenant, Issuer: r.ConfirmedIssuer, Subject: r.ConfirmedSubject, Name: r.ConfirmedName, IP: r.ConfirmedIP, Origin: actor.Origin(r.ConfirmedOrigin),
		},
		ConfirmedAt: timeOrZero(r.ConfirmedAt), EndedAt: timeOrZero(r.EndedAt), Version: r.Version,
	}
	for _, role := range r.ConfirmedRoles {
		i.Confirmed.Roles = append(i.Confirmed.Roles, actor.Role(role))
	}
	if err := json.Unmarshal(r.Preview, &i.Preview); err != nil {
		return i, fmt.Errorf("reading the preview of import %s: %w", r.ImportID, err)
	}
	if err := json.Unmarshal(r.Result, &i.Result); err != nil {
		return i, fmt.Errorf("reading the result of import %s: %w", r.ImportID, err)
	}
	return i, nil
}

type importLineRow struct {
	Line                       int
	FacilityCode, MaterialCode string
	Entered                    []byte
	Notes                      string
	FacilityID                 uuid.UUID
	MaterialID                 *uuid.UUID
	Seen                       int
	Asked                      string
}

func (r importLineRow) line() (dimension.ImportLine, error) {
	box, err := boxOf(r.Entered)
	if err != nil {
		return dimension.ImportLine{}, fmt.Errorf("reading line %d of an import: %w", r.Line, err)
	}
	return dimension.ImportLine{Number: r.Line, FacilityCode: r.FacilityCode, Code: r.MaterialCode, Box: box, Notes: r.Notes, Facility: r.FacilityID, Material: orNil(r.MaterialID), Seen: r.Seen}, nil
}

type importVerdictRow struct {
	Line                                 int
	MaterialCode, Verdict, Reason, Asked string
}

func (r importVerdictRow) verdict() dimension.ImportVerdict {
	return dimension.ImportVerdict{Line: r.Line, Code: r.MaterialCode, Verdict: r.Verdict, Reason: r.Reason, Asked: strings.Split(r.Asked, "\n")}
}

type importProblemRow struct {
	Line                int
	ColumnName, Problem string
}

func (r importProblemRow) problem() dimension.ImportProblem {
	return dimension.ImportProblem{Line: r.Line, Column: r.ColumnName, Text: r.Problem}
}

// Begin keeps that a file arrives.
func (s Imports) Begin(ctx context.Context, by actor.Actor, i dimension.Import) error {
	return s.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sql("BeginImport"), pgx.StrictNamedArgs{"import": i.ID, "file": i.Name, "issuer": by.Issuer, "subject": by.Subject, "name": by.Name})
		return err
	})
}

// Stage keeps lines as they arrive, in a transaction of their own: a slow sender holds none open.
func (s Imports) Stage(ctx context.Context, by actor.Actor, id uuid.UUID, lines []dimension.ImportLine, problems []dimension.ImportProblem) error {
	if len(lines) == 0 && len(problems) == 0 {
		return nil
	}
	return s.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		if err := stageLines(ctx, tx, id, lines); err != nil {
			return err
		}
		if err := stageProblems(ctx, tx, id, problems); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, sql("ImportIsHeard"), pgx.StrictNamedArgs{"import": id})
		return err
	})
}

func stageLines(ctx context.Context, tx pgx.Tx, id uuid.UUID, lines []dimension.ImportLine) error {
	if len(lines) == 0 {
		return nil
	}
	numbers := make([]int, len(lines))
	facilities, materials, entered, notes := make([]string, len(lines)), make([]string, len(lines)), make([]string, len(lines)), make([]string, len(lines))
	for i, l := range lines {
		amounts, err := json.Marshal(enteredOf(l.Box))
		if err != nil {
			return fmt.Errorf("encoding line %d: %w", l.Number, err)
		}
		numbers[i], facilities[i], materials[i], entered[i], notes[i] = l.Number, l.FacilityCode, l.Code, string(amounts), l.Notes
	}
	_, err := tx.Exec(ctx, sql("StageImportLines"), pgx.StrictNamedArgs{"import": id, "lines": numbers, "facilities": facilities, "materials": materials, "entered": entered, "notes": notes})
	return err
}

func stageProblems(ctx context.Context, tx pgx.Tx, id uuid.UUID, problems []dimension.ImportProblem) error {
	if len(problems) == 0 {
		return nil
	}
	numbers, columns, texts := make([]int, len(problems)), make([]string, len(problems)), make([]string, len(problems))
	for i, p := range problems {
		numbers[i], columns[i], texts[i] = p.Line, p.Column, p.Text
	}
	_, err := tx.Exec(ctx, sql("StageImportProblems"), pgx.StrictNamedArgs{"import": id, "lines": numbers, "columns": columns, "problems": texts})
	return err
}

// Arrived ends the receiving; where there is something to check, the job of it comes along.
func (s Imports) Arrived(ctx context.Context, by actor.Actor, i dimension.Import, e audit.Event) error {
	return s.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, sql("ImportArrived"), pgx.StrictNamedArgs{"import": i.ID, "state": string(i.State), "lines": i.Lines, "problems": i.Problems})
		if err != nil {
			return err
		}
		if tag.RowsAffected() != 1 {
			return fault.New(fault.Conflict, "The file took too long on its way. Nothing of it was kept; send it again.")
		}
		if i.State == dimension.Checking {
			if err := s.enqueue(ctx, tx, dimension.ImportRef{Tenant: by.Tenant, ID: i.ID}); err != nil {
				return err
			}
		}
		return record(ctx, tx, by, e)
	})
}

func (s Imports) enqueue(ctx context.Context, tx pgx.Tx, ref dimension.ImportRef) error {
	if s.Jobs == nil {
		return nil
	}
	return s.Jobs.EnqueueImport(ctx, tx, ref)
}

// Newest is the newest of them.
func (s Imports) Newest(ctx context.Context, by actor.Actor) ([]dimension.Import, time.Time, error) {
	var rows []importRow
	var clock struct{ At time.Time }
	err := s.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("NewestImports")).Query(collect(&rows))
		b.Queue(sql("DatabaseClock")).Query(collectOne(&clock))
	})
	if err != nil {
		return nil, time.Time{}, err
	}
	list := make([]dimension.Import, len(rows))
	for i, r := range rows {
		if list[i], err = r.fileOf(by.Tenant); err != nil {
			return nil, time.Time{}, err
		}
	}
	return list, clock.At.UTC(), nil
}

// importShown are how many lines of each kind a page shows.
const importShown = 100

// Import is one of them, with its problems after so many.
func (s Imports) Import(ctx context.Context, by actor.Actor, id uuid.UUID, after int) (dimension.ImportPage, error) {
	var rows []importRow
	var clock struct{ At time.Time }
	var p dimension.ImportPage
	args := pgx.StrictNamedArgs{"import": id, "most": importShown}
	err := s.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("Import"), pgx.StrictNamedArgs{"import": id}).Query(collect(&rows))
		b.Queue(sql("ImportProblems"), pgx.StrictNamedArgs{"import": id, "after": after, "most": importShown + 1}).Query(collectInto(&p.Bad, importProblemRow.problem))
		b.Queue(sql("ImportLinesAsked"), args).Query(collectInto(&p.Asks, importVerdictRow.verdict))
		b.Queue(sql("ImportLinesLeft"), args).Query(collectInto(&p.Left, importVerdictRow.verdict))
		b.Queue(sql("DatabaseClock")).Query(collectOne(&clock))
	})
	if err != nil {
		return p, err
	}
	if len(rows) == 0 {
		return p, nothingHere()
	}
	p.Clock = clock.At.UTC()
	p.Import, err = rows[0].fileOf(by.Tenant)
	return p, err
}

// Confirm keeps who gives their word for the lines, with the job that takes them.
func (s Imports) Confirm(ctx context.Context, by actor.Actor, id uuid.UUID, seen int, sure bool, e audit.Event) (bool, error) {
	moved, err := s.move(ctx, by, "ConfirmImport", pgx.StrictNamedArgs{
		"import": id, "seen": seen, "sure": sure, "user": orNull(by.UserID), "issuer": by.Issuer, "subject": by.Subject, "name": by.Name, "roles": roleNames(by), "ip": by.IP,
		"origin": string(by.Origin),
	}, e, func(ctx context.Context, tx pgx.Tx) error {
		// Where the table of verifications has yet to come, nothing is confirmed: the worker could not keep a line.
		if _, err := tx.Exec(ctx, sql("VerificationsAreDeployed")); err != nil {
			return err
		}
		return s.enqueue(ctx, tx, dimension.ImportRef{Tenant: by.Tenant, ID: id})
	})
	return moved, Dimensions{DB: s.DB}.lacking(ctx, by, err, nil)
}

// Discard drops the lines, and keeps that there was a file.
func (s Imports) Discard(ctx context.Context, by actor.Actor, id uuid.UUID, seen int, e audit.Event) (bool, error) {
	return s.move(ctx, by, "DiscardImport", pgx.StrictNamedArgs{"import": id, "seen": seen}, e, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sql("DropImportLines"), pgx.StrictNamedArgs{"import": id})
		return err
	})
}

func (s Imports) move(ctx context.Context, by actor.Actor, statement string, args pgx.StrictNamedArgs, e audit.Event, then func(context.Context, pgx.Tx) error) (moved bool, err error) {
	err = s.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, sql(statement), args)
		if err != nil || tag.RowsAffected() != 1 {
			return err
		}
		moved = true
		if err := then(ctx, tx); err != nil {
			return err
		}
		return record(ctx, tx, by, e)
	})
	return moved && err == nil, err
}

// Silent has work taken up again of which nothing is heard, and drops what broke off on its way in.
func (s Imports) Silent(ctx context.Context, by actor.Actor) (taken int, err error) {
	err = s.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sql("SilentImports"))
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := s.enqueue(ctx, tx, dimension.ImportRef{Tenant: by.Tenant, ID: id}); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, sql("ImportIsHeard"), pgx.StrictNamedArgs{"import": id}); err != nil {
				return err
			}
		}
		taken = len(ids)
		_, err = tx.Exec(ctx, sql("DropHalfImports"))
		return err
	})
	return taken, err
}

// queuedTx keeps what would be written until it is wanted, so that many lines travel together. Reading goes on as ever.
type queuedTx struct {
	pgx.Tx
	queue *[]queued
}

type queued struct {
	text string
	args []any
}

// Exec keeps the statement for later; that it will touch one row is held to then.
func (q queuedTx) Exec(_ context.Context, text string, args ...any) (pgconn.CommandTag, error) {
	*q.queue = append(*q.queue, queued{text, args})
	return pgconn.NewCommandTag("UPDATE 1"), nil
}

// flush sends what was kept in one round trip.
func flush(ctx context.Context, tx pgx.Tx, queue []queued) error {
	var b pgx.Batch
	master := sql("SetMaster")
	for _, q := range queue {
		held := q.text == master
		b.Queue(q.text, q.args...).Exec(func(tag pgconn.CommandTag) error {
			if held && tag.RowsAffected() != 1 {
				return fault.New(fault.Conflict, "Master data changed at the same moment.")
			}
			return nil
		})
	}
	return tx.SendBatch(ctx, &b).Close()
}
