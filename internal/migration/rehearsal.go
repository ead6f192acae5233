package migration

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/clock"
)

// rehearsalFormat names the form of a report, so that an old one is still read as what it was.
const rehearsalFormat = "gatehouse-rehearsal-1"

// ScratchPrefix begins the name of every database that a rehearsal may change. No other is ever rehearsed on.
const ScratchPrefix = "gatehouse_scratch_"

// RehearsalData says on what data a rehearsal ran.
type RehearsalData struct {
	// Kind is "backup" for a restored backup, OnCopy for a copy that somebody made by hand, and OnSample for a sample.
	Kind   string    `json:"kind"`
	Backup uuid.UUID `json:"backup,omitzero"`
	Bytes  int64     `json:"bytes"` // of the copy, before the first file
	// Sample is what of each table was copied; nil where all was.
	Sample *RehearsalSample `json:"sample,omitempty"`
}

// HeldLock is a lock on a relation that the statement took and that is held until its transaction ends.
type HeldLock struct {
	Relation string `json:"relation"`
	Mode     string `json:"mode"` // as pg_locks says it: AccessExclusiveLock
}

// RehearsedStatement is one statement as it was measured.
type RehearsedStatement struct {
	Line     int           `json:"line"`
	SQL      string        `json:"sql"` // its first line
	Took     time.Duration `json:"took_ns"`
	Rows     int64         `json:"rows"`      // of the command's own answer
	WALBytes int64         `json:"wal_bytes"` // of the whole server meanwhile
	// Locks are those that were not held before the statement.
	Locks []HeldLock `json:"locks,omitempty"`
	// Rewrites are relations that were there before and got new files.
	Rewrites []string `json:"rewrites,omitempty"`
	Notices  []string `json:"notices,omitempty"`
}

// RehearsedPass is one file run from its beginning to its end or to its first error.
type RehearsedPass struct {
	Direction  Direction            `json:"direction"`
	Script     string               `json:"script"`
	SHA256     string               `json:"sha256"`
	Took       time.Duration        `json:"took_ns"`
	Statements []RehearsedStatement `json:"statements"`
	// Bare is a file without a transaction: its locks end with each statement, so none can be read.
	Bare bool `json:"bare,omitempty"`
	// Error is file, line, SQLSTATE and message of the statement that failed.
	Error    string `json:"error,omitempty"`
	SQLState string `json:"sqlstate,omitempty"`
}

// RehearsedVersion is one version that went up, down and up again.
type RehearsedVersion struct {
	Version string          `json:"version"`
	SHA256  string          `json:"sha256"` // of the file that brings it
	Passes  []RehearsedPass `json:"passes"`
	// Left are differences between the schema before the version and after it was taken back; Differs those between the
	// schema after the first time up and after the second.
	Left    []string `json:"left,omitempty"`
	Differs []string `json:"differs,omitempty"`
	// Checks is how many post-checks were made after the second time up, Failed are those that did not hold.
	Checks int      `json:"checks"`
	Failed []string `json:"failed,omitempty"`
}

// Wrong lists what speaks against applying the version; nothing where it passed.
func (v RehearsedVersion) Wrong() []string {
	var wrong []string
	for _, p := range v.Passes {
		if p.Error != "" {
			wrong = append(wrong, p.Error)
		}
	}
	for _, text := range v.Left {
		wrong = append(wrong, "After it was taken back: "+text)
	}
	for _, text := range v.Differs {
		wrong = append(wrong, "Applied a second time: "+text)
	}
	for _, text := range v.Failed {
		wrong = append(wrong, "Post-check "+text)
	}
	if len(wrong) == 0 && len(v.Passes) != 3 {
		wrong = append(wrong, "It was not run up, down and up again.")
	}
	return wrong
}

// UpTime is how long the first time up took; zero where it failed.
func (v RehearsedVersion) UpTime() time.Duration {
	if len(v.Passes) == 0 || v.Passes[0].Error != "" {
		return 0
	}
	return v.Passes[0].Took
}

// DownTime is how long taking it back took; zero where that was not reached or failed.
func (v RehearsedVersion) DownTime() time.Duration {
	if len(v.Passes) < 2 || v.Passes[1].Error != "" {
		return 0
	}
	return v.Passes[1].Took
}

