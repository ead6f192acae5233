package migration

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Expectation is what every version of a set leaves in the database, as it was found on a real one.
type Expectation struct {
	files    *Files
	catalogs map[Version]Catalog
}

// ReadExpectation reads one JSON file a version, and refuses a set in which one is missing.
func ReadExpectation(fsys fs.FS, files *Files) (*Expectation, error) {
	e := &Expectation{files: files, catalogs: map[Version]Catalog{}}
	for _, v := range files.Versions() {
		text, err := fs.ReadFile(fsys, v.Title()+".json")
		if err != nil {
			return nil, fmt.Errorf("what %s leaves in the database is not written down; `make expected` does: %w", v.Title(), err)
		}
		var c Catalog
		if err := json.Unmarshal(text, &c); err != nil {
			return nil, fmt.Errorf("reading what %s leaves in the database: %w", v.Title(), err)
		}
		e.catalogs[v] = c
	}
	return e, nil
}

// Encode writes a catalog, one item a line, so that a change of it can be read.
func (c Catalog) Encode() ([]byte, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "{\"version\": %q, \"server_major\": %d, \"items\": [\n", c.Version, c.ServerMajor)
	for n, i := range c.Items {
		line, err := json.Marshal(i)
		if err != nil {
			return nil, err
		}
		b.Write(line)
		if n < len(c.Items)-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	b.WriteString("]}\n")
	return []byte(b.String()), nil
}

// SHA256 is of the catalog as it is written.
func (c Catalog) SHA256() (string, error) {
	text, err := c.Encode()
	if err != nil {
		return "", err
	}
	return digest(string(text)), nil
}

// Objects are the names of all tables, views and functions that any of the files makes: what is looked at.
func (e *Expectation) Objects() []string {
	seen := map[string]bool{}
	var names []string
	for _, v := range e.files.Versions() {
		for _, i := range e.catalogs[v].Items {
			if i.On == "" && !seen[i.Name] {
				seen[i.Name] = true
				names = append(names, i.Name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// At is what a version leaves.
func (e *Expectation) At(v Version) (Catalog, bool) {
	c, ok := e.catalogs[v]
	return c, ok
}

// Found is what a database was seen to hold when its warehouse was recorded without being made by our files. From then
// on that is what it is held to.
type Found struct {
	Version Version
	Catalog Catalog
}

// For is what the database should hold at a version. On top of what was found when the warehouse was recorded stands
// what the files changed since.
func (e *Expectation) For(v Version, found Found) Catalog {
	target := e.catalogs[v]
	if found.Version == 0 || found.Version > v {
		return target
	}
	items := byKey(found.Catalog.Items)
	from, to := byKey(e.catalogs[found.Version].Items), byKey(target.Items)
	for key := range from {
		if _, kept := to[key]; !kept {
			delete(items, key)
		}
	}
	for key, i := range to {
		if before, there := from[key]; !there || describeItem(before) != describeItem(i) {
			items[key] = i
		}
	}
	target.Items = sortedItems(items)
	return target
}

func sortedItems(items map[string]Item) []Item {
	list := make([]Item, 0, len(items))
	for _, i := range items {
		list = append(list, i)
	}
	slices.SortFunc(list, func(a, b Item) int { return strings.Compare(a.Key(), b.Key()) })
	return list
}

// Later are the objects that only versions after v make.
func (e *Expectation) Later(v Version) []Item {
	now := byKey(e.catalogs[v].Items)
	var list []Item
	for _, later := range e.files.Versions() {
		if later <= v {
			continue
		}
		for _, i := range e.catalogs[later].Items {
			if _, already := now[i.Key()]; !already && i.On == "" {
				list = append(list, i)
			}
		}
	}
	return list
}

// Source finds the statement that makes a table, a view or a function, in the newest file up to v that has it.
func (e *Expectation) Source(v Version) func(Item) string {
	return func(i Item) string {
		name, _, _ := strings.Cut(i.Name, "(")
		text := ""
		for _, version := range e.files.Versions() {
			if version > v {
				break
			}
			for _, s := range Split(e.files.up[version].SQL) {
				if makes(s.Tokens, i.Kind, name) {
					text = fmt.Sprintf("-- %s line %d\n%s;", e.files.up[version].Script, s.Line, s.SQL)
				}
			}
		}
		if i.Kind == "view" || i.Kind == "function" {
			text = strings.Replace(text, "\nCREATE "+strings.ToUpper(i.Kind), "\nCREATE OR REPLACE "+strings.ToUpper(i.Kind), 1)
		}
		return text
	}
}

// makes says whether a statement is CREATE kind name.
func makes(t []Token, kind, name string) bool {
	words := map[string][]string{"matview": {"materialized", "view"}}[kind]
	if words == nil {
		words = []string{kind}
	}
	if len(t) == 0 || t[0].Text != "create" {
		return false
	}
	rest := t[1:]
	if len(rest) > 2 && rest[0].Text == "or" {
		rest = rest[2:]
	}
	for _, w := range words {
		if len(rest) == 0 || rest[0].Text != w {
			return false
		}
		rest = rest[1:]
	}
	return len(rest) > 2 && rest[0].Text+rest[1].Text+rest[2].Text == name
}

// Own leaves of a catalog what stands on the objects that a version has.
func (e *Expectation) Own(v Version, c Catalog) Catalog {
	own := map[string]bool{}
	for _, i := range e.catalogs[v].Items {
		if i.On == "" {
			own[i.Name] = true
		}
	}
	c.Version = v.String()
	c.Items = slices.DeleteFunc(slices.Clone(c.Items), func(i Item) bool { return !own[i.Name] && !own[i.On] })
	return c
}

// Proof names the objects of a version that a database, which somebody else brought up, was seen to hold.
type Proof struct {
	Version Version
	Objects []string
	SHA256  string // of the objects as they were found
}

// Prove holds a database that somebody else brought up against the versions after since, up to target. All that should
// stand at the target has to be there and equal, else lacking says what is not; what is there besides stops nothing.
func (e *Expectation) Prove(since, target Version, found Found, live Catalog, counts func([]Item) []Item) (proofs []Proof, lacking []Difference, err error) {
	want := e.For(target, found)
	want.Items = counts(want.Items)
	for _, d := range Compare(want, live, nil, e.Source(target)) {
		if d.Kind != DriftExtra {
			lacking = append(lacking, d)
		}
	}
	if len(lacking) > 0 {
		return nil, lacking, nil
	}
	have, before := byKey(live.Items), map[string]Item{}
	for _, v := range e.files.Versions() {
		now := byKey(e.catalogs[v].Items)
		if v > since && v <= target {
			p := Proof{Version: v}
			proven := Catalog{Version: v.String(), ServerMajor: live.ServerMajor}
			for _, i := range e.catalogs[v].Items {
				old, there := before[i.Key()]
				item, stands := have[i.Key()]
				if stands && (!there || describeItem(old) != describeItem(i)) {
					p.Objects, proven.Items = append(p.Objects, i.Key()), append(proven.Items, item)
				}
			}
			if p.SHA256, err = proven.SHA256(); err != nil {
				return nil, nil, err
			}
			proofs = append(proofs, p)
		}
		before = now
	}
	return proofs, nil, nil
}
