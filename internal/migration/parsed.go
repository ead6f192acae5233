package migration

import "fmt"

// Parsed is one statement as PostgreSQL's own parser read it: as much of it as the lint asks about, in our words.
type Parsed struct {
	Line int
	SQL  string
	Kind ParsedKind
	// Object is what kind of thing is made, dropped or renamed: table, view, matview, index, column, constraint, trigger,
	// policy, function, type and so on.
	Object string
	// Relations are what the statement is about, schema first. For a trigger or a policy it is their table.
	Relations []string
	// References are tables that foreign keys of a new table point at.
	References []string
	// Name is what is made, dropped or renamed where that is no relation; of SET, the setting.
	Name    string
	Actions []ParsedAction // of ALTER TABLE
	Routine string         // that a trigger runs
	Body    string         // of a function or a DO block
	Mode    LockMode       // of LOCK TABLE
	Value   string         // of SET; that ALTER TYPE adds
	Roles   []string       // that a GRANT names; not PUBLIC, and not who runs it

	Concurrently, EachRow, TagInWhen, Where, Full, Program bool
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
	Kind   ActionKind
	Column string
	Type   string // that a column gets
	// Constraint is check, foreign key, unique, primary key or exclude.
	Constraint string
	Name       string // of the constraint
	References string // the table that a foreign key points at
	Calls      []string
	// Using is a type change with an expression; UsingIndex a constraint over an index that is there already.
	NotValid, Using, UsingIndex, NotNull, HasDefault, Stored, Identity bool
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
