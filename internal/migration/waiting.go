package migration

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Blocker is a session of the database that holds what a step waits for.
type Blocker struct {
	PID         int
	User        string
	Application string
	Age         time.Duration // of its transaction
	Query       string
}

// Same says whether it is the same session with the same statement; its age is not compared.
func (b Blocker) Same(other Blocker) bool {
	b.Age, other.Age = 0, 0
	return b == other
}

// BlockerLines are the lines of a run's log that say who is waited for; ReadWait reads them again.
func BlockerLines(blockers []Blocker) []string {
	lines := make([]string, len(blockers))
	for i, b := range blockers {
		place := ""
		if len(blockers) > 1 {
			place = fmt.Sprintf("holder %d of %d, ", i+1, len(blockers))
		}
		lines[i] = fmt.Sprintf("%s%sserver process %d (%s, %s) holds a lock, in its transaction for %d s: %s",
			waitingPrefix, place, b.PID, orWord(b.User, "unknown"), orWord(b.Application, "no name"), int(b.Age.Seconds()), b.Query)
	}
	return lines
}

const waitingPrefix = "Waiting: "

func orWord(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// LockTryLine says that a lock was not had in time.
func LockTryLine(within time.Duration, try, of int) string {
	return fmt.Sprintf("LOCK: not had within %s, try %d of %d.", within, try, of)
}

// LockWait is what a step waits for at the moment, as its log tells it.
type LockWait struct {
	// Blockers are those of the newest look; none where it stands back between two tries.
	Blockers []Blocker
	At       time.Time // of that look
	// Tries were made in vain so far, of at most Of; both are zero before the first was given up.
	Tries, Of int
}

var (
	blockerLine = regexp.MustCompile(`(?s)^Waiting: (?:holder (\d+) of \d+, )?server process (\d+) \((.*?), (.*?)\) holds a lock, in its transaction for (\d+) s: (.*)$`)
	lockTryLine = regexp.MustCompile(`^LOCK: not had within \S+, try (\d+) of (\d+)\.`)
)

// ReadWait says what a step waits for whose log ends with these lines; nil where it waits for nothing. Whatever else was
// said after a wait ends it.
func ReadWait(lines []Line) *LockWait {
	var wait *LockWait
	for _, line := range lines {
		blocker, first, ok := readBlocker(line.Text)
		tried := lockTryLine.FindStringSubmatch(line.Text)
		switch {
		case ok:
			if wait == nil {
				wait = &LockWait{}
			}
			if first {
				wait.Blockers, wait.At = nil, line.At
			}
			wait.Blockers = append(wait.Blockers, blocker)
		case tried != nil:
			wait = &LockWait{At: line.At, Tries: number(tried[1]), Of: number(tried[2])}
		case strings.HasPrefix(line.Text, "WARNING"), strings.HasPrefix(line.Text, "NOTICE"):
			// The server says such things while it waits, too.
		default:
			wait = nil
		}
	}
	if wait != nil && wait.Of > 0 && wait.Tries >= wait.Of && len(wait.Blockers) == 0 {
		return nil // the last try is given up
	}
	return wait
}

func readBlocker(text string) (b Blocker, first, ok bool) {
	m := blockerLine.FindStringSubmatch(text)
	if m == nil {
		return Blocker{}, false, false
	}
	return Blocker{
		PID: number(m[2]), User: m[3], Application: m[4], Age: time.Duration(number(m[5])) * time.Second, Query: m[6],
	}, m[1] == "" || m[1] == "1", true
}

func number(digits string) int {
	n, _ := strconv.Atoi(digits) // only digits come here; more than fit are shown as none
	return n
}
