package components

import (
	"strconv"
	"strings"
)

type segment struct{ x, width, part string }

// segments lays the parts of a bar end to end in percent of its width. What
// remains open is the bar's own background.
func (p Counts) segments() []segment {
	total := p.Total()
	if total == 0 {
		return nil
	}
	parts := []struct {
		name  string
		count int
	}{{"done", p.Done}, {"skipped", p.Skipped}, {"failed", p.Failed}}
	laid, before := []segment{}, 0
	for _, part := range parts {
		if part.count == 0 {
			continue
		}
		laid = append(laid, segment{percent(before, total), percent(part.count, total), part.name})
		before += part.count
	}
	return laid
}

func percent(part, whole int) string {
	return strconv.FormatFloat(float64(part)*100/float64(whole), 'f', 1, 64) + "%"
}

func count(n int) string { return strconv.Itoa(n) }

// short is enough of a hash to recognise it by.
func short(hash string) string {
	const enough = 12
	if len(hash) <= enough {
		return hash
	}
	return hash[:enough]
}

func joined(who []string) string {
	if len(who) < 2 {
		return strings.Join(who, "")
	}
	last := len(who) - 1
	return strings.Join(who[:last], ", ") + " or " + who[last]
}
