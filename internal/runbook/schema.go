package runbook

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// schema is the part of JSON Schema that templates/template.schema.json uses; a test refuses a keyword that is not here.
type schema struct {
	Ref                  string             `json:"$ref"`
	Defs                 map[string]*schema `json:"$defs"`
	Type                 string             `json:"type"`
	Properties           map[string]*schema `json:"properties"`
	Required             []string           `json:"required"`
	AdditionalProperties *bool              `json:"additionalProperties"`
	Items                *schema            `json:"items"`
	MinItems             int                `json:"minItems"`
	Enum                 []string           `json:"enum"`
	Pattern              string             `json:"pattern"`
	MinLength            int                `json:"minLength"`
	MaxLength            int                `json:"maxLength"`
}

var theSchema = sync.OnceValues(func() (*schema, error) {
	var s schema
	err := json.Unmarshal(Schema, &s)
	return &s, err
})

// checkSchema lists everything in which the text is not as the schema says.
func checkSchema(root *place) []Problem {
	s, err := theSchema()
	if err != nil {
		return []Problem{{Line: 1, Text: "the schema of this program cannot be read: " + err.Error()}}
	}
	c := schemaCheck{root: s, patterns: map[string]*regexp.Regexp{}}
	c.check(s, root, "")
	return c.problems
}

type schemaCheck struct {
	root     *schema
	problems []Problem
	patterns map[string]*regexp.Regexp // compiled once for all texts of a form
}

func (c *schemaCheck) complain(path string, p *place, format string, args ...any) {
	if len(c.problems) > mostProblems {
		return
	}
	c.problems = append(c.problems, Problem{Path: path, Line: p.at, Text: fmt.Sprintf(format, args...)})
}

func (c *schemaCheck) check(s *schema, p *place, path string) {
	for s.Ref != "" {
		s = c.root.Defs[strings.TrimPrefix(s.Ref, "#/$defs/")]
	}
	if kind := p.kind; kind != s.Type && (s.Type != "integer" || kind != "number" || strings.ContainsAny(fmt.Sprint(p.value), ".eE")) {
		c.complain(path, p, "this is of type %s, and has to be of type %s", kind, s.Type)
		return
	}
	switch s.Type {
	case "object":
		c.object(s, p, path)
	case "array":
		if len(p.list) < s.MinItems {
			c.complain(path, p, "it has %d entries, and needs at least %d", len(p.list), s.MinItems)
		}
		for n, one := range p.list {
			c.check(s.Items, one, fmt.Sprintf("%s[%d]", path, n))
		}
	case "string":
		c.text(s, p, path)
	}
}

func (c *schemaCheck) object(s *schema, p *place, path string) {
	for _, name := range s.Required {
		if p.fields[name] == nil {
			c.complain(path, p, "%q is missing", name)
		}
	}
	for _, name := range p.names {
		known := s.Properties[name]
		if known == nil {
			c.complain(under(path, name), p.fields[name], "the format does not know %q here", name)
			continue
		}
		c.check(known, p.fields[name], under(path, name))
	}
}

func (c *schemaCheck) text(s *schema, p *place, path string) {
	text := fmt.Sprint(p.value)
	n := utf8.RuneCountInString(text)
	switch {
	case len(s.Enum) > 0 && !slices.Contains(s.Enum, text):
		c.complain(path, p, "%q is none of %s", cut(text, mostName), strings.Join(s.Enum, ", "))
	case s.Pattern != "" && !c.pattern(s.Pattern).MatchString(text):
		c.complain(path, p, "%q is not of the form %s", cut(text, mostName), s.Pattern)
	case n < s.MinLength:
		c.complain(path, p, "it is empty, or shorter than %d characters", s.MinLength)
	case s.MaxLength > 0 && n > s.MaxLength:
		c.complain(path, p, "it has %d characters, and may have %d", n, s.MaxLength)
	}
}

func (c *schemaCheck) pattern(form string) *regexp.Regexp {
	known := c.patterns[form]
	if known == nil {
		known = regexp.MustCompile(form)
		c.patterns[form] = known
	}
	return known
}
