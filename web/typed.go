package web

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
)

const (
	typedLimit    = 32 << 10 // bytes of typed text that a session keeps
	typedLifetime = 30 * time.Minute
)

// typed is what a person typed into a form whose POST came with a sign-in that was over or not fresh enough. It waits
// in the session for their return, shows only to the same person, and goes when the form is accepted.
type typed struct {
	Path   string            `json:"path"` // of the page with the form
	Post   string            `json:"post"` // of the form's action
	Person uuid.UUID         `json:"person"`
	At     time.Time         `json:"at"`
	Fields map[string]string `json:"fields"`
}

// keepTyped stores the fields of the refused POST; false where there are none, too many, or nobody to keep them for.
func (w *Web) keepTyped(c echo.Context) (map[string]string, bool) {
	form, err := Form(c)
	if route, ok := w.route(c); err != nil || len(form.values) == 0 || (ok && route.Forgets) {
		return nil, false
	}
	ctx := c.Request().Context()
	t := typed{Post: c.Request().URL.Path, Person: Actor(c).UserID, At: w.config.Now(), Fields: map[string]string{}}
	t.Path, _, _ = strings.Cut(returnPath(c), "?")
	for name, list := range form.values {
		t.Fields[name] = list[0]
	}
	if t.Person == uuid.Nil {
		// A session that is over still says whose it was. Without one there is nobody to give the text back to, and
		// strangers cannot fill our table.
		person, ok, err := w.config.Sessions.FormerPerson(ctx, of(c).tokenHash)
		if err != nil || !ok {
			return t.Fields, false
		}
		t.Person = person
	}
	raw, err := json.Marshal(t)
	if err != nil || len(raw) > typedLimit {
		return t.Fields, false
	}
	w.sessions.Put(ctx, keyTyped, raw)
	return t.Fields, true
}

func (w *Web) typed(c echo.Context) (typed, bool) {
	var t typed
	raw := w.sessions.GetBytes(c.Request().Context(), keyTyped)
	if len(raw) == 0 || json.Unmarshal(raw, &t) != nil {
		return typed{}, false
	}
	return t, t.Person == Actor(c).UserID && w.config.Now().Sub(t.At) <= typedLifetime
}

// setAside drops the text that is kept for this form while the form is handled, since an answer that was sent cannot
// change the session any more. putBack keeps it after all, for a form that was refused.
func (w *Web) setAside(c echo.Context) (putBack func()) {
	t, ok := w.typed(c)
	if !ok || t.Post != c.Request().URL.Path {
		return func() {}
	}
	ctx := c.Request().Context()
	raw := w.sessions.GetBytes(ctx, keyTyped)
	w.sessions.Remove(ctx, keyTyped)
	return func() {
		if !w.sessions.Exists(ctx, keyTyped) { // unless newer text was kept meanwhile
			w.sessions.Put(ctx, keyTyped, raw)
		}
	}
}

// Prefill gives what this person typed into the form of this page before they had to sign in again; nil where there is
// nothing. It stays until the form is accepted, so a reload loses nothing.
func Prefill(c echo.Context) map[string]string {
	w, ok := c.Get(webKey).(*Web)
	if !ok {
		return nil
	}
	if t, ok := w.typed(c); ok && t.Path == c.Request().URL.Path {
		return maps.Clone(t.Fields)
	}
	return nil
}

// shown are the kept fields that a person would recognise: no hidden ids, hashes or keys.
func shown(fields map[string]string) []string {
	var names []string
	for name, value := range fields {
		if value != "" && !strings.HasSuffix(name, "_id") && !strings.HasSuffix(name, "sha256") && !strings.HasSuffix(name, "key") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
