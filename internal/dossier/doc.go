// Package dossier puts all that is known of a release into one archive that
// proves itself: a stranger, a year later and without our server, can tell
// what was known, who decided, and on what.
//
// A Dossier is read once from the database and written as a zip: a page to
// read and print, the record as JSON, the runbook as it was frozen, the files
// that were attached, the reports of rehearsals, the audit trail from the
// release's start to a sealed head without a gap, and a manifest with the
// SHA-256 of every file, signed with the seal key. Written twice from the same
// reading it has the same bytes.
//
// Verify checks such a file with nothing but the file. It trusts no name and
// no size that a zip claims, and goes beyond the manifest: evidence,
// files, signatures, skippings, rejections, snapshots, template and reports
// have the hashes they claim, the trail continues from entry to entry, and
// what the record says of any of them, of an item, a rollback or a lesson is
// what the trail says. So who changes the database and then has
// a dossier made is found, too, as long as they could not rewrite the chain.
//
// A manifest that is signed with the key in the archive proves only that the
// archive fits itself; where it comes from is proved by a key that who checks
// has from elsewhere. Found says which of the two was done.
//
// It refuses to know where a release is kept (Store), and what a page of the
// console looks like.
//
// Start reading at Dossier in dossier.go, then Verify in verify.go; what it
// looks at stands in verify_archive.go, verify_hashes.go, verify_trail.go (what changes) and
// verify_told.go (what is written once).
package dossier
