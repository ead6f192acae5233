package pages_test

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

func backupList() pages.BackupListView {
	row := pages.BackupRow{
		ID: "11111111-1111-7111-8111-111111111111", Taken: clock("13:40", "25 min ago"), Worth: components.State{Code: "proven", Word: "Restored", Tone: components.Good},
		Why: "in 41.2s on 2026-11-24 13:44 UTC", Standing: "V0.0.18", Size: "37.3 MB", Tables: "55 tables", By: "ops", Name: "gatehouse_20261124_134000_11111111.dump", SHA256: digest,
	}
	row.Orders = []pages.Order{{Action: "/migrations/backups/" + row.ID + "/drill", Key: "33333333-3333-7333-8333-333333333333", Effect: "Restore it beside the database"}}
	broken := row
	row.Safety = "Safety dump of a restore, kept until 24 Dec 2026"
	row.RestoreHref = "/migrations/backups/" + row.ID + "/restore"
	broken.ID, broken.Worth, broken.Why = "22222222-2222-7222-8222-222222222222", components.State{Code: "broken", Word: "Does not restore", Tone: components.Bad}, "the file has 90000 bytes, and had 3732703"
	return pages.BackupListView{
		Shell: shell("Backups", layouts.PlaceMigrations, layouts.Crumb{Label: "Migrations", Href: "/migrations"}), Tone: components.Good,
		Sentence: "The newest backup that restores was taken on 2026-11-24 at 13:40 UTC; it was restored in 41.2s on 2026-11-24 13:44 UTC.", Rows: []pages.BackupRow{row, broken}, Commands: "gatehouse backup create",
		UnderWay: &pages.OperationRow{Href: "/operations/44444444-4444-7444-8444-444444444444", Title: "Rehearsal", By: "Ines Duarte"},
		Operations: []pages.OperationRow{{
			ID: "44444444-4444-7444-8444-444444444444", Href: "/operations/44444444-4444-7444-8444-444444444444", Title: "Rehearsal", By: "Ines Duarte",
			State: components.State{Code: "running", Word: "running", Tone: components.Progress}, Ordered: clock("14:03", "2 min ago"),
		}},
	}
}

func backupListEmpty() pages.BackupListView {
	return pages.BackupListView{
		Shell: shell("Backups", layouts.PlaceMigrations), Tone: components.Warn, Sentence: "No backup has been restored here yet.",
		Nothing: "No backup has been taken with Gatehouse yet.", Commands: "gatehouse backup create",
		Take: pages.Order{Action: "/migrations/backups", Key: "33333333-3333-7333-8333-333333333333", Effect: "Back up PRODUCTION and restore the backup once"},
	}
}

func operationShow() pages.OperationShowView {
	return pages.OperationShowView{
		Shell: shell("Backup", layouts.PlaceMigrations, layouts.Crumb{Label: "Backups", Href: "/migrations/backups"}), ID: "44444444-4444-7444-8444-444444444444", Kind: "backup",
		State: components.State{Code: "failed", Word: "failed", Tone: components.Bad}, Sentence: "gatehouse_20261124_134000_11111111.dump does not restore: table public.lots has 3 rows, and had 4.",
		By: "Ines Duarte", Elapsed: "42 s", Ordered: clock("13:40", "25 min ago"), Started: clock("13:40", "25 min ago"), Ended: clock("13:41", "24 min ago"),
		Lines: []pages.LogLine{{At: "13:40:01.000", Text: "The database is dumped."}, {At: "13:40:41.000", Text: "Found: table public.lots has 3 rows, and had 4.", Tone: components.Bad}},
		Next:  components.Link{Label: "To the backups", Href: "/migrations/backups"},
	}
}

func operationRunning() pages.OperationShowView {
	v := operationShow()
	v.State, v.Sentence, v.Lines = components.State{Code: "running", Word: "running", Tone: components.Progress}, "The database itself is only read.", nil
	v.Ended, v.LiveHref = components.Time{}, "/operations/"+v.ID
	v.EventHref, v.ElapsedMs = v.LiveHref+"/events?after=0", 42000
	return v
}

