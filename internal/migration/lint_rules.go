package migration

import (
	"fmt"
	"slices"
	"strings"
)

// rules holds one statement against everything that is not about ALTER TABLE, and its sub-commands against the rest.
func (l *linter) rules(s Parsed) {
	l.forbidden(s)
	l.outsideTransaction(s)
	l.usesNewValue(s)
	l.refreshes(s)
	switch s.Kind {
	case KindCreate:
		l.creates(s)
	case KindAlterTable:
		if len(s.Relations) > 0 && !l.made[s.Relations[0]] {
			for _, a := range s.Actions {
				l.alters(s.Relations[0], a)
			}
		}
	case KindDrop:
		l.drops(s)
	case KindRename:
		if len(s.Relations) == 0 || !l.made[s.Relations[0]] {
			l.find("rename", LintWarn, first(s.Relations), "The program that runs now knows the "+s.Object+" by its old name and fails from this moment on.",
				"Add the new name beside the old one, let both be served, and drop the old one in a later release.")
		}
	case KindGrant:
		l.grants(s)
	case KindUpdate, KindDelete:
		l.everyRow(s)
	case KindTruncate, KindLock, KindRefresh, KindReindex, KindCluster, KindVacuum:
		l.long(s)
	case KindDo:
		if s.RunsText {
			l.find("hidden-sql", LintNote, "", "The block builds SQL and runs it; what that locks cannot be read here.", "Rehearse the file: the rehearsal sees the locks that it really takes.")
		}
	case KindSet:
		l.bounds(s)
	case KindAddValue:
		if !l.file.NoTransaction {
			l.find("enum-value", LintNote, "", "The new value "+quoted(s.Value)+" can be used only after this file has committed.", "Use it in the next file.")
		}
	case KindInsert, KindCopy, KindAlterSystem, KindTransaction, KindOther:
	}
}

// forbidden is what the reader of files refuses as well, whatever it is for.
func (l *linter) forbidden(s Parsed) {
	stop := func(why, instead string) { l.find("not-in-a-migration", LintStop, "", why, instead) }
	switch {
	case s.Kind == KindTransaction:
		stop("The migrator begins and ends the transaction; this would tear the change and its ledger row apart.", "Leave it out.")
	case s.Kind == KindAlterSystem:
		stop("The server's settings are not the schema's.", "Have whoever runs the server change it.")
	case s.Kind == KindSet && (s.Name == "role" || s.Name == "session_authorization"):
		stop("The ledger's row is written as the owner, and so is everything before it.", "Leave it out, and grant the owner what it lacks.")
	case s.Kind == KindCopy && s.Program:
		stop("COPY ... PROGRAM runs a command on the server's machine.", "Load the data before the migration, from outside.")
	}
}

// outsideTransaction finds what cannot stand inside a transaction, and two in a file that has none.
func (l *linter) outsideTransaction(s Parsed) {
	alone := s.Kind == KindVacuum || s.Concurrently && s.Kind != KindRefresh
	if !alone {
		return
	}
	if !l.file.NoTransaction {
		l.find("not-in-a-transaction", LintStop, first(s.Relations), "PostgreSQL refuses this inside a transaction, and this file is one.",
			"Put it into a file of its own whose first line is "+noTransaction+".")
		return
	}
	if l.concurrently++; l.concurrently > 1 {
		l.find("two-in-a-file", LintStop, first(s.Relations), "Where this fails, the statement before it stays, and the version is half way in the database.",
			"Give each its own file, so that every version is there or is not.")
	}
}

// usesNewValue finds a type's new value in the transaction that adds it.
func (l *linter) usesNewValue(s Parsed) {
	if l.file.NoTransaction {
		return
	}
	for _, added := range l.values {
		if slices.ContainsFunc(Tokens(s.SQL), func(t Token) bool { return t.Text == quoted(added.Value) }) {
			l.find("enum-value-used", LintStop, "", "PostgreSQL refuses to use "+quoted(added.Value)+" in the transaction that adds it (line "+fmt.Sprint(added.Line)+").",
				"Add the value in one file and use it in the next.")
		}
	}
}

func (l *linter) creates(s Parsed) {
	table := first(s.Relations)
	switch {
	case s.Object == "index" && !s.Concurrently && !l.made[table]:
		l.find("index-not-concurrent", l.bySize(table), table, "Writes wait until the whole index is built.",
			"CREATE INDEX CONCURRENTLY, in a file of its own whose first line is "+noTransaction+".")
	case s.Object == "trigger" && s.TagInWhen:
		l.find("tg-op-in-when", LintStop, table, "TG_OP does not exist in a trigger's WHEN; PostgreSQL fails here.",
			"Make one trigger for each event, or ask TG_OP inside the function.")
	}
	if s.Object == "trigger" && s.EachRow && l.refreshing[s.Routine] {
		l.find("refresh-per-row", LintStop, table, s.Routine+" refreshes a whole materialized view, and this trigger calls it for every row.",
			"Refresh by a job on a schedule, or keep a table up to date row by row.")
	}
}

