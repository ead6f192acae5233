package pages

import "github.com/a-h/templ"

// live marks the part of a page that asks again while it is open. Without an
// address nothing can change any more, and nothing is asked.
func live(href, everySeconds, events string) templ.OrderedAttributes {
	if href == "" {
		return nil
	}
	marks := templ.OrderedAttributes{
		templ.KeyValue[string, any]{Key: "data-live", Value: href},
		templ.KeyValue[string, any]{Key: "data-live-every", Value: everySeconds},
	}
	if events != "" {
		marks = append(marks, templ.KeyValue[string, any]{Key: "data-live-events", Value: events})
	}
	return marks
}
