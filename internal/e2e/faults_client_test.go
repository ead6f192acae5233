package e2e

import (
	"io"
	"maps"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"
)

// client is a person with cookies carried by hand: __Host- cookies are Secure, and no cookie jar sends them over plain HTTP.
type client struct {
	t        *testing.T
	username string
	public   string // the address that people see
	via      string // the process or balancer that is really asked

	mu      *sync.Mutex
	cookies map[string]string
	asked   int // how often a password was asked for
}

// answer is what came back; err is set where nothing did.
type answer struct {
	status int
	header http.Header
	body   string
	err    error
}

var wire = &http.Client{
	Timeout:       90 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func newClient(t *testing.T, public, via, username string) *client {
	t.Helper()
	return &client{t: t, username: username, public: public, via: via, mu: &sync.Mutex{}, cookies: map[string]string{}}
}

// at is the same person, with the same cookies, asking another process.
func (c *client) at(via string) *client {
	other := *c
	other.via = via
	return &other
}

func (c *client) get(address string) answer { return c.send(http.MethodGet, address, nil) }

func (c *client) post(address string, form url.Values) answer {
	return c.send(http.MethodPost, address, form)
}

func (c *client) send(method, address string, form url.Values) answer {
	to := address
	ours := strings.HasPrefix(address, "/") || strings.HasPrefix(address, c.public+"/")
	if ours {
		to = c.via + strings.TrimPrefix(address, c.public)
	}
	request, err := http.NewRequestWithContext(c.t.Context(), method, to, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{err: err}
	}
	if ours {
		request.Host = strings.TrimPrefix(c.public, "http://")
		request.Header.Set("Sec-Fetch-Site", "same-origin")
		request.Header.Set("Referer", c.public+path.Dir(strings.TrimPrefix(address, c.public))) // forms stand one level above what they post to
	}
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range c.held() {
		request.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	response, err := wire.Do(request)
	if err != nil {
		return answer{err: err}
	}
	defer func() { _ = response.Body.Close() }() // it was read to its end
	body, err := io.ReadAll(response.Body)
	c.keep(response.Cookies())
	return answer{response.StatusCode, response.Header, string(body), err}
}

func (c *client) held() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.cookies)
}

func (c *client) keep(cookies []*http.Cookie) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cookie := range cookies {
		if cookie.MaxAge < 0 || (!cookie.Expires.IsZero() && cookie.Expires.Before(time.Now())) {
			delete(c.cookies, cookie.Name)
		} else {
			c.cookies[cookie.Name] = cookie.Value
		}
	}
}

// signIn follows a link to the sign-in until a page of ours is reached, typing the password where it is asked for.
func (c *client) signIn(link string) answer {
	c.t.Helper()
	_, a := c.walk(link, func(string) bool { return false })
	return a
}

// walk follows a link through the provider's pages until a page is reached, or an address that stop knows, which is not
// asked for any more.
func (c *client) walk(link string, stop func(address string) bool) (string, answer) {
	c.t.Helper()
	here, a := link, c.get(link)
	for range 14 {
		switch {
		case a.err != nil:
			c.t.Fatalf("signing %s in: %v", c.username, a.err)
		case a.header.Get("Location") != "":
			here = c.from(here, a.header.Get("Location"))
			if stop(here) {
				return here, a
			}
			a = c.get(here)
		case strings.Contains(a.body, `data-form="typed"`):
			action, form := formOf(c.t, a.body, "/login")
			form.Set("username", c.username)
			form.Set("password", "demo")
			c.asked++
			here = c.from(here, action)
			a = c.post(here, form)
		case strings.Contains(a.body, submitsItself):
			here, a = c.submit(here, a)
		default:
			return here, a
		}
	}
	c.t.Fatalf("signing %s in never ended; the last page said %s", c.username, words(a.body))
	return here, a
}

// submitsItself is what stands on the certified provider's pages that a script sends on.
const submitsItself = "Submitting Callback"

// submit sends such a page's one form on.
func (c *client) submit(here string, a answer) (string, answer) {
	c.t.Helper()
	action, form := formOf(c.t, a.body, "")
	here = c.from(here, action)
	return here, c.post(here, form)
}

// from is where a link leads that stands on the page of here.
func (c *client) from(here, link string) string {
	c.t.Helper()
	next, err := url.Parse(link)
	if err != nil {
		c.t.Fatal(err)
	}
	if page, err := url.Parse(here); err == nil && page.IsAbs() {
		next = page.ResolveReference(next)
	}
	return next.String()
}

// fields reads what a form of a page would post, as it stands there.
func fields(t *testing.T, body, actionEnd string) url.Values {
	t.Helper()
	_, values := formOf(t, body, actionEnd)
	return values
}

// formOf is fields with where the form is posted to.
func formOf(t *testing.T, body, actionEnd string) (action string, values url.Values) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Data == "form" && strings.HasSuffix(attribute(n, "action"), actionEnd) {
			return attribute(n, "action"), filled(n)
		}
	}
	t.Fatalf("the page has no form to %s: %s", actionEnd, words(body))
	return "", nil
}

// signing is the form of a signature with the one choice made that no form makes for a person.
func signing(t *testing.T, body string) url.Values {
	t.Helper()
	form := fields(t, body, "/sign")
	form.Set("meaning", "approved")
	return form
}

func filled(form *html.Node) url.Values {
	values := url.Values{}
	for n := range form.Descendants() {
		name := attribute(n, "name")
		if name == "" {
			continue
		}
		_, checked := lookUp(n, "checked")
		switch kind := attribute(n, "type"); {
		case n.Data == "textarea":
			values.Set(name, text(n))
		case n.Data == "select":
			for o := range n.Descendants() {
				if _, chosen := lookUp(o, "selected"); o.Data == "option" && (chosen || !values.Has(name) || values.Get(name) == "") {
					values.Set(name, attribute(o, "value"))
				}
			}
		case n.Data == "input" && (kind != "radio" || checked):
			values.Set(name, attribute(n, "value")) // a box that stands there to be ticked is ticked
		}
	}
	return values
}

func attribute(n *html.Node, name string) string {
	value, _ := lookUp(n, name)
	return value
}

func lookUp(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode && (d.Parent == nil || d.Parent.Data != "script") {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// words is what a person reads in the main part of a page.
func words(body string) string {
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		return body
	}
	for n := range root.Descendants() {
		if n.Data == "main" {
			return text(n)
		}
	}
	return text(root)
}
