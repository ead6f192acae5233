package runbook

import (
	"bytes"
	"cmp"
	_ "embed" // the schema
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/agogsaas/gatehouse/internal/actor"
)

// Schema is the format of a template as a JSON Schema (2020-12), for editors and for Lint.
//
//go:embed templates/template.schema.json
var Schema []byte

// MaxTemplate is the largest template that is read.
const MaxTemplate = 2 << 20

// MaxTemplates is how large a company's own templates may be together, all versions counted: hundreds of usual ones.
const MaxTemplates = 20 << 20

// What a text may cost before it is known to be a template: a few times as much as the largest honest one has.
const (
	mostValues   = 50_000
	mostName     = 100 // characters of a name in an object
	mostProblems = 100 // said of one text
)

// Problem is one thing that is wrong with the text of a template, and where: "phases[2].items[0].undo", line 231.
type Problem struct {
	Path string
	Line int
	Text string
	// Warning says that the template can be used all the same.
	Warning bool
}

// String is the problem in a line.
func (p Problem) String() string {
	kind := "error"
	if p.Warning {
		kind = "warning"
	}
	return fmt.Sprintf("line %d: %s: %s: %s", p.Line, kind, cmp.Or(p.Path, "the template"), p.Text)
}

// Lint reads the text of a template and says at once all that is wrong with it: as JSON, against the schema, and whether it
// holds together; and what it lacks without being wrong. The template is only good where no problem is more than a warning.
func Lint(text []byte) (Template, []Problem) {
	if len(text) > MaxTemplate {
		return Template{}, []Problem{{Line: 1, Text: "it is larger than 2 MiB"}}
	}
	if !utf8.Valid(text) || bytes.ContainsRune(text, 0) {
		return Template{}, []Problem{{Line: 1, Text: "it is not text in UTF-8 without NUL"}}
	}
	root, problems := readPlaces(text)
	if root != nil {
		problems = append(problems, checkSchema(root)...)
		problems = append(problems, checkWhole(text, problems)...)
	}
	for n := range problems {
		if problems[n].Line == 0 {
			problems[n].Line = root.line(problems[n].Path)
		}
	}
	slices.SortStableFunc(problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	wrong := slices.ContainsFunc(problems, func(p Problem) bool { return !p.Warning })
	if len(problems) > mostProblems {
		problems = append(problems[:mostProblems], Problem{Line: problems[mostProblems].Line, Text: "there is more; it is said once these are put right", Warning: !wrong})
	}
	if wrong {
		return Template{}, problems
	}
	t, err := ParseTemplate(text)
	if err != nil {
		problems = append(problems, Problem{Line: 1, Text: err.Error()})
	}
	return t, problems
}

// checkWhole says whether what could be read of the text holds together, also where some of it is not of its form, so that
// nobody learns of it only when the rest is put right. Of what is not of its form, and of what holds it, nothing is said twice.
func checkWhole(text []byte, formal []Problem) []Problem {
	var t Template
	var wrongType *json.UnmarshalTypeError
	if err := json.Unmarshal(text, &t); err != nil && !errors.As(err, &wrongType) {
		if len(formal) == 0 {
			return []Problem{{Line: 1, Text: err.Error()}}
		}
		return nil
	}
	return slices.DeleteFunc(append(t.check(), t.warnings()...), func(p Problem) bool {
		return slices.ContainsFunc(formal, func(f Problem) bool {
			rest, within := strings.CutPrefix(f.Path, p.Path)
			return within && (p.Path == "" || rest == "" || rest[0] == '.' || rest[0] == '[')
		})
	})
}

// warnings are what a template may lack, to its user's cost.
func (t Template) warnings() []Problem {
	var list []Problem
	warn := func(path, format string, args ...any) {
		list = append(list, Problem{Path: path, Text: fmt.Sprintf(format, args...), Warning: true})
	}
	if len(t.Rollback) == 0 {
		warn("rollback", "it names no way back: whoever has to roll back will find nothing here")
	}
	for n, phase := range t.Phases {
		for m, item := range phase.Items {
			at := fmt.Sprintf("phases[%d].items[%d]", n, m)
			switch {
			case strings.TrimSpace(item.Undo) == "":
				warn(at, "item %s has no undo; where none is needed, say so: \"None is needed: this step changes nothing.\"", item.ID)
			case item.HasUndo() && item.UndoTestedBy == "" && item.Evidence.Check == "migration.applied":
				warn(at, "item %s changes the database, and no item is named that tries its undo (undo_tested_by)", item.ID)
			}
			if role, ok := t.keptFromSigning(phase, item); ok {
				warn(at, "item %s belongs to the %s, who cannot sign the gate that judges it after giving its evidence; let somebody else own it", item.ID, role.Title())
			}
		}
	}
	return list
}

// keptFromSigning says whether the owner of an item has to sign the gate that judges it, and may not once they have given
// its evidence.
func (t Template) keptFromSigning(phase PhaseSpec, item ItemSpec) (actor.Role, bool) {
	for _, g := range t.Gates {
		if g.ID != phase.Gate || !g.EvidenceAuthorMayNotSign || item.Evidence.Kind == Auto {
			continue
		}
		for _, slot := range g.Slots {
			if slot.Required && slot.Role == item.Owner {
				return slot.Role, true
			}
		}
	}
	return "", false
}

// place is a value of a JSON text with the line it stands in.
type place struct {
	at     int
	value  any // string, json.Number, bool, nil; for the others names or list
	kind   string
	names  []string
	fields map[string]*place
	list   []*place
}

var pathSteps = regexp.MustCompile(`[^.\[\]]+`)

// line is where the path leads to, or as far of it as there is.
func (p *place) line(path string) int {
	if p == nil {
		return 1
	}
	here := p
	for _, step := range pathSteps.FindAllString(path, -1) {
		var next *place
		if here.kind == "array" {
			var n int
			if _, err := fmt.Sscanf(step, "%d", &n); err == nil && n < len(here.list) {
				next = here.list[n]
			}
		} else {
			next = here.fields[step]
		}
		if next == nil {
			break
		}
		here = next
	}
	return here.at
}

type placeReader struct {
	text     []byte
	decoder  *json.Decoder
	problems []Problem
	values   int
	// counted is how much of the text was looked through for line ends, and lines how many it has.
	counted, lines int
}

// readPlaces reads the text and complains about what is no JSON, and about names that stand twice in an object: of those,
// programs take one or the other.
func readPlaces(text []byte) (*place, []Problem) {
	r := placeReader{text: text, decoder: json.NewDecoder(bytes.NewReader(text))}
	r.decoder.UseNumber()
	root, err := r.read("", 0)
	if err == nil && len(bytes.TrimSpace(text[r.decoder.InputOffset():])) > 0 {
		err = fmt.Errorf("something follows after its end")
	}
	if err != nil {
		r.problems = append(r.problems, Problem{Line: r.here(), Text: "this is not JSON: " + err.Error()})
	}
	return root, r.problems
}

func (r *placeReader) here() int {
	at := min(int(r.decoder.InputOffset()), len(r.text))
	r.lines += bytes.Count(r.text[r.counted:at], []byte("\n"))
	r.counted = at
	return 1 + r.lines
}

func (r *placeReader) read(path string, depth int) (*place, error) {
	if depth > 20 {
		return nil, fmt.Errorf("it is nested too deeply")
	}
	if r.values++; r.values > mostValues {
		return nil, fmt.Errorf("it has more than %d values", mostValues)
	}
	token, err := r.decoder.Token()
	if err != nil {
		return nil, err
	}
	p := &place{at: r.here()}
	switch v := token.(type) {
	case json.Delim:
		if v == '[' {
			p.kind = "array"
			for r.decoder.More() {
				one, err := r.read(fmt.Sprintf("%s[%d]", path, len(p.list)), depth+1)
				if err != nil {
					return nil, err
				}
				p.list = append(p.list, one)
			}
		} else {
			p.kind, p.fields = "object", map[string]*place{}
			for r.decoder.More() {
				key, err := r.decoder.Token()
				if err != nil {
					return nil, err
				}
				name, at := fmt.Sprint(key), r.here()
				if utf8.RuneCountInString(name) > mostName {
					return nil, fmt.Errorf("a name in it has more than %d characters", mostName)
				}
				one, err := r.read(under(path, name), depth+1)
				if err != nil {
					return nil, err
				}
				if _, twice := p.fields[name]; twice && len(r.problems) <= mostProblems {
					r.problems = append(r.problems, Problem{Path: under(path, name), Line: at, Text: "the name stands twice in its object"})
				}
				p.names, p.fields[name] = append(p.names, name), one
			}
		}
		_, err = r.decoder.Token()
		return p, err
	case string:
		p.kind = "string"
	case json.Number:
		p.kind = "number"
	case bool:
		p.kind = "boolean"
	default:
		p.kind = "null"
	}
	p.value = token
	return p, nil
}

func under(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
