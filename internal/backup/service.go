package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Service is what may be done with backups. Who may apply a migration may take a backup and prove it.
type Service struct {
	store  Store
	place  Place
	source Source
	now    func() time.Time
}

// NewService makes the stories.
func NewService(store Store, place Place, source Source, now func() time.Time) *Service {
	return &Service{store: store, place: place, source: source, now: now}
}

func may(by actor.Actor) error {
	if err := by.Demand(actor.MigrationApply); err != nil {
		return err
	}
	if !by.Operator {
		return notOperator()
	}
	return nil
}

func notOperator() error {
	return fault.New(fault.Forbidden, "The database is looked after by the tenant that operates this environment.")
}

// Create takes a backup. What was not dumped to its end leaves no file and no record.
func (s *Service) Create(ctx context.Context, by actor.Actor) (Backup, error) {
	if err := may(by); err != nil {
		return Backup{}, err
	}
	began := s.now()
	b := Backup{ID: uuid.New(), By: by.Name}
	b.Name = fmt.Sprintf("gatehouse_%s_%s.dump", began.UTC().Format("20060102_150405"), b.ID.String()[:8])
	if err := s.dump(ctx, &b); err != nil {
		return Backup{}, s.refused(ctx, by, err)
	}
	b.Took = s.now().Sub(began)
	added, err := s.store.Add(ctx, by, b, audit.Event{
		Action: "backup:create", ObjectKind: "backup", ObjectID: b.ID.String(),
		After: map[string]any{"name": b.Name, "bytes": b.Bytes, "sha256": b.SHA256, "standing": b.Manifest.Standing},
	})
	if err == nil && !added {
		err = notOperator()
	}
	if err != nil {
		err = errors.Join(err, s.withoutRecord(context.WithoutCancel(ctx), by, b))
	}
	return b, err
}

// withoutRecord removes a file that nobody will ever look for, because it could not be recorded. Where the database does not
// answer, whether it was recorded is not known, and the file stays.
func (s *Service) withoutRecord(ctx context.Context, by actor.Actor, b Backup) error {
	if found, err := s.store.List(ctx, by, &b.ID); err != nil || len(found) > 0 {
		return nil //nolint:nilerr // what is not known is left alone
	}
	return s.place.Remove(ctx, b.Name)
}

func (s *Service) dump(ctx context.Context, b *Backup) (err error) {
	file, err := s.place.Create(ctx, b.Name)
	if err != nil {
		return err
	}
	defer file.Abort()
	hash, count, kept := sha256.New(), &counter{}, &keeper{to: file}
	b.Manifest, err = s.source.Dump(ctx, io.MultiWriter(kept, hash, count))
	switch {
	case kept.err != nil && ctx.Err() == nil:
		// The tool only knows that nobody listens any more; the place knows why.
		return errors.Join(kept.err, err)
	case err != nil:
		return err
	}
	b.Bytes, b.SHA256 = count.n, hex.EncodeToString(hash.Sum(nil))
	if err := file.Commit(); err != nil {
		return err
	}
	return s.readBack(ctx, *b)
}

// readBack compares what the place now holds with what was sent to it. What differs is removed.
func (s *Service) readBack(ctx context.Context, b Backup) error {
	findings, err := s.compare(ctx, b)
	if err == nil && len(findings) == 0 {
		return nil
	}
	if err == nil {
		err = fault.New(fault.Unavailable, "The backup was written, read again, and is not what was written: %s. It was removed; nothing counts on it.", strings.Join(findings, "; "))
	}
	return errors.Join(err, s.place.Remove(context.WithoutCancel(ctx), b.Name))
}

// keeper remembers why the place took no more.
type keeper struct {
	to  io.Writer
	err error
}

func (k *keeper) Write(p []byte) (n int, err error) {
	n, err = k.to.Write(p)
	k.err = err
	return n, err
}

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

// refused leaves the failed try in the trail. There is no backup to record.
func (s *Service) refused(ctx context.Context, by actor.Actor, err error) error {
	event := audit.Event{Action: "backup:create", ObjectKind: "backup", Outcome: audit.Failed, Reason: words(err)}
	return errors.Join(err, s.store.Record(ctx, by, event))
}

