package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Externals are the stories of backups that other tools took. Who may apply a migration, in the tenant that operates the
// environment, registers, attests and drills them.
type Externals struct {
	store  ExternalStore
	place  Place // nil where none is configured
	source ExternalSource
	now    func() time.Time
	within time.Duration
}

// NewExternals makes the stories; within is how long after its registration a backup has to be restored.
func NewExternals(store ExternalStore, place Place, source ExternalSource, now func() time.Time, within time.Duration) *Externals {
	return &Externals{store: store, place: place, source: source, now: now, within: within}
}

// Within is how long after its registration a backup has to be restored.
func (s *Externals) Within() time.Duration { return s.within }

var (
	hashForm = regexp.MustCompile(`^[0-9a-f]{64}$`)
	fileForm = regexp.MustCompile(`^[a-z0-9_][a-z0-9_.-]*$`)
)

// Check is nil, or complains of all that is wrong with a registration.
func (s *Externals) Check(r Registration) error {
	problems := map[string]string{}
	required(problems, "provider", r.Provider, 200, "Say which provider or tool took it.")
	required(problems, "identifier", r.Identifier, 500, "Say under which identifier the provider keeps it.")
	required(problems, "covers", r.Covers, 1000, "Say what it covers: which database or cluster, and what of it.")
	required(problems, "evidence", r.Evidence, 2000, "Say how somebody else can see that it exists: a link, or the provider's words.")
	if r.SHA256 != "" && !hashForm.MatchString(r.SHA256) {
		problems["sha256"] = "A SHA-256 is 64 digits from 0 to 9 and a to f; leave it empty where it is not known."
	}
	if r.File != "" && !fileForm.MatchString(r.File) {
		problems["file"] = "The file's name has small letters, digits, dots, hyphens and underscores; it lies where backups are kept, in no folder below."
	}
	if r.TakenAt.IsZero() || r.TakenAt.After(s.now().Add(time.Minute)) {
		problems["taken"] = "Say when it was taken; that is not in the future."
	}
	if len(problems) > 0 {
		return complain(problems)
	}
	return nil
}

// Register writes down what a person says of an external backup. A person's sign-in must be fresh.
func (s *Externals) Register(ctx context.Context, by actor.Actor, r Registration) (External, error) {
	if err := may(by); err != nil {
		return External{}, err
	}
	if err := s.Check(r); err != nil {
		return External{}, err
	}
	x := External{
		ID: uuid.New(), Provider: strings.TrimSpace(r.Provider), Identifier: strings.TrimSpace(r.Identifier), TakenAt: r.TakenAt.UTC(),
		Covers: r.Covers, Evidence: r.Evidence, SHA256: r.SHA256, File: r.File, By: by.Name,
	}
	added, err := s.store.Register(ctx, by, x, audit.Event{
		Action: "backup:register", ObjectKind: "external_backup", ObjectID: x.ID.String(),
		After: map[string]any{
			"provider": x.Provider, "identifier": x.Identifier, "taken_at": x.TakenAt.Format(time.RFC3339), "covers": x.Covers, "evidence": x.Evidence,
			"sha256": x.SHA256, "file": x.File, "drill_within": lasts(s.within),
		},
	})
	if err == nil && !added {
		err = notFresh()
	}
	return x, err
}

func notFresh() error {
	return fault.New(fault.Forbidden, "Nothing was recorded: your sign-in is older than ten minutes. Sign in afresh.")
}

func complain(problems map[string]string) error {
	refusal := fault.New(fault.Invalid, "Nothing was recorded.")
	for name, text := range problems {
		refusal = refusal.WithField(name, text)
	}
	return refusal
}

func required(problems map[string]string, name, text string, most int, why string) {
	switch {
	case strings.TrimSpace(text) == "":
		problems[name] = why
	case len([]rune(text)) > most:
		problems[name] = fmt.Sprintf("This may have at most %d characters.", most)
	}
}

// List is the newest 50 external backups, newest first.
func (s *Externals) List(ctx context.Context, by actor.Actor) ([]External, error) {
	if err := by.Demand(actor.MigrationRead); err != nil {
		return nil, err
	}
	return s.store.Externals(ctx, by, nil)
}

// Find is one external backup, for who may work with it.
func (s *Externals) Find(ctx context.Context, by actor.Actor, id uuid.UUID) (External, error) {
	if err := may(by); err != nil {
		return External{}, err
	}
	return s.Show(ctx, by, id)
}

// Show is one external backup of the actor's tenant.
func (s *Externals) Show(ctx context.Context, by actor.Actor, id uuid.UUID) (External, error) {
	if err := by.Demand(actor.MigrationRead); err != nil {
		return External{}, err
	}
	found, err := s.store.Externals(ctx, by, &id)
	if err != nil {
		return External{}, err
	}
	if len(found) != 1 {
		return External{}, fault.New(fault.NotFound, "There is no such external backup.")
	}
	return found[0], nil
}

// SetMark writes down where the log stands, for a dump that is about to be taken to carry away.
func (s *Externals) SetMark(ctx context.Context, by actor.Actor) (uuid.UUID, error) {
	if err := may(by); err != nil {
		return uuid.Nil, err
	}
	id := uuid.New()
	added, err := s.store.AddMark(ctx, by, id, audit.Event{Action: "backup:mark", ObjectKind: "backup_mark", ObjectID: id.String()})
	if err == nil && !added {
		err = notOperator()
	}
	return id, err
}

