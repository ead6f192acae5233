package handlers

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/agogsaas/gatehouse/internal/signoff"
)

// gateRules are the rules by which a gate is signed, in words: those that all gates have, and those of its runbook.
func gateRules(g signoff.Gate, zone *time.Location) []string {
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
	rules = append(rules, evidenceRules(g.Rules)...)
	return append(rules, deputyRules(g, zone)...)
}

// deputyRules say from when on whose deputies sign, and who they are today.
func deputyRules(g signoff.Gate, zone *time.Location) []string {
	var rules []string
	for _, s := range g.Slots {
		if s.DeputiesFrom.IsZero() {
			continue
		}
		var names []string
		for _, d := range g.Deputies {
			if d.Role == s.Role {
				names = append(names, d.Person.Name)
			}
		}
		today := "the roster names none for today"
		if len(names) > 0 {
			today = "for today the roster names " + strings.Join(slices.Compact(names), ", ")
		}
		rules = append(rules, fmt.Sprintf("A deputy of the %s signs from %s on; %s.", s.Role.Title(), s.DeputiesFrom.In(zone).Format("2 Jan 2006 at 15:04 MST"), today))
	}
	return rules
}

// asDeputy says by what right a signature was given in another's place; empty where the person held the role.
func asDeputy(s signoff.Signature) string {
	d := s.Deputy
	if d == nil {
		return ""
	}
	return fmt.Sprintf("As a deputy of the %s, named by %s on %s for %s to %s: %s", s.Role.Title(), d.NamedBy, d.NamedAt.UTC().Format("2 Jan 2006 at 15:04 UTC"), d.From, d.Until, d.Reason)
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
