package migration

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// TextDiff is how a file differs from the text that was applied, word by word. Comments and white space of the SQL do not
// count; those inside quotes do, because the database keeps them.
type TextDiff struct {
	// Kept is false where the text was applied before texts were kept; then nothing but the hashes can be compared.
	Kept  bool   `json:"kept"`
	Hunks []Hunk `json:"hunks,omitempty"`
	// More is how much is left out at the end; empty where all is shown.
	More string `json:"more,omitempty"`
}

// Hunk is a place at which the two texts differ, with some words around it.
type Hunk struct {
	WasLine int        `json:"was_line"`
	NowLine int        `json:"now_line"`
	Words   []DiffWord `json:"words"`
}

// DiffWord is words that are the same, gone, or new.
type DiffWord struct {
	Is   WordIs `json:"is"`
	Text string `json:"text"`
}

// WordIs says what became of words.
type WordIs string

// What becomes of words.
const (
	WordSame WordIs = "same"
	WordGone WordIs = "gone"
	WordNew  WordIs = "new"
)

const (
	diffAround = 8   // words around a change
	diffMost   = 800 // changed words that are told apart; beyond, the rest is one change
	diffHunks  = 20
	diffWords  = 600 // of one hunk
)

// word is a piece of a text with its line.
type word struct {
	text string
	line int
}

var bodyWord = regexp.MustCompile(`[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]`)

// diffWordsOf are the tokens of a text. A body between dollar signs, which is one token to the database, is taken apart.
func diffWordsOf(sql string) []word {
	var list []word
	line, at := 1, 0
	add := func(text string, offset int) {
		line, at = line+strings.Count(sql[at:offset], "\n"), offset
		list = append(list, word{text, line})
	}
	for _, t := range Tokens(sql) {
		if !strings.HasPrefix(t.Text, "$") || len(t.Text) < 4 {
			add(t.Text, t.Offset)
			continue
		}
		for _, m := range bodyWord.FindAllStringIndex(t.Text, -1) {
			add(t.Text[m[0]:m[1]], t.Offset+m[0])
		}
	}
	return list
}

// DiffTexts holds the text that was applied against the one of the file.
func DiffTexts(was, now string) TextDiff {
	d := TextDiff{Kept: true}
	a, b := diffWordsOf(Normal(was)), diffWordsOf(Normal(now))
	steps := align(a, b)
	var hunks []Hunk
	for i := 0; i < len(steps); {
		if steps[i].is == WordSame {
			i++
			continue
		}
		from, to := max(i-diffAround, 0), i
		for quiet := 0; to < len(steps) && quiet <= 2*diffAround; to++ {
			if quiet++; steps[to].is != WordSame {
				quiet = 0
			}
		}
		end := to
		for end > i && steps[end-1].is == WordSame {
			end--
		}
		hunks = append(hunks, hunkOf(steps[from:min(end+diffAround, len(steps))], a, b))
		i = max(to, end)
	}
	if len(hunks) > diffHunks {
		hunks, d.More = hunks[:diffHunks], fmt.Sprintf("%d more places are not shown.", len(hunks)-diffHunks)
	}
	if len(hunks) == 0 && TokenHash(was) != TokenHash(now) {
		d.More = "Only white space inside quotes differs, as in the body of a function."
	}
	d.Hunks = hunks
	return d
}

// step is one word of the alignment: its place in the old text, in the new one, or in both.
type step struct {
	is       WordIs
	was, now int
}

func hunkOf(steps []step, a, b []word) Hunk {
	h := Hunk{}
	shown := 0
	for _, s := range steps {
		var text string
		if s.is == WordNew {
			text = b[s.now].text
		} else {
			text = a[s.was].text
		}
		if h.WasLine == 0 && s.is != WordNew {
			h.WasLine = a[s.was].line
		}
		if h.NowLine == 0 && s.is != WordGone {
			h.NowLine = b[s.now].line
		}
		if shown++; shown > diffWords {
			h.Words = append(h.Words, DiffWord{WordSame, "…"})
			break
		}
		if n := len(h.Words); n > 0 && h.Words[n-1].Is == s.is {
			h.Words[n-1].Text += " " + text
		} else {
			h.Words = append(h.Words, DiffWord{s.is, text})
		}
	}
	return h
}

