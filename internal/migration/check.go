package migration

import "strings"

// Fact is what the catalog says of one object.
type Fact struct {
	Object Object
	Found  bool
	// Sound is false for an index that is not valid, a constraint that was not validated, a trigger that is switched
	// off, a materialized view that was never filled.
	Sound  bool
	Detail string // a column's type, a constraint's definition, the index by which a materialized view is refreshed CONCURRENTLY
}

// Check is one post-check: what should be there, and what is.
type Check struct {
	Name     string
	Passed   bool
	Expected string
	Found    string
}

// Objects are all that the cards name, in order of version, for one look at the catalog.
func (s *Files) Objects(versions ...Version) []Object {
	var list []Object
	for _, v := range versions {
		card := s.up[v].Card
		list = append(append(list, card.Changes...), card.Creates...)
	}
	return list
}

// Checks holds a version's card against the catalog. Before the version is in the database, and after it was taken
// back, what it creates must not be there.
func Checks(file File, inDatabase bool, facts []Fact) []Check {
	known := map[string]Fact{}
	for _, f := range facts {
		known[f.Object.String()] = f
	}
	var list []Check
	for _, o := range file.Card.Changes {
		if inDatabase {
			list = append(list, present(o, known[o.String()]))
			list = append(list, refreshChecks(file, o, known[o.String()])...)
		}
	}
	for _, o := range file.Card.Creates {
		f := known[o.String()]
		if inDatabase {
			list = append(list, present(o, f))
			list = append(list, assertions(o, f)...)
			list = append(list, refreshChecks(file, o, f)...)
		} else {
			list = append(list, absent(o, f))
		}
	}
	return list
}

func present(o Object, f Fact) Check {
	c := Check{Name: o.Kind + " " + o.Name, Expected: "there", Found: "missing"}
	if o.Type != "" {
		c.Expected = o.Type
	}
	switch {
	case !f.Found:
	case o.Type != "" && f.Detail != o.Type:
		c.Found = f.Detail
	case !f.Sound:
		c.Found = unsound(o.Kind)
	default:
		c.Passed, c.Found = true, "there"
		if f.Detail != "" && o.Kind != "matview" {
			c.Found = f.Detail
		}
	}
	return c
}

func unsound(kind string) string {
	return map[string]string{
		"index": "there, but not valid", "constraint": "there, but not validated for old rows",
		"trigger": "there, but switched off", "matview": "there, but never filled",
	}[kind]
}

func absent(o Object, f Fact) Check {
	c := Check{Name: o.Kind + " " + o.Name, Expected: "not there", Found: "not there", Passed: !f.Found}
	if f.Found {
		c.Found = "there"
	}
	return c
}

// asserted are properties that the requirement names and that being there does not prove.
var asserted = map[string]struct {
	name, expected string
	holds          func(definition string) bool
}{
	"constraint public.putaway_recommendations.chk_confidence_score_range": {
		"confidence scores range from 0 to 1", "confidence_score >= 0 and <= 1", func(definition string) bool {
			return boundIs(definition, "confidence_score >= ", "0") && boundIs(definition, "confidence_score <= ", "1")
		},
	},
}

func assertions(o Object, f Fact) []Check {
	a, ok := asserted[o.String()]
	if !ok {
		return nil
	}
	c := Check{Name: a.name, Expected: a.expected, Found: f.Detail, Passed: f.Found && f.Sound && a.holds(f.Detail)}
	if !f.Found {
		c.Found = "missing"
	}
	return []Check{c}
}

// boundIs finds the number after the comparison in a definition as PostgreSQL prints it: "(confidence_score >= (0)::numeric)".
func boundIs(definition, comparison, bound string) bool {
	_, after, ok := strings.Cut(definition, comparison)
	if !ok {
		return false
	}
	number := strings.TrimLeft(after, "('")
	end := strings.IndexFunc(number, func(r rune) bool { return r != '.' && r != '-' && (r < '0' || r > '9') })
	if end >= 0 {
		number = number[:end]
	}
	if strings.Contains(number, ".") {
		number = strings.TrimRight(strings.TrimRight(number, "0"), ".")
	}
	return number == bound
}

// AllPassed says whether every check holds, and how many do not.
func AllPassed(checks []Check) (failed int, ok bool) {
	for _, c := range checks {
		if !c.Passed {
			failed++
		}
	}
	return failed, failed == 0
}
