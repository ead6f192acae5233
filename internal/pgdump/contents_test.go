package pgdump

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTablesOfAListing(t *testing.T) {
	got := tablesIn([]byte(`;
; Selected TOC Entries:
;
215; 1259 16402 TABLE public materials gatehouse_owner
3456; 0 16402 TABLE DATA public materials gatehouse_owner
3457; 0 16410 TABLE DATA erp Old Stock 2019 erp_owner
3458; 0 0 SEQUENCE SET public materials_id_seq gatehouse_owner
`))
	if diff := cmp.Diff([]string{"public.materials", "erp.Old Stock 2019"}, got); diff != "" {
		t.Errorf("tablesIn (-want +got):\n%s", diff)
	}
}
