package migration

import (
	"slices"
	"strings"

	"github.com/agogsaas/gatehouse/internal/fault"
)

// What PostgreSQL wants of REFRESH MATERIALIZED VIEW CONCURRENTLY: the view was filled once, and has a valid unique index on
// plain columns, over all rows. Without one the statement fails, and whoever planned that readers go on is told too late.
const (
	needsUnique = "a valid unique index on columns, over all rows"
	makeUnique  = "CREATE UNIQUE INDEX ... ON the view, on columns and without WHERE, in an earlier file or above this statement."
)

// Refreshable is what the catalog says of a materialized view.
type Refreshable struct {
	Name   string // schema first
	Filled bool
	// Unique is the index that REFRESH CONCURRENTLY can use; empty where there is none.
	Unique string
}

// ViewsRefreshed are the materialized views that a text refreshes CONCURRENTLY, in the bodies of its functions and blocks as
// well, schema first, each once.
func ViewsRefreshed(sql string) (views []string) {
	tokens := Tokens(sql)
	for i, t := range tokens {
		if strings.HasPrefix(t.Text, "$") && dollarTag.MatchString(t.Text) {
			views = append(views, ViewsRefreshed(inside(t.Text))...)
		}
		if !t.Word || t.Text != "refresh" || len(tokens) < i+5 || tokens[i+1].Text != "materialized" || tokens[i+2].Text != "view" || tokens[i+3].Text != "concurrently" {
			continue
		}
		views = append(views, relationAt(tokens[i+4:]))
	}
	slices.Sort(views)
	return slices.Compact(views)
}

// inside is a text without its dollar quotes.
func inside(quoted string) string {
	tag := dollarTag.FindString(quoted)
	return strings.TrimSuffix(strings.TrimPrefix(quoted, tag), tag)
}

// relationAt is the name that begins here, schema first.
func relationAt(tokens []Token) string {
	name := strings.Trim(tokens[0].Text, `"`)
	if len(tokens) > 2 && tokens[1].Text == "." {
		return name + "." + strings.Trim(tokens[2].Text, `"`)
	}
	return "public." + name
}

// MustBeRefreshable are the views that the file's own statements refresh CONCURRENTLY and that it finds: neither the view nor
// a unique index on it is made by a statement before. What stands in the body of a function is called later.
func (f File) MustBeRefreshable() (views []string) {
	var made []string
	for _, s := range Split(f.SQL) {
		switch words := texts(s.Tokens); {
		case begins(words, "create", "materialized", "view"):
			made = append(made, relationAt(s.Tokens[3:]))
		case begins(words, "create", "unique", "index"):
			if on := slices.Index(words, "on"); on > 0 && on+1 < len(words) {
				made = append(made, relationAt(s.Tokens[on+1:]))
			}
		case begins(words, "refresh", "materialized", "view", "concurrently"):
			if view := relationAt(s.Tokens[4:]); !slices.Contains(made, view) {
				views = append(views, view)
			}
		case begins(words, "do"):
			for _, view := range ViewsRefreshed(s.SQL) {
				if !slices.Contains(made, view) {
					views = append(views, view)
				}
			}
		}
	}
	slices.Sort(views)
	return slices.Compact(views)
}

func texts(tokens []Token) []string {
	list := make([]string, len(tokens))
	for i, t := range tokens {
		list[i] = t.Text
	}
	return list
}

func begins(words []string, with ...string) bool {
	return len(words) > len(with) && slices.Equal(words[:len(with)], with)
}

// RefuseRefresh says why a file cannot refresh what it refreshes CONCURRENTLY, as the database is now; nil where it can.
func RefuseRefresh(script string, views []string, found []Refreshable) error {
	for _, view := range views {
		at := slices.IndexFunc(found, func(r Refreshable) bool { return r.Name == view })
		switch {
		case at < 0:
			return fault.New(fault.Conflict, "%s refreshes %s CONCURRENTLY, and there is no such materialized view. Nothing was changed.", script, view)
		case found[at].Unique == "":
			return fault.New(fault.Conflict, "%s refreshes %s CONCURRENTLY, and that needs %s, which it has not. Nothing was changed.", script, view, needsUnique)
		case !found[at].Filled:
			return fault.New(fault.Conflict, "%s refreshes %s CONCURRENTLY, and it was never filled: REFRESH it once without CONCURRENTLY. Nothing was changed.", script, view)
		}
	}
	return nil
}

// refreshChecks are the post-checks of the materialized views on the card that the file refreshes CONCURRENTLY, now or in a
// function that it makes.
func refreshChecks(file File, o Object, f Fact) []Check {
	if o.Kind != "matview" || !slices.Contains(ViewsRefreshed(file.SQL), o.Name) {
		return nil
	}
	c := Check{Name: "matview " + o.Name + " can be refreshed CONCURRENTLY", Expected: needsUnique, Found: "no such index"}
	switch {
	case !f.Found:
		c.Found = "no such view"
	case f.Detail != "":
		c.Found, c.Passed = "index "+f.Detail, true
	}
	return []Check{c}
}

// refreshes finds a REFRESH CONCURRENTLY that will fail for want of a unique index, or because the view was never filled.
func (l *linter) refreshes(s Parsed) {
	views, at := s.RefreshesConcurrently, "Every call of it"
	if s.Kind == KindRefresh && s.Concurrently {
		views = s.Relations
	}
	if s.Kind != KindCreate {
		at = "It"
	}
	for _, view := range views {
		t, there := l.live.Tables[view]
		why := at + " fails: REFRESH ... CONCURRENTLY needs " + needsUnique + ", and the view has none."
		switch {
		case l.unique[view], s.Kind == KindCreate && l.uniqueLater[view]: // a function is called later
		case l.made[view], there && t.Unique == "":
			l.find("refresh-without-unique-index", LintStop, view, why, makeUnique)
		case there && !t.Filled && s.Kind != KindCreate:
			l.find("refresh-not-filled", LintStop, view, at+" fails: the view was never filled.", "REFRESH MATERIALIZED VIEW once without CONCURRENTLY.")
		case !there && s.Kind != KindCreate:
			l.find("refresh-without-unique-index", LintNote, view, "Whether the view has "+needsUnique+" cannot be seen before it is there; it is looked at before the file runs.", makeUnique)
		}
	}
}
