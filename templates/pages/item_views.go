package pages

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

// EvidenceKind is what an item asks for before it may be done.
type EvidenceKind string

// The kinds of evidence.
const (
	EvidenceNone      EvidenceKind = "none"
	EvidenceText      EvidenceKind = "text"
	EvidenceNumber    EvidenceKind = "number"
	EvidenceLink      EvidenceKind = "link"
	EvidenceStatement EvidenceKind = "statement"
	EvidenceAFile     EvidenceKind = "file"
	EvidenceAuto      EvidenceKind = "auto" // filled by a check of the system, never by hand
)

// Evidence is one piece of it, as stored.
type Evidence struct {
	Kind     string // in words: "number"
	Value    string
	Href     string // for links
	Note     string
	By       string
	At       components.Time
	SHA256   string
	Mismatch bool   // the stored value no longer has the hash it was stored with
	Machine  bool   // made by a check
	Query    string // what the check asked
	Answer   string // what it was told
	Passed   components.State
}

// EvidenceFile is a file that somebody attached.
type EvidenceFile struct {
	Name, Size string
	Href       string // empty where it is not handed out
	SHA256     string
	By         string
	At         components.Time
	Mismatch   bool // the stored bytes no longer have the hash they came with
	Old        bool // attached before the item was put back, so it counts no more
}

// AttachForm adds a file; no address where this person may not. It posts evidence_file.
type AttachForm struct {
	Action   string
	Hint     string
	MaxBytes int
	Tried    bool // what Complaints say of the file is about this form
}

// Comment is what somebody said beside an item; TookOverFrom is whom they took it over from with it.
type Comment struct {
	By, Words, TookOverFrom string
	At                      components.Time
}

// Comments are what people said, oldest first, and the form for more; no address where this person may not.
// It posts comment and key.
type Comments struct {
	Said   []Comment
	Action string
	Key    string
	Text   string // what was typed
}

// WaiveForm skips a required item by a signature. It posts reason and version.
type WaiveForm struct {
	Action    string // empty: not offered
	Statement string // what is declared, word by word
	FreshHref string // to a fresh sign-in, where one is needed first
	Roles     []string
}

// Waived is the signature by which a required item is skipped.
type Waived struct {
	By, Role, Statement, Reason, SHA256 string
	At                                  components.Time
	Mismatch                            bool
}

// HistoryLine is one thing that happened to an item.
type HistoryLine struct {
	At   components.Time
	Who  string
	What string
	Note string
}

// EvidenceForm is what the form for done asks. It posts evidence_text,
// evidence_number, evidence_link or evidence_statement by kind, and note.
type EvidenceForm struct {
	Kind      EvidenceKind
	Label     string // "Size of the dump"
	Hint      string // the range in words: "Between 100 and 100 000 MB."
	Unit      string
	Statement string // the sentence a person confirms, verbatim
	Value     string // what was typed
	Confirmed bool
	Note      string
	Attached  []components.Option // files that are there already, field attached; none, no choice
}

// ItemActs are the acts open to this person now. An act with an empty address
// is not offered.
type ItemActs struct {
	Take     string // POST .../take
	TakeText string // "Take it"
	// TakeOver takes it out of somebody else's hands: POST .../takeover, field reason
	TakeOver, TakeOverText string
	Check                  string // POST .../check, kind auto
	Done                   string // POST .../done
	Fail                   string // POST .../fail, field reason
	Reopen                 string // POST .../reopen, field reason
	Skip                   string // POST .../skip, field reason
	Reason                 string // what was typed
	Tried                  string // the act whose reason was refused: "fail", "reopen", "skip"
}

// OtherVersion is what somebody else made of the item while this person typed.
type OtherVersion struct {
	Looking bool // nothing was sent: the person only looks at both versions
	By      string
	At      components.Time
	Rows    []Difference
}

// Difference is one thing that is not what it was.
type Difference struct {
	What, Then, Now string
	// Typed says that Then is the person's own, not saved: it is not struck out.
	Typed bool
}

// Settled is who finished, failed or skipped an item, and when.
type Settled struct {
	Word string // "Done by"
	By   string
	At   components.Time
}

// ItemShowView is one item: what to do, what is expected, the evidence so far.
type ItemShowView struct {
	layouts.Shell
	Here        []Present // who else has it open
	Moved       MovedPart
	Report      components.Link // where the item is about what closes a release
	Snapshots   components.Link // of the item's hour; zero where it is about none
	ID          string
	Name        string
	Phase       string
	State       components.State
	Owner       string
	Who         string  // who has it; empty when nobody does
	Settled     Settled // who brought it to its end; empty while it is open or in hand
	Yours       bool
	Bars        string // which gate whoever gives evidence here cannot sign; empty where the runbook bars nobody
	Due         components.Time
	Late        string
	Calm        bool // what Late says is nobody's delay
	Required    bool
	Do          []string // paragraphs
	Command     string   // what to type or run, verbatim; may be empty
	Expected    string
	Undo        []string // the item's own way back, then one line a reference
	Evidence    []Evidence
	Files       []EvidenceFile
	GoodUntil   components.Time // when its evidence grows too old to be signed on
	Comments    Comments
	TakenFrom   Comment // by whom it was taken over from this person, who has not got it back
	Waive       WaiveForm
	Waived      Waived
	Attach      AttachForm
	History     []HistoryLine
	Auto        bool
	AutoWhy     string // why it cannot be ticked by hand, and what the check reads
	Asked       EvidenceForm
	Acts        ItemActs
	Version     string // hidden in every form
	Complaints  components.Complaints
	Conflict    *OtherVersion
	Typed       []components.Fact // typed into a form that is not offered now
	Refused     string            // why this person may not act; empty when they may
	WhoCan      []string
	Waiting     []components.Link // what has to be done before this item
	ReleaseHref string
	LiveHref    string // asked again while the page is open; empty when nothing can change
	Previous    components.Link
	Following   components.Link
}
