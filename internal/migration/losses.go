package migration

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Loss is what one statement of an undo file throws away: a whole table, a column, or the rows that a condition finds.
type Loss struct {
	Line   int    `json:"line"`
	Table  string `json:"table"` // as the file writes it
	Column string `json:"column,omitempty"`
	// To is the narrower type that the column gets; Where the condition of a DELETE or UPDATE, empty for every row.
	To    string `json:"to,omitempty"`
	Where string `json:"where,omitempty"`
	// Rows were counted; AtLeast says that counting was stopped there.
	Rows    int64 `json:"rows"`
	AtLeast bool  `json:"at_least,omitempty"`
	// Recent and RecentSum tell the saved rows apart whose transactions are no older than Saved.OldestXID.
	Recent    int64  `json:"recent"`
	RecentSum string `json:"recent_sum"`
}

// What names the loss for people.
func (l Loss) What() string {
	switch {
	case l.To != "":
		return fmt.Sprintf("values of %s.%s that do not fit %s", l.Table, l.Column, l.To)
	case l.Column != "":
		return fmt.Sprintf("values of %s.%s", l.Table, l.Column)
	case l.Where != "":
		return fmt.Sprintf("rows of %s where %s", l.Table, l.Where)
	}
	return "rows of " + l.Table
}

// Count is the number as it may be said.
func (l Loss) Count() string {
	if l.AtLeast {
		return fmt.Sprintf("at least %d", l.Rows)
	}
	return fmt.Sprint(l.Rows)
}

