package pages

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

// ExternalRow is one backup that another tool took.
type ExternalRow struct {
	ID, Href, Name string
	Taken          components.Time
	Worth          components.State
	Why            string
	Covers, By     string
}

// ExternalForm registers one; without an action nobody may now.
type ExternalForm struct {
	Action                                                      string
	Provider, Identifier, Taken, Covers, Evidence, SHA256, File string
	Complaints                                                  components.Complaints
}

// ExternalListView is the newest 50.
type ExternalListView struct {
	layouts.Shell
	Lead    string
	Rows    []ExternalRow
	Nothing string
	Form    ExternalForm
	Fresh   string // where to sign in afresh to register one
	WhoCan  []string
}

// AttestForm says that somebody restored it elsewhere.
type AttestForm struct {
	Action, Restored, Evidence string
	Complaints                 components.Complaints
}

// ExternalShowView is one of them.
type ExternalShowView struct {
	layouts.Shell
	ID      string
	Worth   components.State
	Why     string
	Follows string // what follows for whoever wants to apply a migration
	Facts   []components.Fact
	SHA256  string // empty where nobody said
	Drill   Order
	Attest  AttestForm
	Fresh   string
	WhoCan  []string
}
