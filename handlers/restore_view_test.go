package handlers

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/restore"
)

// Whoever restored reads what the dump that was taken first is worth: nothing, before a drill restored it.
func TestARestoreSaysWhatItsSafetyDumpIsWorth(t *testing.T) {
	h := restores{now: func() time.Time { return schemaNow }}
	for name, c := range map[string]struct {
		request restore.Request
		says    string
		href    string
	}{
		"none was taken":   {},
		"never restored":   {restore.Request{Safety: uuid.New(), SafetyName: "safety.dump"}, "never restored, so nobody knows yet that it restores", backupsPage},
		"a drill restored": {restore.Request{Safety: uuid.New(), SafetyName: "safety.dump", SafetyRestores: true}, "a drill restored it since", ""},
	} {
		row := h.requestView(c.request, reader{}, true)
		if !strings.Contains(row.Safety, c.says) || (c.says == "") != (row.Safety == "") || row.SafetyHref != c.href {
			t.Errorf("%s: %q to %q; want %q to %q", name, row.Safety, row.SafetyHref, c.says, c.href)
		}
	}
}
