package backup

import "time"

// Part is what a step is about to throw away: a table, a column of it, or the rows that a condition finds. Names, types
// and conditions are SQL of our own files.
type Part struct {
	Table, Column, To, Where string
	Rows                     int64
	AtLeast                  bool // counting was stopped there
	// Recent rows are of transactions from OldestXID on, and RecentSum is a sum over which rows they are.
	Recent    int64
	RecentSum string
}

// PartFile is one file into which parts were saved.
type PartFile struct {
	Name, Holds string
	Bytes       int64
	SHA256      string
}

// Parts are the parts as they were counted and saved in one snapshot.
type Parts struct {
	TakenAt   time.Time
	OldestXID int64 // the oldest transaction that was under way
	NextXID   int64 // the first that had not begun
	Parts     []Part
	Files     []PartFile
}
