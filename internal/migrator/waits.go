package migrator

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/agogsaas/gatehouse/internal/migration"
)

// waitLogs are those of the steps under way, by run. Who looks out for a run writes into its log, and the step takes what
// is there into the ledger's row.
type waitLogs struct {
	mu  sync.Mutex
	all map[migration.RunID]*waitLog
}

func (w *waitLogs) begin(run migration.RunID) *waitLog {
	w.mu.Lock()
	defer w.mu.Unlock()
	log := &waitLog{now: map[int64]time.Duration{}}
	if run != (migration.RunID{}) {
		if w.all == nil {
			w.all = map[migration.RunID]*waitLog{}
		}
		w.all[run] = log
	}
	return log
}

func (w *waitLogs) end(run migration.RunID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.all, run)
}

// of is nil where no step of the run is under way.
func (w *waitLogs) of(run migration.RunID) *waitLog {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all[run]
}

// waitLog is what one step waited for so far. A nil log takes nothing in.
type waitLog struct {
	mu      sync.Mutex
	watched bool
	times   int
	took    time.Duration
	now     map[int64]time.Duration // waits seen in the try at hand, by when the server says that they began
	who     []string
}

// saw is one look: nobody, or somebody since a moment.
func (l *waitLog) saw(who string, since time.Time, so time.Duration) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watched = true
	if who == "" {
		return
	}
	l.now[since.UnixMicro()] = max(l.now[since.UnixMicro()], so)
	if !slices.Contains(l.who, who) && len(l.who) < 10 {
		l.who = append(l.who, who)
	}
}

// notHad closes a try that waited in vain: as long as it may, whether or not somebody looked.
func (l *waitLog) notHad(bound time.Duration) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	times, took := l.seen()
	l.times, l.took = l.times+max(times, 1), l.took+max(took, bound)
	l.now = map[int64]time.Duration{}
}

func (l *waitLog) seen() (times int, took time.Duration) {
	for _, d := range l.now {
		times, took = times+1, took+d
	}
	return times, took
}

// total is what the ledger keeps; nil where nobody looked at a step that was long enough to have waited.
func (l *waitLog) total(length time.Duration) *migration.LockWaits {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.watched && l.times == 0 && length >= blockerPause {
		return nil
	}
	times, took := l.seen()
	return &migration.LockWaits{Times: l.times + times, Took: l.took + took, For: strings.Join(l.who, "\n")}
}
