package pages_test

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

var (
	low    = components.State{Code: "low", Word: "Risk low", Tone: components.Neutral}
	medium = components.State{Code: "medium", Word: "Risk medium", Tone: components.Warn}
)

const upSQL = `-- risk: medium
-- estimate: 8s
-- reversible: yes

ALTER TABLE putaway_recommendations
	ALTER COLUMN confidence_score TYPE numeric(4,3);
ALTER TABLE putaway_recommendations
	ADD CONSTRAINT confidence_score_between_0_and_1 CHECK (confidence_score >= 0 AND confidence_score <= 1 AND 'a very long line' <> 'that scrolls inside its own box and not the page');
`

func nextMigration() pages.NextMigration {
	return pages.NextMigration{
		Version: "V0.0.20", Text: "V0.0.20 may be applied: go / no-go is passed.", Tone: components.Info,
		Apply: pages.ApplyForm{Action: "/migrations/V0.0.20/apply", Release: code, SHA256: digest, Effect: "Apply V0.0.20 to demo"},
	}
}

func blockedMigration() pages.NextMigration {
	return pages.NextMigration{
		Version: "V0.0.20", Text: "V0.0.20 is next and waits for its gate.", Tone: components.Blocked,
		WhyNot: []components.Link{{Label: "Go / no-go lacks two signatures: DevOps lead, statistical expert", Href: "/releases/" + code + "/gates/go_no_go"}, {Label: "P1.2 has failed", Href: "/releases/" + code + "/items/P1.2"}},
		WhoCan: []string{"DevOps lead"},
	}
}

func ledgerRows() []pages.LedgerRow {
	return []pages.LedgerRow{
		{ID: "4", At: clock("14:02", "2 min ago"), Version: "V0.0.20", Direction: "up", Outcome: failed, By: "Ines Duarte", Duration: "1.204 s", SHA256: digest, RunHref: "/migration-runs/4", Note: "55P03 lock not available"},
		{ID: "3", At: clock("3 Oct, 09:00", "82 days ago"), Version: "V0.0.18", Direction: "up", Outcome: applied, By: "Tomás Ferreira", Duration: "0.412 s", SHA256: other, RunHref: "/migration-runs/3"},
		{ID: "1", At: clock("1 Oct, 09:00", "84 days ago"), Version: "V0.0.14", Direction: "baseline", Outcome: components.State{Code: "baseline", Word: "Baseline", Tone: components.Info}, By: "gatehouse setup", Duration: "–", SHA256: digest},
	}
}

func migrationList() pages.MigrationListView {
	rung := func(version, title string, state components.State) pages.Rung {
		return pages.Rung{Version: version, Title: title, Href: "/migrations/" + version, State: state, Risk: low, Estimate: "8 s", Locks: "putaway_recommendations: ACCESS EXCLUSIVE, about 2 s", SHA256: digest, File: "present, " + version + "__name.sql", Database: "not applied"}
	}
	v := pages.MigrationListView{
		Shell: shell("Migrations", layouts.PlaceMigrations), Sentence: "3 of 6 applied; V0.0.20 is next and may be applied.", Tone: components.Info,
		LibrarySays: "version 18, not dirty", Next: nextMigration(), Ledger: ledgerRows(), LedgerPager: components.Pager{Older: "/migrations?before=1", Shown: "3 runs"}, LiveHref: "/migrations",
		Rungs: []pages.Rung{
			rung("V0.0.15", "bin utilization tracking", applied), rung("V0.0.16", "algorithm optimization", components.State{Code: "changed", Word: "Changed", Tone: components.Warn}),
			rung("V0.0.18", "automated triggers", applied), rung("V0.0.20", "fix bin optimization data quality", pending),
			rung("V0.0.21", "fix uuid function", blocked), rung("V0.0.22", "bin utilization statistical analysis and a title that is longer than anybody would wish", components.State{Code: "missing", Word: "File missing", Tone: components.Bad}),
		},
	}
	for i := range 3 {
		r := &v.Rungs[i]
		r.Real, r.By, r.At, r.Database = "0.412 s", "Tomás Ferreira", clock("3 Oct, 09:00", "82 days ago"), "applied, success"
	}
	v.Rungs[3].Risk = medium
	v.Rungs[1].Differs = "The file has changed since it was applied: the ledger recorded 41d3a0b2c9e8, the file is 9f2b6c1d40e8."
	return v
}

func migrationListRefused() pages.MigrationListView {
	v := migrationList()
	v.Next, v.Tone, v.Sentence = blockedMigration(), components.Blocked, "3 of 6 applied; V0.0.20 waits for go / no-go."
	return v
}

