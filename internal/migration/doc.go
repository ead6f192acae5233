// Package migration decides which change of the warehouse's schema may be made, by whom and when, and finds out what
// became of it.
//
// A File is read with its plan card and two hashes. Build holds the files against the ledger and against what
// golang-migrate itself believes, and gives a Ladder: one Rung a version, with its state, and every disagreement by
// name. Judge says whether one step may be taken. Both are pure, and both doors (page and command line) and the
// Migrator itself go through them.
//
// Service tells the stories. Apply and Down insert a Run; the gate is in the statement that inserts it
// (queries/migration.sql, AddMigrationRun), and what it refuses is explained afterwards, condition by condition. The
// Worker executes a run detached from any request.
//
// The invariant: what happened is read, never guessed. The ledger's entry commits in the migration's own transaction, so
// after any accident the entry is there exactly where the effect is. A run whose program died becomes succeeded or
// failed by that entry, or, without one, interrupted: then a person looks, and nothing is tried again by itself.
//
// This package knows no SQL and no golang-migrate: Store and Migrator are what it asks for. Start reading at ladder.go,
// then order.go, then worker.go.
package migration
