package components

import "strings"

// Complaint is one thing wrong with a form. Field is the name of the field it
// is about, and Label what the page calls it; a complaint about the form as a
// whole has neither.
type Complaint struct {
	Field, Label, Text string
}

// summary names the field: beside the form, "This is needed" says nothing.
func (c Complaint) summary() string {
	if c.Label == "" {
		return c.Text
	}
	return c.Label + ": " + c.Text
}

// Complaints are everything wrong with a form, in the order of its fields.
type Complaints []Complaint

// For returns what is wrong with one field, or nothing.
func (c Complaints) For(field string) string {
	said := []string{}
	for _, one := range c {
		if one.Field == field {
			said = append(said, one.Text)
		}
	}
	return strings.Join(said, " ")
}

// Option is one choice of a select or of a group of radio buttons.
type Option struct {
	Value, Label string
	Hint         string
	Chosen       bool
}

// Field is a labelled input with its hint, its range in words and what was
// wrong with what was typed.
type Field struct {
	Name, Label, Hint  string
	ID                 string // the name when empty; two forms on a page may share a name
	Value, Problem     string
	Type               string // "text" when empty
	InputMode          string
	Unit               string
	Required, ReadOnly bool
	Wide               bool
	Autocomplete       string
	Options            []Option // a select when there are any
	Rows               int      // a text area when above zero
	MaxBytes           int      // of a file; the script says so before it is sent
}

func (f Field) kind() string {
	if f.Type == "" {
		return "text"
	}
	return f.Type
}

func (f Field) id() string {
	if f.ID == "" {
		return f.Name
	}
	return f.ID
}

func (f Field) describedBy() string {
	ids := []string{}
	if f.Hint != "" {
		ids = append(ids, f.id()+"-hint")
	}
	if f.Problem != "" {
		ids = append(ids, f.id()+"-problem")
	}
	return strings.Join(ids, " ")
}