func migrationListEmpty() pages.MigrationListView {
	return pages.MigrationListView{
		Shell: shell("Migrations", layouts.PlaceMigrations), Sentence: "The warehouse database cannot be read, so its state is unknown.", Tone: components.Unknown,
		Unreadable: "The database did not answer within 2 seconds. Nothing was changed; this page asks again.", NothingToSee: "The six versions appear here once the database answers.",
	}
}

func postChecks() []components.Check {
	return []components.Check{
		{Name: "material_dimension_verifications", Detail: "table", State: components.State{Code: "present", Word: "Present", Tone: components.Good}, Expected: "table with row-level security", Found: "as expected"},
		{Name: "confidence_score_between_0_and_1", Detail: "constraint", State: components.State{Code: "absent", Word: "Missing", Tone: components.Bad}, Expected: "CHECK between 0 and 1", Found: "no such constraint"},
	}
}

func migrationShow() pages.MigrationShowView {
	gate := goNoGo(signed)
	return pages.MigrationShowView{
		Shell: shell("V0.0.20", layouts.PlaceMigrations, toMigrations), Version: "V0.0.20", Name: "fix bin optimization data quality", State: pending, Risk: medium,
		Plan:   []components.Fact{{Label: "Estimate", Value: "8 s"}, {Label: "Reversible", Value: "yes"}, {Label: "Locks", Value: "putaway_recommendations: ACCESS EXCLUSIVE"}},
		SHA256: digest, File: "V0.0.20__fix_bin_optimization_data_quality.sql", SQL: upSQL, UndoFile: "U0.0.20__fix_bin_optimization_data_quality.sql", UndoSQL: "DROP TABLE material_dimension_verifications;\n",
		Reversible: "It can be undone; four tables and what is in them are lost.", PostChecks: postChecks(), Gate: &gate, Next: nextMigration(), DownHref: "/migrations/V0.0.20/down",
		RecordedAs: other, Runs: detailed(ledgerRows()[:1]), Diff: textDiff(), Lint: lint(),
	}
}

// detailed is rows as the page of a version shows them, with the rest of each row.
func detailed(rows []pages.LedgerRow) []pages.LedgerRow {
	rows[0].Details = []components.Fact{{Label: "Server", Value: "PostgreSQL 15.18"}, {Label: "Lock waits", Value: "6, 12.013 s in all, for: reporting (psql, server process 41): SELECT count(*) FROM putaway_recommendations"}, {Label: "Run", Value: code, Code: true}}
	rows[0].Error, rows[0].Notices = "V0.0.20__fix_bin_optimization_data_quality.sql line 6 (SQLSTATE 55P03): canceling statement due to lock timeout", "LOCK: not had within 2s, try 1 of 6.\nNOTICE: a line that is longer than anybody would wish and has to break instead of pushing the page aside"
	return rows
}

func textDiff() *pages.TextDiffView {
	return &pages.TextDiffView{
		Sentence: "It differs in one place from the text that was applied.",
		Places:   []pages.DiffPlace{{Where: "Line 6 then, line 6 now", Words: []pages.DiffWords{{"same", "alter column confidence_score type numeric ("}, {"gone", "4"}, {"new", "5"}, {"same", ", 3 ) ;"}}}},
	}
}

func lint() *pages.LintView {
	return &pages.LintView{
		Sentence: "AccessExclusiveLock on public.putaway_recommendations; worst finding: stop, rewrite in line 5.", Tone: components.Bad,
		Bounds: "A statement waits at most 2s for a lock and may take 15m; the migrator sets both.", Basis: "What depends on a table's size was decided by what the server has noted of it, without counting.",
		Findings: []pages.LintRow{
			{
				Level: components.State{Code: "stop", Word: "put it right", Tone: components.Bad}, Rule: "rewrite", Line: "5", Statement: "ALTER TABLE putaway_recommendations …", Relation: "public.putaway_recommendations",
				Size: "2000000 rows, 812.0 MB, 4100 writes an hour", Lock: "AccessExclusiveLock", Waits: "reads and writes of public.putaway_recommendations wait", Why: "Changing confidence_score from numeric(3,2) to numeric(4,3) writes the table and its indexes again, row by row.",
				Instead: "On a large table: add a new column, keep both equal by a trigger, fill the old rows in portions, and change over in a later file.",
			},
			{Level: components.State{Code: "warn", Word: "think about it", Tone: components.Warn}, Rule: "constraint-validated-at-once", Line: "7", Why: "Every row is checked under the strongest lock.", Instead: "NOT VALID first.", Accepted: "the warehouse stands still at T-0"},
		},
		Locks: []pages.LintLockRow{{Line: "5", Relation: "public.putaway_recommendations", Lock: "AccessExclusiveLock", Waits: "reads and writes of public.putaway_recommendations wait"}},
	}
}

