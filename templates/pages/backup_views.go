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
	Orders   []Order // none where the reader may not, or another operation is under way
	// Safety says that it was taken before a restore, and how long it is kept; empty for any other.
	Safety string
	// RestoreHref leads to what a restore of the warehouse would do; empty for a backup that may not be restored.
	RestoreHref string
}

// Order is a button that orders work; Key makes a double press one order.
type Order struct {
	Action, Key, Effect string
}

// OperationRow is one order and what came of it.
type OperationRow struct {
	ID, Href, Title string
	State           components.State
	By              string
	Ordered         components.Time
	Sentence        string
}

// OperationShowView is one operation, refreshing itself until it ends.
type OperationShowView struct {
	layouts.Shell
	ID, Kind       string
	State          components.State
	Sentence       string
	By, Elapsed    string
	ElapsedMs      int64 // goes on while the page is open; zero while it has not begun
	Ordered        components.Time
	Started, Ended components.Time
	Lines          []LogLine
	LiveHref       string // empty once it has ended
	EventHref      string // where its events come from
	Next           components.Link
}

// BackupListView is the newest 50 backups.
type BackupListView struct {
	layouts.Shell
	Sentence string
	Tone     components.Tone
	Rows     []BackupRow
	Nothing  string
	Commands string // empty for people of other tenants, as is the sentence

	// Take orders a backup; without an action nobody may now: Off says what is not configured, UnderWay what has the
	// floor, WhoCan whose roles may.
	Take       Order
	Off        string
	UnderWay   *OperationRow
	WhoCan     []string
	Operations []OperationRow // the newest 10
	Externals  []ExternalRow  // that other tools took
	Register   components.Link
}
