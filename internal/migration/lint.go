package migration

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// LintLevel is how much a finding weighs.
type LintLevel string

// The levels: a note is to be known, a warning to be thought about, and a stop to be put right or signed for.
const (
	LintNote LintLevel = "note"
	LintWarn LintLevel = "warn"
	LintStop LintLevel = "stop"
)

// From how many rows or bytes on what holds a lock for the length of a table is a warning, and from how many it is a stop.
// A table that is written to BusyWritesPerHour times an hour or more counts one level higher.
const (
	WarnRows          = 10_000
	StopRows          = 1_000_000
	WarnBytes         = 64 << 20
	StopBytes         = 4 << 30
	BusyWritesPerHour = 3600
)

// LintFinding is something about one statement that its author should know before it runs.
type LintFinding struct {
	Rule      string    `json:"rule"`
	Level     LintLevel `json:"level"`
	Line      int       `json:"line"`
	Statement string    `json:"statement"`
	Relation  string    `json:"relation,omitempty"`
	Lock      string    `json:"lock,omitempty"`
	Waits     string    `json:"waits,omitempty"`
	Size      string    `json:"size,omitempty"`
	Why       string    `json:"why"`
	Instead   string    `json:"instead"`
	// Accepted is why the plan card puts up with it; empty where it does not.
	Accepted string `json:"accepted,omitempty"`
}

// Stops says whether the finding stops the file.
func (f LintFinding) Stops() bool { return f.Level == LintStop && f.Accepted == "" }

// LintReport is what was found in one file, and every lock that it takes on what was there before it.
type LintReport struct {
	Script string `json:"script"`
	Live   bool   `json:"live"` // weighed by the sizes of a real database
	// Bounds says how long the file's statements wait for a lock; the migrator sees to it.
	Bounds   string        `json:"bounds"`
	Findings []LintFinding `json:"findings"`
	Locks    []LintLock    `json:"locks"`
}

// Stops says whether a finding stops the file that its plan card does not put up with.
func (r LintReport) Stops() bool { return slices.ContainsFunc(r.Findings, LintFinding.Stops) }

// Strongest is the lock that keeps most people waiting; false where the file takes none on what was there.
func (r LintReport) Strongest() (LintLock, bool) {
	if len(r.Locks) == 0 {
		return LintLock{}, false
	}
	return slices.MaxFunc(r.Locks, func(a, b LintLock) int { return cmp.Compare(a.Mode, b.Mode) }), true
}

// Worst is the heaviest finding, the first of several; what the plan card puts up with weighs less than what it does not.
func (r LintReport) Worst() (LintFinding, bool) {
	if len(r.Findings) == 0 {
		return LintFinding{}, false
	}
	return slices.MaxFunc(r.Findings, func(a, b LintFinding) int { return cmp.Compare(a.weight(), b.weight()) }), true
}

func (f LintFinding) weight() int {
	weight := 2 * slices.Index([]LintLevel{LintNote, LintWarn, LintStop}, f.Level)
	if f.Accepted == "" {
		weight++
	}
	return weight
}

// Summary is the report in one line: the strongest lock, and the worst finding.
func (r LintReport) Summary() string {
	text := "No lock on what is there"
	if lock, ok := r.Strongest(); ok {
		text = lock.Lock + " on " + lock.Relation
		others := map[string]bool{}
		for _, l := range r.Locks {
			if l.Mode == lock.Mode && l.Relation != lock.Relation {
				others[l.Relation] = true
			}
		}
		if len(others) > 0 {
			text += fmt.Sprintf(" and %d more", len(others))
		}
	}
	worst, ok := r.Worst()
	if !ok {
		return text + "; nothing found."
	}
	text += fmt.Sprintf("; worst finding: %s, %s in line %d", worst.Level, worst.Rule, worst.Line)
	if worst.Accepted != "" {
		text += ", accepted on the plan card"
	}
	return text + "."
}

// LintQuestion is what the rules would like to know of the database.
type LintQuestion struct {
	Relations, Roles []string
	Columns          []string // schema.table.column
}

// LintLive is what the database says; the zero value knows nothing.
type LintLive struct {
	Known  bool
	Tables map[string]LintTable
	// Columns are types by schema.table.column.
	Columns map[string]string
	// Views are the views that use a column, by schema.table.column.
	Views map[string][]string
	Roles map[string]bool
}

// LintTable is how large a relation is, or the table of an index, and how often it is written to.
type LintTable struct {
	Rows, Bytes   int64
	WritesPerHour float64
	// Filled and Unique are of a materialized view: whether it was ever filled, and the index that REFRESH CONCURRENTLY can
	// use; empty where there is none.
	Filled bool
	Unique string
}

// LintAsks is what the rules would like to know for these statements.
func LintAsks(statements []Parsed) LintQuestion {
	var q LintQuestion
	for _, s := range statements {
		q.Relations = append(q.Relations, s.RefreshesConcurrently...)
		q.Relations, q.Roles = append(q.Relations, s.Relations...), append(q.Roles, s.Roles...)
		for _, l := range s.locks() {
			q.Relations = append(q.Relations, l.Relation)
		}
		for _, a := range s.Actions {
			if a.Kind == ActionColumnType || a.Kind == ActionDropColumn {
				q.Columns = append(q.Columns, first(s.Relations)+"."+a.Column)
			}
		}
	}
	for _, list := range []*[]string{&q.Relations, &q.Roles, &q.Columns} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return q
}