func rehearsalList() pages.RehearsalListView {
	return pages.RehearsalListView{
		Shell: shell("Rehearsals", layouts.PlaceMigrations, toMigrations), Backups: "/migrations/backups",
		Rows: []pages.RehearsalRow{{
			ID: "5", Href: "/migrations/rehearsals/5", Held: clock("13:20", "45 min ago"), State: components.State{Code: "passed", Word: "passed", Tone: components.Good},
			Verdict: "The rehearsal passed: 1 file up, down and up again on a restored backup of 12.3 MB; applying them took 1.2s.", Versions: "V0.0.20", Data: "a restored backup of 12.3 MB", By: "Ines Duarte", SHA256: digest,
		}},
	}
}

func rehearsalListEmpty() pages.RehearsalListView {
	return pages.RehearsalListView{Shell: shell("Rehearsals", layouts.PlaceMigrations, toMigrations), Nothing: "No migration has been rehearsed yet."}
}

func rehearsalShowSample() pages.RehearsalShowView {
	v := rehearsalShow()
	v.Caveat = "It ran on a sample of 31,204 of 1,204,331 rows. What does not work shows here; that it passed proves nothing about all of the data, opens no gate, and its times are no estimate."
	v.Sampled = []components.Fact{{Label: "public.lots", Value: "10012 of 1000000 rows"}, {Label: "public.materials", Value: "11192 of 204331 rows"}}
	return v
}

func migrationListSample() pages.MigrationListView {
	v := migrationList()
	v.Sample = pages.SampleOffer{
		Text:  "No backup has been restored here yet, so V0.0.20 can be rehearsed on a sample only.",
		Order: pages.Order{Action: "/migrations/rehearsals", Key: "66666666-6666-7666-8666-666666666666", Effect: "Rehearse on a sample of production"},
	}
	return v
}

func rehearsalShow() pages.RehearsalShowView {
	return pages.RehearsalShowView{
		Shell: shell("Rehearsal", layouts.PlaceMigrations, toMigrations), ID: "5", State: components.State{Code: "failed", Word: "did not pass", Tone: components.Bad},
		Verdict: "The rehearsal did not pass: V0.0.20. After it was taken back: index lots_code has remained.", SHA256: digest, Download: "/migrations/rehearsals/5/report",
		Facts:   []components.Fact{{Label: "Held", Time: clock("13:20", "45 min ago")}, {Label: "By", Value: "Ines Duarte"}, {Label: "On", Value: "a restored backup of 12.3 MB"}},
		Missing: "Not reached: V0.0.21. The first error ends a rehearsal.",
		Versions: []pages.RehearsedVersion{{
			Version: "V0.0.20", Href: "/migrations/V0.0.20", State: components.State{Code: "failed", Word: "did not pass", Tone: components.Bad}, SHA256: digest,
			Wrong: []string{"After it was taken back: index lots_code has remained."}, Schema: "1 difference", Checks: "all 21 hold",
			Passes: []pages.RehearsedPass{
				{Name: "Up", Took: "1.2 s", Words: "14 statements; 13 of them quick, and without a lock on what was there", Open: "pass-0.0.20-0", Measured: []pages.RehearsedStatement{{
					Line: "40", SQL: "ALTER TABLE putaway_recommendations ALTER COLUMN confidence TYPE numeric(4,3)", Took: "900 ms", Rows: "0", WAL: "812.4 kB",
					Locks: []string{"public.putaway_recommendations: AccessExclusiveLock"}, Rewrites: []string{"public.putaway_recommendations"},
				}}},
				{Name: "Down", Took: "80 ms", Words: "4 statements; 4 of them quick, and without a lock on what was there", Open: "pass-0.0.20-1"},
				{Name: "Up again", Took: "1.1 s", Words: "14 statements", Open: "pass-0.0.20-2"},
			},
		}},
	}
}

