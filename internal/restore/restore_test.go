package restore

import (
	"strings"
	"testing"
)

func TestASentenceSaysWhatIsLost(t *testing.T) {
	for name, c := range map[string]struct {
		tables []Table
		want   string
	}{
		"nothing":  {[]Table{{Name: "public.lots", Then: 3, Now: 3}}, "Every table has as many rows as when the backup was taken on "},
		"one row":  {[]Table{{Name: "public.lots", Then: 3, Now: 4}}, "1 row that is there now would be gone and 0 would be back, in 1 table."},
		"more":     {[]Table{{Name: "public.lots", Then: 3, Now: 5}, {Name: "public.users", Then: 4, Now: 1}}, "2 rows that are there now would be gone and 3 would be back, in 2 tables."},
		"estimate": {[]Table{{Name: "public.lots", Then: 3, Now: 5, About: true}}, "About 2 rows that are there now would be gone and 0 would be back, in 1 table."},
		"a table":  {[]Table{{Name: "public.by_hand", Goes: true}}, "0 rows that are there now would be gone and 0 would be back, in 1 table."},
	} {
		if got := (Result{Tables: c.tables}).Sentence(); !strings.HasPrefix(got, c.want) || !strings.HasSuffix(got, "changed in place since then is undone as well, and is not counted.") {
			t.Errorf("%s: Sentence() = %q, want it to begin with %q", name, got, c.want)
		}
	}
}
