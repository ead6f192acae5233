package handlers

import (
	"fmt"
	"strings"

	"github.com/agogsaas/gatehouse/internal/signoff"
)

// gateRules are the rules by which a gate is signed, in words: those that all gates have, and those of its runbook.
func gateRules(g signoff.Gate) []string {
	var required, optional, last []string
	for _, s := range g.Slots {
		switch {
		case s.Required:
			required = append(required, s.Role.Title())
		default:
			optional = append(optional, s.Role.Title())
		}
		if s.SignsLast {
			last = append(last, s.Role.Title())
		}
	}
	rules := []string{"Required: " + strings.Join(required, ", ") + ". One person fills one place."}
	if len(optional) > 0 {
		rules = append(rules, "Not required, and welcome: "+strings.Join(optional, ", ")+".")
	}
	if len(last) > 0 {
		rules = append(rules, strings.Join(last, ", ")+" signs last, when the others have.")
	}
	rules = append(rules, "Nobody signs who started the release"+alsoKept(g)+".")
	return append(rules, evidenceRules(g.Rules)...)
}

// alsoKept says who else the gate keeps from signing.
func alsoKept(g signoff.Gate) string {
	var also string
	if g.AfterMigrations {
		also += ", nor who applied one of its migrations"
	}
	if g.Rules.AuthorsBarred {
		also += ", nor who gave evidence that this gate judges; what the system found itself is nobody's word"
	}
	return also
}

func evidenceRules(r signoff.Rules) []string {
	var rules []string
	add := func(n int, one, many string) {
		if n > 0 {
			rules = append(rules, fmt.Sprintf("At least %s.", counted(n, one, many)))
		}
	}
	add(r.Items, "item that it judges is done with evidence; what is skipped does not count", "items that it judges are done with evidence; what is skipped does not count")
	add(r.Files, "of them has a file", "of them have a file")
	add(r.Checks, "check of the system has found everything good", "checks of the system have found everything good")
	if len(r.RequiredChecks) > 0 {
		rules = append(rules, "These checks have found everything good, and not too long ago: "+strings.Join(r.RequiredChecks, ", ")+".")
	}
	return rules
}