func words(err error) string {
	if f, ok := fault.As(err); ok {
		return f.Message
	}
	return "The dump failed; the program's log says why."
}

// List is the newest 50 backups, newest first.
func (s *Service) List(ctx context.Context, by actor.Actor) ([]Backup, error) {
	if err := by.Demand(actor.MigrationRead); err != nil {
		return nil, err
	}
	return s.store.List(ctx, by, nil)
}

// Verify reads the file again. A finding is a result and no error.
func (s *Service) Verify(ctx context.Context, by actor.Actor, id uuid.UUID) (Backup, Check, error) {
	return s.check(ctx, by, id, Verify, s.verify)
}

// Drill verifies the file, restores it beside the database and counts what is there. How long that took is the real time
// to restore.
func (s *Service) Drill(ctx context.Context, by actor.Actor, id uuid.UUID) (Backup, Check, error) {
	return s.check(ctx, by, id, Drill, func(ctx context.Context, b Backup) ([]string, error) {
		if findings, err := s.verify(ctx, b); err != nil || len(findings) > 0 {
			return findings, err
		}
		var restored Manifest
		err := s.reading(ctx, b, func(file io.Reader) (err error) {
			restored, err = s.source.Restore(ctx, file)
			return err
		})
		if fault.Is(err, fault.Invalid) {
			return []string{words(err)}, nil
		}
		if err != nil {
			return nil, err
		}
		return b.Manifest.Differences(restored), nil
	})
}

// OnCopy restores a backup whose file is whole beside the database, does work on that copy, and drops it.
func (s *Service) OnCopy(ctx context.Context, by actor.Actor, id uuid.UUID, work func(ctx context.Context, address string) error) error {
	b, err := s.find(ctx, by, id)
	if err != nil {
		return err
	}
	findings, err := s.verify(ctx, b)
	if err != nil {
		return err
	}
	if len(findings) > 0 {
		return fault.New(fault.Conflict, "The backup is not whole: %s.", strings.Join(findings, "; "))
	}
	return s.reading(ctx, b, func(file io.Reader) error { return s.source.OnScratch(ctx, file, work) })
}

// Sweep throws away what killed programs left beside the database.
func (s *Service) Sweep(ctx context.Context) error { return s.source.Sweep(ctx) }

// find is one backup, for who may work with it.
func (s *Service) find(ctx context.Context, by actor.Actor, id uuid.UUID) (Backup, error) {
	if err := may(by); err != nil {
		return Backup{}, err
	}
	found, err := s.store.List(ctx, by, &id)
	if err != nil {
		return Backup{}, err
	}
	if len(found) != 1 {
		return Backup{}, fault.New(fault.NotFound, "There is no such backup.")
	}
	return found[0], nil
}

// ShortestKeep is how long every backup is kept, whatever is asked for.
const ShortestKeep = 24 * time.Hour

// Prune removes the files of backups older than keep, and keeps what is known of them. The newest backup and the newest
// that restores stay however old they are.
func (s *Service) Prune(ctx context.Context, by actor.Actor, keep time.Duration) ([]Named, error) {
	if err := may(by); err != nil {
		return nil, err
	}
	if keep < ShortestKeep {
		return nil, fault.New(fault.Invalid, "Backups are kept for at least %s.", ShortestKeep)
	}
	old, err := s.store.Prunable(ctx, by, keep)
	if err != nil {
		return nil, err
	}
	for i, b := range old {
		// What is written down comes first: where nothing may be written, nothing is removed.
		event := audit.Event{Action: "backup:prune", ObjectKind: "backup", ObjectID: b.ID.String(), After: map[string]any{"name": b.Name, "older_than": keep.String()}}
		if err := s.store.AddCheck(ctx, by, b.ID, Check{Kind: Prune, Passed: true, Findings: []string{}}, event); err != nil {
			return old[:i], err
		}
		if err := s.place.Remove(ctx, b.Name); err != nil {
			return old[:i], errors.Join(err, s.remains(ctx, by, b, err))
		}
	}
	return old, nil
}

