package web

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/fault"
)

// MaxForm is the largest body of a form.
const MaxForm = 1 << 20

// Values are the fields of a form or of a URL, read one by one. Each read may leave a complaint beside the field; Err
// gives them all at once, and complains about fields that nobody read: a form takes over nothing it does not know.
type Values struct {
	values     url.Values
	read       map[string]bool
	complaints map[string]string
}

// Form reads the body of a POST; of one with a file, on a route that takes one, everything before the file, which File
// then gives. It refuses, before any field is read: another content type, more than 1 MiB, text that
// is not UTF-8 or holds NUL, and a parameter that stands twice.
func Form(c echo.Context) (*Values, error) {
	r := of(c)
	if r.form == nil {
		values, err := formValues(c)
		if err != nil {
			return nil, err
		}
		r.form = &Values{values: values}
	}
	// Two readers (the typed text of a stale sign-in, the handler) see the same fields and keep their own complaints.
	return unread(r.form.values), nil
}

func unread(values url.Values) *Values {
	return &Values{values: values, read: map[string]bool{}, complaints: map[string]string{}}
}

// Query reads the parameters of the URL by the same rules; what Form would refuse at once stands in Err.
func Query(c echo.Context) *Values {
	values, err := parsePairs(c.Request().URL.RawQuery)
	v := unread(values)
	if err != nil {
		v.complaints[""] = err.Error()
	}
	return v
}

func formValues(c echo.Context) (url.Values, error) {
	if w, ok := c.Get(webKey).(*Web); ok && isMultipart(c) {
		if route, _ := w.route(c); route.Uploads > 0 {
			return readParts(c, route.Uploads)
		}
	}
	return readBody(c.Request())
}

func readBody(r *http.Request) (url.Values, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.ContentLength == 0 && r.Header.Get("Content-Type") == "" {
		kind = "application/x-www-form-urlencoded" // a form without fields
	} else if err != nil {
		kind = ""
	}
	if kind != "application/x-www-form-urlencoded" {
		return nil, fault.New(fault.Invalid, "This address takes a form (application/x-www-form-urlencoded) and nothing else.")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxForm+1))
	switch {
	case err != nil:
		return nil, fault.New(fault.Invalid, "The form did not arrive whole. Nothing was changed; send it again.").Because(err)
	case len(body) > MaxForm:
		return nil, fault.New(fault.TooLarge, "The form is larger than 1 MiB. Nothing was changed; shorten the text.")
	}
	values, err := parsePairs(string(body))
	if err != nil {
		return nil, fault.New(fault.Invalid, "The form cannot be read: %s.", err)
	}
	return values, nil
}

// parsePairs is stricter than url.ParseQuery: one value per name, and only text.
func parsePairs(raw string) (url.Values, error) {
	if strings.Count(raw, "&") > 500 {
		return url.Values{}, errors.New("it has more than 500 fields")
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return url.Values{}, errors.New("it is not encoded as forms are")
	}
	if err := checkPairs(values); err != nil {
		return url.Values{}, err
	}
	return values, nil
}

func checkPairs(values url.Values) error {
	for name, list := range values {
		if len(list) > 1 {
			return errors.New("the field " + clip(oneLine(name), 50) + " stands in it twice")
		}
		if !utf8.ValidString(name) || !utf8.ValidString(list[0]) {
			return errors.New("it holds text that is not UTF-8")
		}
		if strings.ContainsRune(name, 0) || strings.ContainsRune(list[0], 0) {
			return errors.New("it holds a NUL character")
		}
	}
	return nil
}

// Raw is what was typed into a field, for showing it again; it does not count as reading the field.
func (v *Values) Raw(name string) string { return v.values.Get(name) }

// Has says whether the field was sent and is not empty; it does not count as reading it.
func (v *Values) Has(name string) bool { return strings.TrimSpace(v.values.Get(name)) != "" }

// Names are the fields that were sent, in alphabetical order.
func (v *Values) Names() []string {
	names := make([]string, 0, len(v.values))
	for name := range v.values {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// Allow names fields that may be there although this reader does not need them.
func (v *Values) Allow(names ...string) {
	for _, name := range names {
		v.read[name] = true
	}
}

// Complain adds a complaint of the caller's about a field; the first complaint about a field stays.
func (v *Values) Complain(name, text string) {
	if _, already := v.complaints[name]; !already {
		v.complaints[name] = text
	}
}

// Problems are the complaints so far, by field.
func (v *Values) Problems() map[string]string { return v.complaints }

// Err is nil, or an Invalid fault with a complaint per field.
func (v *Values) Err() error {
	var strangers []string
	for _, name := range v.Names() {
		if !v.read[name] {
			strangers = append(strangers, clip(oneLine(name), 50))
		}
	}
	if len(strangers) > 0 {
		return fault.New(fault.Invalid, "This form does not know the field %s. Nothing was changed; reload the page and try again.", strings.Join(strangers, ", "))
	}
	if len(v.complaints) == 0 {
		return nil
	}
	if whole, ok := v.complaints[""]; ok {
		return fault.New(fault.Invalid, "The address of this page cannot be read: %s.", whole)
	}
	refusal := fault.New(fault.Invalid, "Something in the form has to be put right first. Nothing was changed.")
	for name, text := range v.complaints {
		refusal = refusal.WithField(name, text)
	}
	return refusal
}

// take reads the field: its text without surrounding blanks, and with line ends as one character.
func (v *Values) take(name string) string {
	v.read[name] = true
	return strings.TrimSpace(strings.ReplaceAll(v.values.Get(name), "\r\n", "\n"))
}

// Text reads a text of least to most characters. Line ends and tabs may be in it, other control characters may not,
// and none that turns the direction of writing.
func (v *Values) Text(name string, least, most int) string {
	s := v.take(name)
	n := utf8.RuneCountInString(s)
	switch {
	case strings.ContainsFunc(s, func(r rune) bool { return (r < ' ' && r != '\n' && r != '\t') || r == 0x7f }):
		v.Complain(name, "The text holds a control character. Remove it.")
	case strings.ContainsFunc(s, turns):
		v.Complain(name, "The text holds a character that turns the direction of what follows it. Remove it.")
	case n == 0 && least > 0:
		v.Complain(name, "This is needed.")
	case n < least:
		v.Complain(name, sprint("At least %d characters, please; these are %d.", least, n))
	case n > most:
		v.Complain(name, sprint("At most %d characters, please; these are %d.", most, n))
	default:
		return s
	}
	return ""
}

// turns says whether a character embeds or overrides the direction of writing: the words around it on a page would not
// stand where they belong.
func turns(r rune) bool { return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' }

// Choice reads one of the options; none of them chosen is a complaint.
func (v *Values) Choice(name string, options ...string) string {
	s := v.take(name)
	if slices.Contains(options, s) {
		return s
	}
	if s == "" {
		v.Complain(name, "Choose one.")
	} else {
		v.Complain(name, sprint("This is none of the choices: %s.", strings.Join(options, ", ")))
	}
	return ""
}

// Ticked reads a check box.
func (v *Values) Ticked(name string) bool {
	switch v.take(name) {
	case "on", "true", "yes", "1":
		return true
	case "", "off", "false", "no", "0":
		return false
	}
	v.Complain(name, "This is ticked or it is not.")
	return false
}
