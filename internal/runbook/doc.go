// Package runbook takes a release through its runbook, from the checklist a day
// ahead to the report two days after.
//
// A Template is data: phases, items, gates, what to do, what is expected, how
// to take it back. Templates are embedded from templates/ and documented in
// templates/README.md; Parse refuses one that is inconsistent, so the program
// does not start with it. Starting a Run freezes the template, its items, its
// gates and the hashes of the migration files in the database: an edit of the
// template later touches no run.
//
// The invariants it protects:
//
//   - One run is active per tenant and environment.
//   - An item is done only with evidence of the kind it asks for. An item of
//     kind auto is filled by a check of the system and by nothing else; a check
//     that fails leaves its evidence and a failed item.
//   - Nothing is done out of order: what an item waits for (items named in
//     `after`, the required items of earlier phases, the gates before its phase)
//     is derived each time and never stored, so it cannot be stale.
//   - What is settled keeps its due time; moving T-0 moves the rest.
//   - A required item is skipped only by the signature of a person whose role signs its gate.
//   - A file counts for as long as its item is not put back; its bytes are hashed as they come, and again as they are read.
//   - Evidence that is older than its item allows opens the item again until its gate has passed.
//   - Whoever takes an item out of somebody's hands says why.
//   - Every change names the version of the item it was made on. Somebody who
//     was overtaken is told by whom, and sees both versions.
//   - Every change and its audit entry commit together, under the run's lock.
//
// Which state follows which stands in one switch, Item.next in item.go. Who
// may sign at a gate is package signoff's.
//
// It refuses to know how a check finds its answer (Checker), where migration
// files come from (MigrationPlan), and what a page looks like.
//
// Start reading at Item in item.go, then service.go.
package runbook

import _ "time/tzdata" // a release has a time zone, and a container may have no zone files
