package runbook

import (
	"encoding/json"
	"fmt"
	"slices"
)

// TemplateChange is one thing in which two templates differ. Then or Now is empty where it was not there.
type TemplateChange struct{ What, Then, Now string }

// DiffTemplates says in which facts the second template is not the first: what was added and removed by its title, and what
// changed field by field.
func DiffTemplates(a, b Template) []TemplateChange {
	was, is := a.parts(), b.parts()
	var changes []TemplateChange
	for _, p := range was {
		i := slices.IndexFunc(is, func(q templatePart) bool { return q.name == p.name })
		if i < 0 {
			changes = append(changes, TemplateChange{What: p.name, Then: p.title})
			continue
		}
		for _, field := range fieldsOf(p, is[i]) {
			if then, now := p.fields[field], is[i].fields[field]; then != now {
				changes = append(changes, TemplateChange{What: p.name + ", " + field, Then: then, Now: now})
			}
		}
	}
	for _, p := range is {
		if !slices.ContainsFunc(was, func(q templatePart) bool { return q.name == p.name }) {
			changes = append(changes, TemplateChange{What: p.name, Now: p.title})
		}
	}
	return changes
}

// templatePart is what is compared as one: the head, a phase, an item, a gate, a place at a gate, a reference.
type templatePart struct {
	name, title string
	fields      map[string]string
}

func fieldsOf(a, b templatePart) []string {
	var names []string
	for _, fields := range []map[string]string{a.fields, b.fields} {
		for name := range fields {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}

func (t Template) parts() []templatePart {
	var all []templatePart
	add := func(name, title string, value any) map[string]string {
		// A template is made of what JSON can hold, so neither can fail.
		text, _ := json.Marshal(value)
		var fields map[string]json.RawMessage
		_ = json.Unmarshal(text, &fields)
		p := templatePart{name: name, title: title, fields: map[string]string{}}
		for field, value := range fields {
			if !slices.Contains([]string{"id", "name", "version", "items", "slots", "phases", "gates", "rollback", "troubleshooting"}, field) || field == "name" && name != runbookPart {
				p.fields[field] = plain(value)
			}
		}
		all = append(all, p)
		return p.fields
	}
	add(runbookPart, t.Title, t)
	for _, p := range t.Phases {
		add("Phase "+string(p.ID), p.Name, p)
		for _, i := range p.Items {
			add("Item "+string(i.ID), i.Title, i)["phase"] = string(p.ID)
		}
	}
	for _, g := range t.Gates {
		add("Gate "+string(g.ID), g.Name, g)
		for _, s := range g.Slots {
			add(fmt.Sprintf("Gate %s, place %s", g.ID, s.ID), s.Role.Title(), s)
		}
	}
	for _, r := range t.Rollback {
		add(r.ID, r.Title, r)
	}
	for _, r := range t.Troubleshooting {
		add(r.ID, r.Symptom, r)
	}
	return all
}

const runbookPart = "Runbook"

// plain is a JSON value as people read it: a text without its quotes.
func plain(value []byte) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}

// MarshalJSON writes the form that UnmarshalJSON reads.
func (o Offset) MarshalJSON() ([]byte, error) {
	written := o.String()[1:]
	if o == 0 {
		written = "0"
	}
	return json.Marshal(written)
}
