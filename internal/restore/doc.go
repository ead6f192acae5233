// Package restore decides when the warehouse may be put back to what a backup held.
//
// A restore takes two people. One looks at what it would do (a Look: rows then and now, versions that go and come back),
// gives a reason and types the database's name; the other agrees to exactly that, within the hour, with a sign-in of at
// most five minutes and the name typed as well. Nothing of it may have moved in between: the file, what is known of it, and
// every entry of the migration ledger stand in one text (gatehouse.restore_state) that each statement on the way compares.
// Then somebody orders it, once: the scheduler does it, or the command line.
//
// What is restored is the warehouse's schema. Gatehouse's own (ledger, audit trail, releases, evidence, sessions) is not
// touched, but for entries that say what happened (docs/adr/0024-restore.md).
//
// It knows no SQL, no tool and no page. Start reading at Request in restore.go, then service.go.
package restore
