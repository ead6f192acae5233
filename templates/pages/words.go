package pages

import (
	"strconv"
	"strings"
)

func endSession(current bool) string {
	if current {
		return "End this session"
	}
	return "End session"
}

func number(n int) string { return strconv.Itoa(n) }

// plural puts a number before its noun: "1 complaint", "3 complaints".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

func joined(words []string) string { return strings.Join(words, ", ") }

// permille turns thousandths into a percentage of a width, never above the whole.
func permille(n int) string {
	return strconv.FormatFloat(float64(min(max(n, 0), 1000))/10, 'f', 1, 64) + "%"
}

// lines splits text for a numbered listing, without an empty last line.
func lines(text string) []string {
	return strings.Split(strings.TrimRight(text, "\n"), "\n")
}

// nothingToDo reports whether neither an act nor a reason for its absence is shown.
func (v ItemShowView) nothingToDo() bool {
	a := v.Acts
	return a.Take+a.Check+a.Done+a.Fail+a.Reopen+a.Skip+v.Refused == "" && len(v.Waiting) == 0
}

func orDash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}
