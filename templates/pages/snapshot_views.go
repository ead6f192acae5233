package pages

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

// SnapshotPlace is one moment at which a release is measured.
type SnapshotPlace struct {
	Point         string // data-point
	Title, Offset string
	State         components.State
	Due, Taken    components.Time
	Late          string // "late by 37 min"
	Note          string // why nothing was taken, or what else there is to say
	Finding       string // what was missed; empty where nothing was
	SHA256        string
	Mismatch      bool // the content no longer has this hash
	RawHref       string
	Baseline      bool // the one that the hours are compared with
}

// SnapshotCell is what one snapshot says of a line.
type SnapshotCell struct {
	Column  string // the moment, for narrow screens
	There   bool
	State   components.State
	Value   string
	Why     string
	More    string
	Verdict components.State
	Change  string
}

// SnapshotLine is one thing that was measured.
type SnapshotLine struct {
	Name, Title, Kind, Threshold string
	Cells                        []SnapshotCell
}

// SnapshotsView is a release's snapshots side by side.
type SnapshotsView struct {
	layouts.Shell
	Sentence   string
	Tone       components.Tone
	NoBaseline string // why there is nothing to compare with; empty where there is
	Nothing    string // what an empty comparison says
	Places     []SnapshotPlace
	Columns    []string
	Lines      []SnapshotLine
	Superseded []SnapshotPlace // taken for a T-0 that was moved
	ReportHref string
}
