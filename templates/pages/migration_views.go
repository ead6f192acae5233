package pages

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

// Rung is one version on the ladder.
type Rung struct {
	Version  string // "V0.0.20"
	Title    string
	Href     string
	State    components.State // applied, pending, blocked, failed, changed, missing, out_of_order, undone, interrupted, baseline
	Risk     components.State
	Estimate string
	Real     string
	Locks    string
	SHA256   string
	By       string
	At       components.Time
	File     string          // what the files say
	Database string          // what the database says
	Differs  string          // what does not agree, in words; empty when both say the same
	Rename   string          // the command that puts a file that is out of order behind the others
	Repair   components.Link // where what somebody made by hand is looked at; empty for people of other tenants
	Lint     string          // strongest lock and worst finding of what is not applied yet, in a line
	LintTone components.Tone
}

// LintView is what a file locks, and what could be done with less.
type LintView struct {
	Sentence string
	Tone     components.Tone
	Bounds   string // how long it waits for a lock
	Basis    string // what the levels were decided by
	Findings []LintRow
	Locks    []LintLockRow
}

// LintRow is one finding about one statement.
type LintRow struct {
	Level     components.State
	Rule      string
	Line      string
	Statement string
	Relation  string // with its size
	Size      string
	Lock      string
	Waits     string
	Why       string
	Instead   string
	Accepted  string // why the plan card puts up with it
}

// LintLockRow is one lock on something that is there before the file.
type LintLockRow struct{ Line, Relation, Lock, Waits string }

// ApplyForm applies one migration through its gate. It posts key, release and sha256.
type ApplyForm struct {
	Action  string // empty: not offered
	Key     string // a double press posts the same one
	Release string
	SHA256  string
	Effect  string // "Apply V0.0.20 to production"
}

// NextMigration is the next rung and whether it may be applied now.
type NextMigration struct {
	Version, Title string
	Text           string // "V0.0.20 is next. The gate is open." or why not
	Tone           components.Tone
	Apply          ApplyForm
	WhyNot         []components.Link // what stands in the way; links may be empty
	WhoCan         []string
	FreshHref      string // where to sign in again first, when the sign-in is too old
}

// LedgerRow is one line of the append-only ledger.
type LedgerRow struct {
	ID        string
	At        components.Time
	Version   string
	Direction string // "up", "down", "baseline"
	Outcome   components.State
	By        string
	Duration  string
	SHA256    string
	RunHref   string
	Note      string
	More      string            // where the rest of the row is shown; empty where it stands here
	Details   []components.Fact // the rest of the row
	Error     string
	Notices   string // what the server said, line by line
}

// TextDiffView is how a file differs from what was applied.
type TextDiffView struct {
	Sentence string
	Places   []DiffPlace
}

// DiffPlace is one place, word by word.
type DiffPlace struct {
	Where string // "line 4 then, line 5 now"
	Words []DiffWords
}

// DiffWords are words that are the same, gone or new.
type DiffWords struct{ Is, Text string }

// MigrationListView is the ladder, the next step and the ledger.
type MigrationListView struct {
	layouts.Shell
	Sentence       string // "3 of 6 applied; V0.0.20 is next and waits for go / no-go."
	Tone           components.Tone
	Rungs          []Rung
	LibrarySays    string // what golang-migrate itself believes
	Unreadable     string // why the database could not be read; empty when it could
	Running        components.Link
	Next           NextMigration
	Window         Banner
	Ledger         []LedgerRow
	LedgerPager    components.Pager
	LiveHref       string
	DriftHref      string // empty for people of other tenants, who see nothing there; BackupsHref goes with it
	BackupsHref    string
	RehearsalsHref string
	Sample         SampleOffer
	NothingToSee   string // text of the empty ladder
	Invalid        []InvalidRow
	InvalidFresh   string // where to sign in afresh to rebuild one
}

// InvalidRow is an index that no query may use, with the statement that removes it.
type InvalidRow struct {
	Text, Index string
	Rebuild     Order  // not offered where it has no action
	WhyNot      string // why it is not offered to the reader, and who can; empty where it is, or after a fresh sign-in
}

// MigrationShowView is one migration: its plan card, its SQL, its post-checks, its gate.
type MigrationShowView struct {
	layouts.Shell
	Version    string
	Name       string
	State      components.State
	Risk       components.State
	Plan       []components.Fact
	SHA256     string
	RecordedAs string // the hash it was applied with, when that differs
	Cosmetic   bool   // only comments or white space differ
	Diff       *TextDiffView
	Rename     string // the command that puts a file that is out of order behind the others
	File       string
	SQL        string
	UndoFile   string
	UndoSQL    string
	Reversible string // "yes", or why not
	PostChecks []components.Check
	ChecksSay  string // "All 28 hold."; empty where one has to be read by itself
	Lint       *LintView
	Gate       *components.Gate
	Window     Banner
	Next       NextMigration // Apply.Action empty where this one is not next
	RepairHref string        // where what of it is in the database is looked at
	DownHref   string        // the page that asks about undoing; empty when it cannot be
	Runs       []LedgerRow
	Complaints components.Complaints
}

