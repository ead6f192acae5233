package handlers

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/templates/components"
)

func TestNoDifferenceOnAServerThatNobodyTriedIsNotGood(t *testing.T) {
	t.Parallel()
	for major, want := range map[int]components.Tone{15: components.Good, 18: components.Good, 19: components.Unknown, 0: components.Unknown} {
		sentence, tone := driftSaid(&migration.DriftReport{Version: 20, Compared: 9, ServerMajor: major})
		if tone != want || (major != 15) == strings.HasSuffix(sentence, "no difference.") {
			t.Errorf("on PostgreSQL %d: %s, %q; want %s", major, tone, sentence, want)
		}
	}
	if _, tone := driftSaid(&migration.DriftReport{Version: 20, ServerMajor: 19, Differences: make([]migration.Difference, 1)}); tone != components.Bad {
		t.Errorf("a difference on PostgreSQL 19 is %s, want bad", tone)
	}
}

func TestAnAcceptanceSaysUntilWhen(t *testing.T) {
	t.Parallel()
	d := migration.Difference{SHA256: "a"}
	for want, until := range map[string]time.Time{
		"Accepted by Eli, until it is withdrawn: why":       {},
		"Accepted by Eli, until 3 Dec 2026, 13:29 UTC: why": time.Date(2026, 12, 3, 13, 29, 0, 0, time.UTC),
	} {
		list := []migration.Difference{d}
		migration.MarkAccepted(list, []migration.Acceptance{{ID: uuid.New(), SHA256: "a", By: "Eli", Reason: "why", Until: until}})
		if got := driftRow(list[0]).Accepted; got != want {
			t.Errorf("accepted until %v: %q, want %q", until, got, want)
		}
	}
}
