package dimension

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// ImportState is where an import stands.
type ImportState string

// The states. Nothing of a file is a measurement before somebody has confirmed it.
const (
	Arriving  ImportState = "arriving" // its lines are being received
	Checking  ImportState = "checking" // every line is judged, and nothing is kept of that but the verdict
	Refused   ImportState = "refused"  // lines are wrong: it is put right and sent anew
	Checked   ImportState = "checked"  // it waits for somebody to confirm or discard it
	Taking    ImportState = "taking"   // its lines are measured, one after the other
	Taken     ImportState = "taken"
	Discarded ImportState = "discarded"
)

// Working says whether the state ends by itself.
func (s ImportState) Working() bool { return s == Arriving || s == Checking || s == Taking }

// NotTaken is what counts the lines that are measurements as they should be, and cannot be taken now.
const NotTaken = "not_taken"

// Tally counts lines by what they come to: a Status where that settles it, a State where somebody has to do something, NotTaken.
type Tally map[string]int

// Import is a file of measurements.
type Import struct {
	ID    uuid.UUID
	Name  string
	State ImportState
	Lines int
	// Problems are how many were found; of many only the first are kept.
	Problems int
	Asked    int // lines about which something is asked back
	// Found says that the codes were looked up, and Position up to which line of the file the work of the state is done.
	Found          bool
	Position, Done int
	Preview        Tally // by the check
	Result         Tally // by the measurements
	By             Person
	At             time.Time
	Sure           bool
	Confirmed      actor.Actor
	ConfirmedAt    time.Time
	EndedAt        time.Time
	Version        int
}

// ImportPage is an import with what is to be said about its lines.
type ImportPage struct {
	Import
	Bad   []ImportProblem
	Asks  []ImportVerdict
	Left  []ImportVerdict // not taken, and why
	Clock time.Time
}

// ImportVerdict is what a line comes to.
type ImportVerdict struct {
	Line    int
	Code    string
	Verdict string // a key of Tally
	Reason  string // why it is not taken
	Asked   []string
	Problem ImportProblem // why it cannot be, ever
}

// ImportRef is where an import is found.
type ImportRef struct{ Tenant, ID uuid.UUID }

// ImportWork does with one line what the import's state asks for.
type ImportWork func(ctx context.Context, tx Tx, i Import, line ImportLine) (ImportVerdict, error)

// ImportStore keeps imports.
type ImportStore interface {
	Begin(ctx context.Context, by actor.Actor, i Import) error
	Stage(ctx context.Context, by actor.Actor, id uuid.UUID, lines []ImportLine, problems []ImportProblem) error
	// Arrived ends the receiving, with the job that checks where there is something to check.
	Arrived(ctx context.Context, by actor.Actor, i Import, e audit.Event) error
	Newest(ctx context.Context, by actor.Actor) ([]Import, time.Time, error)
	Import(ctx context.Context, by actor.Actor, id uuid.UUID, afterProblem int) (ImportPage, error)
	// Confirm is false where it is not to be confirmed any more, as that person saw it.
	Confirm(ctx context.Context, by actor.Actor, id uuid.UUID, seen int, sure bool, e audit.Event) (bool, error)
	Discard(ctx context.Context, by actor.Actor, id uuid.UUID, seen int, e audit.Event) (bool, error)
	// Turn does the next lines in one transaction with the place in the file, so that each is done once, whoever does it and
	// however often it begins. What a line writes is kept only where its verdict is no refusal. More says that there are more.
	Turn(ctx context.Context, ref ImportRef, lines int, work ImportWork) (i Import, more bool, err error)
	// Silent are those of which nothing was heard, and the half-received ones are removed.
	Silent(ctx context.Context, by actor.Actor) (int, error)
}

// Imports is the stories of files of measurements.
type Imports struct {
	store ImportStore
	now   func() time.Time
}

// NewImports keeps files in store.
func NewImports(store ImportStore, now func() time.Time) *Imports { return &Imports{store, now} }

const (
	// turnLines are done in one transaction: few enough that others of the tenant do not wait for long.
	turnLines = 200
	// stageLines are received at once.
	stageLines = 1000
	// ProblemsKept are how many problems of a file are kept.
	ProblemsKept = 1000
)