func words(sql string) []string {
	var list []string
	for _, t := range Tokens(sql) {
		list = append(list, t.Text)
	}
	return list
}

// drops are what an undo file is for; there they are only noted.
func (l *linter) drops(s Parsed) {
	level := LintWarn
	if l.file.Direction == Down || slices.Contains([]string{"index", "trigger", "policy", "function", "view"}, s.Object) {
		level = LintNote
	}
	for _, name := range append(slices.Clone(s.Relations), namesWithout(s)...) {
		if l.made[name] {
			continue
		}
		why := "The program that runs now may still use it, and fails from this moment on."
		if s.Object == "table" {
			why = "Its rows are gone, and the program that runs now may still read them."
		}
		l.find("drop", level, name, why, "First release a program that does without it; drop it in the release after.")
	}
}

// namesWithout is the dropped thing's own name, where it is no relation.
func namesWithout(s Parsed) []string {
	if len(s.Relations) > 0 || s.Name == "" {
		return nil
	}
	return []string{s.Name}
}

func (l *linter) grants(s Parsed) {
	for _, role := range s.Roles {
		level, why := LintWarn, "Where there is no role "+role+", the whole file fails."
		switch {
		case l.live.Known && l.live.Roles[role]:
			level = LintNote
			why += " Here there is one."
		case l.live.Known:
			level = LintStop
			why = "There is no role " + role + " here, so the whole file fails."
		}
		l.find("unguarded-grant", level, "", why, "Ask pg_roles first, in a DO block: IF EXISTS (SELECT FROM pg_roles WHERE rolname = "+quoted(role)+") THEN GRANT ...")
	}
}

func (l *linter) everyRow(s Parsed) {
	table := first(s.Relations)
	if s.Where || l.made[table] {
		return
	}
	what := map[ParsedKind]string{
		KindUpdate: "Every row is written again in one transaction, and who wants to change one of them waits to its end.",
		KindDelete: "Every row is deleted in one transaction.",
	}[s.Kind]
	l.find("every-row", l.bySize(table), table, what, "Say which rows with WHERE, and do many of them in portions outside the migration.")
}

// long is what keeps people waiting as long as a table is large.
func (l *linter) long(s Parsed) {
	for _, table := range s.Relations {
		switch {
		case l.made[table]:
		case s.Kind == KindTruncate:
			l.find("truncate", LintStop, table, "All rows are gone at once.", "Delete what is to go, with WHERE, and have it counted before.")
		case s.Kind == KindLock:
			l.find("lock-table", heavier(LintWarn, l.bySize(table)), table, "The lock is held to the end of the file.", "Leave it out: each statement takes the lock that it needs.")
		case s.Kind == KindCluster, s.Kind == KindVacuum && s.Full:
			l.find("rewrite", l.bySize(table), table, "The whole table and its indexes are written again under the strongest lock.", "Leave it to a maintenance window of its own; a migration does not need it.")
		case s.Kind == KindRefresh && !s.Concurrently:
			l.find("refresh", l.bySize(table), table, "Who reads the view waits until it is filled again.", "REFRESH MATERIALIZED VIEW CONCURRENTLY, which needs a unique index on the view.")
		case s.Kind == KindReindex && !s.Concurrently:
			l.find("reindex", l.bySize(table), table, "Writes wait until the index is built again, and so do reads that would use it.", "REINDEX ... CONCURRENTLY, in a file of its own whose first line is "+noTransaction+".")
		}
	}
}

// bounds finds a file that overrules what the migrator sets from its plan card.
func (l *linter) bounds(s Parsed) {
	if s.Name == "lock_timeout" || s.Name == "statement_timeout" {
		l.find("own-timeout", LintWarn, "", "The migrator bounds every statement by the plan card; this overrules it for the rest of the file, unseen by who reads the card.",
			"Write "+s.Name+" on the plan card instead.")
	}
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// heavier is the heavier of two levels.
func heavier(a, b LintLevel) LintLevel {
	if a == LintStop || b == LintStop {
		return LintStop
	}
	if a == LintWarn || b == LintWarn {
		return LintWarn
	}
	return LintNote
}