// LintUnread is the report on a file that PostgreSQL's parser cannot read.
func LintUnread(script string, err *ParseError) LintReport {
	return LintReport{Script: script, Locks: []LintLock{}, Findings: []LintFinding{{
		Rule: "unreadable", Level: LintStop, Line: err.Line, Why: "PostgreSQL cannot read this: " + err.Message + ".",
		Instead: "Correct the statement; nothing after it was looked at.",
	}}}
}

// linter goes through a file from top to bottom and remembers what it has seen.
type linter struct {
	file         File
	live         LintLive
	report       LintReport
	statement    Parsed
	made, gone   map[string]bool
	uniqueLater  map[string]bool // the same by its end
	unique       map[string]bool // relations on which the file made a unique index on columns, over all rows
	refreshing   map[string]bool // functions that refresh a materialized view
	values       []Parsed        // that were added to types
	unchecked    map[string]int  // constraints that were added NOT VALID, with their line
	concurrently int
}

// Lint holds a file's statements against the rules, weighed by what is known of the database.
func Lint(file File, statements []Parsed, live LintLive) LintReport {
	l := linter{file: file, live: live, made: map[string]bool{}, gone: map[string]bool{}, refreshing: map[string]bool{}, unique: map[string]bool{}, uniqueLater: map[string]bool{}, unchecked: map[string]int{}}
	l.report = LintReport{Script: file.Script, Live: live.Known, Bounds: file.bounds(), Findings: []LintFinding{}, Locks: []LintLock{}}
	l.card()
	for _, s := range statements {
		if s.Kind == KindCreate && s.Object == "index" && s.Unique {
			l.uniqueLater[first(s.Relations)] = true
		}
	}
	for _, s := range statements {
		l.statement = s
		for _, lock := range s.locks() {
			if !l.made[lock.Relation] {
				l.report.Locks = append(l.report.Locks, lock)
			}
		}
		l.rules(s)
		l.remember(s)
	}
	l.accept()
	return l.report
}

func (l *linter) remember(s Parsed) {
	switch {
	case s.Kind == KindCreate && slices.Contains([]string{"table", "matview", "view", "sequence"}, s.Object):
		l.made[s.Name] = true
	case s.Kind == KindCreate && s.Object == "index" && s.Unique:
		l.unique[first(s.Relations)] = true
	case s.Kind == KindCreate && s.Object == "function":
		l.refreshing[s.Name] = s.Refreshes
	case s.Kind == KindRename && s.Object == "table" && len(s.Relations) > 0 && l.made[s.Relations[0]]:
		schema, _, _ := strings.Cut(s.Relations[0], ".")
		l.made[schema+"."+s.Value] = true
	case s.Kind == KindDrop:
		for _, r := range s.Relations {
			l.gone[r] = true
		}
	case s.Kind == KindAddValue:
		l.values = append(l.values, s)
	}
}

// sized are the rules about tables that weigh by their size.
var sized = []string{"rewrite", "volatile-default", "index-not-concurrent", "constraint-validated-at-once", "not-null", "every-row"}

// find adds a finding about the statement at hand.
func (l *linter) find(rule string, level LintLevel, relation, why, instead string) {
	f := LintFinding{Rule: rule, Level: level, Line: l.statement.Line, Statement: l.statement.head(), Relation: relation, Why: why, Instead: instead}
	for _, lock := range l.statement.locks() {
		if relation != "" && lock.Relation == relation {
			f.Lock, f.Waits = lock.Lock, lock.Waits
		}
	}
	if t, ok := l.live.Tables[relation]; ok {
		f.Size = t.words()
	} else if l.live.Known && slices.Contains(sized, rule) {
		f.Size = "not there yet"
	}
	l.report.Findings = append(l.report.Findings, f)
}

// head is a statement's first line.
func (s Parsed) head() string {
	first, _, more := strings.Cut(s.SQL, "\n")
	first = strings.TrimSpace(first)
	if runes := []rune(first); len(runes) > 160 {
		return string(runes[:160]) + " …"
	}
	if more {
		return first + " …"
	}
	return first
}

func (t LintTable) words() string {
	size := fmt.Sprintf("%d rows, %.1f MB", t.Rows, float64(t.Bytes)/1e6)
	if t.WritesPerHour >= 1 {
		size += fmt.Sprintf(", %.0f writes an hour", t.WritesPerHour)
	}
	return size
}

// bySize is the level of what takes as long as the relation is large. What is not there yet is empty when the file comes;
// what is not known may be large.
func (l *linter) bySize(relation string) LintLevel {
	if !l.live.Known {
		return LintWarn
	}
	t := l.live.Tables[relation]
	level := 0
	if t.Rows >= WarnRows || t.Bytes >= WarnBytes {
		level++
	}
	if t.Rows >= StopRows || t.Bytes >= StopBytes {
		level++
	}
	if t.WritesPerHour >= BusyWritesPerHour {
		level++
	}
	return []LintLevel{LintNote, LintWarn, LintStop, LintStop}[level]
}
