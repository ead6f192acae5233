package migrator

import (
	"io/fs"

	"github.com/agogsaas/gatehouse/migrations"
)

// Set is a folder of migration files and the ledger that remembers them.
type Set struct {
	Name   string
	FS     fs.FS
	Ledger Ledger
	// Expected says what each version leaves in the database; nil where nobody looks for drift.
	Expected fs.FS
	// Readings is what PostgreSQL's parser makes of each file; nil where nobody is told what a file locks.
	Readings fs.FS
}

// Ledger says where a set's history stands. There are two, and their tables have the same columns, but for lock waits.
type Ledger struct {
	table string
	lock  int32 // second half of the advisory lock's key
	// own is made by the migrator itself, because nothing is there before the console's first file.
	own bool
	// claims says that runs of gatehouse.migration_runs ask for steps; such a ledger keeps lock waits and texts, too.
	claims bool
}

// The ledgers.
var (
	ConsoleLedger = Ledger{table: "gatehouse.console_ledger", lock: 1, own: true}
	WMSLedger     = Ledger{table: "gatehouse.migration_ledger", lock: 2, claims: true}
)

// Console is Gatehouse's own schema. It comes first: the warehouse's ledger is one of its tables.
func Console() Set { return Set{Name: "console", FS: migrations.Console, Ledger: ConsoleLedger} }

// WMS is the warehouse schema.
func WMS() Set {
	return Set{Name: "wms", FS: migrations.WMS, Ledger: WMSLedger, Expected: migrations.Expected, Readings: migrations.Readings}
}
