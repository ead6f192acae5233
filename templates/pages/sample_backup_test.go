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
	broken := row
	broken.ID, broken.Worth, broken.Why = "22222222-2222-7222-8222-222222222222", components.State{Code: "broken", Word: "Does not restore", Tone: components.Bad}, "the file has 90000 bytes, and had 3732703"
	return pages.BackupListView{
		Shell: shell("Backups", layouts.PlaceMigrations, layouts.Crumb{Label: "Migrations", Href: "/migrations"}), Tone: components.Good,
		Sentence: "The newest backup that restores was taken on 2026-11-24 at 13:40 UTC; it was restored in 41.2s on 2026-11-24 13:44 UTC.", Rows: []pages.BackupRow{row, broken}, Commands: "gatehouse backup create",
	}
}

func backupListEmpty() pages.BackupListView {
	return pages.BackupListView{
		Shell: shell("Backups", layouts.PlaceMigrations), Tone: components.Warn, Sentence: "No backup has been restored here yet.",
		Nothing: "No backup has been taken with Gatehouse yet.", Commands: "gatehouse backup create",
	}
}
