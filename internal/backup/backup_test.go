package backup_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agogsaas/gatehouse/internal/backup"
)

func TestDifferencesNameWhatIsNotAsItWas(t *testing.T) {
	t.Parallel()
	was := backup.Manifest{Standing: "V0.0.18", Rows: map[string]int64{"public.bins": 7, "public.lots": 3}, Objects: map[string]int64{"indexes": 2, "policies": 1}}
	for name, c := range map[string]struct {
		is   backup.Manifest
		want []string
	}{
		"the same": {was, nil},
		"rows":     {backup.Manifest{Standing: "V0.0.18", Rows: map[string]int64{"public.bins": 6, "public.lots": 3}, Objects: was.Objects}, []string{"table public.bins has 6 rows, and had 7"}},
		"tables": {
			backup.Manifest{Standing: "V0.0.18", Rows: map[string]int64{"public.bins": 7, "public.more": 1}, Objects: was.Objects},
			[]string{"table public.lots was not restored", "table public.more was restored and not dumped"},
		},
		"objects":  {backup.Manifest{Standing: "V0.0.18", Rows: was.Rows, Objects: map[string]int64{"indexes": 2}}, []string{"there are 0 of policies, and there were 1"}},
		"standing": {backup.Manifest{Standing: "V0.0.16", Rows: was.Rows, Objects: was.Objects}, []string{"the warehouse's schema stands at V0.0.16, and stood at V0.0.18"}},
	} {
		if diff := cmp.Diff(c.want, was.Differences(c.is)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestABackupIsWorthItsNewestLook(t *testing.T) {
	t.Parallel()
	at := func(hour int) time.Time { return time.Date(2026, 1, 2, hour, 0, 0, 0, time.UTC) }
	good := &backup.Check{Kind: backup.Drill, Passed: true, At: at(3), Took: 90 * time.Second}
	for name, c := range map[string]struct {
		b    backup.Backup
		want string
	}{
		"no look":              {backup.Backup{}, "never restored"},
		"read again":           {backup.Backup{Verified: &backup.Check{Passed: true, At: at(4)}}, "never restored"},
		"restored":             {backup.Backup{Drilled: good}, "restored in 1 min 30 s on 2 Jan 2026, 03:00 UTC"},
		"damaged since":        {backup.Backup{Drilled: good, Verified: &backup.Check{Findings: []string{"altered"}, At: at(4)}}, "does not restore altered"},
		"damaged, then repair": {backup.Backup{Drilled: good, Verified: &backup.Check{Findings: []string{"altered"}, At: at(2)}}, "restored in 1 min 30 s on 2 Jan 2026, 03:00 UTC"},
		"drill failed":         {backup.Backup{Drilled: &backup.Check{Findings: []string{"gone"}, At: at(3)}}, "does not restore gone"},
	} {
		worth, why := c.b.Worth()
		if got := strings.TrimSpace(string(worth) + " " + why); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
