package handlers

import (
	"strings"
	"testing"
	"time"

	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/operation"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

// What was restored once and was found damaged since is not said to have never been restored.
func TestThePageOfBackupsSaysWhetherOneRestores(t *testing.T) {
	h := backups{now: func() time.Time { return schemaNow }}
	restored := &backup.Check{Kind: backup.Drill, Passed: true, At: schemaNow.Add(-time.Hour)}
	damaged := &backup.Check{Kind: backup.Verify, Findings: []string{"the file has been altered"}, At: schemaNow}
	for says, list := range map[string][]backup.Backup{
		"has been restored here yet":      {{}},
		"is known to restore now":         {{}, {Drilled: restored, Verified: damaged}},
		"The newest backup that restores": {{Drilled: restored, Verified: damaged}, {Drilled: restored}},
	} {
		v := h.listView(layouts.Shell{}, devops, operation.Overview{Backups: list})
		if good := strings.HasPrefix(says, "The newest"); !strings.Contains(v.Sentence, says) || (v.Tone == components.Good) != good {
			t.Errorf("of %d backups it says %q (%s), want %q", len(list), v.Sentence, v.Tone, says)
		}
	}
}
