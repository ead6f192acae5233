package migrator

import (
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/golang-migrate/migrate/v4/source"

	"github.com/agogsaas/gatehouse/internal/migration"
)

// files shows our files to golang-migrate, which asks for the neighbours of a version and for its text.
type files struct{ set *migration.Files }

var errNotByURL = errors.New("migrator: opened by an address; it is made from values alone")

func (files) Open(string) (source.Driver, error) { return nil, errNotByURL }

func (files) Close() error { return nil }

func (f files) First() (uint, error) { return f.at(0) }

func (f files) Prev(v uint) (uint, error) { return f.at(f.index(v) - 1) }

func (f files) Next(v uint) (uint, error) { return f.at(f.index(v) + 1) }

func (f files) ReadUp(v uint) (io.ReadCloser, string, error) { return f.read(migration.Up, v) }

func (f files) ReadDown(v uint) (io.ReadCloser, string, error) { return f.read(migration.Down, v) }

// index is far below zero for a version that is not there, so that it has no neighbours.
func (f files) index(v uint) int {
	if i := slices.Index(f.set.Versions(), fromEngine(v)); i >= 0 {
		return i
	}
	return -2
}

func (f files) at(i int) (uint, error) {
	versions := f.set.Versions()
	if i < 0 || i >= len(versions) {
		return 0, fs.ErrNotExist
	}
	return uint(versions[i]), nil
}

func (f files) read(d migration.Direction, v uint) (io.ReadCloser, string, error) {
	file, ok := f.set.In(d, fromEngine(v))
	if !ok {
		return nil, "", fs.ErrNotExist
	}
	return io.NopCloser(strings.NewReader(file.SQL)), file.Name, nil
}

func fromEngine(v uint) migration.Version { return migration.Version(v) }
