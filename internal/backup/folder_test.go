package backup_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// What was never finished has no backup's name, and what a killed program left is swept by the next.
func TestAFolderHoldsWholeBackupsAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	folder := backup.Folder{Dir: dir}
	write := func(name string, finish bool) {
		t.Helper()
		file, err := folder.Create(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.Write([]byte("dump")); err != nil {
			t.Fatal(err)
		}
		if finish {
			if err := file.Commit(); err != nil {
				t.Fatal(err)
			}
		}
		file.Abort()
	}
	left, fresh := filepath.Join(dir, "killed.dump.part"), filepath.Join(dir, "running.dump.part")
	for _, part := range []string{left, fresh} {
		if err := os.WriteFile(part, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-25 * time.Hour)
	if err := os.Chtimes(left, old, old); err != nil {
		t.Fatal(err)
	}
	write("aborted.dump", false)
	write("whole.dump", true)
	write("../../outside.dump", true)
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Join(dir, "outside.dump"), fresh, filepath.Join(dir, "whole.dump")}
	if diff := cmp.Diff(want, files); diff != "" {
		t.Errorf("the folder (-want +got):\n%s", diff)
	}
	if err := folder.Check(t.Context()); err != nil {
		t.Errorf("Check of a folder that can be written = %v", err)
	}
	if err := (backup.Folder{Dir: fresh}).Check(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Check of what is a file = %v, want unavailable", err)
	}
	if _, err := folder.Open(t.Context(), "gone.dump"); !fault.Is(err, fault.NotFound) {
		t.Errorf("Open of a file that is gone = %v, want not found", err)
	}
}
