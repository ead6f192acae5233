package main

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/audit"
)

func TestAMadeChainHoldsAndAChangedOneDoesNot(t *testing.T) {
	made := madeChain{tenant: uuid.MustParse("22222222-2222-7222-8222-222222222222")}
	var whole, changed audit.Chain
	var found error
	for range 100 {
		e := made.next()
		if err := whole.Add(e); err != nil {
			t.Fatalf("entry %d of a made chain: %v", e.Seq, err)
		}
		if e.Seq == 60 {
			e.Reason = "Something else."
		}
		if found == nil {
			found = changed.Add(e)
		}
	}
	if want := (audit.Break{Seq: 60, What: "was changed after it was written"}); !errors.Is(found, want) {
		t.Errorf("the changed chain: got %v, want %v", found, want)
	}
	if seq, _ := whole.Head(); seq != 100 {
		t.Errorf("the chain ends at entry %d, want 100", seq)
	}
}
