//go:build faultpoints

package faultpoint

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Enabled reports whether faults can be injected into this program.
const Enabled = true

// ErrInjected is what Hit returns where the action is "error".
var ErrInjected = errors.New("fault injected by a test")

//go:embed points.golden
var known string

// fault is what happens at one point.
type fault struct {
	action string
	pause  time.Duration
	only   int // the one hit it happens at; 0 is every hit
	hits   int
}

var (
	mu     sync.Mutex
	faults = mustParse(os.Getenv("GATEHOUSE_FAULT"))
)

func mustParse(spec string) map[string]*fault {
	parsed, err := parse(spec, strings.Fields(known))
	if err != nil {
		panic("GATEHOUSE_FAULT: " + err.Error())
	}
	return parsed
}

// Hit makes happen what was asked for at this point.
func Hit(name string) error {
	mu.Lock()
	f, ok := faults[name]
	if !ok {
		mu.Unlock()
		return nil
	}
	f.hits++
	due := f.only == 0 || f.only == f.hits
	mu.Unlock() // not held while pausing: other points go on
	if !due {
		return nil
	}
	switch f.action {
	case "kill":
		if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
			return fmt.Errorf("killing ourselves at %s: %w", name, err)
		}
		select {} // the signal is on its way; nothing after this point may run
	case "panic":
		panic("fault injected by a test at " + name)
	case "pause":
		time.Sleep(f.pause)
		return nil
	default:
		return fmt.Errorf("%w at %s", ErrInjected, name)
	}
}

// Arm replaces the faults of this process, for tests in the same process; what
// it returns puts the earlier ones back. The points need not be in points.golden.
func Arm(spec string) (restore func(), err error) {
	parsed, err := parse(spec, nil)
	if err != nil {
		return nil, err
	}
	mu.Lock()
	defer mu.Unlock()
	before := faults
	faults = parsed
	return func() {
		mu.Lock()
		defer mu.Unlock()
		faults = before
	}, nil
}

// parse reads a specification; where names is not nil, no other may be used.
func parse(spec string, names []string) (map[string]*fault, error) {
	parsed := map[string]*fault{}
	for part := range strings.SplitSeq(spec, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		name, what, ok := strings.Cut(part, "=")
		if !ok {
			return nil, fmt.Errorf("%q has no action; write name=kill, name=panic, name=error or name=pause:300ms", part)
		}
		if names != nil && !slices.Contains(names, name) {
			return nil, fmt.Errorf("there is no fault point %q; points.golden lists them", name)
		}
		f := &fault{}
		what, count, counted := strings.Cut(what, "@")
		if counted {
			n, err := strconv.Atoi(count)
			if err != nil || n < 1 {
				return nil, fmt.Errorf("%q: after @ stands which hit, counted from 1", part)
			}
			f.only = n
		}
		action, argument, _ := strings.Cut(what, ":")
		f.action = action
		switch action {
		case "kill", "panic", "error":
			if argument != "" {
				return nil, fmt.Errorf("%q: %s takes no argument", part, action)
			}
		case "pause":
			d, err := time.ParseDuration(argument)
			if err != nil || d <= 0 {
				return nil, fmt.Errorf("%q: pause needs a duration, like pause:300ms", part)
			}
			f.pause = d
		default:
			return nil, fmt.Errorf("%q: the action is one of kill, panic, error, pause:300ms", part)
		}
		parsed[name] = f
	}
	return parsed, nil
}
