package pages

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

// BackupRestoreView is one backup, what restoring it would do, and who asked for it.
type BackupRestoreView struct {
	layouts.Shell
	Backup, Database string
	Tone             components.Tone
	Sentence         string
	Facts            []components.Fact
	Sessions         []string // other programs on the database, in words
	Look             *RestoreLook
	LookAction       string // empty where the reader may not, or the backup may not be restored
	Ask              RestoreForm
	Requests         []RestoreRow
	FreshHref        string
	WhoCan           []string // who may ask; nil where the reader may
	Complaints       components.Complaints
}

// RestoreLook is what a restore would do, as it was counted.
type RestoreLook struct {
	ID, Sentence, By string
	At               components.Time
	Stale            string // why nothing is asked on it any more; empty where it may be
	Versions         []string
	Tables           []RestoreTable
}

// RestoreTable is a table then and now.
type RestoreTable struct{ Name, Now, Then, After string }

// RestoreForm asks for a restore, or for the database's name alone. It is not drawn where there is no action.
type RestoreForm struct {
	Action, Key, Look, Seen, ID string
	Reason, Typed               string
	Problem                     string // with the typed name
	WhyNot                      string
}

// RestoreRow is one request.
type RestoreRow struct {
	ID, Reason, By string
	State          components.State
	Sentence       string
	Asked, Expires components.Time
	Second         string
	SHA256         string
	Counted        string
	Versions       []string
	Operation      components.Link
	Safety         string // what the dump that was taken first is worth; empty where there is none
	SafetyHref     string // where it can be restored beside the database; empty where that was done
	Agree, Start   RestoreForm
	Withdraw       string
	WhyNot         string
	Command        string // what the button Start does, from a shell
}
