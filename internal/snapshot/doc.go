// Package snapshot measures a release at its hours: half an hour and a minute before T-0, and 1, 4, 24 and 48 hours after
// it. The scheduler asks Service.Turn all the time; what is due is taken then, and nobody has to press anything.
//
// A snapshot holds the eight health checks, the seven metrics and the descriptive figures of the warehouse, as canonical
// JSON under its SHA-256. What could not be read is in it as unknown, with the reason; a table that a migration has yet to
// bring is not deployed. Neither is ever a zero, and neither is green.
//
// The invariants it protects:
//
//   - A snapshot is taken once for its point and T-0, however many processes try: they meet under the run's lock.
//   - What was not taken within Grace of its time is a Miss, for ever. A later one says by how much it is late.
//   - A baseline is taken before T-0 or not at all, and stands for at most an hour.
//   - Moving T-0 moves what was not taken yet. What was taken stays, and counts for as long as it still lies in its time.
//   - Times are the database's.
//
// It refuses to know SQL, pages, and what a check judges (package health).
//
// Start reading at Run.Places in point.go, then service.go; compare.go lays the hours beside the baseline.
package snapshot
