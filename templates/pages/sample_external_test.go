package pages_test

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

var (
	toTheBackups = layouts.Crumb{Label: "Backups", Href: "/migrations/backups"}
	drillDue     = components.State{Code: "due", Word: "Never restored", Tone: components.Warn}
)

func externalRows() []pages.ExternalRow {
	return []pages.ExternalRow{
		{ID: "7", Href: "/migrations/backups/external/7", Name: "Northwind Cloud snap-20261130-0200", Taken: clock("02:00", "12 h ago"), Worth: drillDue, Why: "drill due by 2026-12-30 02:10 UTC", Covers: "The whole cluster", By: "Ines Duarte"},
		{ID: "8", Href: "/migrations/backups/external/8", Name: "Northwind Cloud snap-20261001-0200", Taken: clock("02:00", "2 months ago"), Worth: components.State{Code: "overdue", Word: "Drill overdue", Tone: components.Bad}, Why: "drill due since 2026-10-31 02:10 UTC", Covers: "The whole cluster", By: "Ines Duarte"},
	}
}

func externalList() pages.ExternalListView {
	return pages.ExternalListView{
		Shell: shell("Backups of other tools", layouts.PlaceMigrations, toMigrations, toTheBackups), Rows: externalRows(),
		Lead: "A backup that your provider or another tool took is written down here by a person, with evidence. It has to be restored within 30 days, and it opens no gate before.",
		Form: pages.ExternalForm{
			Action: "/migrations/backups/external", Provider: "Northwind Cloud",
			Complaints: components.Complaints{{Field: "evidence", Label: "Evidence", Text: "Say how somebody else can see that it exists: a link, or the provider's words."}},
		},
	}
}

func externalListEmpty() pages.ExternalListView {
	return pages.ExternalListView{
		Shell: shell("Backups of other tools", layouts.PlaceMigrations, toMigrations, toTheBackups), Nothing: "No backup of another tool has been registered.",
		Fresh: "/login?fresh=1&return=%2Fmigrations%2Fbackups%2Fexternal", WhoCan: []string{"DevOps lead"},
	}
}

func externalShow() pages.ExternalShowView {
	return pages.ExternalShowView{
		Shell: shell("Northwind Cloud snap-20261130-0200", layouts.PlaceMigrations, toMigrations, toTheBackups), ID: "7", Worth: drillDue, Why: "drill due by 2026-12-30 02:10 UTC",
		Follows: "It opens no gate before it was restored.", SHA256: digest,
		Facts:  []components.Fact{{Label: "Taken, says Ines Duarte", Time: clock("02:00", "12 h ago")}, {Label: "Covers", Value: "The whole cluster"}, {Label: "Evidence", Value: "https://status.example.com/a/very/long/address/that/goes/on"}},
		Drill:  pages.Order{Action: "/migrations/backups/external/7/drill", Key: "66666666-6666-7666-8666-666666666666", Effect: "Restore it beside the database"},
		Attest: pages.AttestForm{Action: "/migrations/backups/external/7/attest"},
	}
}
