package runbook

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

// Checks are the names of the checks that the system can run. The roof gives each of them its Checker.
var Checks = []string{
	"migration.baseline", "migration.plan", "migration.applied",
	"database.connection", "schema_version.last", "schema_version.three", "tables.nine", "matviews.two", "constraint.confidence",
	"backup.restores", "migration.rehearsed",
	"health.overall", "graphql.data_quality", "graphql.health", "graphql.statistics", "cache.freshness", "ml.accuracy",
}

var (
	templateName    = regexp.MustCompile(`^[a-z][a-z0-9-]{0,49}$`)
	templateVersion = regexp.MustCompile(`^[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}$`)
	itemID          = regexp.MustCompile(`^[A-Z0-9][A-Za-z0-9.-]{0,29}$`)
)

// complaints gathers what does not hold together, each with the place it is about.
type complaints []Problem

func (c *complaints) add(path string, err error) {
	if err != nil {
		*c = append(*c, Problem{Path: path, Text: err.Error()})
	}
}

// check lists what keeps a template from holding together.
func (t Template) check() []Problem {
	var c complaints
	if !templateName.MatchString(t.Name) {
		c.add("name", fmt.Errorf("the name %q is not of small letters, digits and hyphens", t.Name))
	}
	if !templateVersion.MatchString(t.Version) {
		c.add("version", fmt.Errorf("the version %q is not of the form 1.0.0", t.Version))
	}
	if t.Title == "" || t.Release == "" || t.Summary == "" {
		c.add("", fmt.Errorf("title, summary and release are needed"))
	}
	if len(t.Phases) == 0 {
		c.add("phases", fmt.Errorf("it has no phases"))
	}
	if _, err := time.LoadLocation(t.TimeZone); err != nil || t.TimeZone == "" || t.TimeZone == "Local" {
		c.add("time_zone", fmt.Errorf("time zone %q is not known", t.TimeZone))
	}
	for n, v := range t.Migrations {
		if !templateVersion.MatchString(v) {
			c.add(fmt.Sprintf("migrations[%d]", n), fmt.Errorf("migration %q is not a version like 0.0.20", v))
		}
	}
	t.checkReferences(&c)
	t.checkPhases(&c)
	t.checkGates(&c)
	return c
}

// references are the ids of the two reference sections.
func (t Template) references() []string {
	var ids []string
	for _, r := range t.Rollback {
		ids = append(ids, r.ID)
	}
	for _, r := range t.Troubleshooting {
		ids = append(ids, r.ID)
	}
	return ids
}

func (t Template) checkReferences(c *complaints) {
	ids := t.references()
	place := func(n int) string {
		if n < len(t.Rollback) {
			return fmt.Sprintf("rollback[%d]", n)
		}
		return fmt.Sprintf("troubleshooting[%d]", n-len(t.Rollback))
	}
	for i, id := range ids {
		if id == "" || slices.Contains(ids[:i], id) {
			c.add(place(i), fmt.Errorf("reference %q has no id or stands twice", id))
		}
	}
	for n, r := range t.Rollback {
		if err := r.check(); err != nil {
			c.add(place(n), err)
		}
	}
	for n, r := range t.Troubleshooting {
		if r.Symptom == "" || r.Diagnosis == "" || r.Remedy == "" {
			c.add(place(len(t.Rollback)+n), fmt.Errorf("troubleshooting %s lacks symptom, diagnosis or remedy", r.ID))
		}
	}
}

// checkPhases goes through all items in their order. An item may only wait for items before it, so there are no cycles.
func (t Template) checkPhases(c *complaints) {
	references := t.references()
	var phases []PhaseID
	var before []ItemID
	last := Offset(-1 << 62)
	for n, phase := range t.Phases {
		at := fmt.Sprintf("phases[%d]", n)
		if !templateName.MatchString(string(phase.ID)) || slices.Contains(phases, phase.ID) {
			c.add(at+".id", fmt.Errorf("phase %q has no proper id or stands twice", phase.ID))
		}
		if phase.Name == "" || len(phase.Items) == 0 {
			c.add(at, fmt.Errorf("phase %s has no name or no items", phase.ID))
		}
		if phase.Offset < last {
			c.add(at+".offset", fmt.Errorf("phase %s is due before the phase in front of it", phase.ID))
		}
		if phase.Gate != signoff.GoNoGo && phase.Gate != signoff.Final && phase.Gate != NoGate {
			c.add(at+".gate", fmt.Errorf("phase %s names the unknown gate %q", phase.ID, phase.Gate))
		}
		phases, last = append(phases, phase.ID), phase.Offset
		for m, item := range phase.Items {
			for _, err := range t.checkItem(phase, item, before, references) {
				c.add(fmt.Sprintf("%s.items[%d]", at, m), fmt.Errorf("item %s: %w", item.ID, err))
			}
			before = append(before, item.ID)
		}
	}
}

