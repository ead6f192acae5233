package inbox

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
)

var (
	run = uuid.MustParse("33333333-3333-7333-8333-333333333333")
	t0  = time.Date(2026, 11, 24, 19, 0, 0, 0, time.UTC) // 14:00 in New York
)

// item is one that is due at T-0 and ready, of a release that began a day before.
func item(change func(*Task)) Task {
	t := Task{
		Kind: Item, ID: "item " + run.String() + " P2.1", Object: "P2.1", Title: "Apply V0.0.15", Run: run, Release: "REQ-1", Zone: "America/New_York",
		Role: actor.DevOpsEngineer, Ready: true, Required: true, DueAt: t0, T0: t0, StartedAt: t0.Add(-24 * time.Hour),
	}
	if change != nil {
		change(&t)
	}
	return t
}

func TestRemindersComeWhenTheyAreDue(t *testing.T) {
	held := func(t *Task) { t.Holder = Person{"https://id.example", "w", "Wim"} }
	for name, c := range map[string]struct {
		task  Task
		after time.Duration // T-0
		want  NoticeKind    // empty for none
		says  string
	}{
		"16 minutes ahead":            {item(nil), -16 * time.Minute, "", ""},
		"15 minutes ahead":            {item(nil), -15 * time.Minute, DueSoon, "REQ-1: P2.1, Apply V0.0.15 is due at 14:00 EST (19:00 UTC) on 24 Nov 2026"},
		"at the time":                 {item(nil), 0, "", ""},
		"59 seconds late":             {item(nil), 59 * time.Second, "", ""},
		"a minute late":               {item(nil), time.Minute, Overdue, "It is for whoever is DevOps engineer, and nothing keeps it from being done."},
		"in somebody's hands":         {item(held), time.Hour, Overdue, "Wim has it in hand, and nothing keeps it"},
		"not ready":                   {item(func(t *Task) { t.Ready = false }), time.Hour, "", ""},
		"optional":                    {item(func(t *Task) { t.Required = false }), time.Hour, "", ""},
		"due before the start":        {item(func(t *Task) { t.StartedAt = t0.Add(time.Minute) }), time.Hour, "", ""},
		"a check while watching":      {item(func(t *Task) { t.Checked, t.Watching = true, true }), time.Hour, SnapshotMissed, "was to be taken at 14:00 EST"},
		"a check before the sign-off": {item(func(t *Task) { t.Checked = true }), time.Hour, Overdue, ""},
		"a zone nobody knows":         {item(func(t *Task) { t.Zone = "Mars/Olympus" }), -time.Minute, DueSoon, "due at 19:00 UTC on"},
		"a gate that opened early":    {item(func(t *Task) { t.Kind, t.Object, t.Title, t.Role = Gate, "go_no_go", "Go / no-go", actor.QALead }), -time.Hour, GateWaiting, "waits for the signature of the QA lead"},
		"a gate signed once more": {item(func(t *Task) {
			t.Kind, t.Object, t.Title, t.Role, t.Round = Gate, "go_no_go", "Go / no-go", actor.QALead, 1
		}), -time.Hour, GateWaiting, "REQ-1: The gate Go / no-go waits for the signature of the QA lead again, because the one that was given does not count any more"},
		"a gate that is late": {item(func(t *Task) { t.Kind, t.Object, t.Title, t.Role = Gate, "go_no_go", "Go / no-go", actor.QALead }), time.Hour, GateOverdue, "lacks the signature of the QA lead"},
	} {
		got := reminders([]Task{c.task}, t0.Add(c.after))
		if c.want == "" {
			if len(got) != 0 {
				t.Errorf("%s: %s, want nothing", name, got[0].Headline)
			}
			continue
		}
		if len(got) != 1 || got[0].Kind != c.want || !strings.Contains(got[0].Headline+" "+got[0].Body, c.says) {
			t.Errorf("%s: %+v, want one %s that says %q", name, got, c.want, c.says)
			continue
		}
		if wantRole := !c.task.Holder.Known(); (got[0].Role != "") != wantRole || got[0].Person.Known() == wantRole {
			t.Errorf("%s: it is for role %q and person %q", name, got[0].Role, got[0].Person.Name)
		}
	}
}

