package privatepg

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// ErrInUse is in the error of Start and Remove when another program holds the folder.
var ErrInUse = errors.New("the folder is in use")

const (
	socketNameLen = len("/.s.PGSQL.65535")
	maxSocketPath = 107 // sockaddr_un holds 108 bytes, the last one is zero
	maxLogBytes   = 8 << 20
)

// DefaultDir is where the cluster lives when nobody says otherwise:
// /var/lib/gatehouse/postgres for root, because the account that runs the
// server cannot enter /root, and below $XDG_STATE_HOME for everybody else.
func DefaultDir() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/lib/gatehouse/postgres", nil
	}
	if state := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "gatehouse", "postgres"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("finding a folder for the private PostgreSQL: set XDG_STATE_HOME or HOME: %w", err)
	}
	return filepath.Join(home, ".local", "state", "gatehouse", "postgres"), nil
}

// makeDir creates the state folder and returns its real path: /proc shows real
// paths, and the check for a live postmaster compares with them.
func makeDir(dir string, who account) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("finding the folder %s: %w", dir, err)
	}
	// Parents are passed through by the server's account, so they are not 0700.
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", fmt.Errorf("creating the folder for the private PostgreSQL: %w", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("creating the folder for the private PostgreSQL: %w", err)
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", fmt.Errorf("finding the folder for the private PostgreSQL: %w", err)
	}
	if blocked := who.blockedAt(dir); blocked != "" {
		return "", fmt.Errorf("the account %q, which runs PostgreSQL, cannot enter %s on the way to %s; choose a folder below /var/lib",
			who.name, blocked, dir)
	}
	if err := who.give(dir); err != nil {
		return "", fmt.Errorf("giving %s to %q: %w", dir, who.name, err)
	}
	return dir, nil
}

// makeSocketDir returns a folder for the socket whose path fits in a socket
// address: run/ in the state folder, or a short one under the temporary folder.
func makeSocketDir(dir string, who account) (string, error) {
	socket := filepath.Join(dir, "run")
	if len(socket)+socketNameLen > maxSocketPath {
		short := "gatehouse-pg-" + strconv.FormatUint(uint64(hash32(dir)), 16)
		socket = filepath.Join(os.TempDir(), short)
		if len(socket)+socketNameLen > maxSocketPath {
			socket = filepath.Join("/tmp", short)
		}
	}
	err := os.Mkdir(socket, 0o700)
	if errors.Is(err, fs.ErrExist) {
		if err := checkSocketDir(socket, who); err != nil {
			return "", err
		}
		return socket, nil
	}
	if err != nil {
		return "", fmt.Errorf("creating the socket folder: %w", err)
	}
	if err := who.give(socket); err != nil {
		return "", fmt.Errorf("giving the socket folder to %q: %w", who.name, err)
	}
	return socket, nil
}

// checkSocketDir refuses a folder that somebody else prepared: its name under
// the temporary folder can be guessed, and who owns it could pose as our server.
func checkSocketDir(socket string, who account) error {
	info, err := os.Lstat(socket)
	if err != nil {
		return fmt.Errorf("looking at the socket folder: %w", err)
	}
	owner, _ := ownerOf(socket)
	if !info.IsDir() || (owner != who.uid() && owner != os.Geteuid()) {
		return fmt.Errorf("%s belongs to somebody else; remove it and start again", socket)
	}
	if err := os.Chmod(socket, 0o700); err != nil {
		return fmt.Errorf("closing the socket folder to others: %w", err)
	}
	if err := who.give(socket); err != nil {
		return fmt.Errorf("giving the socket folder to %q: %w", who.name, err)
	}
	return nil
}

// lockDir takes the folder for this program. The kernel drops the lock when we
// die, however we die, so it can never be stale.
func lockDir(dir string) (*os.File, error) {
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock of %s: %w", dir, err)
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		// Who holds it is told to whoever comes second; nothing depends on it.
		err = errors.Join(lock.Truncate(0), writeAt(lock, strconv.Itoa(os.Getpid())))
		if err == nil {
			return lock, nil
		}
		return nil, errors.Join(fmt.Errorf("writing the lock of %s: %w", dir, err), lock.Close())
	}
	holder, readErr := io.ReadAll(io.LimitReader(lock, 20))
	closeErr := lock.Close()
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errors.Join(fmt.Errorf("locking %s: %w", dir, err), closeErr)
	}
	by := "another program"
	if pid := strings.TrimSpace(string(holder)); readErr == nil && pid != "" {
		by += " (process " + pid + ")"
	}
	return nil, fmt.Errorf("%s already uses the private PostgreSQL in %s; stop it, or choose another folder: %w", by, dir, ErrInUse)
}

func writeAt(f *os.File, text string) error {
	_, err := f.WriteAt([]byte(text), 0)
	return err
}

// openLog opens the server's log for appending. A log past its bound is put
// aside first, so that two files are the most there ever are.
func openLog(path string, bound int64) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && info.Size() > bound {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, fmt.Errorf("putting the old server log aside: %w", err)
		}
	}
	log, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the server log: %w", err)
	}
	return log, nil
}

func hash32(text string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(text))
	return h.Sum32()
}