func (t Template) checkItem(phase PhaseSpec, item ItemSpec, before []ItemID, references []string) []error {
	_, knownRole := actor.ParseRole(string(item.Owner))
	due, notBefore := phase.times(item)
	var wrong []error
	refuse := func(when bool, format string, args ...any) {
		if when {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	refuse(!itemID.MatchString(string(item.ID)), "the id is not of letters, digits, points and hyphens")
	refuse(slices.Contains(before, item.ID), "it stands twice")
	refuse(item.Title == "" || item.Do == "" || item.Expected == "", "title, what to do and what is expected are needed")
	refuse(!knownRole, "its owner %q is no role", item.Owner)
	refuse(due < phase.Offset, "it is due before its phase begins")
	refuse(notBefore != nil && *notBefore > due, "it is due before it can be said")
	for _, id := range item.After {
		refuse(!slices.Contains(before, id), "it waits for %s, which does not come before it", id)
	}
	refuse(item.UndoTestedBy != "" && !slices.Contains(before, item.UndoTestedBy), "its undo is tested by %s, which does not come before it", item.UndoTestedBy)
	for _, id := range item.See {
		refuse(!slices.Contains(references, id), "it refers to %s, which is not there", id)
	}
	refuse(item.FreshFor != nil && *item.FreshFor <= 0, "its evidence grows old after a time above zero")
	if err := item.Evidence.check(); err != nil {
		wrong = append(wrong, err)
	}
	return wrong
}

func (a Asks) check() error {
	least, hasLeast := parseNumber(a.Min)
	most, hasMost := parseNumber(a.Max)
	bounded := a.Min != "" || a.Max != "" || a.Unit != "" || a.Decimals != nil
	switch a.Kind {
	case Text, Link, Number, Statement, FileKind:
		if a.Check != "" {
			return fmt.Errorf("only evidence of kind auto names a check")
		}
	case Auto:
		if !slices.Contains(Checks, a.Check) {
			return fmt.Errorf("check %q is not known; the checks are %s", a.Check, strings.Join(Checks, ", "))
		}
	default:
		return fmt.Errorf("evidence of kind %q is not known", a.Kind)
	}
	switch {
	case (a.Min != "" && !hasLeast) || (a.Max != "" && !hasMost) || (hasLeast && hasMost && least.GreaterThan(most)):
		return fmt.Errorf("the bounds %q and %q are not numbers in order", a.Min, a.Max)
	case a.Kind != Number && bounded:
		return fmt.Errorf("only a number has bounds, decimals and a unit")
	case a.Decimals != nil && *a.Decimals < 0:
		return fmt.Errorf("a number cannot have %d decimals", *a.Decimals)
	case (a.Kind == Statement) != (a.Statement != ""):
		return fmt.Errorf("evidence of kind statement has a statement, and no other has")
	case a.Kind != Statement && a.Kind != Auto && a.Label == "":
		return fmt.Errorf("the evidence needs a label")
	}
	return nil
}

func (t Template) checkGates(c *complaints) {
	var gates []signoff.GateID
	last := Offset(-1 << 62)
	for n, g := range t.Gates {
		c.add(fmt.Sprintf("gates[%d]", n), t.checkGate(g, gates, last))
		c.add(fmt.Sprintf("gates[%d].slots", n), g.checkSlots())
		for _, err := range t.checkRules(g) {
			c.add(fmt.Sprintf("gates[%d]", n), fmt.Errorf("gate %s: %w", g.ID, err))
		}
		gates, last = append(gates, g.ID), g.Offset
	}
	for n, phase := range t.Phases {
		if phase.Gate != NoGate && !slices.Contains(gates, phase.Gate) {
			c.add(fmt.Sprintf("phases[%d].gate", n), fmt.Errorf("phase %s is judged by gate %s, which is not there", phase.ID, phase.Gate))
		}
	}
}

func (t Template) checkGate(g GateSpec, gates []signoff.GateID, last Offset) error {
	after := slices.IndexFunc(t.Phases, func(p PhaseSpec) bool { return p.ID == g.AfterPhase })
	switch {
	case g.ID != signoff.GoNoGo && g.ID != signoff.Final, slices.Contains(gates, g.ID):
		return fmt.Errorf("gate %q is unknown or stands twice", g.ID)
	case g.Name == "" || g.Judges == "":
		return fmt.Errorf("gate %s does not say its name and what it judges", g.ID)
	case after < 0:
		return fmt.Errorf("gate %s stands after phase %q, which is not there", g.ID, g.AfterPhase)
	case g.Offset < t.Phases[after].Offset || g.Offset < last:
		return fmt.Errorf("gate %s is due before what it judges", g.ID)
	case g.NotBefore != nil && *g.NotBefore > g.Offset:
		return fmt.Errorf("gate %s is due before it can be signed", g.ID)
	case g.ExpiresAfter != nil && *g.ExpiresAfter <= 0:
		return fmt.Errorf("gate %s expires after a time that is not above zero", g.ID)
	}
	for i, phase := range t.Phases {
		if phase.Gate == g.ID && i > after {
			return fmt.Errorf("gate %s judges phase %s, which comes after it", g.ID, phase.ID)
		}
	}
	return nil
}

func (g GateSpec) checkSlots() error {
	var slots []signoff.SlotID
	required := 0
	for _, s := range g.Slots {
		_, knownRole := actor.ParseRole(string(s.Role))
		switch {
		case s.ID == "" || slices.Contains(slots, s.ID):
			return fmt.Errorf("slot %q has no id or stands twice", s.ID)
		case !knownRole || !slices.Contains(actor.RolesWith(actor.GateSign), s.Role):
			return fmt.Errorf("slot %s is for %q, who may not sign", s.ID, s.Role)
		case s.Statement == "" || len(s.Meanings) == 0:
			return fmt.Errorf("slot %s needs a statement and at least one meaning", s.ID)
		case s.DeputiesAfter != nil && *s.DeputiesAfter < 0:
			return fmt.Errorf("slot %s: its deputies may sign before the gate is due", s.ID)
		case s.DeputiesAfter != nil && g.ExpiresAfter != nil && *s.DeputiesAfter >= *g.ExpiresAfter:
			return fmt.Errorf("slot %s: its deputies may sign only when the time of the gate is over", s.ID)
		}
		for _, m := range s.Meanings {
			if _, ok := signoff.ParseMeaning(string(m)); !ok {
				return fmt.Errorf("slot %s: meaning %q is not known", s.ID, m)
			}
		}
		if s.Required {
			required++
		}
		slots = append(slots, s.ID)
	}
	if required == 0 {
		return fmt.Errorf("nobody is required to sign it")
	}
	return nil
}

// checkRules lists what is wrong with the rules by which the gate is signed: what nothing that it judges can ever fulfil
// would keep it shut for good.
func (t Template) checkRules(g GateSpec) []error {
	var wrong []error
	refuse := func(when bool, format string, args ...any) {
		if when {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	items, automatic, checks := 0, 0, map[string]bool{}
	for _, phase := range t.Phases {
		if phase.Gate != g.ID {
			continue
		}
		items += len(phase.Items)
		for _, item := range phase.Items {
			if item.Evidence.Kind == Auto {
				automatic++
				checks[item.Evidence.Check] = true
			}
		}
	}
	if m := g.MinimumEvidence; m != nil {
		refuse(*m == MinimumEvidence{}, "its minimum of evidence names no number")
		refuse(m.Items < 0 || m.Files < 0 || m.Checks < 0, "a minimum of evidence is above zero")
		refuse(m.Items > items, "it wants evidence for %d items and judges %d", m.Items, items)
		refuse(m.Files > items, "it wants files with %d items and judges %d", m.Files, items)
		refuse(m.Checks > automatic, "it wants %d checks, and %d of its items are checks", m.Checks, automatic)
	}
	for i, name := range g.RequiredChecks {
		refuse(!slices.Contains(Checks, name), "the required check %q is not known", name)
		refuse(slices.Contains(Checks, name) && !checks[name], "the required check %q is of no item that it judges", name)
		refuse(slices.Contains(g.RequiredChecks[:i], name), "the required check %q stands twice", name)
	}
	return wrong
}
