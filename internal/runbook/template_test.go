package runbook

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func embedded(t *testing.T) Template {
	t.Helper()
	all, err := Embedded()
	if err != nil {
		t.Fatalf("Embedded: %v", err)
	}
	return all[0]
}

// Every id of the requirement's runbook is an item, a gate, a reference, or covered by one.
func TestTheRunbookHoldsEveryIDOfTheRequirement(t *testing.T) {
	template := embedded(t)
	var there []string
	for _, p := range template.Phases {
		for _, i := range p.Items {
			there = append(append(there, string(i.ID)), i.Covers...)
		}
	}
	for _, g := range template.Gates {
		there = append(there, g.Covers...)
	}
	there = append(there, template.references()...)
	want := strings.Fields(`P1.1 P1.2 P1.3 P2.1a P2.1b P2.2a P2.2b P2.2c P2.2d P2.2e P3.1a P3.1b P3.1c P3.1d P3.2
		P4.1 P4.2a P4.2b P4.2c P4.2d P4.3 P4.4a P4.4b P4.4c P4.4d P4.4e P5.1 P5.2`)
	for prefix, n := range map[string]int{"PRE-P": 7, "PRE-C": 4, "PRE-I": 5, "TL-": 13, "ACC-": 7, "H1-": 5, "H4-": 4, "H24-": 5, "H48-": 4, "TS-": 8, "RB-": 5, "SC-T": 12, "SC-B": 6, "FU-": 9, "FU-W": 5} {
		for i := range n {
			want = append(want, fmt.Sprint(prefix, i+1))
		}
	}
	for _, id := range want {
		if !slices.Contains(there, id) {
			t.Errorf("the runbook lacks %s", id)
		}
	}
	for _, v := range []string{"0.0.15", "0.0.16", "0.0.18", "0.0.20", "0.0.21", "0.0.22"} {
		if !slices.Contains(template.Migrations, v) {
			t.Errorf("the runbook does not bring migration %s", v)
		}
	}
}

// A trouble that no item leads to would be found by nobody who has it.
func TestEveryTroubleIsLinkedFromAnItem(t *testing.T) {
	template := embedded(t)
	leads := map[string][]ItemID{}
	for _, p := range template.Phases {
		for _, i := range p.Items {
			for _, ref := range i.See {
				leads[ref] = append(leads[ref], i.ID)
			}
		}
	}
	for trouble, from := range map[string]ItemID{
		"TS-1": "P3.1c", "TS-2": "P4.4d", "TS-3": "P4.4e", "TS-4": "P4.4c", "TS-5": "P4.1", "TS-6": "P4.2a", "TS-7": "P2.1b", "TS-8": "P3.1d",
	} {
		if !slices.Contains(leads[trouble], from) {
			t.Errorf("%s is linked from %v, want from %s as well", trouble, leads[trouble], from)
		}
	}
	for _, r := range template.Rollback {
		if len(leads[r.ID]) == 0 {
			t.Errorf("no item leads to %s", r.ID)
		}
	}
}

// What this product does not bring yet must not keep a release from its sign-off, and cannot claim to be checked.
func TestWhatIsNotBroughtYetIsNotRequired(t *testing.T) {
	template := embedded(t)
	for _, id := range []ItemID{"PRE-I2", "PRE-I3", "PRE-I4", "PRE-I5", "P3.1a", "P3.1b", "P3.1c", "P3.1d", "P3.2", "P4.2a", "P4.3", "P4.4a", "P5.1", "P5.2", "ACC-1"} {
		spec, _, ok := template.Spec(id)
		if !ok || spec.Required || spec.Evidence.Kind == Auto {
			t.Errorf("%s: there %v, required %v, evidence %s; want optional and by a person", id, ok, spec.Required, spec.Evidence.Kind)
		}
	}
}

