package migration

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Rehearsal is a report that was kept.
type Rehearsal struct {
	ID         uuid.UUID
	By         Person
	RecordedAt time.Time
	SHA256     string // of the report's text
	Report     RehearsalReport
}

// RehearsedFile is what the newest rehearsal of one text of a file said; zero where there was none.
type RehearsedFile struct {
	Rehearsal  uuid.UUID
	Version    string
	SHA256     string
	Passed     bool
	Up, Down   time.Duration
	RecordedAt time.Time
	// Sample is on how much of the data it ran; nil where it ran on all. Its times say nothing about all.
	Sample *SampleSize
}

// Measures says whether its times are those to expect: it passed, on all of the data.
func (f RehearsedFile) Measures() bool { return f.Passed && f.Sample == nil }

// DataWords says in words on what data it ran.
func (r RehearsalSummary) DataWords() string {
	if r.Sample != nil {
		return r.Sample.Words()
	}
	return r.Data.Words()
}

// RehearsalStore keeps rehearsals. Nothing in it is ever changed.
type RehearsalStore interface {
	// AddRehearsal keeps the report and the event that says so; false where the tenant does not operate the environment.
	AddRehearsal(ctx context.Context, by actor.Actor, r Rehearsal, text string, e audit.Event) (bool, error)
	// Rehearsal gives the report's text beside what it says.
	Rehearsal(ctx context.Context, by actor.Actor, id uuid.UUID) (r Rehearsal, text string, err error)
	// List gives the newest 50, newest first.
	List(ctx context.Context, by actor.Actor) ([]RehearsalSummary, error)
}

// RehearsalSummary is a rehearsal without its report.
type RehearsalSummary struct {
	ID         uuid.UUID
	Passed     bool
	Verdict    string
	Data       RehearsalData // without the tables of a sample
	Sample     *SampleSize   // nil where it ran on all of the data
	RecordedAt time.Time
	By, SHA256 string
	Versions   []string
}

// Rehearsals are the stories of rehearsing.
type Rehearsals struct{ store RehearsalStore }

// NewRehearsals makes the stories over a store.
func NewRehearsals(store RehearsalStore) Rehearsals { return Rehearsals{store} }

// Hold runs a rehearsal for somebody and keeps its report, whether it passed or not. What could not be held to its end
// leaves nothing.
func (s Rehearsals) Hold(ctx context.Context, by actor.Actor, rehearse func(context.Context) (RehearsalReport, error)) (Rehearsal, error) {
	if err := mayChange(by, actor.MigrationApply); err != nil {
		return Rehearsal{}, err
	}
	report, err := rehearse(ctx)
	if err != nil {
		return Rehearsal{}, err
	}
	text, hash, err := report.Canonical()
	if err != nil {
		return Rehearsal{}, err
	}
	r := Rehearsal{ID: uuid.New(), By: personOf(by), SHA256: hash, Report: report}
	event := audit.Event{
		Action: "migration:rehearse", ObjectKind: "rehearsal", ObjectID: r.ID.String(),
		After: map[string]any{"passed": report.Passed(), "versions": report.Planned, "data": report.Data.Kind, "sha256": hash},
	}
	if !report.Passed() {
		event.Outcome, event.Reason = audit.Failed, report.Verdict()
	}
	added, err := s.store.AddRehearsal(ctx, by, r, text, event)
	if err == nil && !added {
		err = notOperator()
	}
	return r, err
}

// List is the newest rehearsals of the actor's tenant.
func (s Rehearsals) List(ctx context.Context, by actor.Actor) ([]RehearsalSummary, error) {
	if err := mayRead(by); err != nil {
		return nil, err
	}
	return s.store.List(ctx, by)
}

// Show is one rehearsal of the actor's tenant, with its report as it was hashed.
func (s Rehearsals) Show(ctx context.Context, by actor.Actor, id uuid.UUID) (Rehearsal, error) {
	r, _, err := s.Text(ctx, by, id)
	return r, err
}

// Text is Show with the very text of the report, of which the SHA-256 is.
func (s Rehearsals) Text(ctx context.Context, by actor.Actor, id uuid.UUID) (r Rehearsal, text string, err error) {
	if err := mayRead(by); err != nil {
		return Rehearsal{}, "", err
	}
	r, text, err = s.store.Rehearsal(ctx, by, id)
	if fault.Is(err, fault.NotFound) {
		return Rehearsal{}, "", fault.New(fault.NotFound, "There is no such rehearsal.").Because(err)
	}
	if err != nil {
		return Rehearsal{}, "", err
	}
	if r.Report, err = ReadRehearsalReport(text, r.SHA256); err != nil {
		return Rehearsal{}, "", fmt.Errorf("rehearsal %s: %w", id, err)
	}
	return r, text, nil
}

// WithRehearsals hands every rung the rehearsal of its file as it stands now.
func (l *Ladder) WithRehearsals(files []RehearsedFile) {
	for i := range l.Rungs {
		for _, f := range files {
			if l.Rungs[i].HasFile && f.SHA256 == l.Rungs[i].File.SHA256 {
				l.Rungs[i].Rehearsed = f
			}
		}
	}
}