// What is due at another time, and a place that was signed and is empty again, is told again; nothing else is.
func TestAKeyNamesTheCause(t *testing.T) {
	key := func(task Task, after time.Duration) string {
		list := reminders([]Task{task}, t0.Add(after))
		if len(list) != 1 {
			t.Fatalf("%d reminders of %s", len(list), task.ID)
		}
		return list[0].Key
	}
	gate := func(round int) Task { return item(func(t *Task) { t.Kind, t.Round = Gate, round }) }
	same := [][2]string{{key(item(nil), time.Hour), key(item(nil), 2*time.Hour)}, {key(gate(0), -time.Hour), key(gate(0), -time.Minute)}}
	other := [][2]string{
		{key(item(nil), time.Hour), key(item(nil), -time.Minute)},
		{key(item(nil), time.Hour), key(item(func(t *Task) { t.DueAt = t0.Add(time.Minute) }), time.Hour)},
		{key(gate(0), -time.Hour), key(gate(1), -time.Hour)},
	}
	for _, pair := range same {
		if pair[0] != pair[1] {
			t.Errorf("one cause has the keys %s and %s", pair[0], pair[1])
		}
	}
	for _, pair := range other {
		if pair[0] == pair[1] {
			t.Errorf("two causes have the key %s", pair[0])
		}
	}
}

func TestWhoIsAskedForASecondSignatureIsEverybodyWhoSigns(t *testing.T) {
	task := Task{Kind: Override, ID: "override 1", Object: "freeze", Title: strings.Repeat("reason ", 800), Holder: Person{"i", "s", "Sam"}, Ready: true, Required: true, DueAt: t0, Run: run, Release: "REQ-1"}
	var roles []actor.Role
	for _, n := range reminders([]Task{task}, t0.Add(-time.Hour)) {
		roles = append(roles, n.Role)
		if !strings.Contains(n.Headline, "Sam asks for a second person to override a freeze") || len([]rune(n.Body)) > 4000 {
			t.Errorf("%q with a body of %d characters", n.Headline, len([]rune(n.Body)))
		}
	}
	if diff := cmp.Diff(actor.RolesWith(actor.GateSign), roles); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

type tally struct {
	Store
	asked int
}

func (t *tally) Ready(context.Context, actor.Actor, string) (int, error) {
	t.asked++
	return t.asked, nil
}

func TestACountIsAskedForAgainOnlyWhenItMayHaveChanged(t *testing.T) {
	store, now := &tally{}, t0
	s := NewService(store, "demo", func() time.Time { return now })
	qa := actor.Actor{Issuer: "i", Subject: "q", Roles: []actor.Role{actor.QALead}}
	other := actor.Actor{Issuer: "i", Subject: "o", Roles: []actor.Role{actor.QALead}}
	for _, step := range []struct {
		what string
		by   actor.Actor
		seq  int64
		wait time.Duration
		want int // as many as were asked then
	}{
		{"first", qa, 7, 0, 1},
		{"again", qa, 7, 0, 1},
		{"after an entry", qa, 8, 0, 2},
		{"somebody else", other, 8, 0, 3},
		{"again", qa, 8, 14 * time.Second, 2},
		{"after a while", qa, 8, time.Second, 4},
		{"after a restore took entries", qa, 5, 0, 5},
		{"a reader", actor.Actor{Subject: "v", Roles: []actor.Role{actor.Viewer}}, 9, 0, 0},
	} {
		now = now.Add(step.wait)
		if got, err := s.Count(t.Context(), step.by, step.seq); err != nil || got != step.want {
			t.Errorf("%s: %d, %v; want %d", step.what, got, err, step.want)
		}
	}
}
