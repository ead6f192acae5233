package pages

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

// RunbookRow is one version of a runbook that a release can be started from.
type RunbookRow struct {
	Name, Version, Title string
	SHA256, Href         string // Href gives its text, byte by byte
	Items, News          string
	Summary              string // a company's own word on its runbook; empty for ours
	Age                  components.State
}

// RunbookListView are the runbooks, and the form to import one. It posts runbook_file.
type RunbookListView struct {
	layouts.Shell
	Rows       []RunbookRow
	Action     string // empty: not offered
	MaxBytes   int
	Complaints components.Complaints
	Problems   []string // of the file that was refused, by line
	Refused    string
	WhoCan     []string
}

// RunbookFrozenView is the runbook a release was started from, and in what the newest of its name differs.
type RunbookFrozenView struct {
	layouts.Shell
	Facts  []components.Fact
	Newest string
	Same   bool
	Rows   []Difference
}
