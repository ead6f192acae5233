package fault

import (
	"errors"
	"fmt"
	"sort"
	"strings"
)

// Kind is the class of a refusal; package web maps it to an HTTP status.
type Kind int

const (
	// Internal is every error that is not a refusal: 500.
	Internal Kind = iota
	// Invalid is input that cannot be accepted as it stands: 422.
	Invalid
	// Unauthenticated is a request without a valid sign-in, or without a fresh enough one: 401.
	Unauthenticated
	// Forbidden is a request by someone who may not: 403.
	Forbidden
	// NotFound is a thing that does not exist for this person, other tenants' things included: 404.
	NotFound
	// Conflict is a request that was overtaken by what has happened since: 409.
	Conflict
	// GateClosed is an act behind a gate that is not open: 423.
	GateClosed
	// TooLarge is a body or file over its limit: 413.
	TooLarge
	// TooMany is a request over its rate limit: 429.
	TooMany
	// Unavailable is a dependency that cannot be reached now: 503.
	Unavailable
)

// String names the kind as it stands in logs and in the JSON interface.
func (k Kind) String() string {
	names := [...]string{"internal", "invalid", "unauthenticated", "forbidden", "not_found", "conflict", "gate_closed", "too_large", "too_many", "unavailable"}
	if int(k) < 0 || int(k) >= len(names) {
		return "internal"
	}
	return names[k]
}

// Error is a refusal.
type Error struct {
	// Kind decides the status.
	Kind Kind
	// Message is shown to the person.
	Message string
	// Title heads the page of the refusal, where the kind's own words would not be true; mostly empty.
	Title string
	// Fields holds a complaint per form field, by the field's name; nil where the refusal is not about a form.
	Fields map[string]string
	cause  error
}

// New makes a refusal whose message is formatted as by fmt.Sprintf.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Because adds the cause, for the log and for errors.Is; it is never shown.
func (e *Error) Because(err error) *Error {
	e.cause = err
	return e
}

// Titled gives the page of the refusal a heading of its own.
func (e *Error) Titled(title string) *Error {
	e.Title = title
	return e
}

// WithField adds a complaint about one form field.
func (e *Error) WithField(name, complaint string) *Error {
	if e.Fields == nil {
		e.Fields = map[string]string{}
	}
	e.Fields[name] = complaint
	return e
}

// Error is the log's text: the message, the complaints and the cause.
func (e *Error) Error() string {
	parts := []string{e.Kind.String() + ": " + e.Message}
	for _, name := range sortedKeys(e.Fields) {
		parts = append(parts, name+": "+e.Fields[name])
	}
	if e.cause != nil {
		parts = append(parts, e.cause.Error())
	}
	return strings.Join(parts, "; ")
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.cause }

// Of is the kind of err; Internal where err is no refusal.
func Of(err error) Kind {
	if e, ok := As(err); ok {
		return e.Kind
	}
	return Internal
}

// Is says whether err is a refusal of that kind.
func Is(err error, kind Kind) bool {
	e, ok := As(err)
	return ok && e.Kind == kind
}

// As finds the refusal in err's chain.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