func TestSlotsAreTheRequirements(t *testing.T) {
	for _, g := range embedded(t).Gates {
		var got []string
		for _, s := range g.Slots {
			got = append(got, fmt.Sprintf("%s %s required=%v last=%v score=%v", s.ID, s.Role, s.Required, s.SignsLast, s.AsksScore))
		}
		want := []string{
			"backend backend_lead required=true last=false score=false", "qa qa_lead required=true last=false score=true",
			"statistics statistical_expert required=true last=false score=false", "product product_owner required=false last=false score=false",
			"devops devops_lead required=true last=true score=false",
		}
		if !slices.Equal(got, want) {
			t.Errorf("gate %s has the slots\n%s\nwant\n%s", g.ID, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func TestParseTemplateRefusesWhatDoesNotHoldTogether(t *testing.T) {
	text := embedded(t).Text
	for name, c := range map[string]struct{ old, new, complaint string }{
		"id twice":        {`"id": "PRE-P2"`, `"id": "PRE-P1"`, "stands twice"},
		"bad id":          {`"id": "PRE-P2"`, `"id": "../x"`, "id is not of"},
		"no such role":    {`"owner": "product_owner"`, `"owner": "boss"`, "is no role"},
		"no such check":   {`"check": "tables.nine"`, `"check": "tables.ten"`, "not known"},
		"no such gate":    {`"gate": "go_no_go"`, `"gate": "perhaps"`, "unknown gate"},
		"phases in order": {`"offset": "-30m"`, `"offset": "-48h"`, "before the phase in front"},
		"bad offset":      {`"offset": "-30m"`, `"offset": "soon"`, "is not of the form"},
		"cycle":           {`"id": "P2.1a",`, `"id": "P2.1a", "after": ["P2.1b"],`, "does not come before it"},
		"no reference":    {`"TS-7"`, `"TS-99"`, "is not there"},
		"bounds":          {`"max": "10"`, `"max": "-1"`, "not numbers in order"},
		"no such meaning": {`"witnessed"`, `"glanced"`, "is not known"},
		"no such signer":  {`"role": "qa_lead"`, `"role": "viewer"`, "may not sign"},
		"unknown field":   {`"required": true`, `"mandatory": true`, "unknown field"},
		"time zone":       {`"America/New_York"`, `"Mars/Olympus"`, "is not known"},
		"migration":       {`"0.0.20"`, `"V20"`, "is not a version"},
		"kind":            {`"kind": "text"`, `"kind": "none"`, "is not known"},
	} {
		changed := strings.Replace(text, c.old, c.new, 1)
		if changed == text {
			t.Errorf("%s: the template holds no %s", name, c.old)
			continue
		}
		if _, err := ParseTemplate([]byte(changed)); err == nil || !strings.Contains(err.Error(), c.complaint) {
			t.Errorf("ParseTemplate(%s) = %v, want a complaint with %q", name, err, c.complaint)
		}
	}
}

func TestOffsets(t *testing.T) {
	for in, want := range map[string]string{`"-24h"`: "T-24h", `"-30m"`: "T-30m", `"0"`: "T-0", `"+10m"`: "T+10m", `"+1h"`: "T+1h", `"+90m"`: "T+1h30m"} {
		var o Offset
		if err := o.UnmarshalJSON([]byte(in)); err != nil || o.String() != want {
			t.Errorf("offset %s reads as %s, %v; want %s", in, o, err, want)
		}
	}
	for _, in := range []string{`""`, `"30m"`, `"-30s"`, `"+NaN"`, `5`} {
		var o Offset
		if err := o.UnmarshalJSON([]byte(in)); err == nil {
			t.Errorf("offset %s reads as %s, want an error", in, o)
		}
	}
}

func TestEvidenceIsJudgedByItsKind(t *testing.T) {
	one := int32(1)
	number := Asks{Kind: Number, Min: "0", Max: "10", Unit: "of 10", Decimals: &one}
	statement := Asks{Kind: Statement, Statement: "I have looked."}
	for _, c := range []struct {
		asks      Asks
		value     string
		complaint string // empty: taken
	}{
		{number, "9.5", ""},
		{number, "0", ""},
		{number, "10", ""},
		{number, " 9.5 ", ""},
		{number, "9.55", "after the point"},
		{number, "9,5", "with a point"},
		{number, "10.0000000000000000001", "At most 10"},
		{number, "-0.1", "At least 0"},
		{number, "NaN", "not a plain number"},
		{number, "Inf", "not a plain number"},
		{number, "1e1", "not a plain number"},
		{number, "0x5", "not a plain number"},
		{number, "٩", "not a plain number"},
		{number, ".5", "not a plain number"},
		{number, "5.", "not a plain number"},
		{number, "", "is needed"},
		{number, strings.Repeat("1", 31), "not a plain number"},
		{Asks{Kind: Text}, "ok.", ""},
		{Asks{Kind: Text}, "ab", "in a few words"},
		{Asks{Kind: Text}, strings.Repeat("é", 8000), ""},
		{Asks{Kind: Text}, strings.Repeat("é", 8001), "At most 8000"},
		{Asks{Kind: Text}, "a\x00bc", "cannot be stored"},
		{Asks{Kind: Text}, "ab\xff", "cannot be stored"},
		{Asks{Kind: Link}, "https://example.com/a?b=c#d", ""},
		{Asks{Kind: Link}, "http://[::1]:3000/", ""},
		{Asks{Kind: Link}, "javascript:alert(1)", "begins with https"},
		{Asks{Kind: Link}, "//example.com", "begins with https"},
		{Asks{Kind: Link}, "https:///path", "begins with https"},
		{Asks{Kind: Link}, "https://example.com/a b", "begins with https"},
		{Asks{Kind: Link}, "https://user:secret@example.com", "password"},
		{Asks{Kind: Link}, "", "is needed"},
		{statement, "I have looked.", ""},
		{statement, "I have not looked.", "word by word"},
		{statement, "", "word by word"},
		{Asks{Kind: Auto, Check: "tables.nine"}, "done", "by hand"},
	} {
		e, err := c.asks.accept(c.value, "")
		switch {
		case c.complaint == "" && (err != nil || e.Value != strings.TrimSpace(c.value) || !e.Passed):
			t.Errorf("%s %q gives %+v, %v; want it taken", c.asks.Kind, c.value, e, err)
		case c.complaint != "" && (err == nil || !strings.Contains(err.Error(), c.complaint)):
			t.Errorf("%s %q gives %v, want a complaint with %q", c.asks.Kind, c.value, err, c.complaint)
		}
	}
	if _, err := (Asks{Kind: Text}).accept("fine", strings.Repeat("x", 2001)); err == nil {
		t.Error("a note of 2001 characters is taken")
	}
}

// The whole table of what may follow what.
func TestNextState(t *testing.T) {
	states := []ItemState{Open, InProgress, Done, Failed, Skipped}
	acts := []Act{Take, RunCheck, Finish, GiveUp, Reopen, Skip, TakeOver, Waive}
	for _, c := range []struct {
		name     string
		kind     Kind
		required bool
		want     string // one row per state, one column per act; - is refused
	}{
		{"a person's, optional", Text, false, "in_progress - done failed - skipped - -|- - done failed open skipped in_progress -|- - - - open - - -|- - - - open skipped - -|- - - - open - - -"},
		{"a person's, required", Text, true, "in_progress - done failed - - - skipped|- - done failed open - in_progress skipped|- - - - open - - -|- - - - open - - skipped|- - - - open - - -"},
		{"auto, required", Auto, true, "in_progress done - - - - - skipped|- done - - open - in_progress skipped|- done - - open - - -|- done - - open - - skipped|- - - - open - - -"},
	} {
		var rows []string
		for _, state := range states {
			var row []string
			for _, act := range acts {
				to, err := Item{Kind: c.kind, Required: c.required, State: state}.next(act, true)
				if err != nil {
					to = "-"
				}
				row = append(row, string(to))
			}
			rows = append(rows, strings.Join(row, " "))
		}
		if got := strings.Join(rows, "|"); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, strings.ReplaceAll(got, "|", "\n     "), strings.ReplaceAll(c.want, "|", "\n     "))
		}
	}
	if to, err := (Item{Kind: Auto, State: Open}).next(RunCheck, false); err != nil || to != Failed {
		t.Errorf("a check that says no leads to %s, %v; want failed", to, err)
	}
}

func TestSettledItemsKeepTheirDueTime(t *testing.T) {
	t0 := time.Date(2026, 3, 1, 14, 0, 0, 0, time.UTC)
	i := Item{State: Open, Offset: -time.Hour, Version: 1}
	i.apply(Done, Person{Subject: "s"}, t0, t0, "")
	if got, want := i.Due(t0.Add(time.Hour)), t0.Add(-time.Hour); !got.Equal(want) {
		t.Errorf("after T-0 moved, the settled item was due at %v, want %v", got, want)
	}
	i.apply(Open, Person{}, t0, t0, "again")
	if got, want := i.Due(t0.Add(time.Hour)), t0; !got.Equal(want) {
		t.Errorf("reopened, the item is due at %v, want %v", got, want)
	}
}

// Releases were started from these, and their signatures hold only while the bytes are the same.
func TestReleasedRunbooksAreNotEdited(t *testing.T) {
	all, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, template := range all {
		got[template.Version] = template.SHA256
	}
	for version, want := range map[string]string{
		"1.0.0": "8ea48d7c353a224fe68f308adf85c3d9747f913f52dd4e33408b38a245ab1fc3",
		"1.1.0": "649fc01d775ca9e653de50d77f689c14159e9ebe774373d21b372542e065639b",
		"1.2.0": "d5fa5775ea12558fd74cfe02f685bee9e150c9cc861e7739972d906ca7319ec1",
	} {
		if got[version] != want {
			t.Errorf("the runbook %s has the hash %s, want %s", version, got[version], want)
		}
	}
}

// Before anything was done nobody can sign that it was executed or witnessed, and what the system knows is not typed.
func TestGoNoGoSaysWhatCanBeTrueThen(t *testing.T) {
	template := embedded(t)
	for _, g := range template.Gates {
		var meanings []string
		for _, s := range g.Slots {
			for _, m := range s.Meanings {
				meanings = append(meanings, string(m))
			}
		}
		if later := slices.Contains(meanings, "executed") || slices.Contains(meanings, "witnessed"); later != g.AfterMigrations {
			t.Errorf("at gate %s one can sign as %v", g.ID, meanings)
		}
	}
	for id, check := range map[ItemID]string{"PRE-P2": "backup.restores", "P1.2": "backup.restores", "P1.2b": "migration.rehearsed"} {
		spec, phase, ok := template.Spec(id)
		if !ok || spec.Evidence.Check != check || spec.FreshFor == nil || !spec.Required || phase.Gate != "go_no_go" {
			t.Errorf("%s is %+v of phase %s; want it filled by %s before go / no-go, and growing old", id, spec, phase.ID, check)
		}
	}
	text := strings.Replace(template.Text, `"fresh_for": "+4h"`, `"fresh_for": "0"`, 1)
	if _, err := ParseTemplate([]byte(text)); err == nil || !strings.Contains(err.Error(), "grows old") {
		t.Errorf("a limit of nothing = %v, want a complaint", err)
	}
}

func TestEveryVersionSaysWhatItBrought(t *testing.T) {
	all, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range all {
		if one.News() == "" {
			t.Errorf("%s %s has no news, so nobody can choose it knowingly", one.Name, one.Version)
		}
	}
}

// A frozen template is parsed once, is what parsing gives, and no more are remembered than there is room for.
func TestAFrozenTemplateIsParsedOnce(t *testing.T) {
	text := embedded(t).Text
	for n := range 2 * mostFrozen {
		other := text + strings.Repeat(" ", n)
		got, err := Frozen(other)
		want, wrong := ParseTemplate([]byte(other))
		if err != nil || wrong != nil {
			t.Fatalf("Frozen: %v, ParseTemplate: %v", err, wrong)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("Frozen with %d spaces (-want +got):\n%s", n, diff)
		}
		if len(frozen.texts) > mostFrozen {
			t.Fatalf("%d templates are remembered, want at most %d", len(frozen.texts), mostFrozen)
		}
	}
	one, err := Frozen(text)
	again, twice := Frozen(text)
	if err != nil || twice != nil || &one.Phases[0] != &again.Phases[0] {
		t.Errorf("a template that is remembered was parsed again: %v, %v", err, twice)
	}
	if _, err := Frozen("{}"); err == nil {
		t.Error("Frozen of an empty template is no error")
	}
}
