package backup

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// readOnly is a record into which nothing is written, as after an older state was restored (A03).
type readOnly struct {
	memory
	unheard bool // whether the backup was recorded cannot be read either
	old     []Named
}

func (*readOnly) Add(context.Context, actor.Actor, Backup, audit.Event) (bool, error) {
	return false, fault.New(fault.Conflict, "An older state of this database was restored.")
}

func (*readOnly) AddCheck(context.Context, actor.Actor, uuid.UUID, Check, audit.Event) error {
	return fault.New(fault.Conflict, "An older state of this database was restored.")
}

func (r *readOnly) List(context.Context, actor.Actor, *uuid.UUID) ([]Backup, error) {
	if r.unheard {
		return nil, fault.New(fault.Unavailable, "The database did not answer.")
	}
	return nil, nil
}

func (r *readOnly) Prunable(context.Context, actor.Actor, time.Duration) ([]Named, error) {
	return r.old, nil
}

type quickTool struct{ Source }

func (quickTool) Dump(_ context.Context, w io.Writer) (Manifest, error) {
	_, err := w.Write([]byte("dump"))
	return Manifest{}, err
}

func filesIn(t *testing.T, dir string) int {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(left)
}

// A dump that nobody will ever look for leaves no file; where it is not known whether it was recorded, the file stays.
func TestABackupThatIsNotRecordedLeavesNoFile(t *testing.T) {
	t.Parallel()
	by := actor.Actor{Tenant: uuid.New(), Operator: true, Rights: []actor.Right{actor.MigrationApply}}
	for unheard, want := range map[bool]int{false: 0, true: 1} {
		dir := t.TempDir()
		if _, err := NewService(&readOnly{unheard: unheard}, Folder{Dir: dir}, quickTool{}, time.Now).Create(t.Context(), by); !fault.Is(err, fault.Conflict) {
			t.Errorf("a backup that may not be recorded: %v, want a conflict", err)
		}
		if got := filesIn(t, dir); got != want {
			t.Errorf("where the record is unheard of (%t) the folder holds %d files, want %d", unheard, got, want)
		}
	}
}

// No effect without an entry: where nothing may be written down, no file is removed.
func TestNothingIsPrunedThatCannotBeWrittenDown(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "old.dump"), []byte("dump"), 0o600); err != nil {
		t.Fatal(err)
	}
	by := actor.Actor{Tenant: uuid.New(), Operator: true, Rights: []actor.Right{actor.MigrationApply}}
	record := &readOnly{old: []Named{{ID: uuid.New(), Name: "old.dump"}}}
	removed, err := NewService(record, Folder{Dir: dir}, quickTool{}, time.Now).Prune(t.Context(), by, ShortestKeep)
	if !fault.Is(err, fault.Conflict) || len(removed) != 0 || filesIn(t, dir) != 1 {
		t.Errorf("pruning what may not be recorded removed %v, %v; want nothing", removed, err)
	}
}
