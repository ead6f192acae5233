package pages

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/agogsaas/gatehouse/templates/components"
)

func endSession(current bool) string {
	if current {
		return "End this session"
	}
	return "End session"
}

func number(n int) string { return strconv.Itoa(n) }

func joined(words []string) string { return strings.Join(words, ", ") }

// sentence begins a sentence with a name that may stand within one.
func sentence(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

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
	return a.Take+a.TakeOver+v.Waive.Action+a.Check+a.Done+a.Fail+a.Reopen+a.Skip+v.Refused == "" && len(v.Waiting) == 0
}

func orDash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}

// reasonFor and problemFor belong to the one act that was tried: three forms on
// the page ask for a reason under the same name.
func (v ItemShowView) reasonFor(act string) string {
	if v.Acts.Tried != act {
		return ""
	}
	return v.Acts.Reason
}

func (v ItemShowView) problemFor(act string) string {
	if v.Acts.Tried != act {
		return ""
	}
	return v.Complaints.For("reason")
}

// attachID is the field of the form that adds a file; the form for done has one of the same name.
const attachID = "attach-file"

// fileProblem is what is wrong with the file of one of the two forms that have one.
func (v ItemShowView) fileProblem(attaching bool) string {
	if v.Attach.Tried != attaching {
		return ""
	}
	return v.Complaints.For("evidence_file")
}

// complaintsByID points a complaint about a reason at the field of its act, and one about a file at its form's.
func (v ItemShowView) complaintsByID() components.Complaints {
	pointed := components.Complaints{}
	for _, c := range v.Complaints {
		if c.Field == "reason" && v.Acts.Tried != "" {
			c.Field = "reason-" + v.Acts.Tried
		}
		if c.Field == "evidence_file" && v.Attach.Tried {
			c.Field = attachID
		}
		pointed = append(pointed, c)
	}
	return pointed
}

// verdictWord is a judgement on claims in a word or two.
func verdictWord(tone components.Tone) string {
	switch tone {
	case components.Good:
		return "gets in"
	case components.Warn:
		return "not sure"
	default:
		return "does not get in"
	}
}

// inFacility is where, for a heading; nothing where there is no facility.
func inFacility(name string) string {
	if name == "" {
		return ""
	}
	return "at " + name
}
