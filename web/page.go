package web

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/a-h/templ"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/static"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

const webKey = "gatehouse.web"

const (
	flashCookie = "gatehouse-flash"
	themeCookie = "gatehouse-theme"
)

// Shell is the frame of a page: who looks at it, where they may go, and what happened just before.
func Shell(c echo.Context, title string, crumbs ...layouts.Crumb) layouts.Shell {
	w, ok := c.Get(webKey).(*Web)
	if !ok {
		return layouts.Shell{Title: title, Breadcrumbs: crumbs, Ref: Ref(c), Kept: c.Request().Method == http.MethodPost}
	}
	by := Actor(c)
	shell := layouts.Shell{
		Title: title, Environment: w.config.Environment, Breadcrumbs: crumbs, Assets: w.config.Assets,
		Ref: Ref(c), Path: returnPath(c), Theme: chosenTheme(c), Flash: takeFlash(c),
	}
	if by.SignedIn() {
		shell.Kept = c.Request().Method == http.MethodPost || Prefill(c) != nil
		shell.Tenant = by.TenantName
		shell.Alarm = of(c).alarm
		shell.Seal = sealed(of(c).seal)
		shell.Person = layouts.Person{Name: by.Name, Roles: titles(by.Roles)}
		if by.CameBack() {
			shell.Person.Roles = []string{"can look, and change nothing"}
		}
	}
	for _, p := range w.placesOf(by) {
		if by.Can(p.Right) {
			here, way := c.Request().URL.Path, ""
			if len(crumbs) > 0 {
				way = crumbs[0].Href // a run, an operation: they lie below a place, and their address does not say so
			}
			item := layouts.NavItem{
				Place: p.Place, Label: p.Label, Short: p.Short, Href: p.Href, Current: here == p.Href || way == p.Href || strings.HasPrefix(here, p.Href+"/"), Counts: p.Counts,
			}
			if p.Counts {
				item.Count = w.waiting(c, by)
			}
			shell.Nav = append(shell.Nav, item)
		}
	}
	return shell
}

// placesOf are all places, those before the others that are for the person's own work.
func (w *Web) placesOf(by actor.Actor) []Place {
	places := slices.Clone(w.config.Places)
	slices.SortStableFunc(places, func(a, b Place) int { return a.rank(by) - b.rank(by) })
	return places
}

func (p Place) rank(by actor.Actor) int {
	if slices.ContainsFunc(p.FirstFor, by.Has) {
		return 0
	}
	return 1
}

// waiting is how much waits for the person. Where that cannot be read the page is shown without the number: it says so itself
// if it needs the database.
func (w *Web) waiting(c echo.Context, by actor.Actor) int {
	if w.config.Waiting == nil {
		return 0
	}
	n, err := w.config.Waiting.Count(c.Request().Context(), by, of(c).seq)
	if err != nil {
		w.config.Log.WarnContext(c.Request().Context(), "what waits for somebody could not be counted", "ref", Ref(c), "error", err)
		return 0
	}
	return n
}

// sealed is what is printed of the newest seal.
func sealed(s actor.Seal) layouts.Seal {
	if s.Number == 0 {
		return layouts.Seal{}
	}
	return layouts.Seal{
		Number: strconv.FormatInt(s.Number, 10), Entry: strconv.FormatInt(s.Entry, 10), Hash: s.Hash,
		At: s.At.UTC().Format("2 Jan 2006 15:04:05 UTC"), Key: s.Key, Signature: s.Signature,
	}
}

// Page renders the component whole and only then answers: half a page is never sent.
func Page(c echo.Context, status int, component templ.Component) error {
	b := templ.GetBuffer() // kept from page to page: a page is tens of kilobytes
	defer templ.ReleaseBuffer(b)
	if err := component.Render(c.Request().Context(), b); err != nil {
		return fmt.Errorf("rendering the page of %s: %w", c.Path(), err)
	}
	if w, ok := c.Get(webKey).(*Web); ok {
		// For the script that tells people when their device's clock is wrong.
		c.Response().Header().Set("Server-Timing", `now;desc="`+strconv.FormatInt(w.config.Now().UnixMilli(), 10)+`"`)
	}
	return c.HTMLBlob(status, packed(c, b.Bytes()))
}

