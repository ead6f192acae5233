package backup

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// fullDisk is a folder whose files the kernel refuses to fill: /dev/full answers ENOSPC.
type fullDisk struct {
	Folder
	t *testing.T
}

func (d *fullDisk) Create(ctx context.Context, name string) (File, error) {
	d.t.Helper()
	file, err := d.Folder.Create(ctx, name)
	if err != nil {
		return nil, err
	}
	part, ok := file.(*folderFile)
	if !ok {
		d.t.Fatalf("a folder's file is a %T", file)
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	return &fullFile{part, &folderFile{file: full, folder: d.Folder, name: name}}, nil
}

// fullFile writes to the full device and throws away the real file.
type fullFile struct{ real, full *folderFile }

func (f *fullFile) Write(p []byte) (int, error) { return f.full.Write(p) }
func (f *fullFile) Commit() error               { return f.real.Commit() }
func (f *fullFile) Abort()                      { f.real.Abort() }

// deafTool dumps as pg_dump does whose reader is gone: it only knows that much.
type deafTool struct{ Source }

func (deafTool) Dump(_ context.Context, w io.Writer) (Manifest, error) {
	if _, err := w.Write([]byte(strings.Repeat("dump", 1000))); err != nil {
		return Manifest{}, errors.New("pg_dump: error: could not write to output file: Broken pipe")
	}
	return Manifest{}, nil
}

type memory struct {
	Store
	added  int
	events []audit.Event
}

func (m *memory) Add(context.Context, actor.Actor, Backup, audit.Event) (bool, error) {
	m.added++
	return true, nil
}

func (m *memory) Record(_ context.Context, _ actor.Actor, e audit.Event) error {
	m.events = append(m.events, e)
	return nil
}

// M15: a disk that is full says so, leaves no file, and is no backup.
func TestAFullDiskIsNoBackup(t *testing.T) {
	t.Parallel()
	dir, kept := t.TempDir(), &memory{}
	by := actor.Actor{Tenant: uuid.New(), Operator: true, Rights: []actor.Right{actor.MigrationApply}}
	_, err := NewService(kept, &fullDisk{Folder: Folder{Dir: dir}, t: t}, deafTool{}, time.Now).Create(t.Context(), by)
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "no room left in "+dir) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a dump to a full disk is %v, want unavailable, said of the folder", err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("the folder holds %v, %v; want nothing", left, err)
	}
	if kept.added != 0 || len(kept.events) != 1 || kept.events[0].Outcome != audit.Failed || !strings.Contains(kept.events[0].Reason, "no room left") {
		t.Errorf("kept are %d backups and the events %+v; want one failed event alone", kept.added, kept.events)
	}
}