// RehearsalReport is everything that a rehearsal found, as it is hashed and kept.
type RehearsalReport struct {
	Format     string             `json:"format"`
	Server     string             `json:"server_version"`
	StartedAt  time.Time          `json:"started_at"`
	FinishedAt time.Time          `json:"finished_at"`
	Data       RehearsalData      `json:"data"`
	Versions   []RehearsedVersion `json:"versions"`
	// Planned are the versions that were pending; the report ends with the first that failed.
	Planned []string `json:"planned"`
}

// NewRehearsalReport is a report that nothing has been written into.
func NewRehearsalReport(data RehearsalData) RehearsalReport {
	return RehearsalReport{Format: rehearsalFormat, Data: data}
}

// Passed says whether every planned version went up, down and up without a complaint. Nothing rehearsed is not passed.
func (r RehearsalReport) Passed() bool {
	return len(r.Planned) > 0 && len(r.Versions) == len(r.Planned) &&
		!slices.ContainsFunc(r.Versions, func(v RehearsedVersion) bool { return len(v.Wrong()) > 0 })
}

// Verdict is the outcome in a sentence.
func (r RehearsalReport) Verdict() string {
	for _, v := range r.Versions {
		if wrong := v.Wrong(); len(wrong) > 0 {
			return fmt.Sprintf("The rehearsal did not pass: V%s. %s", v.Version, wrong[0])
		}
	}
	if !r.Passed() {
		return "The rehearsal did not reach its end."
	}
	var total time.Duration
	for _, v := range r.Versions {
		total += v.UpTime()
	}
	return fmt.Sprintf("The rehearsal passed: %d %s up, down and up again on %s; applying them took %s.", len(r.Versions),
		map[bool]string{true: "file", false: "files"}[len(r.Versions) == 1], r.Data.Words(), clock.Duration(total))
}

// Words says in words on what data it ran.
func (d RehearsalData) Words() string {
	size := fmt.Sprintf("%.1f MB", float64(d.Bytes)/1e6)
	switch {
	case d.Kind == OnSample && d.Sample != nil:
		return d.Sample.Words()
	case d.Kind == "backup":
		return "a restored backup of " + size
	}
	return "a copy of " + size + " that somebody made by hand"
}

// Canonical is the report as it is stored and hashed.
func (r RehearsalReport) Canonical() (text, hash string, err error) {
	encoded, err := json.Marshal(r)
	if err != nil {
		return "", "", fmt.Errorf("writing the rehearsal's report: %w", err)
	}
	sum := sha256.Sum256(encoded)
	return string(encoded), hex.EncodeToString(sum[:]), nil
}

// ReadRehearsalReport reads a stored report and refuses one that is not the text that was hashed.
func ReadRehearsalReport(text, hash string) (RehearsalReport, error) {
	sum := sha256.Sum256([]byte(text))
	if hex.EncodeToString(sum[:]) != hash {
		return RehearsalReport{}, fmt.Errorf("the report's SHA-256 is not the one that was stored with it")
	}
	var r RehearsalReport
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return RehearsalReport{}, fmt.Errorf("reading the rehearsal's report: %w", err)
	}
	if r.Format != rehearsalFormat {
		return RehearsalReport{}, fmt.Errorf("the report has the form %q, which this program does not read", r.Format)
	}
	return r, nil
}

// SchemaDifferences says in words what differs between two looks at one server's catalog, in their order.
func SchemaDifferences(before, after []Item) []string {
	then, now := byKey(before), byKey(after)
	var list []string
	for _, i := range before {
		found, there := now[i.Key()]
		switch {
		case !there:
			list = append(list, fmt.Sprintf("%s %s is gone.", i.Kind, i.Title()))
		case describeItem(i) != describeItem(found):
			list = append(list, fmt.Sprintf("%s %s is %s; it was %s.", i.Kind, i.Title(), describeItem(found), describeItem(i)))
		}
	}
	for _, i := range after {
		if _, was := then[i.Key()]; !was {
			list = append(list, fmt.Sprintf("%s %s has remained.", i.Kind, i.Title()))
		}
	}
	return list
}

// respelled are what a restored dump writes another way than the file did: after a dump, x IN ('A', 'B') on a varchar casts
// each value, and before it cast the list.
var respelled = strings.NewReplacer("::character varying", "", "::text[]", "", "::text", "", "(", "", ")", "")

// AsDumped is the catalog without what a dump and its restoration spell differently.
func AsDumped(items []Item) []Item {
	list := slices.Clone(items)
	for i := range list {
		if definition := list[i].Facts["definition"]; definition != "" {
			list[i].Facts = maps.Clone(list[i].Facts)
			list[i].Facts["definition"] = respelled.Replace(definition)
		}
	}
	return list
}
