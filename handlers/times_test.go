package handlers

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agogsaas/gatehouse/templates/components"
)

func TestMomentNamesItsZone(t *testing.T) {
	now := time.Date(2026, 11, 23, 23, 4, 48, 500_000_000, time.UTC)
	for zone, want := range map[string]string{"UTC": "23:04 UTC", "America/New_York": "18:04 EST", "America/Sao_Paulo": "20:04 UTC-03"} {
		place, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		got := moment(now.Add(-48500*time.Millisecond), now, place)
		if diff := cmp.Diff(components.Time{Local: want, Relative: "48 s ago", UTC: "2026-11-23 23:04:00 UTC"}, got); diff != "" {
			t.Errorf("in %s (-want +got):\n%s", zone, diff)
		}
	}
}

func TestCounted(t *testing.T) {
	for n, want := range map[int]string{0: "0 releases", 1: "1 release", 2: "2 releases"} {
		if got := counted(n, "release", "releases"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestNotOnly(t *testing.T) {
	for _, c := range []struct {
		sentence string
		list     []string
		want     []string
	}{
		{"Cache: late.", []string{"Cache: late."}, nil},
		{"Cache: late.", []string{"Cache: late.", "ML: low."}, []string{"Cache: late.", "ML: low."}},
		{"Cache: late.", []string{"ML: low."}, []string{"ML: low."}},
	} {
		if diff := cmp.Diff(c.want, notOnly(c.sentence, c.list)); diff != "" {
			t.Errorf("%v beside %q (-want +got):\n%s", c.list, c.sentence, diff)
		}
	}
}
