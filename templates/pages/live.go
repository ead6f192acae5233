package pages

import (
	"strconv"

	"github.com/a-h/templ"
)

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

// ticking marks a time that goes on while the page is open, and what it is expected to become; zero is not known.
func ticking(href string, elapsedMs, expectedMs int64) templ.OrderedAttributes {
	if href == "" || elapsedMs <= 0 {
		return nil
	}
	marks := templ.OrderedAttributes{templ.KeyValue[string, any]{Key: "data-elapsed-ms", Value: strconv.FormatInt(elapsedMs, 10)}}
	if expectedMs > 0 {
		marks = append(marks, templ.KeyValue[string, any]{Key: "data-expected-ms", Value: strconv.FormatInt(expectedMs, 10)})
	}
	return marks
}

// watched marks a page of a release, which events keep up to date. A minute is how often it is asked for what no event tells:
// that time has passed. The part that holds its form carries data-live-version, see live.js.
func watched(href string) templ.OrderedAttributes { return watchedBy(href, href+"/events") }

func watchedBy(href, events string) templ.OrderedAttributes {
	marks := live(href, "2", events)
	if marks != nil {
		marks = append(marks, templ.KeyValue[string, any]{Key: "data-live-seldom", Value: "60"})
	}
	return marks
}
