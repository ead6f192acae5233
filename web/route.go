package web

import (
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
)

// Handler answers one request. What it refuses it returns as a fault; fail.go turns that into the answer.
type Handler func(c echo.Context) error

// Access says who may use a route at all. The zero value is the strictest: the route's Right is needed.
type Access int

// The ways in.
const (
	// NeedsRight asks for a signed-in person or machine that holds the route's Right.
	NeedsRight Access = iota
	// SignedIn asks for somebody who is signed in, with whatever rights.
	SignedIn
	// Public asks for nothing; where somebody is signed in, the handler sees who.
	Public
	// Bare knows no session at all and so needs no database: assets, liveness.
	Bare
)

// String is the access as it stands in the golden route table.
func (a Access) String() string {
	return [...]string{"right", "signed-in", "public", "bare"}[a]
}

// Needs is the row of a route that asks for right, for tables that are written in positional form.
func Needs(method, path string, right actor.Right, handler Handler) Route {
	return Route{Method: method, Path: path, Right: right, Handler: handler}
}

// Route is one line of the route table.
type Route struct {
	Method, Path string
	Right        actor.Right
	Access       Access
	// Fresh asks for a sign-in that is no older; zero asks for none.
	Fresh time.Duration
	// Action names the act in the audit trail where the right's name does not say it: "session:end".
	Action string
	// Doing says in words what a stale sign-in interrupts: "sign this gate". Optional.
	Doing   string
	Handler Handler
	// Forgets says that what is typed here is never kept, not even over a sign-in that has ended: it is a secret, or may hold one.
	Forgets bool
	// Guesses says that something secret is typed here: tries are counted as proofs of identity are, for all processes.
	Guesses bool
	// Uploads is how many bytes of a file may come with the form; zero where none may. Such a request has UploadWithin.
	Uploads int64
	// Long says that the answer is a file: a slow reader has HandOutWithin for it.
	Long bool
	// Streams says that the answer goes on for as long as there is something to come.
	Streams bool
}

// action is what a refusal of this route is called in the audit trail: always object:verb in small letters.
func (r Route) action() string {
	switch {
	case r.Action != "":
		return r.Action
	case r.Right != "":
		return string(r.Right)
	}
	for _, part := range strings.Split(r.Path, "/") {
		if word := letters(part); word != "" && !strings.HasPrefix(part, ":") {
			return word + ":" + strings.ToLower(r.Method)
		}
	}
	return "page:" + strings.ToLower(r.Method)
}

func letters(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r == '_':
			return r
		case r == '-':
			return '_'
		}
		return -1
	}, s)
}

// IsAPI says whether programs use the path: they get JSON instead of pages, and may sign in with a bearer token.
func IsAPI(path string) bool {
	return path == "/graphql" || path == "/api" || strings.HasPrefix(path, "/api/")
}
