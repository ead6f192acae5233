package migration

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWhatAStepWaitsForIsReadFromItsLog(t *testing.T) {
	at := time.Date(2026, 11, 30, 2, 0, 0, 0, time.UTC)
	report := Blocker{PID: 4711, User: "wms", Application: "nightly, report", Age: 40 * time.Second, Query: "SELECT 1;\nSELECT 2"}
	other := Blocker{PID: 4712, User: "ana", Application: "psql", Age: time.Hour, Query: "LOCK TABLE lots"}
	log := func(texts ...string) (lines []Line) {
		for i, text := range texts {
			lines = append(lines, Line{Seq: i + 1, At: at.Add(time.Duration(i) * time.Second), Text: text})
		}
		return lines
	}
	one, both := BlockerLines([]Blocker{report}), BlockerLines([]Blocker{report, other})
	try1, try2 := LockTryLine(2*time.Second, 1, 2), LockTryLine(2*time.Second, 2, 2)
	for _, c := range []struct {
		name  string
		lines []Line
		want  *LockWait
	}{
		{"nothing", nil, nil},
		{"it has only begun", log("Up of V0.0.20 begins, asked for by Dora."), nil},
		{"one holder", log("Running it.", one[0]), &LockWait{Blockers: []Blocker{report}, At: at.Add(time.Second)}},
		{"two holders", log(one[0], both[0], both[1]), &LockWait{Blockers: []Blocker{report, other}, At: at.Add(time.Second)}},
		{"between two tries", log(one[0], try1), &LockWait{At: at.Add(time.Second), Tries: 1, Of: 2}},
		{"in the second try", log(one[0], try1, one[0]), &LockWait{Blockers: []Blocker{report}, At: at.Add(2 * time.Second), Tries: 1, Of: 2}},
		{"the server warns meanwhile", log(one[0], "WARNING: slow"), &LockWait{Blockers: []Blocker{report}, At: at}},
		{"it was had", log(one[0], try1, "Statement 3 of 9."), nil},
		{"given up", log(one[0], try1, one[0], try2), nil},
	} {
		if diff := cmp.Diff(c.want, ReadWait(c.lines)); diff != "" {
			t.Errorf("%s: ReadWait (-want +got):\n%s", c.name, diff)
		}
	}
}
