package privatepg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// Superuser is the account inside PostgreSQL that initdb creates. It sees past
// row-level security: it is for setting up, never for serving.
const Superuser = "postgres"

// OtherVersion says that the folder holds data of another major version. They
// are left exactly as they are.
type OtherVersion struct {
	Data string // the data folder
	Have string // the version of the data
	Bin  string // the binaries that were found
	Want int    // their version
}

func (e *OtherVersion) Error() string {
	return fmt.Sprintf("%s holds data of PostgreSQL %s, but the binaries in %s are version %d. Nothing was changed. "+
		"Set PG_BINDIR to the binaries of version %s; to move to version %d, dump with the old version and restore into another folder.",
		e.Data, e.Have, e.Bin, e.Want, e.Have, e.Want)
}

// dataVersion reads the major version of a data folder, "" if there is none.
func dataVersion(data string) (string, error) {
	text, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading the version of %s: %w", data, err)
	}
	return strings.TrimSpace(string(text)), nil
}

// initialise creates the cluster where there is none and refuses one that
// these binaries cannot read.
func (s *Server) initialise(ctx context.Context) error {
	have, err := dataVersion(s.data)
	if err != nil {
		return err
	}
	if have == "" {
		return s.initdb(ctx)
	}
	if have != strconv.Itoa(s.version) {
		return &OtherVersion{Data: s.data, Have: have, Bin: s.bin, Want: s.version}
	}
	return nil
}

// initdb works in data.new and renames at the end: initdb writes PG_VERSION
// first, so in data its presence would not prove that initdb finished.
func (s *Server) initdb(ctx context.Context) error {
	if entries, err := os.ReadDir(s.data); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty and is not a PostgreSQL data folder; choose another folder", s.data)
	}
	s.notice(fmt.Sprintf("Creating a private PostgreSQL %d in %s.", s.version, s.dir))
	unfinished := s.data + ".new"
	if err := os.RemoveAll(unfinished); err != nil {
		return fmt.Errorf("clearing an unfinished data folder: %w", err)
	}
	args := []string{
		"-D", unfinished, "-U", Superuser, "--auth=trust", "--encoding=UTF8",
		"--locale=" + locale, "--data-checksums",
	}
	if s.settings["fsync"] == "off" {
		args = append(args, "--no-sync")
	}
	if err := s.tool(ctx, "initdb", args...); err != nil {
		return err
	}
	if err := os.Rename(unfinished, s.data); err != nil {
		return fmt.Errorf("putting the new data folder in place: %w", err)
	}
	return syncDir(s.dir)
}

// syncDir makes a rename inside dir last through a power cut.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("opening %s to flush it: %w", dir, err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("flushing %s: %w", dir, err)
	}
	return nil
}

// tool runs one of PostgreSQL's programs as the server's account and ends it
// with us.
func (s *Server) tool(ctx context.Context, name string, args ...string) error {
	// The signal at parent death belongs to the thread that forked; a thread that
	// some other locked goroutine takes to its end would kill the tool half way.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.Env = environment(s.bin)
	cmd.SysProcAttr = childAttr(s.who.cred, syscall.SIGKILL)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("%s was interrupted: %w", name, ctx.Err())
		}
		return fmt.Errorf("%s failed: %w: %s", name, err, strings.TrimSpace(out.String()))
	}
	return nil
}

// environment is what PostgreSQL's programs see. Ours may hold PGDATA, PGPORT
// or secrets, none of which are theirs.
func environment(bin string) []string {
	return []string{"PATH=" + bin + ":/usr/bin:/bin", "LC_ALL=" + locale, "TZ=UTC"}
}
