// Package migrator is the only package that speaks golang-migrate. It applies and takes back schema changes as the
// database's owner, on connections of its own.
//
// golang-migrate is the engine: it finds the file that follows a version and asks a driver to run it. Source and driver
// are ours, because the stock ones keep one row and no history, skip late files, mark a version dirty although
// everything was rolled back, and call a missing undo file a success.
//
// What holds here:
//
//   - A step is one version in one direction, never golang-migrate's bare Up.
//   - Effect, version and ledger row commit in one transaction. So after any accident the ledger tells the truth: where
//     the row is, the effect is. A failed try is recorded after its rollback.
//   - Only a file whose first line is "-- migrate:no-transaction" can leave something half done; it alone turns dirty.
//   - Files and database are compared under the lock before the engine is called, and every disagreement is named.
//   - One migrator at a time, by an advisory lock that is polled and not waited in.
//   - A step that belongs to a run begins only while that run is marked running, and keeps it from being given up.
//
// Start reading at Step in migrator.go, then Run in driver.go.
package migrator
