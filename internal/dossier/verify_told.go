package dossier

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/audit"
)

// told is what an entry of the trail says of a row of the record that is written once and never changed. Record and trail
// name such a row alike, and what they say of it is laid side by side as one text.
type told struct {
	seq  int64
	says string
}

// claims is all that is said of a row, as one text in which no part runs into the next.
func claims(parts ...any) string {
	text, err := json.Marshal(parts)
	if err != nil { // texts, numbers and truth values can be written
		panic(err)
	}
	return string(text)
}

// The rows, named as in a complaint.
func fileRow(item string, number int) string { return fmt.Sprintf("file %d of item %s", number, item) }
func waiverRow(id uuid.UUID) string          { return "skipping " + id.String() }
func stopRow(gate string, attempt int) string {
	return fmt.Sprintf("end of attempt %d at gate %s", attempt, gate)
}
func attemptRow(gate string, n int) string { return fmt.Sprintf("attempt %d at gate %s", n, gate) }
func rollbackRow(id uuid.UUID) string      { return "rollback " + id.String() }
func snapshotRow(id uuid.UUID) string      { return "snapshot " + id.String() }
func lessonRow(id string) string           { return "lesson " + id }
func lessonDoneRow(id string) string       { return "that lesson " + id + " was acted on" }

func missRow(point string, due time.Time) string {
	return fmt.Sprintf("missed snapshot %s of %s", point, due.UTC().Format(time.RFC3339))
}

func actRow(rollback uuid.UUID, kind string, step int) string {
	switch kind {
	case "step":
		return fmt.Sprintf("step %d of rollback %s", step, rollback)
	case "agreed":
		return "agreement to rollback " + rollback.String()
	case "ended":
		return "end of rollback " + rollback.String()
	}
	return "review of rollback " + rollback.String()
}

// afterwards are the fields of an entry's state afterwards that tell of such rows.
type afterwards struct {
	File *struct {
		Number int    `json:"number"`
		Name   string `json:"name"`
		Bytes  int64  `json:"bytes"`
		SHA256 string `json:"sha256"`
	} `json:"file"`
	Waiver        uuid.UUID `json:"waiver"`
	Role          string    `json:"role"`
	Statement     string    `json:"statement"`
	ContentSHA256 string    `json:"content_sha256"`
	Attempt       int       `json:"attempt"`
	Slot          string    `json:"slot"`
	Rollback      uuid.UUID `json:"rollback"`
	Option        string    `json:"option"`
	Title         string    `json:"title"`
	DataLoss      string    `json:"data_loss"`
	Steps         []string  `json:"steps"`
	TakesTwo      bool      `json:"takes_two"`
	Step          int       `json:"step"`
	State         string    `json:"state"`
	Took          int       `json:"took_seconds"`
	Objected      bool      `json:"objected"`
	Snapshot      uuid.UUID `json:"snapshot"`
	Point         string    `json:"point"`
	SHA256        string    `json:"sha256"`
	DueAt         time.Time `json:"due_at"`
	Release       string    `json:"release"`
	Happened      string    `json:"happened"`
	Why           string    `json:"why"`
	Todo          string    `json:"todo"`
	Owner         string    `json:"owner"`
	DueOn         string    `json:"due_on"`
}