// Receive reads a file to its end and has it checked. Nothing of it is measured. The import has an address from then on, also
// where the file is no file of measurements.
func (s *Imports) Receive(ctx context.Context, by actor.Actor, name string, from io.Reader) (uuid.UUID, error) {
	if err := mayImport(by); err != nil {
		return uuid.Nil, err
	}
	i := Import{ID: newID(), Name: fileName(name), State: Arriving, By: Person{by.Issuer, by.Subject, by.Name}}
	file, problems, err := OpenImport(from)
	if err != nil {
		return uuid.Nil, err
	}
	if err := s.store.Begin(ctx, by, i); err != nil {
		return uuid.Nil, err
	}
	i.Problems = len(problems)
	var lines []ImportLine
	stage := func() error {
		err := s.store.Stage(ctx, by, i.ID, lines, problems)
		lines, problems = lines[:0], problems[:0]
		return err
	}
	for i.Problems == 0 || i.Lines > 0 {
		line, wrong, err := file.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return uuid.Nil, err
		}
		if i.Lines == ImportLines {
			wrong = append(wrong[:0], ImportProblem{Line: line.Number, Text: fmt.Sprintf("A file holds at most %s lines. Send the rest in another one.", thousands(decimal.New(ImportLines, 0)))})
		}
		i.Lines++
		if len(wrong) == 0 {
			lines = append(lines, line)
		} else if room := ProblemsKept - i.Problems; room > 0 {
			problems = append(problems, wrong[:min(room, len(wrong))]...)
		}
		i.Problems += len(wrong)
		if i.Lines > ImportLines {
			break
		}
		if len(lines) == stageLines {
			if err := stage(); err != nil {
				return uuid.Nil, err
			}
		}
	}
	if i.Lines == 0 && i.Problems == 0 {
		i.Problems, problems = 1, append(problems, ImportProblem{Line: 2, Text: "The file holds no line after the names of its columns."})
	}
	if err := stage(); err != nil {
		return uuid.Nil, err
	}
	i.State = Checking
	if i.Lines == 0 {
		i.State = Refused
	}
	return i.ID, s.store.Arrived(ctx, by, i, audit.Event{
		Action: "import:receive", ObjectKind: "import", ObjectID: i.ID.String(), After: map[string]any{"file": i.Name, "lines": i.Lines, "problems": i.Problems},
	})
}

func mayImport(by actor.Actor) error {
	if err := by.Demand(actor.DimensionMeasure); err != nil {
		return err
	}
	if by.Rights != nil {
		return fault.New(fault.Forbidden, "A measurement is a person's word; no machine gives it.")
	}
	return nil
}

