package migration

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Card is the plan card at the top of a V file: what its author promises, and what the checks afterwards look for.
type Card struct {
	Title      string
	Risk       string // low, medium or high
	Estimate   time.Duration
	Reversible bool
	Locks      string // what waits while it runs
	UndoLoses  string // what the undo file cannot bring back
	Creates    []Object
	Changes    []Object
	Accepts    []LintAcceptance // findings of the lint that the author puts up with, and why
	// LockTimeout and StatementTimeout bound each statement of the file; the card may change the defaults.
	LockTimeout      time.Duration
	StatementTimeout time.Duration
}

// The bounds of a file whose card names no others. Whoever comes after a statement that waits for a lock waits with it,
// so a file waits shortly and is tried again.
const (
	DefaultLockTimeout      = 2 * time.Second
	DefaultStatementTimeout = 15 * time.Minute
	MaxLockTimeout          = 2 * time.Second
)

// Object is a thing in the database's catalog that a card names.
type Object struct {
	Kind string // extension, table, view, matview, index, column, constraint, trigger or function
	Name string // schema first
	Type string // of a column that the file changes: numeric(4,3)
}

// String is the object as it stands on the card.
func (o Object) String() string {
	return strings.TrimSpace(o.Kind + " " + o.Name + " " + o.Type)
}

var (
	cardLine   = regexp.MustCompile(`^-- ([a-z][a-z_ ]*): (.*\S)\s*$`)
	qualified  = regexp.MustCompile(`^[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*$`)
	onRelation = regexp.MustCompile(`^[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*$`)
	routine    = regexp.MustCompile(`^[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*\([^;]*\)$`)
	plain      = regexp.MustCompile(`^[a-z_][a-z0-9_-]*$`)
)

var objectForms = map[string]*regexp.Regexp{
	"extension": plain, "table": qualified, "view": qualified, "matview": qualified, "index": qualified,
	"column": onRelation, "constraint": onRelation, "trigger": onRelation, "function": routine,
}

const noTransaction = "-- migrate:no-transaction"

// ParseCard reads the card; every line that cannot be understood is named.
func ParseCard(sql string) (Card, error) {
	card := Card{LockTimeout: DefaultLockTimeout, StatementTimeout: DefaultStatementTimeout}
	seen := map[string]bool{}
	var problems []string
	for i, line := range strings.Split(Normal(sql), "\n") {
		if i == 0 && strings.TrimSpace(line) == noTransaction {
			continue
		}
		m := cardLine.FindStringSubmatch(line)
		if m == nil {
			break
		}
		key, value := m[1], m[2]
		if seen[key] && key != "creates" && key != "changes" && key != "accepts" {
			problems = append(problems, fmt.Sprintf("line %d: %s stands twice", i+1, key))
		}
		seen[key] = true
		if err := card.set(key, value); err != nil {
			problems = append(problems, fmt.Sprintf("line %d: %v", i+1, err))
		}
	}
	for _, key := range []string{"title", "risk", "estimate", "reversible"} {
		if !seen[key] {
			problems = append(problems, "the plan card has no line for "+key)
		}
	}
	if problems != nil {
		return Card{}, &FilesError{problems}
	}
	return card, nil
}

func (c *Card) set(key, value string) (err error) {
	switch key {
	case "title":
		c.Title = value
	case "risk":
		c.Risk = value
		if value != "low" && value != "medium" && value != "high" {
			return fmt.Errorf("risk is %q, not low, medium or high", value)
		}
	case "estimate":
		c.Estimate, err = duration(value)
	case "lock_timeout":
		c.LockTimeout, err = duration(value)
		if c.LockTimeout > MaxLockTimeout {
			return fmt.Errorf("lock_timeout is %s; a file may wait at most %s, because everybody behind it waits as long", value, MaxLockTimeout)
		}
	case "statement_timeout":
		c.StatementTimeout, err = duration(value)
	case "reversible":
		c.Reversible = value == "yes"
		if value != "yes" && value != "no" {
			return fmt.Errorf("reversible is %q, not yes or no", value)
		}
	case "locks":
		c.Locks = value
	case "undo loses":
		c.UndoLoses = value
	case "accepts":
		a, err := parseAcceptance(value)
		if err != nil {
			return err
		}
		c.Accepts = append(c.Accepts, a)
	case "creates", "changes":
		o, err := parseObject(key, value)
		if err != nil {
			return err
		}
		if key == "creates" {
			c.Creates = append(c.Creates, o)
		} else {
			c.Changes = append(c.Changes, o)
		}
	default:
		return fmt.Errorf("the plan card knows no %q", key)
	}
	return err
}

func duration(value string) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q is not a duration like 8s", value)
	}
	return d, nil
}

func parseObject(key, value string) (Object, error) {
	kind, name, _ := strings.Cut(value, " ")
	o := Object{Kind: kind, Name: strings.TrimSpace(name)}
	if key == "changes" && kind == "column" {
		o.Name, o.Type, _ = strings.Cut(o.Name, " ")
	}
	form, ok := objectForms[kind]
	if !ok {
		return Object{}, fmt.Errorf("%q is no kind of object", kind)
	}
	if !form.MatchString(o.Name) {
		return Object{}, fmt.Errorf("%q does not name a %s, schema first", o.Name, kind)
	}
	return o, nil
}
