package backup

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/fault"
)

// Folder keeps backups as files that only their owner can read. It is a Place.
type Folder struct{ Dir string }

var _ Place = Folder{}

// partLife is how old an unfinished file may be before the next backup takes it for left behind by a program that was killed.
const partLife = 24 * time.Hour

// sweep removes what killed programs left. What cannot be removed has no backup's name and harms nobody.
func (f Folder) sweep() {
	parts, err := filepath.Glob(filepath.Join(f.Dir, "*.part"))
	if err != nil {
		return
	}
	for _, part := range parts {
		if info, err := os.Stat(part); err == nil && time.Since(info.ModTime()) > partLife {
			_ = os.Remove(part)
		}
	}
}

// Create writes under a name that no backup has, and gives the file its own when it is whole and on the disk.
func (f Folder) Create(_ context.Context, name string) (File, error) {
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return nil, f.fault("The folder for backups cannot be made", err)
	}
	f.sweep()
	file, err := os.OpenFile(f.path(name)+".part", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, f.fault("A backup cannot be written", err)
	}
	return &folderFile{file: file, folder: f, name: f.path(name)}, nil
}

// Check says whether a backup could be written here, by writing something and throwing it away.
func (f Folder) Check(ctx context.Context) error {
	file, err := f.Create(ctx, "check-"+uuid.NewString())
	if err != nil {
		return err
	}
	defer file.Abort()
	if _, err := file.Write([]byte("check")); err != nil {
		return f.fault("A backup cannot be written", err)
	}
	return nil
}

// Open reads a backup; fault.NotFound where its file is gone.
func (f Folder) Open(_ context.Context, name string) (io.ReadCloser, error) {
	file, err := os.Open(f.path(name))
	if err != nil {
		return nil, f.unread(name, err)
	}
	return file, nil
}

// Size asks for the file's size.
func (f Folder) Size(_ context.Context, name string) (int64, error) {
	info, err := os.Stat(f.path(name))
	if err != nil {
		return 0, f.unread(name, err)
	}
	return info.Size(), nil
}

func (f Folder) unread(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.NotFound, "The file %s is not in %s.", name, f.Dir).Because(err)
	}
	return f.fault("A backup cannot be read", err)
}

// Remove removes a backup's file.
func (f Folder) Remove(_ context.Context, name string) error {
	if err := os.Remove(f.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return f.fault("A backup cannot be removed", err)
	}
	return nil
}

// path is inside the folder whatever the name says.
func (f Folder) path(name string) string { return filepath.Join(f.Dir, filepath.Base(name)) }

func (f Folder) fault(what string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fault.New(fault.Unavailable, "There is no room left in %s. What was written of the backup was removed; the backups before it are untouched. Make room, and order it again.", f.Dir).Because(err)
	}
	return fault.New(fault.Unavailable, "%s in %s. Is GATEHOUSE_BACKUP_DIR a folder that this program may write?", what, f.Dir).Because(err)
}

type folderFile struct {
	file   *os.File
	folder Folder
	name   string
	done   bool
}

func (f *folderFile) Write(p []byte) (int, error) {
	n, err := f.file.Write(p)
	if err != nil {
		err = f.folder.fault("A backup cannot be written", err)
	}
	return n, err
}

func (f *folderFile) Commit() error {
	if err := errors.Join(f.file.Sync(), f.file.Close()); err != nil {
		return f.folder.fault("A backup cannot be written", err)
	}
	if err := os.Rename(f.file.Name(), f.name); err != nil {
		return f.folder.fault("A backup cannot be given its name", err)
	}
	f.done = true
	if err := syncFolder(f.folder.Dir); err != nil {
		return f.folder.fault("The name of a backup cannot be put on the disk", err)
	}
	return nil
}

// syncFolder puts the names in a folder on the disk; without it a machine that loses its power may lose a file's name.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (f *folderFile) Abort() {
	if f.done {
		return
	}
	_ = f.file.Close()           // it is thrown away
	_ = os.Remove(f.file.Name()) // where it cannot be removed it still has no backup's name
}
