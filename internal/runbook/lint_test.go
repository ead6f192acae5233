package runbook

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestOurOwnTemplatesHaveNoErrorsAndTheNewestNoWarnings(t *testing.T) {
	all, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	for n, one := range all {
		got, problems := Lint([]byte(one.Text))
		for _, p := range problems {
			if n == 0 || !p.Warning {
				t.Errorf("%s %s: %s", one.Name, one.Version, p)
			}
		}
		if got.SHA256 != one.SHA256 {
			t.Errorf("Lint reads %s %s as %s", one.Name, one.Version, got.SHA256)
		}
	}
}

// Everything that is wrong is said at once, with its place and line, in the order of the text.
func TestLintSaysAllAtOnce(t *testing.T) {
	text := embedded(t).Text
	line := func(part string) int { return 1 + strings.Count(text[:strings.Index(text, part)], "\n") }
	changed := strings.NewReplacer(`"title": "Database backup completed and verified"`, `"title": 7`, `"kind": "link"`, `"kind": "fax"`).Replace(text)
	changed = strings.Replace(changed, `"required": true`, `"mandatory": true`, 1)
	_, problems := Lint([]byte(changed))
	var said []string
	for _, p := range problems {
		said = append(said, p.String())
	}
	for _, want := range []string{
		fmt.Sprintf(`line %d: error: phases[0].items[1].title: this is of type number, and has to be of type string`, line(`"title": "Database backup completed and verified"`)),
		fmt.Sprintf(`line %d: error: phases[0].items[0].mandatory: the format does not know "mandatory" here`, line(`"required": true`)),
		`"required" is missing`, `"fax" is none of text, number, link, statement, file, auto`,
	} {
		if !strings.Contains(strings.Join(said, "\n"), want) {
			t.Errorf("Lint does not say %q, but:\n%s", want, strings.Join(said, "\n"))
		}
	}
	// What does not hold together elsewhere is said beside what is not of its form, and not in a second round.
	both := strings.Replace(strings.Replace(changed, `"America/New_York"`, `"Mars/Olympus"`, 1), `"check": "tables.nine"`, `"check": "tables.ten"`, 1)
	_, problems = Lint([]byte(both))
	for _, want := range []string{`time zone "Mars/Olympus" is not known`, `check "tables.ten" is not known; the checks are ` + strings.Join(Checks, ", "), `"fax" is none of`} {
		if !slices.ContainsFunc(problems, func(p Problem) bool { return strings.Contains(p.Text, want) }) {
			t.Errorf("Lint does not say %q beside what is not of its form, but: %v", want, problems)
		}
	}
	// Where every value is of its form, what does not hold together is said, all of it.
	changed = strings.Replace(strings.Replace(text, `"owner": "product_owner"`, `"owner": "boss"`, 1), `"TS-7"`, `"TS-99"`, 1)
	changed = strings.Replace(changed, `"America/New_York"`, `"Mars/Olympus"`, 1)
	_, problems = Lint([]byte(changed))
	if len(problems) != 3 || problems[0].Path != "time_zone" || problems[1].Line <= problems[0].Line || problems[2].Line <= problems[1].Line {
		t.Errorf("Lint = %v; want three problems in the order of the text", problems)
	}
}

func TestLintOfWhatIsNoTemplate(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "not JSON",
		"{":                                "not JSON",
		`{"name": "a"} x`:                  "not JSON",
		`[]`:                               "has to be of type object",
		`{"name":"a","name":"b"}`:          "stands twice",
		"{\"name\": \"\xff\"}":             "UTF-8",
		`{"name": "a\u0000"}`:              "is not of the form",
		strings.Repeat("[", 100):           "nested too deeply",
		strings.Repeat(" ", MaxTemplate+1): "2 MiB",
	} {
		_, problems := Lint([]byte(text))
		if !slices.ContainsFunc(problems, func(p Problem) bool { return strings.Contains(p.Text, want) && p.Line > 0 && !p.Warning }) {
			t.Errorf("Lint(%.30q) = %v, want an error of %q", text, problems, want)
		}
	}
}

