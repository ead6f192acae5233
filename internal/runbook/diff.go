package runbook

import (
	"encoding/json"
	"fmt"
	"slices"
)

// TemplateChange is one thing in which two templates differ. Then or Now is empty where it was not there.
type TemplateChange struct{ What, Then, Now string }

// DiffTemplates says in which facts the second template is not the first: added, removed and changed, field by field.
func DiffTemplates(a, b Template) []TemplateChange {
	was, is := a.fields(), b.fields()
	var changes []TemplateChange
	for _, f := range was {
		i := slices.IndexFunc(is, func(g templateField) bool { return g.what == f.what })
		switch {
		case i < 0:
			changes = append(changes, TemplateChange{What: f.what, Then: f.value})
		case is[i].value != f.value:
			changes = append(changes, TemplateChange{What: f.what, Then: f.value, Now: is[i].value})
		}
	}
	for _, f := range is {
		if !slices.ContainsFunc(was, func(g templateField) bool { return g.what == f.what }) {
			changes = append(changes, TemplateChange{What: f.what, Now: f.value})
		}
	}
	return changes
}

type templateField struct{ what, value string }

// fields spreads a template into named facts; those of an item that is not in the other template are one.
func (t Template) fields() []templateField {
	var all []templateField
	add := func(what string, value any) {
		// A template is made of what JSON can hold, so this cannot fail.
		text, _ := json.Marshal(value)
		var fields map[string]json.RawMessage
		if json.Unmarshal(text, &fields) != nil {
			all = append(all, templateField{what, plain(text)})
			return
		}
		names := make([]string, 0, len(fields))
		for name := range fields {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			if name != "id" && name != "items" && name != "slots" {
				all = append(all, templateField{what + ", " + name, plain(fields[name])})
			}
		}
	}
	add("Title", t.Title)
	add("Summary", t.Summary)
	add("Release", t.Release)
	add("Time zone", t.TimeZone)
	add("Migrations", t.Migrations)
	for _, p := range t.Phases {
		add("Phase "+string(p.ID), p)
		for _, i := range p.Items {
			all = append(all, templateField{fmt.Sprintf("Item %s, phase", i.ID), string(p.ID)})
			add("Item "+string(i.ID), i)
		}
	}
	for _, g := range t.Gates {
		add("Gate "+string(g.ID), g)
		for _, s := range g.Slots {
			add(fmt.Sprintf("Gate %s, place %s", g.ID, s.ID), s)
		}
	}
	for _, r := range t.Rollback {
		add(r.ID, r)
	}
	for _, r := range t.Troubleshooting {
		add(r.ID, r)
	}
	return all
}

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
