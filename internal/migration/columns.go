package migration

import "slices"

// Table is a table as a file creates it.
type Table struct {
	Name    string // schema first
	Columns []string
}

// TablesOf lists the tables that a file creates, with their columns, for holding them against a database that Gatehouse
// did not make. It reads CREATE TABLE as our files write it: schema first, columns and constraints between parentheses.
func TablesOf(sql string) []Table {
	var tables []Table
	for _, s := range Split(sql) {
		t := s.Tokens
		if len(t) < 6 || t[0].Text != "create" || t[1].Text != "table" || t[3].Text != "." || t[5].Text != "(" {
			continue
		}
		tables = append(tables, Table{Name: t[2].Text + "." + t[4].Text, Columns: columnNames(t[6:])})
	}
	return tables
}

// tableClauses begin an entry that is no column.
var tableClauses = []string{"constraint", "primary", "unique", "check", "foreign", "exclude", "like"}

func columnNames(tokens []Token) []string {
	var names []string
	depth, first := 1, true
	for _, t := range tokens {
		if first && depth == 1 && !slices.Contains(tableClauses, t.Text) {
			names = append(names, t.Text)
		}
		first = false
		switch t.Text {
		case "(":
			depth++
		case ")":
			depth--
		case ",":
			first = depth == 1
		}
		if depth == 0 {
			return names
		}
	}
	return names
}