func migrationShowRefused() pages.MigrationShowView {
	v := migrationShow()
	v.Next, v.RecordedAs, v.PostChecks, v.Gate, v.Runs, v.DownHref = blockedMigration(), "", nil, nil, nil, ""
	v.Diff, v.Rename, v.Lint = nil, "git mv V0.0.17__a.sql V0.0.23__a.sql && git mv U0.0.17__a.sql U0.0.23__a.sql", &pages.LintView{Sentence: "No lock on what is there; nothing found.", Tone: components.Good}
	v.Next.FreshHref = "/login?fresh=1&return=%2Fmigrations%2FV0.0.20"
	return v
}

func migrationDown() pages.MigrationDownView {
	return pages.MigrationDownView{
		Shell: shell("Undo V0.0.22", layouts.PlaceMigrations, toMigrations), Version: "V0.0.22", Name: "bin utilization statistical analysis", Action: "/migrations/V0.0.22/down", CancelHref: "/migrations/V0.0.22",
		Release: code, SHA256: digest, LostText: "Undoing V0.0.22 drops four tables and everything in them. No other version has to be undone first.",
		Lost:  []components.Fact{{Label: "bin_optimization_statistical_metrics", Value: "1 204 rows"}, {Label: "bin_optimization_outliers", Value: "37 rows"}},
		Keeps: "Recommendations, lots and locations are not touched.", UndoSQL: "DROP TABLE bin_optimization_outliers;\n", Effect: "Undo V0.0.22 on demo and drop its data",
		Complaints: components.Complaints{{Field: "confirm", Text: "Type V0.0.22 exactly."}}, Confirm: "V22", Reason: "Wrong window.",
		SavedText: "Undoing V0.0.22 throws away 1241 rows and values.", SavedAt: clock("14:01", "1 min ago"), Work: components.Link{Label: "with this log", Href: "/operations/4"},
		Counted: []components.Fact{{Label: "rows of public.bin_optimization_outliers", Value: "37"}},
		Files:   []components.Fact{{Label: "undo_v0.0.22.dump", Value: "tables public.bin_optimization_outliers; 4096 bytes, SHA-256 " + digest}},
		Loss:    code, Signs: "Undoing V0.0.22 throws away 1241 rows and values.", Save: pages.Order{Action: "/migrations/V0.0.22/losses", Key: code, Effect: "Count and save it again"},
	}
}

func migrationDownRefused() pages.MigrationDownView {
	v := migrationDown()
	v.Save, v.SavedText, v.Counted, v.Files = pages.Order{}, "What would be lost has not been counted yet.", nil, nil
	v.Action, v.Complaints, v.Refused, v.WhoCan = "", nil, "Undoing a migration is not among your roles (QA lead).", []string{"DevOps lead"}
	v.WhyNot = []components.Link{{Label: "V0.0.23 stands on it and has to be undone first", Href: "/migrations/V0.0.23"}}
	return v
}

func migrationRepair() pages.MigrationRepairView {
	took := components.State{Code: "took_effect", Word: "took effect", Tone: components.Good}
	none := components.State{Code: "not_there", Word: "did not take effect", Tone: components.Neutral}
	return pages.MigrationRepairView{
		Shell: shell("Repair V0.0.23", layouts.PlaceMigrations, toMigrations), Version: "V0.0.23", Sentence: "Some of V0.0.23 is there and some is not.", Tone: components.Warn,
		LookedAt: clock("14:02", "5 s ago"), LookedBy: "Ines Duarte", SHA256: digest, LookHref: "/migrations/V0.0.23/probe", Action: "/migrations/V0.0.23/repair", Key: code,
		Effect: "Record it for V0.0.23 on demo", SavedText: "Undoing V0.0.23 throws away 3 rows and values, saved at 14:01:10 UTC: undo_v0.0.23_1a2b3c4d.dump (SHA-256 " + digest + ").",
		Counted: []components.Fact{{Label: "rows of public.one", Value: "3"}}, Files: []components.Fact{{Label: "undo_v0.0.23_1a2b3c4d.dump", Value: "3 rows of public.one; 812 bytes, SHA-256 " + digest}},
		Save:    pages.Order{Action: "/migrations/V0.0.23/losses", Key: code, Effect: "Count and save it again"},
		Offers:  []components.Option{{Value: "undo", Label: "Run its undo file", Hint: "What is there is taken back."}},
		Refused: []components.Fact{{Label: "Applied", Value: "Not everything of it is there."}, {Label: "Not applied", Value: "Something of it is there."}},
		Statements: []pages.RepairStatement{
			{Line: "12", SQL: "CREATE TABLE public.one (", State: took, Summary: "1 thing looked at: there, as the file leaves it", Looked: []string{"table public.one"}},
			{Line: "20", SQL: "CREATE INDEX two ON public.one (id)", State: failed, Mixed: []components.Check{{Name: "index public.two", State: none, Expected: "there", Found: "not there"}}},
			{Line: "22", SQL: "UPDATE public.one SET id = 1", State: components.State{Code: "no_trace", Word: "leaves no trace", Tone: components.Warn}},
		},
		Folded:     []pages.RepairFold{{State: took, Summary: "1 statement took effect", Statements: []pages.RepairStatement{{Line: "30", SQL: "CREATE TABLE public.three (", State: took, Summary: "1 thing looked at: there, as the file leaves it", Looked: []string{"table public.three"}}}}},
		Rest:       []components.Check{{Name: "grant SELECT on public.one", State: none, Expected: "there", Found: "not there"}},
		Complaints: components.Complaints{{Field: "confirm", Text: "Type V0.0.23 here."}}, Confirm: "V23", Reason: "Cut off.",
		Done: []pages.OperationRow{{ID: code, Href: "/operations/" + code, Title: "as not-applied", State: failed, By: "Ines Duarte (devops_lead)", Ordered: clock("13:50", "12 min ago"), Sentence: "Why: a test. It was not proven."}},
	}
}

