package pages

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

// DockRow is a lot that has to be stored, or was.
type DockRow struct {
	ID, Href, Lot, Material, Name, Quantity string
	Reason, At, Zone, To, Actual            string
	State                                   components.State
	Late                                    components.State // zero where it is not
	Dwell                                   string
	Since, Stored                           components.Time
	By                                      string
}

// DockFilter narrows the list. What is empty narrows nothing.
type DockFilter struct {
	Action, AllHref, Export        string
	Facilities, Reasons, Standings []components.Option
	Zone                           string
	Any                            bool
}

// DockLimits are how long goods may stand in the zones of the dock.
type DockLimits struct {
	Action     string // POST; empty: not offered
	Rows       []components.Fact
	Facilities []components.Option
	Zone       string
	Minutes    string
	Complaints components.Complaints
}

// CrossDockListView is what stands at the dock after its order is gone.
type CrossDockListView struct {
	layouts.Shell
	NotDeployed, MigrationsHref string
	DockHref                    string
	Filter                      DockFilter
	Rows                        []DockRow
	Stored                      bool // the list is of what was stored
	Limits                      DockLimits
	Pager                       components.Pager
}

// DockView is the first page at the dock: the scan, and what stands there longest.
type DockView struct {
	layouts.Shell
	NotDeployed, MigrationsHref string
	ScanAction, FacilityID      string
	Facilities                  []components.Filter
	Value, Problem, Note        string
	Found, Next                 []DockRow
	ListHref                    string
}

// DockAnswerView is the one thing that has to be done with a lot.
type DockAnswerView struct {
	layouts.Shell
	Row                 DockRow
	Verb, Place, Detail string // "Store at", "A-12"
	Code                string // store, hold, wait, done
	Why                 string
	Action              string // POST; empty: not offered
	Sure                string
	Problem             string
	Conflict            string
	WhyNot              string
	WhoCan              []string
	BackHref            string
}

// DockEvent is something that happened.
type DockEvent struct {
	What, Note, Where, By string
	At                    components.Time
}

// CrossDockShowView is everything that is known of one cancellation.
type CrossDockShowView struct {
	layouts.Shell
	Row        DockRow
	Why        string
	Facts      []components.Fact
	StoreHref  string // empty: it is stored
	Version    string
	Choose     string // POST; empty: not offered
	Retry      string
	Location   string
	Note       string
	Complaints components.Complaints
	Events     []DockEvent
}

// CrossDockNewView is the form with which a person cancels a cross-dock.
type CrossDockNewView struct {
	layouts.Shell
	Action, Key                          string
	Facilities, Reasons                  []components.Option
	Lot, Material, Staging, Order, Notes string
	Complaints                           components.Complaints
}
