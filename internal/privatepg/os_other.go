//go:build !linux

package privatepg

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const locale = "en_US.UTF-8"

// childAttr: outside Linux there is no signal at the parent's death. The next
// start stops a server that was left running.
func childAttr(cred *syscall.Credential, _ syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: cred, Setpgid: true}
}

// isPostmaster asks ps for the command line, which begins with the binary and
// names the data folder.
func isPostmaster(pid int, data string) bool {
	if pid <= 1 || syscall.Kill(pid, 0) != nil {
		return false
	}
	out, err := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return false
	}
	command, rest, _ := strings.Cut(strings.TrimSpace(string(out)), " -D ")
	return filepath.Base(command) == "postgres" && strings.HasPrefix(rest, data+" ")
}

func memoryMB() int { return 0 }
