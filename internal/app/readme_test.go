package app

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The README's table of variables is written from the same list that Load reads.
func TestReadmeListsEveryVariable(t *testing.T) {
	const file, open, end = "../../README.md", "<!-- options -->\n", "<!-- /options -->"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), open)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no place for the table between %q and %q", file, open, end)
	}
	var table strings.Builder
	table.WriteString("\n| variable | default | meaning |\n|---|---|---|\n")
	for _, o := range Options {
		fallback := ""
		if o.Default != "" {
			fallback = "`" + o.Default + "`"
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", o.Name, fallback, o.Help)
	}
	want := before + open + table.String() + "\n" + end + after
	if want == string(b) {
		return
	}
	if os.Getenv("UPDATE") == "" {
		t.Fatalf("%s lists other variables than Load reads; UPDATE=1 go test ./internal/app rewrites the table", file)
	}
	if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
