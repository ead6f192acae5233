package restore

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/backup"
)

// KeepSafety is how long the dump from before a restore is kept, whatever else is pruned.
const KeepSafety = 30 * 24 * time.Hour

// Result is what a restore would do, as it was counted once. Its JSON is kept and is part of what two people agree to.
type Result struct {
	Database string    `json:"database"`
	File     string    `json:"file"`
	SHA256   string    `json:"sha256"`
	TakenAt  time.Time `json:"taken_at"`
	// StandsAt is the version of now, and WillStandAt the one of then: "V0.0.18", or empty for none.
	StandsAt    string    `json:"stands_at"`
	WillStandAt string    `json:"will_stand_at"`
	Versions    []Version `json:"versions"`
	Tables      []Table   `json:"tables"`
	// Sessions are those of other programs on the database, in words.
	Sessions []string `json:"sessions"`
}

// Version is one that is not the same afterwards.
type Version struct {
	Version string `json:"version"` // V0.0.20
	Goes    bool   `json:"goes"`    // otherwise it comes back
}

// Table is one table of the warehouse, then and now.
type Table struct {
	Name string `json:"name"`
	Then int64  `json:"then"`
	Now  int64  `json:"now"`
	// About says that Now is the server's estimate, because counting took too long.
	About bool `json:"about,omitempty"`
	// Goes says that the backup has no such table, and Returns that the database has none.
	Goes    bool `json:"goes,omitempty"`
	Returns bool `json:"returns,omitempty"`
}

// Differs says whether the table has another number of rows afterwards, or is not there.
func (t Table) Differs() bool { return t.Goes || t.Returns || t.Then != t.Now }

// Sentence says what is lost, in numbers.
func (r Result) Sentence() string {
	var more, fewer, tables int64
	about := ""
	for _, t := range r.Tables {
		if !t.Differs() {
			continue
		}
		tables++
		more += max(0, t.Now-t.Then)
		fewer += max(0, t.Then-t.Now)
		if t.About {
			about = "about "
		}
	}
	words := fmt.Sprintf("Every table has as many rows as when the backup was taken on %s.", r.TakenAt.UTC().Format("2006-01-02 at 15:04 UTC"))
	if tables > 0 {
		words = fmt.Sprintf("%s%s there now would be gone and %d would be back, in %s.", about, counted(more, "row that is", "rows that are"), fewer, counted(tables, "table", "tables"))
		words = strings.ToUpper(words[:1]) + words[1:]
	}
	return words + " What was changed in place since then is undone as well, and is not counted."
}

func counted(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Look is a Result that is kept.
type Look struct {
	ID, Backup uuid.UUID
	At         time.Time
	By         string
	Result     Result
	// Recent is at most 15 minutes old; Current is what stands now. Only a look that is both is asked on.
	Recent, Current bool
}

// State is where a request stands.
type State string

// The states.
const (
	Asked     State = "asked"     // waits for a second person
	Agreed    State = "agreed"    // may be carried out
	UnderWay  State = "under_way" // is being carried out
	Restored  State = "restored"
	Failed    State = "failed" // was ordered, and changed nothing
	Withdrawn State = "withdrawn"
	Expired   State = "expired"
	Void      State = "void" // something moved since
)

// Open says whether somebody may still do something about it.
func (s State) Open() bool { return s == Asked || s == Agreed }

// Request is what one person asks for and another agrees to.
type Request struct {
	ID, Backup        uuid.UUID
	Result            Result
	Content           string // SHA-256 of all that is agreed to
	Reason            string
	Issuer, Subject   string
	By                string
	AskedAt           time.Time
	ExpiresAt         time.Time
	AgreedBy          string // empty while nobody has
	AgreedAt          time.Time
	WithdrawnBy       string
	WithdrawnAt       time.Time
	Operation         uuid.UUID // nil while nobody ordered it
	OperationActive   bool
	Sentence          string    // how the operation ended
	Safety            uuid.UUID // the dump that was taken first; nil where it did not come to that
	SafetyName        string
	SafetyRestores    bool // its newest drill passed
	RestoredAt        time.Time
	HasExpired, Moved bool
}

// State is where the request stands.
func (r Request) State() State {
	switch {
	case !r.RestoredAt.IsZero():
		return Restored
	case r.WithdrawnBy != "":
		return Withdrawn
	case r.OperationActive:
		return UnderWay
	case r.Operation != uuid.Nil:
		return Failed
	case r.HasExpired:
		return Expired
	case r.Moved:
		return Void
	case r.AgreedBy != "":
		return Agreed
	}
	return Asked
}

// Page is everything about restoring one backup.
type Page struct {
	Backup   backup.Backup
	Database string
	// State is the text whose hash a look must carry; empty where the backup may not be restored.
	State    string
	Look     *Look // nil where nobody looked yet
	Requests []Request
	Sessions []string
}
