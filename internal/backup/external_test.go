package backup

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/fault"
)

func TestWhatAnExternalBackupIsWorth(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	const within = 30 * 24 * time.Hour
	own := func(d ExternalDrill) *ExternalDrill { return &d }
	attested := &ExternalDrill{Attested: true, Passed: true, RestoredAt: now.Add(-time.Hour), By: "Ines Duarte"}
	for name, c := range map[string]struct {
		registered time.Duration
		own        *ExternalDrill
		attested   *ExternalDrill
		want       ExternalWorth
		why        string
	}{
		"just registered":              {time.Minute, nil, nil, ExternalDue, "by 30 Dec 2026, 11:59 UTC"},
		"on its last day":              {within, nil, nil, ExternalDue, "by 30 Nov 2026, 12:00 UTC"},
		"a moment later":               {within + time.Second, nil, nil, ExternalOverdue, "since 30 Nov 2026, 11:59 UTC"},
		"attested":                     {time.Hour, nil, attested, ExternalAttested, "on 30 Nov 2026, 11:00 UTC, says Ines Duarte"},
		"attested, late":               {2 * within, nil, attested, ExternalAttested, "on 30 Nov 2026, 11:00 UTC, says Ines Duarte"},
		"attested, but broken here":    {time.Hour, own(ExternalDrill{Findings: []string{"cut"}}), attested, ExternalBroken, "cut"},
		"restores, of unknown origin":  {time.Hour, own(ExternalDrill{Passed: true, Unproven: "no mark"}), attested, ExternalOther, "no mark"},
		"restores, and is ours":        {time.Hour, own(ExternalDrill{Passed: true, Took: time.Second, RestoredAt: now, Backup: uuid.New()}), nil, ExternalProven, "in 1.0 s on 30 Nov 2026, 12:00 UTC"},
		"broken, whoever says what of": {2 * within, own(ExternalDrill{Findings: []string{"cut"}}), nil, ExternalBroken, "cut"},
	} {
		x := External{RegisteredAt: now.Add(-c.registered), Own: c.own, Attested: c.attested}
		if worth, why := x.Worth(now, within); worth != c.want || why != c.why {
			t.Errorf("%s: %q, %q; want %q, %q", name, worth, why, c.want, c.why)
		}
	}
}

func TestADumpOfAPartIsNoBackupOfTheWhole(t *testing.T) {
	now := Manifest{Standing: "V0.0.20", Rows: map[string]int64{"public.lots": 3, "public.bins": 0, "gatehouse.audit_events": 9}, Objects: map[string]int64{"indexes": 4}}
	for name, c := range map[string]struct {
		spoil func(m *Manifest)
		want  string
	}{
		"whole":            {func(*Manifest) {}, ""},
		"fewer rows":       {func(m *Manifest) { m.Rows["public.lots"] = 1 }, ""},
		"before we filled": {func(m *Manifest) { m.Rows["gatehouse.audit_events"] = 0 }, ""},
		"without rows":     {func(m *Manifest) { m.Rows["public.lots"] = 0 }, "it is not all that the database holds now: table public.lots is empty in it, and has rows now"},
		"without a table":  {func(m *Manifest) { delete(m.Rows, "public.lots") }, "it is not all that the database holds now: table public.lots was not restored"},
		"without an index": {func(m *Manifest) { m.Objects["indexes"] = 3 }, "it is not all that the database holds now: there are 3 of indexes, and there were 4"},
		"of another day": {
			func(m *Manifest) { m.Standing = "V0.0.18" },
			"it is not all that the database holds now: the warehouse's schema stands at V0.0.18, and stood at V0.0.20",
		},
	} {
		restored := Manifest{Standing: now.Standing, Rows: map[string]int64{}, Objects: map[string]int64{"indexes": 4}}
		for table, n := range now.Rows {
			restored.Rows[table] = n
		}
		c.spoil(&restored)
		if got := incomplete(restored, now); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// All that is wrong is said at once.
func TestARegistrationIsToldAllThatIsWrong(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	s := NewExternals(nil, nil, nil, func() time.Time { return now }, time.Hour)
	err := s.Check(Registration{Provider: " ", SHA256: "xyz", File: "../x", TakenAt: now.Add(time.Hour)})
	told, _ := fault.As(err)
	if told == nil || len(told.Fields) != 7 {
		t.Errorf("Check = %v, want a word to each of the seven fields", err)
	}
	if err := s.Check(Registration{Provider: "A", Identifier: "b", Covers: "all", Evidence: "a link", TakenAt: now}); err != nil {
		t.Errorf("Check of a whole registration: %v", err)
	}
}
