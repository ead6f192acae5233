// Package operation is the word for long work on the database and its copies that a person orders on a page and the scheduler
// does: a backup, a drill, a rehearsal; the saving of what an undo would lose; a repair; the rebuilding of an index.
//
// One is under way at a time. Its log and its end are kept, and any replica shows them. Nothing is tried again by itself:
// work whose program has gone silent is called interrupted, and a person orders again.
package operation
