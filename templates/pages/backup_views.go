package pages

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

// BackupRow is one backup.
type BackupRow struct {
	ID       string
	Taken    components.Time
	Worth    components.State
	Why      string // "in 41 s on 2026-11-24 08:00 UTC", or what was wrong
	Standing string // "V0.0.18"
	Size     string
	Tables   string // "61 tables, 1,204,331 rows"
	By       string
	Name     string
	SHA256   string
}

// BackupListView is the newest 50 backups.
type BackupListView struct {
	layouts.Shell
	Sentence string
	Tone     components.Tone
	Rows     []BackupRow
	Nothing  string
	Commands string // empty for people of other tenants, as is the sentence
}
