package privatepg

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is who the server runs as. PostgreSQL refuses to run as root, so
// root gives it to somebody else; anybody else keeps it.
type account struct {
	name string
	cred *syscall.Credential // nil: the account we already are
}

// chooseAccount picks the account. When we are root and nobody was named, an
// existing data folder keeps its owner: otherwise installing the postgres
// package after a first run as nobody would lock us out of our own data.
func chooseAccount(runAs, data string) (account, error) {
	if os.Geteuid() != 0 {
		me, err := user.LookupId(strconv.Itoa(os.Geteuid()))
		if err != nil {
			return account{}, fmt.Errorf("the user id %d has no line in /etc/passwd, and PostgreSQL's initdb needs one; "+
				"add it, or start as another user: %w", os.Geteuid(), err)
		}
		return account{name: me.Username}, nil
	}
	if runAs != "" {
		return lookUpAccount(runAs)
	}
	if owner, ok := ownerOf(data); ok && owner != 0 {
		if u, err := user.LookupId(strconv.Itoa(owner)); err == nil {
			return lookUpAccount(u.Username)
		}
	}
	var problems []error
	for _, name := range []string{"postgres", "nobody"} {
		a, err := lookUpAccount(name)
		if err == nil {
			return a, nil
		}
		problems = append(problems, err)
	}
	return account{}, errors.Join(problems...)
}

func lookUpAccount(name string) (account, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return account{}, fmt.Errorf("PostgreSQL must not run as root, and the account %q that should run it is missing: %w", name, err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return account{}, fmt.Errorf("reading the user id of %q: %w", name, err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return account{}, fmt.Errorf("reading the group id of %q: %w", name, err)
	}
	if uid == 0 {
		return account{}, fmt.Errorf("PostgreSQL must not run as root; name another account than %q", name)
	}
	return account{name: name, cred: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
}

// give makes path the account's own. Lchown, so that a planted link cannot
// hand somebody else's file away.
func (a account) give(path string) error {
	if a.cred == nil {
		return nil
	}
	return os.Lchown(path, int(a.cred.Uid), int(a.cred.Gid))
}

// uid is the user id the server runs under.
func (a account) uid() int {
	if a.cred == nil {
		return os.Geteuid()
	}
	return int(a.cred.Uid)
}

// blockedAt returns the first folder on the way to dir that the account cannot
// pass, judged by the permission bits, or "".
func (a account) blockedAt(dir string) string {
	if a.cred == nil {
		return ""
	}
	for parent := filepath.Dir(dir); ; parent = filepath.Dir(parent) {
		info, err := os.Stat(parent)
		if err != nil {
			return parent
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return ""
		}
		pass := info.Mode().Perm()&0o001 != 0
		if stat.Uid == a.cred.Uid {
			pass = info.Mode().Perm()&0o100 != 0
		} else if stat.Gid == a.cred.Gid {
			pass = info.Mode().Perm()&0o010 != 0
		}
		if !pass {
			return parent
		}
		if parent == filepath.Dir(parent) {
			return ""
		}
	}
}

func ownerOf(path string) (int, bool) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(stat.Uid), true
}
