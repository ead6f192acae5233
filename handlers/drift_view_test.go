package handlers

import (
	"strings"
	"testing"

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
