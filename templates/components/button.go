package components

import (
	"strconv"

	"github.com/a-h/templ"
)

// Weight is how much a button asks to be pressed.
type Weight string

// The weights there are.
const (
	Primary Weight = "primary" // the one thing to do here
	Plain   Weight = "plain"
	Danger  Weight = "danger" // changes something that is hard to undo
)

// attributes are what an input, a select and a text area have in common.
func (f Field) attributes() templ.OrderedAttributes {
	all := templ.OrderedAttributes{}
	add := func(key string, value any) {
		all = append(all, templ.KeyValue[string, any]{Key: key, Value: value})
	}
	add("id", f.id())
	add("name", f.Name)
	for _, optional := range []struct{ key, value string }{
		{"inputmode", f.InputMode},
		{"autocomplete", f.Autocomplete},
		{"aria-describedby", f.describedBy()},
	} {
		if optional.value != "" {
			add(optional.key, optional.value)
		}
	}
	if f.MaxBytes > 0 {
		add("data-max-bytes", strconv.Itoa(f.MaxBytes))
	}
	if f.Problem != "" {
		add("aria-invalid", "true")
	}
	add("required", f.Required)
	add("readonly", f.ReadOnly)
	return all
}
