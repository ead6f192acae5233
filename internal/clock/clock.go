// Package clock says times and lengths of time as people read them, the same in a page, a log and a report.
package clock

import (
	"fmt"
	"time"
)

// Duration is a length of time in one or two units: "850 ms", "8.2 s", "2 min 3 s", "3 h 5 min", "2 days".
func Duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute-50*time.Millisecond: // above, one decimal would say 60.0
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour-500*time.Millisecond:
		return two(int(d.Round(time.Second)/time.Second), 60, "min", "s")
	case d < 24*time.Hour-30*time.Second:
		return two(int(d.Round(time.Minute)/time.Minute), 60, "h", "min")
	case d < 48*time.Hour:
		return "1 day"
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// two is a number of small units as large ones and the rest; no rest, no word of it.
func two(n, per int, large, small string) string {
	if n%per == 0 {
		return fmt.Sprintf("%d %s", n/per, large)
	}
	return fmt.Sprintf("%d %s %d %s", n/per, large, n%per, small)
}

// Stamp is a moment to the minute, for a text that is kept: "30 Nov 2026, 06:08 UTC".
func Stamp(at time.Time) string { return at.UTC().Format("2 Jan 2006, 15:04 UTC") }
