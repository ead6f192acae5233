package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/dimension"
)

// Turn does the next lines of a file.
func (s Imports) Turn(ctx context.Context, ref dimension.ImportRef, most int, work dimension.ImportWork) (i dimension.Import, more bool, err error) {
	by := actor.Actor{Tenant: ref.Tenant, Issuer: "gatehouse", Subject: "imports", Name: "Gatehouse imports", Origin: actor.Worker}
	err = s.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := rowsOf[importRow](ctx, tx, "LockImport", pgx.StrictNamedArgs{"import": ref.ID})
		if err != nil || len(rows) == 0 {
			return err
		}
		if i, err = rows[0].fileOf(ref.Tenant); err != nil || i.State != dimension.Checking && i.State != dimension.Taking {
			return err
		}
		if !i.Found {
			more = true
			return find(ctx, tx, &i)
		}
		more, err = turn(ctx, tx, &i, most, work)
		return err
	})
	return i, more && err == nil, err
}

// find looks up the codes of all lines.
func find(ctx context.Context, tx pgx.Tx, i *dimension.Import) error {
	if _, err := tx.Exec(ctx, sql("AllowMinutes")); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, sql("FindImportCodes"), pgx.StrictNamedArgs{"import": i.ID}); err != nil {
		return err
	}
	var wrong int
	if err := tx.QueryRow(ctx, sql("CodesNotFound"), pgx.StrictNamedArgs{"import": i.ID, "room": max(0, dimension.ProblemsKept-i.Problems)}).Scan(&wrong); err != nil {
		return err
	}
	i.Problems, i.Found = i.Problems+wrong, true
	return moveImport(ctx, tx, *i, false)
}

func turn(ctx context.Context, tx pgx.Tx, i *dimension.Import, most int, work dimension.ImportWork) (more bool, err error) {
	rows, err := rowsOf[importLineRow](ctx, tx, "NextImportLines", pgx.StrictNamedArgs{"import": i.ID, "after": i.Position, "taking": i.State == dimension.Taking, "most": most})
	if err != nil {
		return false, err
	}
	checking := i.State == dimension.Checking
	var lines []dimension.ImportLine
	for _, r := range rows {
		l, err := r.line()
		if err != nil {
			return false, err
		}
		i.Position = l.Number
		if l.Material != uuid.Nil && l.Facility != uuid.Nil { // the others were complained about
			lines = append(lines, l)
		}
	}
	known, err := know(ctx, tx, lines, !checking)
	if err != nil {
		return false, err
	}
	by := i.Confirmed
	var queue []queued
	known.dimensionTx = dimensionTx{queuedTx{tx, &queue}, by}
	known.direct, known.dry = tx, checking
	var verdicts []dimension.ImportVerdict
	var problems []dimension.ImportProblem
	for _, l := range lines {
		before := len(queue)
		v, err := work(ctx, known, *i, l)
		if err != nil {
			return false, err
		}
		if checking || v.Verdict == dimension.NotTaken {
			queue = queue[:before]
		}
		if v.Problem.Text != "" {
			problems = append(problems, v.Problem)
		}
		verdicts = append(verdicts, v)
	}
	if err := flush(ctx, tx, queue); err != nil {
		return false, err
	}
	if err := keepVerdicts(ctx, tx, i, verdicts); err != nil {
		return false, err
	}
	if room := max(0, dimension.ProblemsKept-i.Problems); len(problems) > 0 {
		if err := stageProblems(ctx, tx, i.ID, problems[:min(room, len(problems))]); err != nil {
			return false, err
		}
	}
	i.Problems, i.Done = i.Problems+len(problems), i.Done+len(rows)
	more = len(rows) == most
	if !more {
		i.State = ended(*i)
	}
	return more, moveImport(ctx, tx, *i, !more)
}

// ended is what an import is when the last line of its state's work was done.
func ended(i dimension.Import) dimension.ImportState {
	switch {
	case i.State == dimension.Taking:
		return dimension.Taken
	case i.Problems > 0:
		return dimension.Refused
	}
	return dimension.Checked
}

func keepVerdicts(ctx context.Context, tx pgx.Tx, i *dimension.Import, verdicts []dimension.ImportVerdict) error {
	if len(verdicts) == 0 {
		return nil
	}
	tally := i.Result
	if i.State == dimension.Checking {
		tally = i.Preview
	}
	numbers, words, reasons, asked := make([]int, len(verdicts)), make([]string, len(verdicts)), make([]string, len(verdicts)), make([]string, len(verdicts))
	for n, v := range verdicts {
		tally[v.Verdict]++
		numbers[n], words[n], reasons[n], asked[n] = v.Line, v.Verdict, v.Reason, strings.Join(v.Asked, "\n")
		if i.State == dimension.Checking && len(v.Asked) > 0 {
			i.Asked++
		}
	}
	_, err := tx.Exec(ctx, sql("JudgeImportLines"), pgx.StrictNamedArgs{"import": i.ID, "lines": numbers, "verdicts": words, "reasons": reasons, "asked": asked})
	return err
}

func moveImport(ctx context.Context, tx pgx.Tx, i dimension.Import, end bool) error {
	preview, err := json.Marshal(i.Preview)
	if err != nil {
		return fmt.Errorf("encoding a preview: %w", err)
	}
	result, err := json.Marshal(i.Result)
	if err != nil {
		return fmt.Errorf("encoding a result: %w", err)
	}
	_, err = tx.Exec(ctx, sql("MoveImport"), pgx.StrictNamedArgs{
		"import": i.ID, "state": string(i.State), "problems": i.Problems, "asked": i.Asked, "found": i.Found, "position": i.Position, "done": i.Done, "preview": string(preview),
		"result": string(result), "ended": end,
	})
	return err
}