// MigrationDownView asks before a migration is undone. It posts key, confirm,
// reason, release and sha256.
type MigrationDownView struct {
	layouts.Shell
	Version    string
	Name       string
	Action     string // empty: refused
	CancelHref string
	Key        string // a double press posts the same one
	Release    string
	SHA256     string // of the undo file shown
	Lost       []components.Fact
	LostText   string
	// Counted is what was counted, and Files where it was saved; Signs is what pressing the button puts a name to.
	Counted    []components.Fact
	Files      []components.Fact
	SavedAt    components.Time
	Work       components.Link // the operation that saved it
	Loss       string
	Signs      string
	Save       Order // counts and saves; not offered where it has no action
	SavedText  string
	Keeps      string // what survives
	UndoSQL    string
	Confirm    string
	Reason     string
	Effect     string // "Undo V0.0.22 on production and drop its data"
	Complaints components.Complaints
	Refused    string
	WhyNot     []components.Link
	WhoCan     []string
	FreshHref  string
}

// saveWeight: counting is the one thing to do until it was done.
func (v MigrationDownView) saveWeight() components.Weight {
	if v.Action != "" {
		return components.Plain
	}
	return components.Primary
}

// LogLine is one line of a run's log.
type LogLine struct {
	Seq  int    // its number; events go on from there
	At   string // "14:05:03.120"
	Text string
	Tone components.Tone
}

// LockWait is a step that waits for somebody else's lock.
type LockWait struct {
	Holders []LockHolder // none between two tries
	Tries   string       // "1 of 6 tries were in vain."
}

// LockHolder is one who has what we wait for.
type LockHolder struct {
	Process, User, Program string
	Age                    string // of the transaction
	Query                  string
}

// DatabaseError is why a run failed, as PostgreSQL or as Gatehouse said it.
type DatabaseError struct {
	Heading           string // who said it
	SQLState, Message string
	Detail, Hint      string
	Where             string          // statement or line
	Points            []string        // what a refusal is about, one by one
	Way               components.Link // where that can be put right
}

// Interrupted is what is known about a run that ended without a word.
type Interrupted struct {
	Text       string
	Known      []components.Fact
	Advice     []string
	Action     string // POST .../acknowledge with reason; empty where this person may not
	Reason     string
	Complaints components.Complaints
	WhoCan     []string
	Repair     components.Link
	Settled    string // who acknowledged it, when and with which words
}

// MigrationRepairView is what of a version is in the database, and what may be recorded of it.
type MigrationRepairView struct {
	layouts.Shell
	Version, Name string
	Sentence      string
	Tone          components.Tone
	LookedAt      components.Time
	LookedBy      string
	SHA256        string            // of the look
	Statements    []RepairStatement // those that a person must read
	Folded        []RepairFold      // the others, by what they say
	Rest          []components.Check
	Offers        []components.Option // the repairs that the database proves
	Refused       []components.Fact   // the others, each with why not
	LookHref      string              // empty: not offered
	Action        string              // empty: nothing may be chosen now
	Key, Effect   string
	Reason        string
	Confirm       string
	Complaints    components.Complaints
	FreshHref     string
	WhoCan        []string
	Done          []OperationRow
	// SavedText says what running the undo file would lose; empty where that is not offered or loses nothing.
	SavedText string
	Counted   []components.Fact
	Files     []components.Fact
	Save      Order // counts and saves; not offered where it has no action
}

// RepairFold are statements that all say the same.
type RepairFold struct {
	State      components.State
	Summary    string // "38 statements took effect"
	Statements []RepairStatement
}

// RepairStatement is one statement of the file and what the database shows of it.
type RepairStatement struct {
	Line, SQL string
	State     components.State
	Summary   string             // "31 things, all of them as said"
	Looked    []string           // what was looked at, where all of it says the same
	Mixed     []components.Check // one by one, where it does not
}

// MigrationRunView is one run, refreshing itself until it ends.
type MigrationRunView struct {
	layouts.Shell
	Run          string
	Version      string
	Name         string
	Direction    string // "up", "down"
	State        components.State
	Sentence     string
	By           string
	Started      components.Time
	Ended        components.Time
	Elapsed      string
	ElapsedMs    int64 // goes on while the page is open; zero while it has not begun
	ExpectedMs   int64 // zero where it is not known
	Estimate     string
	EstimateFrom string    // where it comes from
	EstimateHref string    // the rehearsal, where there is one
	Permille     int       // elapsed of the estimate; above 1000 it is over
	Over         string    // says that it takes longer than that
	Waiting      *LockWait // nil while it waits for no lock
	Lines        []LogLine
	Error        *DatabaseError
	Checks       []components.Check
	ChecksSay    string // "All 28 hold."; empty where one has to be read by itself
	Stopped      *Interrupted
	Window       Banner
	Safe         string // what is true of the database now
	Next         components.Link
	LiveHref     string // empty when the run has ended
	EventHref    string // server-sent events; empty when there are none
	SHA256       string
}