// tells is the row that an entry about the release wrote, and what the entry says of it; empty where it wrote none.
func tells(run string, e audit.Entry) (row, says string) {
	var a afterwards
	if e.After == nil || json.Unmarshal([]byte(*e.After), &a) != nil {
		return "", ""
	}
	part, _ := strings.CutPrefix(e.ObjectID, run+"/")
	mine := e.ObjectID == run || part != e.ObjectID || e.ObjectKind == "lesson" && a.Release == run
	if !mine {
		return "", ""
	}
	switch e.Action {
	case "item:attach":
		if a.File != nil {
			return fileRow(part, a.File.Number), claims(a.File.Name, a.File.Bytes, a.File.SHA256)
		}
	case "item:waive":
		return waiverRow(a.Waiver), claims(part, a.Role, a.Statement, e.Reason, a.ContentSHA256, e.Issuer, e.Subject)
	case "gate:reject":
		return stopRow(part, a.Attempt), claims("rejected", a.Slot, a.Role, e.Reason, a.ContentSHA256, e.Issuer, e.Subject)
	case "gate:expire":
		return stopRow(part, a.Attempt), claims("expired", "", "", e.Reason, a.ContentSHA256, "", "")
	case "gate:reopen":
		return attemptRow(part, a.Attempt), claims(e.Reason, e.Issuer, e.Subject)
	case "rollback:begin":
		return rollbackRow(a.Rollback), claims(a.Option, a.Title, a.DataLoss, !a.TakesTwo, a.Steps, e.Reason, e.Issuer, e.Subject)
	case "rollback:agree":
		return actRow(a.Rollback, "agreed", 0), claims(true, "", 0, e.Issuer, e.Subject)
	case "rollback:step":
		return actRow(a.Rollback, "step", a.Step), claims(a.State == "done", e.Reason, 0, e.Issuer, e.Subject)
	case "rollback:end":
		return actRow(a.Rollback, "ended", 0), claims(a.State != "given_up", e.Reason, a.Took, e.Issuer, e.Subject)
	case "rollback:review":
		return actRow(a.Rollback, "reviewed", 0), claims(!a.Objected, e.Reason, 0, e.Issuer, e.Subject)
	case "snapshot:take":
		return snapshotRow(a.Snapshot), claims(a.Point, a.SHA256)
	case "snapshot:miss":
		return missRow(a.Point, a.DueAt), claims(e.Reason)
	case "lesson:add":
		return lessonRow(e.ObjectID), claims(a.Happened, a.Why, a.Todo, a.Owner, a.DueOn, e.Issuer, e.Subject)
	case "lesson:done":
		return lessonDoneRow(e.ObjectID), claims(e.Reason, e.Issuer, e.Subject)
	}
	return "", ""
}

// claimed is what the record says of its rows that are written once.
func (r Record) claimed() map[string]string {
	rows := map[string]string{}
	for _, f := range r.Files {
		rows[fileRow(f.Item, f.Number)] = claims(f.Name, f.Bytes, f.SHA256)
	}
	for _, w := range r.Waivers {
		rows[waiverRow(w.ID)] = claims(w.Item, w.Role, w.Statement, w.Reason, w.ContentSHA256, w.Issuer, w.Subject)
	}
	for _, s := range r.Stops {
		issuer, subject := s.Issuer, s.Subject
		if s.Kind == "expired" { // nobody's; the entry is of whoever looked first
			issuer, subject = "", ""
		}
		rows[stopRow(s.Gate, s.Attempt)] = claims(s.Kind, s.Slot, s.Role, s.Reason, s.ContentSHA256, issuer, subject)
	}
	for _, a := range r.Attempts {
		rows[attemptRow(a.Gate, a.Attempt)] = claims(a.Note, a.Issuer, a.Subject)
	}
	for _, b := range r.Rollbacks {
		rows[rollbackRow(b.ID)] = claims(b.Option, b.Title, b.DataLoss, b.Safe, b.Steps, b.Reason, b.Issuer, b.Subject)
		for _, a := range b.Acts {
			took := 0
			if a.TookSeconds != nil {
				took = *a.TookSeconds
			}
			rows[actRow(b.ID, a.Kind, a.Step)] = claims(a.Good, a.Note, took, a.Issuer, a.Subject)
		}
	}
	for _, s := range r.Snapshots {
		rows[snapshotRow(s.ID)] = claims(s.Point, s.SHA256)
	}
	for _, m := range r.Misses {
		rows[missRow(m.Point, m.DueAt)] = claims(m.Why)
	}
	for _, l := range r.Lessons {
		rows[lessonRow(l.ID.String())] = claims(l.Happened, l.Why, l.Todo, l.Owner, l.DueOn, l.Issuer, l.Subject)
		if l.DoneNote != nil && l.DoneIssuer != nil && l.DoneSubject != nil {
			rows[lessonDoneRow(l.ID.String())] = claims(*l.DoneNote, *l.DoneIssuer, *l.DoneSubject)
		}
	}
	return rows
}

// compareTold lays what the record claims beside what the trail told.
func (v *verifier) compareTold(heard map[string]told) {
	claimed := v.record.claimed()
	for _, row := range sortedKeys(claimed) {
		switch entry, ok := heard[row]; {
		case !ok:
			v.complain(recordFile, row, "no entry of the trail knows of it")
		case entry.says != claimed[row]:
			v.complain(recordFile, row, "it is not what entry %d of the trail says of it", entry.seq)
		}
	}
	missing := slices.DeleteFunc(sortedKeys(heard), func(row string) bool { _, ok := claimed[row]; return ok })
	for _, row := range missing {
		v.complain(recordFile, row, "it is missing: entry %d of the trail knows of it", heard[row].seq)
	}
}