type place struct{ facility, material uuid.UUID }

// knownTx answers from what was read for many lines at once. It serves a turn, in which each material is measured once.
type knownTx struct {
	dimensionTx
	direct     pgx.Tx
	dry        bool
	materials  map[uuid.UUID]dimension.Material
	facilities map[uuid.UUID]dimension.Facility
	cases      map[place]dimension.Case
	readings   map[uuid.UUID][]dimension.Reading
	changes    map[uuid.UUID][]dimension.Change
	tolerances map[string]dimension.Tolerance
	user       uuid.UUID
}

// know reads what the lines are judged by, and holds their materials where they are to be written.
func know(ctx context.Context, tx pgx.Tx, lines []dimension.ImportLine, hold bool) (*knownTx, error) {
	k := &knownTx{
		materials: map[uuid.UUID]dimension.Material{}, facilities: map[uuid.UUID]dimension.Facility{}, cases: map[place]dimension.Case{}, readings: map[uuid.UUID][]dimension.Reading{},
		changes: map[uuid.UUID][]dimension.Change{}, tolerances: map[string]dimension.Tolerance{},
	}
	materials, facilities := make([]uuid.UUID, len(lines)), make([]uuid.UUID, len(lines))
	for n, l := range lines {
		materials[n], facilities[n] = l.Material, l.Facility
	}
	statement := "MaterialsByID"
	if hold {
		statement = "LockMaterials"
	}
	// The materials first: what is read after them does not change any more.
	found, err := rowsOf[materialRow](ctx, tx, statement, pgx.StrictNamedArgs{"materials": materials})
	if err != nil {
		return nil, err
	}
	var places []facilityRow
	var cases []caseRow
	var readings []readingRow
	var changes []changeRow
	var tolerances []toleranceRow
	var b pgx.Batch
	of := pgx.StrictNamedArgs{"materials": materials}
	b.Queue(sql("FacilitiesByID"), pgx.StrictNamedArgs{"facilities": facilities}).Query(collect(&places))
	b.Queue(sql("OpenCasesOfMaterials"), of).Query(collect(&cases))
	b.Queue(sql("ReadingsOfOpenCases"), of).Query(collect(&readings))
	b.Queue(sql("ChangesOfMaterials"), pgx.StrictNamedArgs{"materials": materials, "most": historyMost}).Query(collect(&changes))
	b.Queue(sql("Tolerances")).Query(collect(&tolerances))
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return nil, err
	}
	for _, r := range found {
		k.materials[r.MaterialID] = r.material()
	}
	for _, r := range places {
		k.facilities[r.FacilityID] = r.facility()
	}
	for _, r := range cases {
		k.cases[place{r.FacilityID, r.MaterialID}] = r.dimensionCase()
	}
	for _, r := range readings {
		one, err := r.reading()
		if err != nil {
			return nil, err
		}
		k.readings[one.Case] = append(k.readings[one.Case], one)
	}
	for _, r := range changes {
		k.changes[r.MaterialID] = append(k.changes[r.MaterialID], r.change())
	}
	for _, r := range tolerances {
		k.tolerances[r.Packaging] = r.tolerance()
	}
	return k, nil
}

// LockMaterial gives a material that is held already.
func (k *knownTx) LockMaterial(_ context.Context, id uuid.UUID) (dimension.Material, error) {
	m, ok := k.materials[id]
	if !ok {
		return m, nothingHere()
	}
	return m, nil
}

// Facility gives one that was read.
func (k *knownTx) Facility(_ context.Context, id uuid.UUID) (dimension.Facility, error) {
	f, ok := k.facilities[id]
	if !ok {
		return f, nothingHere()
	}
	return f, nil
}

// ReadingWithKey finds none: the place in the file moves with the reading, so no line comes twice, and its key would be refused.
func (k *knownTx) ReadingWithKey(context.Context, uuid.UUID) (dimension.Reading, bool, error) {
	return dimension.Reading{}, false, nil
}

// OpenCase gives what was read of it.
func (k *knownTx) OpenCase(_ context.Context, facility, material uuid.UUID) (dimension.Case, []dimension.Reading, bool, error) {
	c, ok := k.cases[place{facility, material}]
	return c, k.readings[c.ID], ok, nil
}

// Changes gives the history that was read.
func (k *knownTx) Changes(_ context.Context, material uuid.UUID) ([]dimension.Change, error) {
	return k.changes[material], nil
}

// Tolerance gives that of the type, else that of every other, else the requirement's.
func (k *knownTx) Tolerance(_ context.Context, packaging string) (dimension.Tolerance, error) {
	for _, p := range []string{packaging, ""} {
		if t, ok := k.tolerances[p]; ok {
			return t, nil
		}
	}
	return dimension.Binding, nil
}

// User is who confirmed, once for all lines; a check writes nobody.
func (k *knownTx) User(ctx context.Context, by actor.Actor) (uuid.UUID, error) {
	if k.dry || k.user != uuid.Nil {
		return k.user, nil
	}
	var err error
	k.user, err = dimensionTx{k.direct, by}.User(ctx, by)
	return k.user, err
}