func backupRestore() pages.BackupRestoreView {
	here, key := "/migrations/backups/11111111-1111-7111-8111-111111111111/restore", "33333333-3333-7333-8333-333333333333"
	versions := []string{"V0.0.20 is no longer in the warehouse afterwards. It can be applied again, through its gate."}
	const counted = "12 rows that are there now would be gone and 3 would be back, in 2 tables. What was changed in place since then is undone as well, and is not counted."
	return pages.BackupRestoreView{
		Shell:  shell("Restore a backup", layouts.PlaceMigrations, toMigrations, layouts.Crumb{Label: "Backups", Href: "/migrations/backups"}),
		Backup: "11111111-1111-7111-8111-111111111111", Database: "warehouse", Tone: components.Warn,
		Sentence: "A restore puts the warehouse back to how it stood at 13:40 UTC. Everything since then is lost, but for the dump that is taken first.",
		Facts:    []components.Fact{{Label: "Taken", Time: clock("13:40", "25 min ago")}, {Label: "Warehouse at", Value: "V0.0.18"}},
		Sessions: []string{"3 of wms_application_role (wms)"}, LookAction: here + "/look",
		Look: &pages.RestoreLook{
			ID: "5", Sentence: counted, By: "Ines Duarte", At: clock("14:00", "5 min ago"), Versions: versions,
			Tables: []pages.RestoreTable{{Name: "public.lots", Now: "1012", Then: "1000", After: "12 fewer"}, {Name: "public.materials", Now: "7", Then: "10", After: "3 more"}, {Name: "public.users", Now: "4", Then: "4", After: "the same number"}},
		},
		Ask:        pages.RestoreForm{Action: here, Key: key, Look: "5", ID: "database", Typed: "warehaus", Problem: "That is not the name of this database. It is warehouse; type it exactly."},
		Complaints: components.Complaints{{Field: "database", Label: "Database's name", Text: "That is not the name of this database. It is warehouse; type it exactly."}},
		Requests: []pages.RestoreRow{
			{
				ID: "6", Reason: "The import went wrong.", By: "Ines Duarte", State: components.State{Code: "asked", Word: "Waits for a second person", Tone: components.Info}, Asked: clock("14:01", "4 min ago"), Expires: clock("15:01", "in 56 min"),
				SHA256: digest, Counted: counted, Versions: versions, Agree: pages.RestoreForm{Action: here + "/6/agree", Seen: digest, ID: "database-6"}, Withdraw: here + "/6/withdraw",
			},
			{
				ID: "7", Reason: "The import went wrong.", By: "Ines Duarte", Second: "Eli Brandt", State: components.State{Code: "agreed", Word: "Two people agree", Tone: components.Warn}, Asked: clock("13:50", "15 min ago"), Expires: clock("14:50", "in 45 min"),
				SHA256: digest, Counted: counted, Start: pages.RestoreForm{Action: here + "/7/start", Key: key, ID: "database-7"}, Command: "gatehouse backup restore --request 7 --confirm warehouse", Withdraw: here + "/7/withdraw",
			},
			{
				ID: "8", Reason: "A trial.", By: "Ines Duarte", Second: "Eli Brandt", State: components.State{Code: "restored", Word: "Restored", Tone: components.Good}, Asked: clock("9:50", "4 h ago"),
				Sentence: "The warehouse is as gatehouse_20261124_134000_11111111.dump held it.", Safety: "What was there before is in gatehouse_20261124_141000_22222222.dump. It was read again from end to end and never restored, so nobody knows yet that it restores. Restore it beside the database.", SafetyHref: "/migrations/backups", Operation: components.Link{Label: "To its log", Href: "/operations/44444444-4444-7444-8444-444444444444"},
			},
		},
	}
}

func backupRestoreRefused() pages.BackupRestoreView {
	v := backupRestore()
	v.Sentence, v.Sessions, v.LookAction, v.Look, v.Ask, v.Complaints, v.Requests = "This backup may not be restored.", nil, "", nil, pages.RestoreForm{}, nil, nil
	v.FreshHref, v.WhoCan = "/login?fresh=1", []string{"DevOps lead"}
	return v
}
