package migration

import "fmt"

// InvalidIndex is what a CREATE INDEX CONCURRENTLY that was cut leaves: kept up by every write, used by no query.
type InvalidIndex struct {
	Name  string // schema first, quoted where SQL needs it
	Table string
}

// Sentence says what it is, and what removes it.
func (i InvalidIndex) Sentence() string {
	return fmt.Sprintf("Index %s on %s is not valid: every write pays for it and no query uses it. Unless somebody is building it at this moment, remove it: DROP INDEX CONCURRENTLY %s;", i.Name, i.Table, i.Name)
}