// Attest writes down that somebody restored the backup elsewhere. It stays a person's word.
func (s *Externals) Attest(ctx context.Context, by actor.Actor, id uuid.UUID, a Attestation) error {
	x, err := s.Find(ctx, by, id)
	if err != nil {
		return err
	}
	problems := map[string]string{}
	required(problems, "evidence", a.Evidence, 2000, "Say how somebody else can see that it was restored, and what was looked at.")
	if a.RestoredAt.IsZero() || a.RestoredAt.After(s.now().Add(time.Minute)) || a.RestoredAt.Before(x.TakenAt) {
		problems["restored"] = "Say when it was restored: after it was taken, and not in the future."
	}
	if len(problems) > 0 {
		return complain(problems)
	}
	d := ExternalDrill{Attested: true, Passed: true, Findings: []string{}, RestoredAt: a.RestoredAt.UTC(), Took: a.Took, Evidence: a.Evidence, By: by.Name}
	added, err := s.store.AddExternalDrill(ctx, by, id, d, nil, audit.Event{
		Action: "backup:attest", ObjectKind: "external_backup", ObjectID: id.String(), Before: attested(x.Attested),
		After: attested(&d),
	})
	if err == nil && !added {
		err = notFresh()
	}
	return err
}

// Drill restores the file of an external backup beside the database, and counts what is there. Nobody counted when it was
// dumped, so there is nothing to compare the rows with; of which database it is, and from when at the earliest, shows the
// newest mark in it. With one it is a backup like our own from then on.
func (s *Externals) Drill(ctx context.Context, by actor.Actor, id uuid.UUID) (External, ExternalDrill, error) {
	x, err := s.Find(ctx, by, id)
	if err != nil {
		return x, ExternalDrill{}, err
	}
	if x.File == "" || s.place == nil {
		return x, ExternalDrill{}, fault.New(fault.Conflict, "There is no file of it here to restore. Register it with the name of a dump that lies where backups are kept, or attest the drill that somebody else made.")
	}
	if x.Own != nil && x.Own.Backup != uuid.Nil {
		return x, ExternalDrill{}, fault.New(fault.Conflict, "It counts as backup %s already; drill that one.", x.Own.Backup)
	}
	d := ExternalDrill{RestoredAt: s.now().UTC(), By: by.Name, Findings: []string{}}
	counts, err := s.restore(ctx, by, x, &d)
	if err != nil {
		return x, d, err
	}
	d.Took = s.now().Sub(d.RestoredAt)
	d.Passed = len(d.Findings) == 0
	event := audit.Event{
		Action: "backup:drill", ObjectKind: "external_backup", ObjectID: id.String(), After: map[string]any{"findings": d.Findings, "unproven": d.Unproven},
	}
	if !d.Passed {
		event.Outcome, event.Reason = audit.Failed, d.Findings[0]
	}
	if counts != nil {
		counts.Took, d.Backup = d.Took, counts.ID
		event.After = map[string]any{"findings": d.Findings, "backup": counts.ID.String(), "sha256": counts.SHA256}
	}
	added, err := s.store.AddExternalDrill(ctx, by, id, d, counts, event)
	if err == nil && !added {
		err = notOperator()
	}
	return x, d, err
}

// restore reads and restores the file; the backup is what it counts as from then on, nil where it does not count.
func (s *Externals) restore(ctx context.Context, by actor.Actor, x External, d *ExternalDrill) (*Backup, error) {
	b := Backup{ID: uuid.New(), Name: x.File, By: by.Name}
	reads := Service{place: s.place}
	hash := sha256.New()
	err := reads.reading(ctx, b, func(file io.Reader) (err error) {
		b.Bytes, err = io.Copy(hash, file)
		return err
	})
	b.SHA256 = hex.EncodeToString(hash.Sum(nil))
	switch {
	case fault.Is(err, fault.NotFound):
		d.Findings = append(d.Findings, "the file "+x.File+" is not where backups are kept")
		return nil, nil //nolint:nilnil // a finding, and no backup
	case err != nil:
		return nil, err
	case x.SHA256 != "" && x.SHA256 != b.SHA256:
		d.Findings = append(d.Findings, "the file is another one than was registered: its SHA-256 is "+b.SHA256)
		return nil, nil //nolint:nilnil // a finding, and no backup
	}
	var marks []uuid.UUID
	err = reads.reading(ctx, b, func(file io.Reader) (err error) {
		b.Manifest, marks, err = s.source.RestoreMarked(ctx, file)
		return err
	})
	if fault.Is(err, fault.Invalid) {
		d.Findings = append(d.Findings, words(err))
		return nil, nil //nolint:nilnil // a finding, and no backup
	}
	if err != nil {
		return nil, err
	}
	mark, found, err := s.store.Mark(ctx, by, marks)
	if err != nil {
		return nil, err
	}
	if !found {
		d.Unproven = unmarked
		return nil, nil //nolint:nilnil // it restores, and does not count
	}
	now, err := s.source.Holds(ctx)
	if err != nil {
		return nil, err
	}
	if lacks := incomplete(b.Manifest, now); lacks != "" {
		d.Unproven = lacks
		return nil, nil //nolint:nilnil // it restores, and does not count
	}
	b.Manifest.System, b.Manifest.WAL, b.Manifest.TakenAt, b.Manifest.Tool = mark.System, mark.WAL, mark.At, x.Provider
	return &b, nil
}

// attested is the restoring that a person attested, as the trail holds it.
func attested(d *ExternalDrill) map[string]any {
	if d == nil {
		return map[string]any{"attested": false}
	}
	return map[string]any{"attested": true, "restored_at": d.RestoredAt.UTC().Format(time.RFC3339), "evidence": d.Evidence}
}
