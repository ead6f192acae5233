package backup

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/clock"
)

// Manifest is what a dump holds, read in the dump's own snapshot.
type Manifest struct {
	Database string    `json:"database"`
	TakenAt  time.Time `json:"taken_at"` // by the database's clock
	Server   string    `json:"server"`   // "15.8 (Debian 15.8-0+deb12u1)"
	Tool     string    `json:"tool"`     // pg_dump's version
	// System tells one cluster from another, and WAL is the position in its log before the dump began.
	System string `json:"system"`
	WAL    string `json:"wal"`
	// Standing is where the warehouse's schema stood: "V0.0.18".
	Standing string `json:"standing"`
	// Rows are the rows of every table, by "schema.table"; Objects count constraints, indexes, views and the like, by kind.
	Rows    map[string]int64 `json:"rows"`
	Objects map[string]int64 `json:"objects"`
	// Warehouse are the objects of the warehouse's schema alone; nil in a backup of before they were counted.
	Warehouse map[string]int64 `json:"warehouse,omitempty"`
}

// Differences says how what was restored differs from what was dumped; empty where it does not.
func (m Manifest) Differences(restored Manifest) []string {
	var list []string
	for _, table := range union(m.Rows, restored.Rows) {
		was, had := m.Rows[table]
		is, has := restored.Rows[table]
		switch {
		case !has:
			list = append(list, fmt.Sprintf("table %s was not restored", table))
		case !had:
			list = append(list, fmt.Sprintf("table %s was restored and not dumped", table))
		case was != is:
			list = append(list, fmt.Sprintf("table %s has %d rows, and had %d", table, is, was))
		}
	}
	for _, kind := range union(m.Objects, restored.Objects) {
		if was, is := m.Objects[kind], restored.Objects[kind]; was != is {
			list = append(list, fmt.Sprintf("there are %d of %s, and there were %d", is, kind, was))
		}
	}
	if m.Standing != restored.Standing {
		list = append(list, fmt.Sprintf("the warehouse's schema stands at %s, and stood at %s", restored.Standing, m.Standing))
	}
	return list
}

func union(a, b map[string]int64) []string {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]int64{}
	}
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}

// Text is the manifest as it is kept and hashed.
func (m Manifest) Text() (string, error) {
	text, err := json.Marshal(m)
	return string(text), err
}

// Backup is a dump that was taken whole.
type Backup struct {
	ID       uuid.UUID
	Name     string // of the file, in the place where backups are kept
	Bytes    int64
	SHA256   string
	Took     time.Duration
	By       string
	Manifest Manifest
	// Verified and Drilled are the newest look of each kind; nil where there was none.
	Verified, Drilled *Check
	// KeptUntil is how long the file of a safety dump, taken before a restore, is kept; zero for any other backup.
	KeptUntil time.Time
	// Removed is when the file was removed because it was old; zero where it was not.
	Removed time.Time
}

// Worth is what a backup is good for.
type Worth string

// The worths.
const (
	Proven   Worth = "restored"         // its newest drill passed, and nothing was found since
	Unproven Worth = "never restored"   // a file
	Broken   Worth = "does not restore" // found damaged, or its newest drill failed
	Removed  Worth = "removed"          // its file was pruned
)

// Worth is what the backup is good for, and why.
func (b Backup) Worth() (Worth, string) {
	switch {
	case !b.Removed.IsZero():
		return Removed, "on " + clock.Stamp(b.Removed)
	case b.Verified != nil && !b.Verified.Passed && (b.Drilled == nil || b.Verified.At.After(b.Drilled.At)):
		return Broken, strings.Join(b.Verified.Findings, "; ")
	case b.Drilled == nil:
		return Unproven, ""
	case !b.Drilled.Passed:
		return Broken, strings.Join(b.Drilled.Findings, "; ")
	}
	return Proven, fmt.Sprintf("in %s on %s", clock.Duration(b.Drilled.Took), clock.Stamp(b.Drilled.At))
}

// Kind is what kind of look a check was.
type Kind string

// The kinds of check.
const (
	Verify Kind = "verify" // the file is read again: size, SHA-256, table of contents
	Drill  Kind = "drill"  // it is restored beside the database and counted
	Prune  Kind = "prune"  // its file is removed
)

// Check is one look at a backup.
type Check struct {
	Kind     Kind
	Passed   bool
	Findings []string // what was wrong; empty where it passed
	Took     time.Duration
	At       time.Time // of the record; zero before
}

// Store keeps what is known of backups. Nothing in it is ever changed.
type Store interface {
	// Add keeps the backup and the event; false where the tenant does not operate the environment.
	Add(ctx context.Context, by actor.Actor, b Backup, e audit.Event) (bool, error)
	AddCheck(ctx context.Context, by actor.Actor, id uuid.UUID, c Check, e audit.Event) error
	// Record keeps an event of which nothing else remains.
	Record(ctx context.Context, by actor.Actor, e audit.Event) error
	// Prunable are the backups older than keep whose files may go: neither the newest nor the newest that restores.
	Prunable(ctx context.Context, by actor.Actor, keep time.Duration) ([]Named, error)
	// List is the newest 50; where id is not nil, that one alone.
	List(ctx context.Context, by actor.Actor, id *uuid.UUID) ([]Backup, error)
}

// Place is where the files are: a folder, or a bucket of an object store. Every method may take as long as the file is large.
type Place interface {
	// Create begins a file; it is there under its name once Commit has returned, and not at all otherwise.
	Create(ctx context.Context, name string) (File, error)
	// Open reads a file from its beginning; fault.NotFound where it is gone.
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	// Size is how many bytes the file has; fault.NotFound where it is gone.
	Size(ctx context.Context, name string) (int64, error)
	// Remove removes a file; one that is gone already is no error.
	Remove(ctx context.Context, name string) error
	// Check says whether a backup could be written here now, by writing something and throwing it away.
	Check(ctx context.Context) error
}

// Named is a backup by its id and its file's name.
type Named struct {
	ID   uuid.UUID
	Name string
}

// File is a file that is being written.
type File interface {
	io.Writer
	Commit() error
	// Abort removes what was written; after Commit it does nothing.
	Abort()
}

// Source is the database, and the tools that dump and restore it.
type Source interface {
	// Dump writes the whole database and says what it holds. An error means that what was written is worth nothing.
	Dump(ctx context.Context, w io.Writer) (Manifest, error)
	// Contents are the tables, as "schema.table", of which the file holds rows. A file that is no dump, or one that was cut
	// off, is a fault.Invalid with the tool's words.
	Contents(ctx context.Context, file io.Reader) ([]string, error)
	// Restore restores the file into a database of its own, reads it as Dump does, and throws it away.
	Restore(ctx context.Context, file io.Reader) (Manifest, error)
	// OnScratch restores the file into a database of its own, does work there, and throws it away.
	OnScratch(ctx context.Context, file io.Reader, work func(ctx context.Context, address string) error) error
	// Sweep throws away the databases that programs left which were killed.
	Sweep(ctx context.Context) error
}