// packed is the page with gzip, where the browser takes that and it is worth its while. Compressing what holds a secret
// beside what a stranger may choose would give the secret away by its length; our pages hold none: there is no token in
// a form, since requests are judged by their origin, and the session is a cookie alone.
func packed(c echo.Context, page []byte) []byte {
	const onePacket = 1400
	header := c.Response().Header()
	header.Add("Vary", "Accept-Encoding")
	if len(page) <= onePacket || !static.TakesGzip(c.Request().Header.Get("Accept-Encoding")) {
		return page
	}
	var b bytes.Buffer                // of its own: what is packed outlives this function
	z := packers.Get().(*gzip.Writer) //nolint:forcetypeassert // New below makes nothing else
	defer packers.Put(z)
	z.Reset(&b)
	_, _ = z.Write(page) // into memory: neither can fail
	_ = z.Close()
	header.Set("Content-Encoding", "gzip")
	return b.Bytes()
}

// packers are kept because each holds tables of some 800 kB; the fastest level is within a tenth of the best on pages.
var packers = sync.Pool{New: func() any {
	z, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	if err != nil {
		panic(err) // only a level that does not exist can fail
	}
	return z
}}

// SeeOther answers a POST that did its work: the browser gets the page of path, and a reload repeats nothing.
// path is always one of ours.
func SeeOther(c echo.Context, path string) error {
	local, ok := localPath(path)
	if !ok {
		return fmt.Errorf("redirecting to %q, which is not a path of ours", path)
	}
	return c.Redirect(http.StatusSeeOther, local)
}

// Flash shows a sentence once, on the next page this browser opens. It travels in a cookie, so that pages stay reads.
func Flash(c echo.Context, tone layouts.FlashKind, text string) {
	value := base64.RawURLEncoding.EncodeToString([]byte(string(tone) + "\n" + clip(text, 1000)))
	c.SetCookie(secureCookie(flashCookie, value, 120))
}

func takeFlash(c echo.Context) layouts.Flash {
	value := cookieValue(c, flashCookie)
	if value == "" {
		return layouts.Flash{}
	}
	c.SetCookie(secureCookie(flashCookie, "", -1))
	raw, err := base64.RawURLEncoding.DecodeString(value)
	tone, text, ok := strings.Cut(string(raw), "\n")
	if err != nil || !ok {
		return layouts.Flash{}
	}
	switch kind := layouts.FlashKind(tone); kind {
	case layouts.FlashGood, layouts.FlashBad, layouts.FlashInfo:
		return layouts.Flash{Kind: kind, Text: text}
	}
	return layouts.Flash{}
}

func chosenTheme(c echo.Context) layouts.Theme {
	switch theme := layouts.Theme(cookieValue(c, themeCookie)); theme {
	case layouts.Light, layouts.Dark:
		return theme
	default:
		return layouts.FollowDevice
	}
}

// theme remembers how the person wants pages lit; it needs no sign-in.
func (w *Web) theme(c echo.Context) error {
	form, err := Form(c)
	if err != nil {
		return err
	}
	theme := form.Choice("theme", "system", "light", "dark")
	back := form.Text("return", 0, 2000)
	if err := form.Err(); err != nil {
		return err
	}
	if theme == "system" {
		c.SetCookie(secureCookie(themeCookie, "", -1))
	} else {
		c.SetCookie(secureCookie(themeCookie, theme, 365*24*3600))
	}
	return SeeOther(c, localOrHome(back))
}

// ID reads a UUID of the path. What is no UUID is not found, exactly like a UUID that nothing has.
func ID(c echo.Context, name string) (uuid.UUID, error) {
	id, err := uuid.Parse(c.Param(name))
	if err != nil || id == uuid.Nil || c.Param(name) != id.String() {
		return uuid.Nil, NotFound()
	}
	return id, nil
}

// NotFound is the one answer to things that are unknown, and to those of other tenants.
func NotFound() error { return fault.New(fault.NotFound, "There is no such thing here.") }
