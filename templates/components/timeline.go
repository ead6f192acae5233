package components

import "strconv"

// Mark is one moment of a release on its timeline.
type Mark struct {
	Label   string // "Migrations"
	Offset  string // "T-0"
	Href    string // "#phase-migrations"
	Time    Time
	State   State
	Summary string // "3 of 5 done"
	Gate    bool   // drawn as a gate, not as a phase
}

// Timeline is the marks in order, with now between them. The marks stand at
// equal distances, because most of a release happens in two of its 72 hours.
type Timeline struct {
	Marks []Mark
	// NowAfter is the index of the last mark that has begun, -1 before the
	// first; NowPermille is how far now is on the way to the next one.
	NowAfter    int
	NowPermille int
	NowLabel    string // "now, 14:05"
	Text        string // what the picture shows, as a sentence
}

func (t Timeline) x(i int) string { return t.at(i * 1000) }

// nowX clamps: before the first mark and after the last, now stands half a
// step outside them, still inside the picture.
func (t Timeline) nowX() string {
	switch {
	case t.NowAfter < 0:
		return t.at(-500 + clamp(t.NowPermille)/2)
	case t.NowAfter >= len(t.Marks)-1:
		return t.at((len(t.Marks)-1)*1000 + clamp(t.NowPermille)/2)
	default:
		return t.at(t.NowAfter*1000 + clamp(t.NowPermille))
	}
}

// at turns thousandths of a step into a percentage of the width.
func (t Timeline) at(permille int) string {
	if len(t.Marks) == 0 {
		return "0%"
	}
	return strconv.FormatFloat(float64(permille+500)/float64(10*len(t.Marks)), 'f', 2, 64) + "%"
}

func (t Timeline) begun(i int) bool { return i <= t.NowAfter }

func clamp(permille int) int { return min(max(permille, 0), 1000) }

// nowAnchor keeps the word inside the picture at both ends of the line.
func (t Timeline) nowAnchor() string {
	switch {
	case t.NowAfter < 1:
		return "start"
	case t.NowAfter >= len(t.Marks)-2:
		return "end"
	default:
		return "middle"
	}
}
