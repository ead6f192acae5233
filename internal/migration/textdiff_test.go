package migration

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// marked writes a difference as wdiff does.
func marked(d TextDiff) string {
	var b strings.Builder
	for _, h := range d.Hunks {
		for _, w := range h.Words {
			switch w.Is {
			case WordGone:
				b.WriteString("[-" + w.Text + "-] ")
			case WordNew:
				b.WriteString("{+" + w.Text + "+} ")
			case WordSame:
				b.WriteString(w.Text + " ")
			}
		}
		b.WriteString("| ")
	}
	return strings.TrimSuffix(strings.TrimSpace(b.String()), " |") + d.More
}

func TestTextsDifferWordByWord(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a, ", 60)
	for _, c := range []struct{ was, now, want string }{
		{"SELECT 1;", "-- note\nSELECT  1;", ""},
		{"CREATE TABLE t (a int);", "CREATE TABLE t (a int, b text);", "create table t ( a int {+, b text+} ) ;"},
		{"ALTER TABLE t ADD b numeric(4,3);", "ALTER TABLE t ADD b numeric(5,3);", "alter table t add b numeric ( [-4-] {+5+} , 3 ) ;"},
		{"DROP TABLE t;", "", "[-drop table t ;-]"},
		{"SELECT 'a b';", "SELECT 'a  b';", "select [-'a b'-] {+'a  b'+} ;"},
		{"DO $$ BEGIN a := 1; END $$;", "DO $$ BEGIN a := 2; END $$;", "do $ $ begin a : = [-1-] {+2+} ; end $ $ ;"},
		{"DO $$ BEGIN END $$;", "DO $$ BEGIN  END $$;", "Only white space inside quotes differs, as in the body of a function."},
		{"SELECT x, " + long + " y", "SELECT z, " + long + " w", "select [-x-] {+z+} , a , a , a , a | a , a , a , a , [-y-] {+w+}"},
	} {
		got := strings.ReplaceAll(marked(DiffTexts(c.was, c.now)), "BEGIN", "begin")
		if got = strings.ReplaceAll(got, "END", "end"); got != c.want {
			t.Errorf("DiffTexts(%q, %q) = %q, want %q", c.was, c.now, got, c.want)
		}
	}
	d := DiffTexts("SELECT 1;\n\nSELECT 2;", "SELECT 1;\nSELECT 3;")
	if len(d.Hunks) != 1 || d.Hunks[0].WasLine != 1 || d.Hunks[0].NowLine != 1 {
		t.Errorf("the place of a difference is %+v, want line 1 of both, where its surroundings begin", d.Hunks)
	}
}

// Whatever the two texts are: what is the same and what is gone make the old one, what is the same and what is new the new
// one, and with a text that fits within the bound as few words as there have to be are changed.
func TestADifferenceMakesBothTexts(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2)) // the same every time
	words := func(n, of int) (list []word) {
		for range n {
			list = append(list, word{text: string(rune('a' + r.IntN(of)))})
		}
		return list
	}
	for range 2000 {
		a, b := words(r.IntN(25), 1+r.IntN(4)), words(r.IntN(25), 1+r.IntN(4))
		var was, now []word
		changed := 0
		for _, s := range align(a, b) {
			switch s.is {
			case WordSame:
				was, now = append(was, a[s.was]), append(now, b[s.now])
			case WordGone:
				was, changed = append(was, a[s.was]), changed+1
			case WordNew:
				now, changed = append(now, b[s.now]), changed+1
			}
		}
		if !cmp.Equal(a, was, cmp.AllowUnexported(word{})) || !cmp.Equal(b, now, cmp.AllowUnexported(word{})) {
			t.Fatalf("align(%v, %v) makes %v and %v", a, b, was, now)
		}
		if want := len(a) + len(b) - 2*longest(a, b); changed != want {
			t.Fatalf("align(%v, %v) changes %d words, want %d", a, b, changed, want)
		}
	}
	a, b := words(3000, 26), words(3000, 26)
	if got := len(align(a, b)); got > 6000 {
		t.Errorf("two long texts are aligned in %d steps", got)
	}
}

// longest is the length of the longest common subsequence, by the textbook's table.
func longest(a, b []word) int {
	row := make([]int, len(b)+1)
	for i := range a {
		diagonal := 0
		for j := range b {
			above := row[j+1]
			if a[i].text == b[j].text {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(row[j+1], row[j])
			}
			diagonal = above
		}
	}
	return row[len(b)]
}