// remains leaves in the trail that a file is still there which counts as removed: nobody relies on it, and a person removes it.
func (s *Service) remains(ctx context.Context, by actor.Actor, b Named, why error) error {
	return s.store.Record(ctx, by, audit.Event{
		Action: "backup:prune", ObjectKind: "backup", ObjectID: b.ID.String(), Outcome: audit.Failed, Reason: b.Name + " is still there: " + words(why),
	})
}

func (s *Service) check(ctx context.Context, by actor.Actor, id uuid.UUID, kind Kind, look func(context.Context, Backup) ([]string, error)) (Backup, Check, error) {
	b, err := s.find(ctx, by, id)
	if err != nil {
		return Backup{}, Check{}, err
	}
	began := s.now()
	findings, err := look(ctx, b)
	if err != nil {
		return b, Check{}, err
	}
	c := Check{Kind: kind, Passed: len(findings) == 0, Findings: append([]string{}, findings...), Took: s.now().Sub(began)}
	event := audit.Event{Action: "backup:" + string(kind), ObjectKind: "backup", ObjectID: id.String(), After: map[string]any{"findings": c.Findings}}
	if !c.Passed {
		event.Outcome, event.Reason = audit.Failed, findings[0]
	}
	return b, c, s.store.AddCheck(ctx, by, id, c, event)
}

// verify compares the file with what was written down when it was made.
func (s *Service) verify(ctx context.Context, b Backup) ([]string, error) {
	if findings, err := s.compare(ctx, b); err != nil || len(findings) > 0 {
		return findings, err
	}
	var tables []string
	err := s.reading(ctx, b, func(file io.Reader) (err error) {
		tables, err = s.source.Contents(ctx, file)
		return err
	})
	if fault.Is(err, fault.Invalid) {
		return []string{words(err)}, nil
	}
	if err != nil {
		return nil, err
	}
	var findings []string
	for _, table := range union(b.Manifest.Rows, nil) {
		if !slices.Contains(tables, table) {
			findings = append(findings, "the file holds nothing of table "+table)
		}
	}
	return findings, nil
}

// compare reads the file from end to end: its size, and its SHA-256.
func (s *Service) compare(ctx context.Context, b Backup) ([]string, error) {
	size, err := s.place.Size(ctx, b.Name)
	switch {
	case fault.Is(err, fault.NotFound):
		return []string{"the file " + b.Name + " is gone"}, nil
	case err != nil:
		return nil, err
	case size != b.Bytes:
		return []string{fmt.Sprintf("the file has %d bytes, and had %d", size, b.Bytes)}, nil
	}
	hash := sha256.New()
	err = s.reading(ctx, b, func(file io.Reader) error {
		_, err := io.Copy(hash, file)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case hex.EncodeToString(hash.Sum(nil)) != b.SHA256:
		return []string{"the file has been altered: its SHA-256 is " + hex.EncodeToString(hash.Sum(nil))}, nil
	}
	return nil, nil
}

// reading does work with the file. Where the place stops giving it, that is the error, whatever the work makes of the part
// that it got: half a file that was not read says nothing about the file.
func (s *Service) reading(ctx context.Context, b Backup, work func(io.Reader) error) error {
	file, err := s.place.Open(ctx, b.Name)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // it was only read
	if local, ok := file.(*os.File); ok {
		return work(local) // the tools read it themselves
	}
	source := &reader{from: file}
	err = work(source)
	if failed := source.failed(); failed != nil && ctx.Err() == nil {
		return fault.New(fault.Unavailable, "The place where backups are kept stopped in the middle of %s. That says nothing about the backup; try again.", b.Name).Because(failed)
	}
	return err
}

// reader remembers why the place gave no more.
type reader struct {
	from io.Reader
	mu   sync.Mutex
	err  error
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.mu.Lock()
		r.err = err
		r.mu.Unlock()
	}
	return n, err
}

func (r *reader) failed() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}
