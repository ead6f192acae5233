// Package operation is the word for long work on copies of the database that a person orders on a page and the scheduler
// does: a backup, a drill, a rehearsal.
//
// One is under way at a time. Its log and its end are kept, and any replica shows them. Nothing is tried again by itself:
// work whose program has gone silent is called interrupted, and a person orders again.
package operation
