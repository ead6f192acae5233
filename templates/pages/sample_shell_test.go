package pages_test

import (
	"fmt"
	"strings"

	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

const (
	code   = "REQ-STRATEGIC-AUTO-1766545799451"
	digest = "9f2b6c1d40e8a7735be1c2c1f0d94a5e6b7708d1923c4f5ea6b7c8d9e0f1a2b3"
	other  = "41d3a0b2c9e8f7065f4e3d2c1b0a998877665544332211ffeeddccbbaa009988"
)

var (
	done        = components.State{Code: "done", Word: "Done", Tone: components.Good}
	open        = components.State{Code: "open", Word: "Open", Tone: components.Neutral}
	inProgress  = components.State{Code: "in_progress", Word: "In progress", Tone: components.Progress}
	failed      = components.State{Code: "failed", Word: "Failed", Tone: components.Bad}
	blocked     = components.State{Code: "blocked", Word: "Blocked", Tone: components.Blocked}
	skipped     = components.State{Code: "skipped", Word: "Skipped", Tone: components.Info}
	applied     = components.State{Code: "applied", Word: "Applied", Tone: components.Good}
	pending     = components.State{Code: "pending", Word: "Pending", Tone: components.Neutral}
	missing     = components.State{Code: "empty", Word: "Not signed", Tone: components.Neutral}
	signed      = components.State{Code: "signed", Word: "Signed", Tone: components.Good}
	void        = components.State{Code: "void", Word: "Void", Tone: components.Bad}
	closed      = components.State{Code: "closed", Word: "Closed", Tone: components.Blocked}
	running     = components.State{Code: "running", Word: "Running", Tone: components.Progress}
	interrupted = components.State{Code: "interrupted", Word: "Interrupted", Tone: components.Unknown}
	healthy     = components.State{Code: "healthy", Word: "Healthy", Tone: components.Good}
	degraded    = components.State{Code: "degraded", Word: "Degraded", Tone: components.Warn}
	unhealthy   = components.State{Code: "unhealthy", Word: "Unhealthy", Tone: components.Bad}
	unknown     = components.State{Code: "unknown", Word: "Unknown", Tone: components.Unknown}
	notDeployed = components.State{Code: "not_deployed", Word: "Not deployed yet", Tone: components.Info}
)

// clock is a moment of 24 December at this local time.
func clock(local, relative string) components.Time {
	return components.Time{Local: local, Relative: relative, UTC: "2025-12-24 " + strings.TrimPrefix(local, "24 Dec, ") + ":00 UTC"}
}

// shell is the frame of a page as a signed-in person on the demo sees it.
func shell(title string, place layouts.Place, crumbs ...layouts.Crumb) layouts.Shell {
	s := layouts.Shell{
		Title: title, Environment: layouts.Demo, Tenant: "Rivermark Print",
		Person:      layouts.Person{Name: "Ines Duarte", Roles: []string{"DevOps lead"}},
		Breadcrumbs: crumbs, Ref: "01JFV7T5Q4", Path: "/releases",
		Assets: layouts.Assets{Stylesheet: "/static/0/console.css", Script: "/static/0/console.js", Icon: "/static/0/icon.svg", Warehouse: "/static/0/warehouse.css"},
	}
	for _, n := range []layouts.NavItem{
		{Place: layouts.PlaceWaiting, Label: "Waiting for me", Short: "Waiting", Href: "/waiting", Counts: true, Count: 3},
		{Place: layouts.PlaceReleases, Label: "Releases", Href: "/releases"},
		{Place: layouts.PlaceMigrations, Label: "Migrations", Href: "/migrations"},
		{Place: layouts.PlaceHealth, Label: "Health", Href: "/health-checks"},
		{Place: layouts.PlaceAudit, Label: "Audit", Href: "/audit"},
	} {
		n.Current = n.Place == place
		s.Nav = append(s.Nav, n)
	}
	return s
}

// stranger is the frame of a page for somebody nobody knows.
func stranger(title string) layouts.Shell {
	s := shell(title, "")
	s.Person, s.Nav, s.Tenant = layouts.Person{}, nil, ""
	return s
}

var (
	toReleases   = layouts.Crumb{Label: "Releases", Href: "/releases"}
	toRelease    = layouts.Crumb{Label: code, Href: "/releases/" + code}
	toMigrations = layouts.Crumb{Label: "Migrations", Href: "/migrations"}
)

func slots(qa components.State) []components.Slot {
	at := clock("13:41", "19 min ago")
	slot := func(id, role string, state components.State, by string) components.Slot {
		s := components.Slot{ID: id, Role: role, Required: id != "product", State: state, By: by}
		if by != "" {
			s.Meaning, s.At, s.Href = "approved", at, "/signatures/0193f"
		}
		return s
	}
	all := []components.Slot{
		slot("devops", "DevOps lead", missing, ""),
		slot("backend", "Backend lead", signed, "Marta Lindqvist"),
		slot("qa", "QA lead", qa, "Aurelio Benedetti-Castellanos"),
		slot("statistics", "Statistical expert", missing, ""),
		slot("product", "Product owner", missing, ""),
	}
	all[0].Mine = true
	all[2].Score = "9.5 of 10"
	if qa == void {
		all[2].VoidBecause = "PRE-P5 was reopened after this was signed."
	}
	return all
}

func goNoGo(qa components.State) components.Gate {
	return components.Gate{
		ID: "go_no_go", Name: "Go / no-go", Judges: "Go / no-go for T-0 on demo", State: closed,
		Sentence: "Two of four required signatures. DevOps lead and statistical expert are missing.",
		Href:     "/releases/" + code + "/gates/go_no_go", Action: "Sign as DevOps lead", Slots: slots(qa),
	}
}

// items makes the rows of a phase, in the states given.
func items(prefix string, titles []string, states ...components.State) ([]pagesItemRow, components.Counts) {
	owners := []string{"DevOps lead", "Backend lead", "QA lead", "Statistical expert"}
	rows, counts := []pagesItemRow{}, components.Counts{}
	for i, title := range titles {
		state := states[min(i, len(states)-1)]
		row := pagesItemRow{ID: fmt.Sprintf("%s%d", prefix, i+1), Title: title, Owner: owners[i%len(owners)], Due: clock("13:30", ""), State: state, Auto: i%3 == 0}
		switch state {
		case done:
			counts.Done++
			row.Who = "Marta Lindqvist"
		case failed:
			counts.Failed++
			row.Late = "12 min late"
		case blocked:
			counts.Blocked++
		case skipped:
			counts.Skipped++
			row.Extra = true
		default:
			counts.Open++
		}
		rows = append(rows, row)
	}
	return rows, counts
}
