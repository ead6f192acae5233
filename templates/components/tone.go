package components

// Tone is how a state should feel, drawn as a shape and a colour beside its
// word. The shape alone tells tones apart, for those who do not see the colour.
type Tone string

// The tones there are.
const (
	Neutral  Tone = "neutral"  // open, not started, nothing to say: a ring
	Info     Tone = "info"     // worth knowing: a dot
	Progress Tone = "progress" // under way: a half-filled ring
	Good     Tone = "good"     // done, applied, healthy, signed: a tick
	Warn     Tone = "warn"     // degraded, changed, needs a look: a triangle
	Bad      Tone = "bad"      // failed, unhealthy, void: a cross
	Blocked  Tone = "blocked"  // may not go on yet: a barred square
	Unknown  Tone = "unknown"  // could not be read, which is not good: a question mark
)

// State is a state as people see it: Code for tests (data-state), Word for
// people, Tone for shape and colour.
type State struct {
	Code string
	Word string
	Tone Tone
}

// Time is a moment, formatted by the edge. The zero Time is no moment.
type Time struct {
	Local    string // "14:05" or "24 Dec, 14:05"
	Relative string // "in 12 min"
	UTC      string // "2025-12-24 13:05:00 UTC", shown on hovering and to screen readers
}

// Known reports whether there is a moment to show.
func (t Time) Known() bool { return t.Local != "" || t.UTC != "" }

// Fact is one label with its value. Href makes the value a link, Code sets it
// in fixed width (hashes, SQL, identifiers).
type Fact struct {
	Label, Value string
	Href         string
	Code         bool
	Time         Time // shown in place of Value when known
}

// Link is a way to somewhere.
type Link struct {
	Label, Href string
}