// fileName is what the browser called the file, as it may be shown.
func fileName(name string) string {
	name = strings.ToValidUTF8(name, "�")
	name = strings.Map(func(r rune) rune {
		if unkept(r) || r == '\n' || r == '\r' || r == '\t' {
			return -1
		}
		return r
	}, name[strings.LastIndexAny(name, `/\`)+1:])
	if runes := []rune(name); len(runes) > 120 {
		name = string(runes[:120]) + "…"
	}
	if strings.TrimSpace(name) == "" {
		return "a file without a name"
	}
	return name
}

// List is the newest imports.
func (s *Imports) List(ctx context.Context, by actor.Actor) ([]Import, time.Time, error) {
	if err := by.Demand(actor.DimensionRead); err != nil {
		return nil, time.Time{}, err
	}
	return s.store.Newest(ctx, by)
}

// Show is one of them, with the problems after so many.
func (s *Imports) Show(ctx context.Context, by actor.Actor, id uuid.UUID, afterProblem int) (ImportPage, error) {
	if err := by.Demand(actor.DimensionRead); err != nil {
		return ImportPage{}, err
	}
	return s.store.Import(ctx, by, id, afterProblem)
}

// Confirm makes the lines measurements, as whoever confirms: they give their word for what the machine or the sheet says. The
// same press again is the first one's.
func (s *Imports) Confirm(ctx context.Context, by actor.Actor, id uuid.UUID, seen int, sure bool) error {
	if err := mayImport(by); err != nil {
		return err
	}
	p, err := s.store.Import(ctx, by, id, 0)
	if err != nil {
		return err
	}
	if p.State == Checked && p.Asked > 0 && !sure {
		return fault.New(fault.Invalid, "Nothing was taken yet. Something has to be put right first.").
			WithField("sure", "Look at the lines that are asked about, and say that they are right as they are.")
	}
	done, err := s.store.Confirm(ctx, by, id, seen, sure, audit.Event{
		Action: "import:confirm", ObjectKind: "import", ObjectID: id.String(),
		Before: map[string]any{"state": string(p.State)}, After: map[string]any{"state": string(Taking), "file": p.Name, "lines": p.Lines, "asked_about": p.Asked},
	})
	if err != nil || done {
		return err
	}
	return s.overtaken(ctx, by, id)
}

// overtaken says why a press did nothing; nothing is wrong where the same person had pressed before.
func (s *Imports) overtaken(ctx context.Context, by actor.Actor, id uuid.UUID) error {
	p, err := s.store.Import(ctx, by, id, 0)
	if err != nil {
		return err
	}
	switch p.State {
	case Taking, Taken:
		if by.SamePerson(p.Confirmed.Issuer, p.Confirmed.Subject) {
			return nil
		}
		return fault.New(fault.Conflict, "%s has confirmed this file already. Nothing was taken a second time.", p.Confirmed.Name)
	case Discarded:
		return fault.New(fault.Conflict, "This file was discarded. Nothing of it was taken; send it anew if it is wanted after all.")
	case Refused:
		return fault.New(fault.Conflict, "This file has lines that are wrong, so nothing of it is taken. Put them right and send it anew.")
	case Arriving, Checking, Checked:
	}
	return fault.New(fault.Conflict, "This file is not what you saw any more. Nothing was taken; look at it again.")
}

// Discard drops a file of which nothing was taken.
func (s *Imports) Discard(ctx context.Context, by actor.Actor, id uuid.UUID, seen int) error {
	if err := mayImport(by); err != nil {
		return err
	}
	p, err := s.store.Import(ctx, by, id, 0)
	if err != nil {
		return err
	}
	done, err := s.store.Discard(ctx, by, id, seen, audit.Event{Action: "import:discard", ObjectKind: "import", ObjectID: id.String(), Before: map[string]any{"state": string(p.State)}, After: map[string]any{"state": string(Discarded), "file": p.Name}})
	if err != nil || done {
		return err
	}
	p, err = s.store.Import(ctx, by, id, 0)
	if err == nil && p.State != Discarded {
		err = fault.New(fault.Conflict, "This file is not waiting for anybody any more, so it was not discarded. Look at it again.")
	}
	return err
}

// Work checks or takes an import to the end of what it is at.
func (s *Imports) Work(ctx context.Context, ref ImportRef) error {
	for tries := 0; ; {
		_, more, err := s.store.Turn(ctx, ref, turnLines, importLine)
		switch {
		case err == nil && !more:
			return nil
		case err == nil:
			tries = 0
			continue
		case !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Unavailable):
			return err
		}
		// Somebody moved stock in the same bins, or the database was away: nothing of this turn was kept, so it is done anew.
		if tries++; tries > 5 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(tries) * 200 * time.Millisecond):
		}
	}
}

// Silent has those taken up again of which nothing is heard any more, because the program that did them is gone.
func (s *Imports) Silent(ctx context.Context, by actor.Actor) (int, error) {
	return s.store.Silent(ctx, by)
}

// importLine measures a line as the form would be measured. While the file is checked, nothing of that is kept.
func importLine(ctx context.Context, tx Tx, i Import, line ImportLine) (ImportVerdict, error) {
	v := ImportVerdict{Line: line.Number, Code: line.Code}
	by := i.Confirmed
	if i.State == Checking {
		by = actor.Actor{Issuer: i.By.Issuer, Subject: i.By.Subject, Name: i.By.Name}
	}
	r, err := measure(ctx, tx, by, Measurement{
		Facility: line.Facility, Material: line.Material, Seen: line.Seen, Box: line.Box, Notes: line.Notes, Sure: i.State == Checking || i.Sure,
		Key: uuid.NewSHA1(i.ID, fmt.Append(nil, line.Number)),
	})
	refused, ok := fault.As(err)
	switch {
	case err == nil:
		v.Verdict, v.Asked = string(r.Outcome), r.AskedBack
		if r.Outcome == Settled {
			v.Verdict = string(r.Status)
		}
		return v, nil
	case !ok || refused.Kind == fault.Unavailable || refused.Kind == fault.Internal:
		return v, err
	}
	v.Verdict, v.Reason = NotTaken, refused.Message
	if said := refused.Fields["seen"]; said != "" {
		v.Reason += " " + said
	}
	if i.State == Checking && refused.Kind == fault.NotFound {
		v.Problem = ImportProblem{Line: line.Number, Column: ColumnMaterial, Text: "No material with this code is here any more."}
	}
	if utf8.RuneCountInString(v.Reason) > 500 {
		v.Reason = string([]rune(v.Reason)[:499]) + "…"
	}
	return v, nil
}

// With is the tally with more of one.
func (t Tally) With(key string, more int) Tally {
	sum := maps.Clone(t)
	sum[key] += more
	return sum
}
