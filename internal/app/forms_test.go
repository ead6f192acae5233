package app_test

import (
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// formOf reads the form of a page as a browser would send it: with what stands in its fields.
func formOf(t *testing.T, page, action string) (url.Values, bool) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == "form" && attribute(n, "method") == "post" && attribute(n, "action") == action {
			fields := url.Values{}
			for field := range n.Descendants() {
				fill(fields, field)
			}
			return fields, true
		}
	}
	return nil, false
}

func fill(fields url.Values, n *html.Node) {
	name := attribute(n, "name")
	switch {
	case n.Type != html.ElementNode || name == "" || n.Data == "button":
	case n.Data == "input" && (attribute(n, "type") == "checkbox" || attribute(n, "type") == "radio"):
		if has(n, "checked") {
			fields.Set(name, attribute(n, "value"))
		}
	case n.Data == "input":
		fields.Set(name, attribute(n, "value"))
	case n.Data == "textarea":
		fields.Set(name, "")
		if n.FirstChild != nil {
			fields.Set(name, n.FirstChild.Data)
		}
	case n.Data == "select":
		first := true
		for option := range n.Descendants() {
			if option.Data == "option" && (first || has(option, "selected")) {
				fields.Set(name, attribute(option, "value"))
				first = false
			}
		}
	}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}
