package migration

import (
	"fmt"
	"strings"
)

// alters holds one sub-command of ALTER TABLE against the rules; the table was there before the file.
func (l *linter) alters(table string, a ParsedAction) {
	switch a.Kind {
	case ActionColumnType:
		l.changesType(table, a)
	case ActionAddColumn:
		l.addsColumn(table, a)
	case ActionAddConstraint:
		l.addsConstraint(table, a)
	case ActionSetNotNull:
		l.find("not-null", l.bySize(table), table, "Every row is read under the strongest lock to see that none is empty.",
			fmt.Sprintf("ADD CONSTRAINT ... CHECK (%s IS NOT NULL) NOT VALID in one file, VALIDATE CONSTRAINT in the next; SET NOT NULL is then proven without reading.", a.Column))
	case ActionDropColumn:
		l.dependents(table, a.Column, "is dropped")
		l.find("drop", l.dropLevel(), table, "The column's values are gone, and the program that runs now may still name it.",
			"First release a program that does without the column; drop it in the release after.")
	case ActionDropConstraint:
		l.find("drop", LintNote, table, "From now on nothing keeps out what the constraint kept out.", "Put the new rule in place before the old one goes.")
	case ActionRewrite:
		l.find("rewrite", l.bySize(table), table, "The whole table is written again under the strongest lock.", "Leave it to a maintenance window of its own.")
	case ActionValidate:
		l.validates(table, a)
	case ActionAttach, ActionSetting, ActionTrigger, ActionBrief:
	}
}

// validates finds a constraint that is checked in the transaction that made it: the stronger lock of making it still stands.
func (l *linter) validates(table string, a ParsedAction) {
	if line, ok := l.unchecked[a.Name]; ok && !l.file.NoTransaction {
		l.find("constraint-validated-at-once", l.bySize(table), table,
			fmt.Sprintf("The lock of line %d is held to the end of the file, so every row is checked under it.", line),
			"VALIDATE CONSTRAINT in the next file, which lets reads and writes go on.")
		// The lock that counts is the one that still stands, and not validating's own.
		for _, k := range l.report.Locks {
			if k.Line == line && k.Relation == table {
				f := &l.report.Findings[len(l.report.Findings)-1]
				f.Lock, f.Waits = k.Lock, k.Waits
			}
		}
	}
}

func (l *linter) dropLevel() LintLevel {
	if l.file.Direction == Down {
		return LintNote
	}
	return LintWarn
}

func (l *linter) changesType(table string, a ParsedAction) {
	l.dependents(table, a.Column, "changes its type")
	from, known := l.live.Columns[table+"."+a.Column]
	// Where the file has run, the column has the type already, and says nothing about what it had.
	known = known && readTypeText(from) != readTypeText(a.Type)
	if known && !a.Using && !rewrites(from, a.Type) {
		l.find("type-change", LintNote, table, fmt.Sprintf("%s grows from %s to %s; no row is written again.", a.Column, from, a.Type), "Nothing; the lock is short.")
		return
	}
	why := fmt.Sprintf("Changing %s to %s writes the table and its indexes again, row by row.", a.Column, a.Type)
	switch {
	case known:
		why = fmt.Sprintf("Changing %s from %s to %s writes the table and its indexes again, row by row.", a.Column, from, a.Type)
	case !a.Using && a.Type != "":
		why += " Only where the old type is the same with less room, and for numeric with as many decimals, it does not."
	}
	l.find("rewrite", l.bySize(table), table, why,
		"On a large table: add a new column, keep both equal by a trigger, fill the old rows in portions, and change over in a later file.")
}

func readTypeText(s string) string { return fmt.Sprint(readType(s)) }

// dependents are views that use the column: PostgreSQL refuses to touch it while they stand.
func (l *linter) dependents(table, column, what string) {
	var standing []string
	for _, view := range l.live.Views[table+"."+column] {
		if !l.gone[view] {
			standing = append(standing, view)
		}
	}
	if len(standing) > 0 {
		l.find("dependent-view", LintStop, table, fmt.Sprintf("%s %s, but %s uses it; PostgreSQL refuses.", column, what, strings.Join(standing, ", ")),
			"Drop the view before, and make it again after, in the same file.")
	}
}

func (l *linter) addsColumn(table string, a ParsedAction) {
	call := volatileCall(a.Calls)
	switch {
	case a.Stored:
		l.find("rewrite", l.bySize(table), table, "A stored generated column is computed for every row, and the table written again.", "Add a plain column, fill it in portions, and keep it by a trigger.")
	case a.Identity:
		l.find("rewrite", l.bySize(table), table, "Every row gets its own number, and the table is written again.", "Add the column without a default, fill it in portions, then set the default.")
	case call != "":
		l.find("volatile-default", l.bySize(table), table, fmt.Sprintf("The default calls %s. Unless it is known to be stable, each row gets a value of its own, and the table is written again.", call),
			"Add the column without a default, set the default for new rows, and fill the old rows in portions.")
	}
	if a.NotNull && !a.HasDefault && !a.Stored && !a.Identity {
		level, why := LintWarn, "Where the table has rows, this fails: they have no value for the column."
		if t, ok := l.live.Tables[table]; ok {
			level = LintStop
			if t.Rows == 0 {
				level = LintNote
			}
		}
		l.find("not-null", level, table, why, "Give it a constant default, or add it without NOT NULL, fill it, and set NOT NULL in a later file.")
	}
	if a.Constraint != "" {
		l.addsConstraint(table, a)
	}
}

func (l *linter) addsConstraint(table string, a ParsedAction) {
	if a.NotValid {
		l.unchecked[a.Name] = l.statement.Line
	}
	switch a.Constraint {
	case "check":
		if !a.NotValid && a.Kind != ActionAddColumn {
			l.find("constraint-validated-at-once", l.bySize(table), table, "Every row is checked under the strongest lock.",
				"ADD CONSTRAINT ... NOT VALID, and VALIDATE CONSTRAINT in the next file, which lets reads and writes go on.")
		}
	case "foreign key":
		if !a.NotValid && (a.Kind != ActionAddColumn || a.HasDefault) {
			l.find("constraint-validated-at-once", l.bySize(table), table, "Every row is looked up in "+a.References+", and meanwhile writes of both tables wait.",
				"ADD CONSTRAINT ... NOT VALID, and VALIDATE CONSTRAINT in the next file, which lets reads and writes go on.")
		}
	case "unique", "primary key", "exclude":
		if !a.UsingIndex {
			l.find("index-not-concurrent", l.bySize(table), table, "The constraint builds its index under the strongest lock.",
				"CREATE UNIQUE INDEX CONCURRENTLY in a file of its own, then ADD CONSTRAINT ... USING INDEX.")
		}
	}
}
