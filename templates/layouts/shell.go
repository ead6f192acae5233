package layouts

import (
	"slices"
	"strings"
)

// Environment says which system the person is looking at. The stripe at the
// top spells it out, and every dangerous button repeats it.
type Environment string

// The environments there are.
const (
	Production Environment = "production"
	Staging    Environment = "staging"
	Demo       Environment = "demo"
)

// Meaning is the half sentence beside the environment's name in the stripe.
func (e Environment) Meaning() string {
	switch e {
	case Production:
		return "what you do here is real"
	case Staging:
		return "a rehearsal on a copy"
	case Demo:
		return "sample data, safe to try anything"
	default:
		return "environment not configured; treat it as real"
	}
}

// Word is the environment's name, never empty.
func (e Environment) Word() string {
	if e == "" {
		return "unknown"
	}
	return string(e)
}

// Theme is how the person wants the page lit. The zero value follows the device.
type Theme string

// The themes there are.
const (
	FollowDevice Theme = ""
	Light        Theme = "light"
	Dark         Theme = "dark"
)

// Person is who is signed in. A zero Person means nobody is.
type Person struct {
	Name  string
	Roles []string // in words: "QA lead"
}

// SignedIn reports whether there is anybody to name.
func (p Person) SignedIn() bool { return p.Name != "" }

// RoleWords is the roles as one line.
func (p Person) RoleWords() string {
	if len(p.Roles) == 0 {
		return "no role"
	}
	return strings.Join(p.Roles, ", ")
}

// Place names the picture drawn beside a navigation item.
type Place string

// The places of the rail.
const (
	PlaceWaiting    Place = "waiting"
	PlaceReleases   Place = "releases"
	PlaceMigrations Place = "migrations"
	PlaceHealth     Place = "health"
	PlaceDimensions Place = "dimensions"
	PlaceQuality    Place = "quality"
	PlaceCapacity   Place = "capacity"
	PlaceCrossDock  Place = "crossdock"
	PlaceAudit      Place = "audit"
	PlaceSettings   Place = "settings"
)

// NavItem is one place in the rail. Only what the person may see is listed.
type NavItem struct {
	Place   Place
	Label   string
	Short   string // what the label begins with, for where it has little room; empty where it is short already
	Href    string
	Current bool
	Counts  bool // has a number, which stays up to date where the page is live
	Count   int  // shown when above zero
}

// inHand is how many places the bar at the bottom of a telephone holds, beside what opens the rest: four targets in all.
const inHand = 3

// rest are the places for which the bar has no room; they stand in the panel of the person.
func (s Shell) rest() []NavItem { return s.Nav[min(inHand, len(s.Nav)):] }

// Crumb is one step of the way back up. The current page is not a crumb.
type Crumb struct {
	Label, Href string
}

// FlashKind says how the last act ended.
type FlashKind string

// How an act can end.
const (
	FlashGood FlashKind = "good"
	FlashBad  FlashKind = "bad"
	FlashInfo FlashKind = "info"
)

// Flash is the sentence shown once after an act. A zero Flash shows nothing.
type Flash struct {
	Kind FlashKind
	Text string
}

// Action is the page's one primary action, a link. Acts that change something
// are forms on the page, never here. A zero Action shows nothing.
type Action struct {
	Label, Href string
	Name        string // data-action, for tests
}

// Assets are the addresses of the style sheet, the script and the icon, as
// package static names them.
type Assets struct {
	Stylesheet, Script, Icon string
	Wall                     string // a second style sheet, for a big screen
	Warehouse                string // a second style sheet, for the pages of the warehouse
}

// Seal is a sealed head of the audit trail. The zero Seal prints nothing.
type Seal struct {
	Number, Entry, Hash, At, Key, Signature string
}

// Shell is what every page needs besides its own content.
type Shell struct {
	Title       string // also the page's heading
	Environment Environment
	Tenant      string
	Person      Person
	Nav         []NavItem
	Breadcrumbs []Crumb
	Primary     Action
	Flash       Flash
	Alarm       string // why nothing may be changed; empty where it may. Then no button of a page can be pressed
	Seal        Seal   // the newest seal of the audit trail; printed with every page
	Theme       Theme
	Ref         string // the reference of this request, to quote
	Path        string // where the theme switch returns to: path and query of this page
	Assets      Assets

	// Kept says that fields hold what the person typed before, and their complaints: nothing may draw over them.
	Kept bool

	// Sheet is a second style sheet, where the page needs one.
	Sheet string

	// RefreshSeconds makes a page without script reload itself; zero does not.
	RefreshSeconds int
}

// InWarehouse is the shell of a page about the warehouse: its floor, its charts, its bins.
func (s Shell) InWarehouse() Shell {
	s.Sheet = s.Assets.Warehouse
	return s
}

func (s Shell) documentTitle() string {
	parts := []string{}
	if s.Title != "" {
		parts = append(parts, s.Title)
	}
	parts = append(parts, "Gatehouse")
	if s.Environment != "" {
		parts = append(parts, string(s.Environment))
	}
	return strings.Join(parts, " · ")
}

func (s Shell) here() string {
	if s.Path == "" {
		return "/"
	}
	return s.Path
}

// open are the pages whose acts go on while nothing else may be changed: who signs in and out, and who acknowledges.
var open = []string{"audit_list", "me", "claims", "problem", "sign_in", "fresh_sign_in", "signed_out", "switch_user", "way_back"}

// shut says that the page's forms are of no use now. They are drawn, so that everybody finds the page as they know it, and the
// alarm above says why none of them can be pressed.
func (s Shell) shut(page string) bool { return s.Alarm != "" && !slices.Contains(open, page) }