// Two megabytes of anything are refused with a page of complaints, and not with a book: these took minutes and a gigabyte.
func TestLintOfABombIsShort(t *testing.T) {
	fill := func(before, one, after string) string { // as large as a text may be
		return before + strings.Repeat(one, (MaxTemplate-len(before)-len(after))/len(one)) + after
	}
	var names strings.Builder
	for n := range 20_000 {
		fmt.Fprintf(&names, `"a%d":1,`, n)
	}
	for what, c := range map[string]struct{ text, want string }{
		"numbers":           {fill("[", "1,", "1]"), "more than 50000 values"},
		"empty phases":      {fill(`{"phases":[`, "{},", "{}]}"), "more than 50000 values"},
		"wrong phases":      {`{"phases":[` + strings.Repeat("{},", 20_000) + "{}]}", "is missing"},
		"unknown names":     {"{" + names.String() + `"z":1}`, "does not know"},
		"one name":          {"{" + strings.Repeat(`"name":1,`, 20_000) + `"z":1}`, "stands twice"},
		"a long name":       {`{"` + strings.Repeat("n", 1<<20) + `":[1,1]}`, "more than 100 characters"},
		"a long text":       {`{"name":"` + strings.Repeat("n", 1<<20) + `"}`, "is not of the form"},
		"a line in a line":  {fill(`{"name":[`, "\n", "1]}"), "has to be of type string"},
		"references, looks": {bigTemplate(t, 4000, 4000), "which is not there"},
	} {
		_, problems := Lint([]byte(c.text))
		length := 0
		for _, p := range problems {
			length += len(p.String())
		}
		if len(problems) > mostProblems+1 || length > 40_000 || !slices.ContainsFunc(problems, func(p Problem) bool { return strings.Contains(p.Text, c.want) && !p.Warning }) {
			t.Errorf("%s: Lint gives %d problems of %d bytes, the first %.200v; want at most %d, one of them %q", what, len(problems), length, problems[:min(1, len(problems))], mostProblems+1, c.want)
		}
	}
}

