package pages

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

// NotYetView is a page for which the warehouse's schema is too old.
type NotYetView struct {
	layouts.Shell
	Text string
	Way  components.Link
}

// MeasureRow is a line of the work list.
type MeasureRow struct {
	Material, Facility, Version string
	Code, Name                  string
	Href, HistoryHref           string
	State                       components.State
	Why                         string
	Zone, Location              string
	Holder                      string // who has it
	Mine                        bool
	Barred                      string // why this person does not measure it now
	Take, Release, Assign       string // POST; empty: not offered
}

// FoundRow is a material that was found by what was scanned.
type FoundRow struct{ Code, Name, How, Href, HistoryHref string }

// ScanField is what was scanned and what is wrong with it.
type ScanField struct{ Value, Problem, Note string }

// LinkForm says of which material a barcode is. It posts facility, gtin and code.
type LinkForm struct {
	Action, Facility, GTIN, Code string
	Complaints                   components.Complaints
}

// AskForm puts a material onto the work list. It posts facility, code and note.
type AskForm struct {
	Action, Facility, Code, Note string
	Complaints                   components.Complaints
}

// DimensionListView is the floor's first page: the scan, what is mine, what is next.
type DimensionListView struct {
	layouts.Shell
	ScanAction, ImportsHref   string
	ReviewsHref               string
	Scan                      ScanField
	Found                     []FoundRow
	Link                      LinkForm
	Facility, FacilityID      string
	Facilities, Orders, Zones []components.Filter
	Mine, Rows                []MeasureRow
	Colleagues                []components.Option
	Ask                       AskForm
	MayMeasure, MayReview     bool
	Pager                     components.Pager
}

// MeasureStep asks for one quantity.
type MeasureStep struct {
	Name, Label, Hint, Value, Problem string
	Side                              string // which side the picture shows
	Units                             []components.Option
}

// TypedRow is what was typed so far.
type TypedRow struct{ Name, Label, Value, Unit, Href, Problem string }

// MeasureView is one step of measuring, or the check at its end. It has nothing of what is recorded.
type MeasureView struct {
	layouts.Shell
	Code, Name, Facility, Location string
	Nth                            string // which reading it is
	WhyNot                         string
	Action, BackHref, CancelHref   string
	OtherHref, OtherWord           string
	Progress                       string
	Step                           MeasureStep
	Check                          bool
	Typed                          []TypedRow
	Hidden                         [][2]string
	Key, Seen, Notes               string
	AsksBack, Sure                 bool
	Conflict                       string
	Complaints                     components.Complaints
}

// DimensionReviewRow is a measurement that waits for a decision.
type DimensionReviewRow struct {
	ID, Href, Code, Name, Facility string
	Volume, Weight, Readers, Mine  string
	Since                          components.Time
}

// DimensionReviewsView lists them.
type DimensionReviewsView struct {
	layouts.Shell
	Rows  []DimensionReviewRow
	Pager components.Pager
}

// ComparedRow is a recorded value beside the measured one.
type ComparedRow struct{ Name, Unit, Recorded, Measured, Variance string }

// ReadingRow is what somebody measured.
type ReadingRow struct {
	Nth, By string
	At      components.Time
	State   components.State
	Entered []string
	Volume  string
	Notes   string
	Asked   []string // what was asked back and confirmed
}

// DecidedRow is a decision of an earlier round.
type DecidedRow struct {
	Round, Decision, Note, By string
	At                        components.Time
}

// BinRow is a bin before and after.
type BinRow struct {
	Location, Facility, Quantity, Before, After, Weight string
	State                                               components.State
}

// EffectRow is an open putaway or a failure.
type EffectRow struct {
	What, Needs, Room string
	State             components.State
}

// DimensionReviewView is what a supervisor decides by. It posts decision, note, version and material_version.
type DimensionReviewView struct {
	layouts.Shell
	Code, Name, HistoryHref, Facility string
	State                             components.State
	Causes                            []string
	Values                            []ComparedRow
	Readings                          []ReadingRow
	Decided                           []DecidedRow
	Effects                           []string
	Bins                              []BinRow
	MoreBins                          string
	Others                            []EffectRow
	Action, ApproveWord               string
	Version, MaterialVersion          string
	Note                              string
	WhyNot                            string
	WhoCan                            []string
	Conflict                          string
	Complaints                        components.Complaints
}

// OpenCaseRow is a measuring that is under way.
type OpenCaseRow struct {
	State components.State
	Since components.Time
	Href  string
}

// ChangeRow is a line of the history of master data.
type ChangeRow struct {
	State      components.State
	Changed    []string
	By, Reason string
	Version    string
	At         components.Time
}

// VerificationRow is a verification.
type VerificationRow struct {
	State                           components.State
	Facility, Volume, Weight        string
	VolumePct, WeightPct, By, Notes string
	At                              components.Time
}

// MaterialShowView is the history of a material's dimensions.
type MaterialShowView struct {
	layouts.Shell
	Code, Name, Barcodes string
	Facts                []components.Fact
	MeasureHref          string
	Open                 []OpenCaseRow
	Changes              []ChangeRow
	Verifications        []VerificationRow
	Readings             []ReadingRow
	Held                 bool // some readings are kept back while others measure blind
}