// SavedFile is one file that holds what would be lost.
type SavedFile struct {
	Name   string `json:"name"`
	Holds  string `json:"holds"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Saved is what an undo would have lost at one moment, and where that was saved.
type Saved struct {
	ID         uuid.UUID
	Operation  uuid.UUID
	Version    Version
	UndoSHA256 string
	TakenAt    time.Time
	// OldestXID is the oldest transaction that was under way then: rows of older ones are all saved. NextXID is the first that
	// had not begun: none of its rows is. Of those in between each loss says which rows are.
	OldestXID, NextXID int64
	Losses             []Loss
	Files              []SavedFile
}

// SavedFor is how long a saving speaks for an undo. The statement that orders an undo asks the same of the database.
const SavedFor = 15 * time.Minute

// WhyNot says why a saving does not speak for an undo of the version at that time; empty where it does. A saving from before
// the version was last applied or taken back is of other rows.
func (s Saved) WhyNot(r Rung, now time.Time) string {
	switch {
	case s.TakenAt.Before(r.Effect.FinishedAt) && r.InDatabase():
		return fmt.Sprintf("That was before %s was applied again, so it says nothing of the rows that are there now; count and save it again.", r.Version.Title())
	case s.TakenAt.Before(r.Effect.FinishedAt):
		return fmt.Sprintf("%s was taken back since, so it says nothing of the rows that are there now; count and save it again.", r.Version.Title())
	case now.Sub(s.TakenAt) >= SavedFor:
		return "That is longer ago than 15 minutes; count and save it again."
	}
	return ""
}

// Lost adds the rows and values up, and says whether counting was stopped somewhere.
func (s Saved) Lost() (n int64, atLeast bool) {
	for _, l := range s.Losses {
		n, atLeast = n+l.Rows, atLeast || l.AtLeast
	}
	return n, atLeast
}

// Count is the sum as it may be said: "12", or "at least 1000000".
func (s Saved) Count() string {
	n, atLeast := s.Lost()
	return Loss{Rows: n, AtLeast: atLeast}.Count()
}

// Things says the sum in words: "1 row or value", "12 rows and values".
func (s Saved) Things() string {
	if n, atLeast := s.Lost(); n == 1 && !atLeast {
		return "1 row or value"
	}
	return s.Count() + " rows and values"
}

// Meaning is what whoever undoes a version signs.
func (s Saved) Meaning() string {
	n, _ := s.Lost()
	if n == 0 {
		return fmt.Sprintf("Undoing %s loses no row: every table and column that it drops was empty at %s UTC.", s.Version.Title(), s.TakenAt.UTC().Format("15:04:05"))
	}
	var files []string
	for _, f := range s.Files {
		files = append(files, fmt.Sprintf("%s (SHA-256 %s)", f.Name, f.SHA256))
	}
	return fmt.Sprintf("Undoing %s throws away %s, saved at %s UTC: %s.", s.Version.Title(), s.Things(), s.TakenAt.UTC().Format("15:04:05"), strings.Join(files, ", "))
}

// Losses reads from an undo file what it throws away. unread are statements of which that cannot be said.
func Losses(undo File) (losses []Loss, unread []string) {
	for _, s := range Split(undo.SQL) {
		found, readable := s.losses()
		losses = append(losses, found...)
		if !readable {
			unread = append(unread, fmt.Sprintf("%s line %d (%s)", undo.Script, s.Line, strings.ToUpper(s.Tokens[0].Text)))
		}
	}
	return losses, unread
}

func (s Statement) losses() (list []Loss, readable bool) {
	r := &reader{t: s.Tokens}
	one := func(l Loss) []Loss { l.Line = s.Line; return []Loss{l} }
	switch {
	case r.take("drop", "table"):
		r.take("if", "exists")
		for {
			list = append(list, one(Loss{Table: r.name()})...)
			if !r.take(",") {
				return list, true
			}
		}
	case r.take("truncate"):
		r.take("table")
		r.take("only")
		for {
			list = append(list, one(Loss{Table: r.name()})...)
			if !r.take(",") {
				return list, true
			}
		}
	case r.take("delete", "from"):
		r.take("only")
		table := r.name()
		where, plain := r.condition(s.SQL)
		return one(Loss{Table: table, Where: where}), plain
	case r.take("update"):
		r.take("only")
		table := r.name()
		where, plain := r.condition(s.SQL)
		return one(Loss{Table: table, Where: where}), plain
	case r.take("alter", "table"):
		r.take("if", "exists")
		r.take("only")
		return s.lostColumns(r), true
	case r.take("drop", "schema"), r.take("drop", "owned"), r.take("merge"), r.take("copy"), r.take("call"), r.take("select"):
		return nil, false
	case r.take("do"):
		return nil, !changesRows(s.Tokens)
	}
	return nil, s.Tokens[0].Text != "with"
}

// lostColumns reads the sub-commands of ALTER TABLE.
func (s Statement) lostColumns(r *reader) (list []Loss) {
	table := r.name()
	for !r.ended() {
		switch {
		case r.take("drop", "constraint"):
		case r.take("drop"):
			r.take("column")
			r.take("if", "exists")
			list = append(list, Loss{Line: s.Line, Table: table, Column: r.word()})
		case r.take("alter"):
			r.take("column")
			column := r.word()
			if r.take("set", "data", "type") || r.take("type") {
				list = append(list, Loss{Line: s.Line, Table: table, Column: column, To: r.typeName(s.SQL)})
			}
		}
		r.skipTo(",")
	}
	return list
}

// changesRows looks into a DO block for words that could throw something away.
func changesRows(tokens []Token) bool {
	for _, t := range tokens {
		if !strings.HasPrefix(t.Text, "$") {
			continue
		}
		body := strings.Trim(t.Text, "$")
		for _, inner := range Tokens(body) {
			switch inner.Text {
			case "delete", "drop", "truncate", "update", "execute", "merge", "alter":
				return true
			}
		}
	}
	return false
}

// reader walks over the tokens of a statement.
type reader struct {
	t []Token
	i int
}

func (r *reader) ended() bool { return r.i >= len(r.t) }

// take moves past the words where they stand here, all of them.
func (r *reader) take(words ...string) bool {
	for n, w := range words {
		if r.i+n >= len(r.t) || r.t[r.i+n].Text != w {
			return false
		}
	}
	r.i += len(words)
	return true
}

func (r *reader) word() string {
	if r.ended() {
		return ""
	}
	r.i++
	return r.t[r.i-1].Text
}

// name is a name with its schema, where it has one.
func (r *reader) name() string {
	name := r.word()
	for r.take(".") {
		name += "." + r.word()
	}
	return name
}

// skipTo moves past the next such token that stands in no parentheses.
func (r *reader) skipTo(end string) {
	for depth := 0; !r.ended(); {
		switch text := r.word(); {
		case text == "(":
			depth++
		case text == ")":
			depth--
		case text == end && depth == 0:
			return
		}
	}
}

// condition is what stands after WHERE; plain says that it is about the one table alone.
func (r *reader) condition(sql string) (where string, plain bool) {
	start := r.t[0].Offset
	plain = true
	for depth := 0; !r.ended(); {
		switch t := r.t[r.i]; {
		case t.Text == "(":
			depth++
		case t.Text == ")":
			depth--
		case depth == 0 && (t.Text == "using" || t.Text == "from" || t.Text == "returning" || t.Text == "as" || t.Text == "current"):
			plain = false
		case depth == 0 && t.Text == "where":
			r.i++
			if !r.ended() {
				where = strings.TrimSpace(sql[r.t[r.i].Offset-start:])
			}
			for _, rest := range r.t[r.i:] {
				if rest.Text == "returning" || rest.Text == "current" {
					plain = false
				}
			}
			r.i = len(r.t)
			return where, plain
		}
		r.i++
	}
	return "", plain
}

// typeName is a type up to USING, COLLATE or the next sub-command.
func (r *reader) typeName(sql string) string {
	if r.ended() {
		return ""
	}
	start, end := r.t[r.i].Offset, len(sql)+r.t[0].Offset
	for depth := 0; !r.ended(); r.i++ {
		t := r.t[r.i]
		switch t.Text {
		case "(":
			depth++
		case ")":
			depth--
		}
		if depth == 0 && (t.Text == "," || t.Text == "using" || t.Text == "collate") {
			end = t.Offset
			break
		}
	}
	return strings.TrimSpace(sql[start-r.t[0].Offset : end-r.t[0].Offset])
}