// bigTemplate has that many troubles, and one item that refers to as many that are not there.
func bigTemplate(t *testing.T, troubles, see int) string {
	t.Helper()
	one := embedded(t)
	for n := range troubles {
		one.Troubleshooting = append(one.Troubleshooting, Troubleshooting{ID: fmt.Sprint("X", n), Symptom: "s", Diagnosis: "d", Remedy: "r"})
	}
	for n := range see {
		one.Phases[0].Items[0].See = append(one.Phases[0].Items[0].See, fmt.Sprint("Y", n))
	}
	text, err := json.Marshal(one)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestWhatHasNoWayBackIsWarnedOf(t *testing.T) {
	text := embedded(t).Text
	text = strings.Replace(text, `"undo": "None is needed: this step changes nothing."`, `"undo": ""`, 1)
	text = strings.Replace(text, `"undo_tested_by": "P1.2b"`, `"command": ""`, 1)
	got, problems := Lint([]byte(text))
	if got.SHA256 == "" || len(problems) != 2 || !problems[0].Warning || !strings.Contains(problems[0].Text, "has no undo") || !strings.Contains(problems[1].Text, "tries its undo") {
		t.Errorf("Lint = %v; want two warnings and a template", problems)
	}
	var t2 Template
	if w := t2.warnings(); len(w) != 1 || !strings.Contains(w[0].Text, "no way back") {
		t.Errorf("a template without rollback: %v, want a warning", w)
	}
}

// What nothing can fulfil would keep a gate shut for good, and is said before a release starts.
func TestRulesOfAGateThatCannotHold(t *testing.T) {
	all, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	// The last version whose gates had none of these rules.
	text := all[slices.IndexFunc(all, func(t Template) bool { return t.Version == "1.4.0" })].Text
	const at = `"after_phase": "validation",`
	for rule, want := range map[string]string{
		`"minimum_evidence": {},`:                                                    "names no number",
		`"minimum_evidence": {"items": -1},`:                                         "above zero",
		`"minimum_evidence": {"items": 500},`:                                        "evidence for 500 items and judges",
		`"minimum_evidence": {"files": 500},`:                                        "files with 500 items",
		`"minimum_evidence": {"checks": 500},`:                                       "500 checks, and",
		`"minimum_evidence": {"items": 1.5},`:                                        "has to be of type integer",
		`"minimum_evidence": {"pages": 1},`:                                          `does not know "pages" here`,
		`"required_checks": ["tea.hot"],`:                                            `"tea.hot" is not known`,
		`"required_checks": ["health.overall"],`:                                     "is of no item that it judges",
		`"required_checks": ["backup.restores", "backup.restores"],`:                 "stands twice",
		`"required_checks": [],`:                                                     "needs at least 1",
		`"evidence_author_may_not_sign": "yes",`:                                     "has to be of type boolean",
		`"evidence_author_may_not_sign": true,`:                                      "who cannot sign the gate that judges it",
		`"minimum_evidence": {"checks": 3}, "required_checks": ["backup.restores"],`: "",
	} {
		template, problems := Lint([]byte(strings.Replace(text, at, at+rule, 1)))
		said := slices.ContainsFunc(problems, func(p Problem) bool { return strings.Contains(p.Text, want) })
		if want == "" && (len(problems) > 0 || template.SHA256 == "") || want != "" && !said {
			t.Errorf("Lint with %s = %v; want %q", rule, problems, want)
		}
	}
	for deputies, want := range map[string]string{`"-5m"`: "before the gate is due", `"+9h"`: "only when the time of the gate is over", `"+1h"`: ""} {
		changed := strings.Replace(text, at, at+`"expires_after": "+8h",`, 1)
		changed = strings.Replace(changed, `"role": "backend_lead",`, `"role": "backend_lead", "deputies_after": `+deputies+`,`, 1)
		_, problems := Lint([]byte(changed))
		if want == "" && len(problems) > 0 || want != "" && !slices.ContainsFunc(problems, func(p Problem) bool { return strings.Contains(p.Text, want) }) {
			t.Errorf("deputies after %s = %v; want %q", deputies, problems, want)
		}
	}
}

// The schema knows every field that the program reads, uses no keyword that is not checked, and names no field in vain.
func TestTheSchemaIsTheFormat(t *testing.T) {
	var raw any
	if err := json.Unmarshal(Schema, &raw); err != nil {
		t.Fatal(err)
	}
	known := []string{"$schema", "title", "description"}
	s := reflect.TypeFor[schema]()
	for n := range s.NumField() {
		known = append(known, s.Field(n).Tag.Get("json"))
	}
	var walk func(v any, names bool)
	walk = func(v any, names bool) {
		if fields, ok := v.(map[string]any); ok {
			for key, value := range fields {
				if !names && !slices.Contains(known, key) {
					t.Errorf("the schema uses %q, which checkSchema does not check", key)
				}
				walk(value, !names && (key == "properties" || key == "$defs"))
			}
		}
	}
	walk(raw, false)
	root, err := theSchema()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		of     reflect.Type
		schema *schema
	}{
		"template": {reflect.TypeFor[Template](), root}, "phase": {reflect.TypeFor[PhaseSpec](), root.Defs["phase"]}, "item": {reflect.TypeFor[ItemSpec](), root.Defs["item"]},
		"evidence": {reflect.TypeFor[Asks](), root.Defs["evidence"]}, "gate": {reflect.TypeFor[GateSpec](), root.Defs["gate"]}, "slot": {reflect.TypeFor[SlotSpec](), root.Defs["slot"]},
		"rollback": {reflect.TypeFor[RollbackOption](), root.Defs["rollback"]}, "trouble": {reflect.TypeFor[Troubleshooting](), root.Defs["trouble"]},
	} {
		for n := range c.of.NumField() {
			field, _, _ := strings.Cut(c.of.Field(n).Tag.Get("json"), ",")
			if field != "-" && c.schema.Properties[field] == nil {
				t.Errorf("the schema of a %s lacks %s", name, field)
			}
		}
		if c.schema.AdditionalProperties == nil || *c.schema.AdditionalProperties {
			t.Errorf("the schema of a %s lets any field pass", name)
		}
	}
}

func TestDiffTemplates(t *testing.T) {
	all, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	if same := DiffTemplates(all[0], all[0]); len(same) != 0 {
		t.Errorf("a template differs from itself: %v", same)
	}
	named := func(version string) Template {
		return all[slices.IndexFunc(all, func(t Template) bool { return t.Name == "bin-optimization" && t.Version == version })]
	}
	changes := DiffTemplates(named("1.2.0"), named("1.3.0"))
	for _, want := range []TemplateChange{
		{"Item H48-1, evidence", `{"kind":"text","label":"Where the report is, and its result"}`, `{"kind":"file","label":"The report, as a file of up to 20 MB"}`},
		{"Item P2.1b, undo_tested_by", "", "P1.2b"},
		{"Phase follow-up", "", "Weeks 1 to 4"},
		{"Item SC-B", "", "The six capabilities are live"},
	} {
		if !slices.Contains(changes, want) {
			t.Errorf("DiffTemplates lacks %+v; it has %d changes", want, len(changes))
		}
	}
}
