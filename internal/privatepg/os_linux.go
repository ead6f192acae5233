package privatepg

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const locale = "C.UTF-8"

// childAttr makes a child of another account, out of reach of the terminal's
// Ctrl-C (we stop it ourselves, in order), that gets a signal when we die.
func childAttr(cred *syscall.Credential, atOurDeath syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: cred, Setpgid: true, Pdeathsig: atOurDeath}
}

// isPostmaster reports whether pid is a live server of this data folder. The
// number alone proves nothing: it may belong to any other program by now, or
// to a zombie.
func isPostmaster(pid int, data string) bool {
	if pid <= 1 || syscall.Kill(pid, 0) != nil {
		return false
	}
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil || filepath.Base(strings.TrimSuffix(exe, " (deleted)")) != "postgres" {
		return false
	}
	cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	return err == nil && cwd == data
}

// memoryMB is the memory this machine or this container has; 0 if unknown.
func memoryMB() int {
	mb := 0
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		line, _, _ := strings.Cut(string(text), "\n")
		if fields := strings.Fields(line); len(fields) >= 2 {
			if kb, err := strconv.Atoi(fields[1]); err == nil {
				mb = kb >> 10
			}
		}
	}
	if text, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		if limit, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && limit>>20 < mb {
			mb = limit >> 20
		}
	}
	return mb
}