func migrationRepairEmpty() pages.MigrationRepairView {
	return pages.MigrationRepairView{
		Shell: shell("Repair V0.0.23", layouts.PlaceMigrations, toMigrations), Version: "V0.0.23", Sentence: "Nobody has looked yet what of V0.0.23 is in the database.",
		Tone: components.Neutral, FreshHref: "/login?fresh=1&return=%2Fmigrations%2FV0.0.23%2Frepair", WhoCan: []string{"DevOps lead"},
	}
}

func migrationRun() pages.MigrationRunView {
	return pages.MigrationRunView{
		Shell: shell("Applying V0.0.20", layouts.PlaceMigrations, toMigrations), Run: "4", Version: "V0.0.20", Direction: "up", State: running, Sentence: "Applying V0.0.20 to demo",
		By: "Ines Duarte", Started: clock("14:02", "5 s ago"), Elapsed: "5 s", Estimate: "8 s", Permille: 625, EstimateFrom: "in its newest rehearsal", EstimateHref: "/migrations/rehearsals/5", ElapsedMs: 5000, ExpectedMs: 8000,
		Waiting: &pages.LockWait{Tries: "1 of 6 tries were in vain.", Holders: []pages.LockHolder{
			{Process: "4711", User: "wms_application_role", Program: "nightly report", Age: "40.0 s", Query: "SELECT count(*) FROM putaway_recommendations"},
		}},
		Lines:    []pages.LogLine{{Seq: 1, At: "14:02:00.003", Text: "took the migration lock"}, {Seq: 2, At: "14:02:00.120", Text: "ALTER TABLE putaway_recommendations", Tone: components.Neutral}, {Seq: 3, At: "14:02:04.020", Text: "waiting for a lock", Tone: components.Warn}},
		LiveHref: "/migration-runs/4", EventHref: "/migration-runs/4/events", SHA256: digest, Safe: "The migration is one transaction: if it fails, the database is as it was.",
	}
}

func migrationRunFailed() pages.MigrationRunView {
	v := migrationRun()
	v.State, v.Sentence, v.Ended, v.LiveHref, v.EventHref, v.Waiting = failed, "V0.0.20 failed; the database is as it was.", clock("14:02", "1 min ago"), "", "", nil
	v.Error = &pages.DatabaseError{Heading: "PostgreSQL said", SQLState: "55P03", Message: "canceling statement due to lock timeout", Detail: "Process 4711 holds the lock.", Hint: "End the long transaction, then apply again.", Where: "statement 2: ALTER TABLE putaway_recommendations"}
	v.Checks = postChecks()
	v.Next = components.Link{Label: "Back to V0.0.20", Href: "/migrations/V0.0.20"}
	return v
}

func migrationRunInterrupted(may bool) pages.MigrationRunView {
	v := migrationRun()
	v.State, v.Sentence, v.LiveHref, v.EventHref, v.Waiting, v.Lines, v.Safe = interrupted, "The program stopped while V0.0.20 was being applied.", "", "", nil, nil, ""
	v.Stopped = &pages.Interrupted{
		Text:   "Gatehouse was restarted at 14:03 and found this run without an end. Nothing is retried by itself.",
		Known:  []components.Fact{{Label: "Ledger row", Value: "none: the transaction did not commit"}, {Label: "schema_version", Value: "0.0.18"}, {Label: "Server process", Value: "gone"}},
		Advice: []string{"Compare the objects below with the database.", "Close this run with what you found; then V0.0.20 may be applied again."},
		WhoCan: []string{"DevOps lead"},
	}
	if may {
		v.Stopped.Action = "/migration-runs/4/acknowledge"
	}
	return v
}
