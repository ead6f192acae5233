package web

import (
	"strings"

	"github.com/agogsaas/gatehouse/internal/actor"
)

// Halves reads the two sealed halves of a code as people type them: in groups, in small letters, with or without hyphens.
func Halves(form *Values) (first, second string) {
	first, second = readHalf(form, "first"), readHalf(form, "second")
	if first != "" && first == second {
		form.Complain("second", "This is the same half once more. The other one is with the other person.")
	}
	return first, second
}

// missingHalf names the field, because a list of complaints stands apart from it.
var missingHalf = map[string]string{"first": "One half is missing.", "second": "The other half is missing."}

func readHalf(form *Values, name string) string {
	text := strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(form.Text(name, 0, 60)))
	if text == "" {
		form.Complain(name, missingHalf[name])
	}
	if text != "" && len(text) != actor.WayBackHalf {
		form.Complain(name, sprint("A half has %d letters and digits; these are %d.", actor.WayBackHalf, len(text)))
	}
	return text
}
