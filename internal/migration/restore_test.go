package migration

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agogsaas/gatehouse/internal/fault"
)

func TestPlanRestore(t *testing.T) {
	t.Parallel()
	entry := func(id int64, version int, direction Direction, success bool, text string) Entry {
		return Entry{ID: id, Version: Version(version), Direction: direction, Success: success, TokensSHA256: text}
	}
	ledger := []Entry{
		entry(3, 15, Up, true, "b"), entry(1, 14, Baseline, true, "a"), // any order
		entry(7, 16, Up, false, "c"), entry(8, 16, Up, true, "c"),
		entry(9, 15, Down, true, "undo b"), entry(12, 15, Up, true, "b, mended"), entry(13, 16, Down, true, "undo c"),
	}
	for name, c := range map[string]struct {
		held int
		want []string
		high Version
	}{
		"the backup is as new as the ledger":             {7, nil, 15},
		"an undo comes back":                             {6, []string{"16 baseline of 8"}, 16},
		"an undo comes back, a mended text goes":         {4, []string{"15 baseline of 3", "16 baseline of 8"}, 16},
		"a failure after the backup changes nothing":     {3, []string{"15 baseline of 3"}, 15},
		"what came after the backup goes":                {1, []string{"15 restore of 12"}, 14},
		"everything came after the backup":               {0, []string{"14 restore of 1", "15 restore of 12"}, -1},
		"undone before the backup, and applied after it": {5, []string{"15 restore of 12", "16 baseline of 8"}, 16},
	} {
		changes, high, err := PlanRestore(ledger, c.held)
		var got []string
		for _, change := range changes {
			got = append(got, fmt.Sprintf("%d %s of %d", change.Version, change.Direction, change.Was.ID))
		}
		if diff := cmp.Diff(c.want, got); diff != "" || high != c.high || err != nil {
			t.Errorf("%s: PlanRestore(_, %d) = %v, %d, %v, want %d\n%s", name, c.held, got, high, err, c.high, diff)
		}
	}
	if _, _, err := PlanRestore(ledger, 8); !fault.Is(err, fault.Conflict) {
		t.Errorf("a ledger that is older than the backup's is answered with %v, want a conflict", err)
	}
}
