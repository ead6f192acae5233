// Package review looks back on a release: what was planned and what happened, and what people learned from it.
//
// A Report is computed each time from what is stored (items, gates, signatures, the ledger, rehearsals, snapshots, the audit
// trail), so nobody writes it and nothing in it can be more favourable than the record. A Lesson is a person's: what
// happened, why, what is to be done, by which role and until when. It is never changed; that it was acted on is said beside
// it, once. Lessons that are open are shown to whoever starts the next release.
//
// It refuses to know SQL and pages, and what a snapshot compares (package snapshot).
//
// Start reading at Report in report.go, then lesson.go.
package review
