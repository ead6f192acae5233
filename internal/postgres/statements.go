package postgres

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed queries/*.sql
var queryFiles embed.FS

var statements = mustLoad(queryFiles)

// sql is the text of a named statement. An unknown name is a slip of ours and stops the program at its first use;
// TestEveryNameIsAStatement finds it before.
func sql(name string) string {
	text, ok := statements[name]
	if !ok {
		panic("postgres: no statement is named " + name)
	}
	return text
}

// mustLoad reads every `-- name: X :kind` block of the files; a name that stands twice stops the program at its start.
func mustLoad(files fs.FS) map[string]string {
	all := map[string]string{}
	names, err := fs.Glob(files, "queries/*.sql")
	if err != nil {
		panic(err)
	}
	for _, file := range names {
		text, err := fs.ReadFile(files, file)
		if err != nil {
			panic(err)
		}
		for _, block := range strings.Split("\n"+string(text), "\n-- name: ")[1:] {
			header, body, _ := strings.Cut(block, "\n")
			name, _, _ := strings.Cut(header, " ")
			if _, twice := all[name]; twice {
				panic(fmt.Sprintf("postgres: statement %s stands twice, again in %s", name, file))
			}
			all[name] = strings.TrimSuffix(strings.TrimSpace(body), ";")
		}
	}
	return all
}