// align finds what is the same: the beginning and the end by walking, and what lies between by Myers' algorithm. Where more
// differs than a person could read, what lies between is one change.
func align(a, b []word) []step {
	var head, tail []step
	first := 0
	for first < len(a) && first < len(b) && a[first].text == b[first].text {
		head = append(head, step{WordSame, first, first})
		first++
	}
	endA, endB := len(a), len(b)
	for endA > first && endB > first && a[endA-1].text == b[endB-1].text {
		endA, endB = endA-1, endB-1
	}
	for i := 0; endA+i < len(a); i++ {
		tail = append(tail, step{WordSame, endA + i, endB + i})
	}
	middle := myers(a[first:endA], b[first:endB])
	for i := range middle {
		middle[i].was, middle[i].now = middle[i].was+first, middle[i].now+first
	}
	return append(append(head, middle...), tail...)
}

func myers(a, b []word) []step {
	var trace [][]int
	most := min(len(a)+len(b), diffMost)
	v := make([]int, 2*most+3)
	origin := most + 1
	for d := 0; d <= most; d++ {
		trace = append(trace, append([]int{}, v[origin-d:origin+d+1]...))
		for k := -d; k <= d; k += 2 {
			x := v[origin+k-1] + 1
			if k == -d || k != d && v[origin+k-1] < v[origin+k+1] {
				x = v[origin+k+1]
			}
			for x < len(a) && x-k < len(b) && a[x].text == b[x-k].text {
				x++
			}
			v[origin+k] = x
			if x >= len(a) && x-k >= len(b) {
				return walkBack(trace, len(a), len(b))
			}
		}
	}
	all := make([]step, 0, len(a)+len(b))
	for i := range a {
		all = append(all, step{WordGone, i, 0})
	}
	for i := range b {
		all = append(all, step{WordNew, len(a), i})
	}
	return all
}

// walkBack follows the furthest-reaching paths from the end. trace[d] holds diagonals -d to d as they stood before round d.
func walkBack(trace [][]int, x, y int) []step {
	var back []step
	for d := len(trace) - 1; d > 0; d-- {
		at := func(k int) int { return trace[d][k+d] }
		k := x - y
		down := k == -d || k != d && at(k-1) < at(k+1)
		var beforeEdit int
		if down {
			beforeEdit = at(k + 1)
		} else {
			beforeEdit = at(k-1) + 1
		}
		for x > beforeEdit {
			x, y = x-1, y-1
			back = append(back, step{WordSame, x, y})
		}
		if down {
			y--
			back = append(back, step{WordNew, x, y})
		} else {
			x--
			back = append(back, step{WordGone, x, y})
		}
	}
	for x > 0 {
		x, y = x-1, y-1
		back = append(back, step{WordSame, x, y})
	}
	slices.Reverse(back)
	return back
}

// Explain gives every version that was changed since it was applied the difference from the text that the ledger kept.
func (l *Ladder) Explain(texts map[string]string) {
	for i := range l.Rungs {
		r := &l.Rungs[i]
		if r.State != StateChanged {
			continue
		}
		r.Diff = &TextDiff{}
		if was, kept := texts[r.Effect.SHA256]; kept {
			*r.Diff = DiffTexts(was, r.File.SQL)
		}
	}
}

// Sentence says what the difference is worth.
func (d TextDiff) Sentence() string {
	switch {
	case !d.Kept:
		return "It was applied before Gatehouse kept the texts of files, so there is nothing to hold the file against but its hash."
	case len(d.Hunks) == 0:
		return d.More
	case len(d.Hunks) == 1:
		return strings.TrimSpace("It differs in one place from the text that was applied. " + d.More)
	}
	return strings.TrimSpace(fmt.Sprintf("It differs in %d places from the text that was applied. %s", len(d.Hunks), d.More))
}
