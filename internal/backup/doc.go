// Package backup is the word for a dump of the database that can be trusted: what was in it when it was taken, whether the
// file is still that, and whether it restores.
//
// A backup is worth what its newest drill says. A file that exists proves nothing.
package backup
