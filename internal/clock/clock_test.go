package clock

import (
	"testing"
	"time"
)

func TestALengthOfTimeIsSaidInOneOrTwoUnits(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                                     "0 ms",
		850 * time.Millisecond:                "850 ms",
		2998 * time.Millisecond:               "3.0 s",
		59*time.Second + 960*time.Millisecond: "1 min",
		time.Minute:                           "1 min",
		123 * time.Second:                     "2 min 3 s",
		time.Hour - 100*time.Millisecond:      "1 h",
		185 * time.Minute:                     "3 h 5 min",
		3 * time.Hour:                         "3 h",
		30 * time.Hour:                        "1 day",
		60 * time.Hour:                        "2 days",
	} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%s) = %q, want %q", d, got, want)
		}
	}
}

func TestAMomentIsSaidInUTC(t *testing.T) {
	at := time.Date(2026, 11, 30, 1, 8, 59, 0, time.FixedZone("", -5*3600))
	if got, want := Stamp(at), "30 Nov 2026, 06:08 UTC"; got != want {
		t.Errorf("Stamp = %q, want %q", got, want)
	}
}
