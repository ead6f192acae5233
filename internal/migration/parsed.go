package migration

import "fmt"

// Parsed is one statement as PostgreSQL's own parser read it: as much of it as the lint asks about, in our words.
type Parsed struct {
	Line int `json:"line"`
	// From and Bytes say where in the file it stands; SQL is that text.
	From  int        `json:"from"`
	Bytes int        `json:"bytes"`
	SQL   string     `json:"-"`
	Kind  ParsedKind `json:"kind"`
	// Object is what kind of thing is made, dropped or renamed: table, view, matview, index, column, constraint, trigger,
	// policy, function, type and so on.
	Object string `json:"object,omitempty"`
	// Relations are what the statement is about, schema first. For a trigger or a policy it is their table.
	Relations []string `json:"relations,omitempty"`
	// References are tables that foreign keys of a new table point at.
	References []string `json:"references,omitempty"`
	// Name is what is made, dropped or renamed where that is no relation; of SET, the setting.
	Name    string         `json:"name,omitempty"`
	Actions []ParsedAction `json:"actions,omitempty"` // of ALTER TABLE
	Routine string         `json:"routine,omitempty"` // that a trigger runs
	Mode    LockMode       `json:"mode,omitempty"`    // of LOCK TABLE
	Value   string         `json:"value,omitempty"`   // of SET; that ALTER TYPE adds
	Roles   []string       `json:"roles,omitempty"`   // that a GRANT names; not PUBLIC, and not who runs it

	Concurrently bool `json:"concurrently,omitempty"`
	EachRow      bool `json:"each_row,omitempty"`
	TagInWhen    bool `json:"tag_in_when,omitempty"`
	Where        bool `json:"where,omitempty"`
	Full         bool `json:"full,omitempty"`
	Program      bool `json:"program,omitempty"`
	// RunsText and Refreshes are what stands in the body of a function or a DO block: EXECUTE of a text, and REFRESH
	// MATERIALIZED VIEW.
	RunsText  bool `json:"runs_text,omitempty"`
	Refreshes bool `json:"refreshes,omitempty"`
	// RefreshesConcurrently are the materialized views that such a body refreshes CONCURRENTLY, schema first.
	RefreshesConcurrently []string `json:"refreshes_concurrently,omitempty"`
	// Unique is an index that REFRESH CONCURRENTLY can use: unique, on columns, over all rows.
	Unique bool `json:"unique,omitempty"`
}

// ReadBody looks into the body of a function or a DO block, which PostgreSQL's parser takes for a text.
func (s *Parsed) ReadBody(body string) {
	w := words(body)
	s.RefreshesConcurrently = ViewsRefreshed(body)
	for i := range w {
		s.RunsText = s.RunsText || w[i] == "execute" && (i+1 == len(w) || w[i+1] != "on") // GRANT EXECUTE ON is something else
		s.Refreshes = s.Refreshes || i+2 < len(w) && w[i] == "refresh" && w[i+1] == "materialized" && w[i+2] == "view"
	}
}

// ParsedKind is what a statement does.
type ParsedKind string

// The kinds that the lint knows; everything else is KindOther.
const (
	KindCreate      ParsedKind = "create"
	KindAlterTable  ParsedKind = "alter table"
	KindAddValue    ParsedKind = "alter type add value"
	KindDrop        ParsedKind = "drop"
	KindRename      ParsedKind = "rename"
	KindGrant       ParsedKind = "grant"
	KindInsert      ParsedKind = "insert"
	KindUpdate      ParsedKind = "update"
	KindDelete      ParsedKind = "delete"
	KindTruncate    ParsedKind = "truncate"
	KindLock        ParsedKind = "lock table"
	KindRefresh     ParsedKind = "refresh"
	KindReindex     ParsedKind = "reindex"
	KindCluster     ParsedKind = "cluster"
	KindVacuum      ParsedKind = "vacuum"
	KindDo          ParsedKind = "do"
	KindCopy        ParsedKind = "copy"
	KindAlterSystem ParsedKind = "alter system"
	KindSet         ParsedKind = "set"
	KindTransaction ParsedKind = "transaction"
	KindOther       ParsedKind = "other"
)

// ParsedAction is one sub-command of ALTER TABLE.
type ParsedAction struct {
	Kind   ActionKind `json:"kind"`
	Column string     `json:"column,omitempty"`
	Type   string     `json:"type,omitempty"` // that a column gets
	// Constraint is check, foreign key, unique, primary key or exclude.
	Constraint string   `json:"constraint,omitempty"`
	Name       string   `json:"name,omitempty"`       // of the constraint
	References string   `json:"references,omitempty"` // the table that a foreign key points at
	Calls      []string `json:"calls,omitempty"`
	// Using is a type change with an expression; UsingIndex a constraint over an index that is there already.
	NotValid   bool `json:"not_valid,omitempty"`
	Using      bool `json:"using,omitempty"`
	UsingIndex bool `json:"using_index,omitempty"`
	NotNull    bool `json:"not_null,omitempty"`
	HasDefault bool `json:"has_default,omitempty"`
	Stored     bool `json:"stored,omitempty"`
	Identity   bool `json:"identity,omitempty"`
}

// ActionKind is what a sub-command of ALTER TABLE does.
type ActionKind string

// The sub-commands that the lint tells apart. ActionBrief takes the strongest lock, but only for a moment.
const (
	ActionAddColumn      ActionKind = "add column"
	ActionDropColumn     ActionKind = "drop column"
	ActionColumnType     ActionKind = "alter column type"
	ActionSetNotNull     ActionKind = "set not null"
	ActionAddConstraint  ActionKind = "add constraint"
	ActionDropConstraint ActionKind = "drop constraint"
	ActionValidate       ActionKind = "validate constraint"
	ActionRewrite        ActionKind = "set logged, unlogged or access method"
	ActionSetting        ActionKind = "set statistics or a storage parameter"
	ActionTrigger        ActionKind = "enable or disable a trigger"
	ActionAttach         ActionKind = "attach partition"
	ActionBrief          ActionKind = "other"
)

// ParseError is what PostgreSQL's parser said of a text that it cannot read.
type ParseError struct {
	Line    int
	Message string
}

// Error is the message with its line.
func (e *ParseError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Message) }
