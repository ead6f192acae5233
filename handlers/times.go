package handlers

import (
	"fmt"
	"strings"
	"time"

	"github.com/agogsaas/gatehouse/internal/clock"
	"github.com/agogsaas/gatehouse/templates/components"
)

// moment is a time as pages show it: in zone and with its name, as people say it from now, and exactly. The zero time is no moment.
func moment(at, now time.Time, zone *time.Location) components.Time {
	if at.IsZero() {
		return components.Time{}
	}
	local, layout := at.In(zone), "2 Jan 2006, 15:04"
	switch {
	case local.Format(time.DateOnly) == now.In(zone).Format(time.DateOnly):
		layout = "15:04"
	case local.Year() == now.In(zone).Year():
		layout = "2 Jan, 15:04"
	}
	return components.Time{Local: local.Format(layout) + " " + zoneName(local), Relative: relative(at.Sub(now)), UTC: at.UTC().Format("2006-01-02 15:04:05 UTC")}
}

// zoneName is the zone of a local time in short: "UTC", "EST", or its distance from UTC where it has no letters.
func zoneName(local time.Time) string {
	name := local.Format("MST")
	if strings.HasPrefix(name, "+") || strings.HasPrefix(name, "-") {
		return "UTC" + name
	}
	return name
}

// past is the moment of something that is over, which needs no count down to it or up from it.
func past(at, now time.Time, zone *time.Location) components.Time {
	t := moment(at, now, zone)
	t.Relative = ""
	return t
}

// relative is a distance in time as people say it: "in 12 min", "3 h ago", "now".
func relative(d time.Duration) string {
	if d.Abs() < 30*time.Second {
		return "now"
	}
	words := duration(d.Abs().Round(time.Minute))
	if d.Abs() < time.Minute {
		words = fmt.Sprintf("%d s", int(d.Abs().Seconds()))
	}
	if d > 0 {
		return "in " + words
	}
	return words + " ago"
}

// duration is a length of time as people say it.
func duration(d time.Duration) string { return clock.Duration(d) }

// counted is a number with the noun it counts: "1 release", "3 releases".
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
