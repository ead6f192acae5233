package web

import (
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
)

func sprint(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// Int reads a whole number from least to most.
func (v *Values) Int(name string, least, most int) int {
	s := v.take(name)
	if s == "" {
		v.Complain(name, "This is needed.")
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < least || n > most || len(s) > 20 {
		v.Complain(name, sprint("A whole number from %d to %d, please.", least, most))
		return 0
	}
	return n
}

// Decimal reads an exact number from least to most with at most places digits after the point. A comma for the point
// is understood; thousands separators and exponents are not.
func (v *Values) Decimal(name string, least, most decimal.Decimal, places int32) decimal.Decimal {
	s := v.take(name)
	if s == "" {
		v.Complain(name, "This is needed.")
		return decimal.Zero
	}
	d, ok := plainDecimal(s)
	switch {
	case !ok:
		v.Complain(name, sprint("A number from %s to %s, please, written like %s.", least, most, least.StringFixed(places)))
	case d.LessThan(least) || d.GreaterThan(most):
		v.Complain(name, sprint("From %s to %s, please.", least, most))
	case !d.Equal(d.Truncate(places)):
		v.Complain(name, sprint("At most %d digits after the point, please.", places))
	default:
		return d
	}
	return decimal.Zero
}

func plainDecimal(s string) (decimal.Decimal, bool) {
	if len(s) > 40 {
		return decimal.Zero, false
	}
	b := []byte(s)
	points := 0
	for i, ch := range b {
		switch {
		case ch >= '0' && ch <= '9', ch == '-' && i == 0 && len(b) > 1:
		case ch == '.' || ch == ',':
			b[i] = '.'
			if points++; points > 1 || i == len(b)-1 {
				return decimal.Zero, false
			}
		default:
			return decimal.Zero, false
		}
	}
	d, err := decimal.NewFromString(string(b))
	return d, err == nil
}

// Time reads what an input of type datetime-local sends, as a moment in the place's time zone. What the zone's clocks skip or
// show twice, when summer time begins and ends, is a complaint: it would be an hour beside what somebody meant.
func (v *Values) Time(name string, zone *time.Location) time.Time {
	s := v.take(name)
	if s == "" {
		v.Complain(name, "This is needed.")
		return time.Time{}
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04"} {
		t, err := time.ParseInLocation(layout, s, zone)
		if err == nil && (t.Year() < 2000 || t.Year() >= 2100) {
			v.Complain(name, "A moment of the years 2000 to 2099, please.")
			return time.Time{}
		}
		if err == nil {
			if complaint := clockChange(s, layout, zone, t); complaint != "" {
				v.Complain(name, complaint)
				return time.Time{}
			}
			return t
		}
	}
	v.Complain(name, sprint("A date and time like 2026-03-01 14:00 (%s), please.", zone))
	return time.Time{}
}

// clockChange says why the zone's clocks do not show the time that was typed exactly once; t is what it was read as.
func clockChange(typed, layout string, zone *time.Location, t time.Time) string {
	shows := map[int64]bool{}
	for _, near := range []time.Time{t.Add(-24 * time.Hour), t.Add(24 * time.Hour)} {
		_, offset := near.In(zone).Zone()
		at, err := time.ParseInLocation(layout, typed, time.FixedZone("", offset))
		if err == nil && at.In(zone).Format(layout) == at.Format(layout) {
			shows[at.Unix()] = true
		}
	}
	switch len(shows) {
	case 0:
		return sprint("The clocks of %s skip this time: summer time begins then. Choose an earlier or a later one.", zone)
	case 2:
		return sprint("The clocks of %s show this time twice: summer time ends then. Choose an earlier or a later one, so that everybody means the same.", zone)
	}
	return ""
}

// UUID reads an id in the usual form.
func (v *Values) UUID(name string) uuid.UUID {
	s := v.take(name)
	id, err := uuid.Parse(s)
	if err != nil || id.String() != s {
		v.Complain(name, "This is not an id. Reload the page and try again.")
		return uuid.Nil
	}
	return id
}
