package web

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"
)

// localPath accepts path and query of a page of ours and nothing that any browser could read as another site: one
// leading slash, no backslash, no control character, no scheme, no host, no "//" in the path, none of it percent-encoded either.
func localPath(raw string) (string, bool) {
	if len(raw) == 0 || len(raw) > 2000 || raw[0] != '/' || !utf8.ValidString(raw) {
		return "", false
	}
	if strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f || r >= 0x80 }) {
		return "", false
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || u.Fragment != "" {
		return "", false
	}
	// The decoded path too: some proxies decode %2f and %5c before they pass a Location on.
	if strings.Contains(u.Path, "//") || strings.ContainsFunc(u.Path, func(r rune) bool { return r < ' ' || r == '\\' || r == 0x7f }) {
		return "", false
	}
	for _, part := range strings.Split(u.Path, "/") {
		if part == "." || part == ".." {
			return "", false
		}
	}
	return u.RequestURI(), true
}

func localOrHome(raw string) string {
	if local, ok := localPath(raw); ok {
		return local
	}
	return "/"
}

// returnPath is the page to which a person comes back: this one for a GET, the page that held the form otherwise.
func returnPath(c echo.Context) string {
	r := c.Request()
	if c.Path() == "/login" || c.Path() == callbackPath {
		return "/" // steps on the way, not pages
	}
	if r.Method == http.MethodGet {
		return localOrHome(r.URL.RequestURI())
	}
	w, ok := c.Get(webKey).(*Web)
	if !ok {
		return "/"
	}
	if from, err := url.Parse(r.Referer()); err == nil && from.Host == r.Host {
		from.Scheme, from.Host, from.User, from.Fragment = "", "", nil, ""
		if local, ok := localPath(from.String()); ok {
			return local
		}
	}
	if _, isPage := w.routes[http.MethodGet+" "+c.Path()]; isPage {
		return localOrHome(r.URL.RequestURI())
	}
	return "/"
}
