package faultpoint_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var pointName = regexp.MustCompile(`^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$`)

func TestGoldenListsEveryPoint(t *testing.T) {
	got, err := pointsIn(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("UPDATE") != "" {
		text := strings.Join(got, "\n")
		if text != "" {
			text += "\n"
		}
		if err := os.WriteFile("points.golden", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile("points.golden")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Fields(string(golden)), got); diff != "" {
		t.Errorf("points.golden (-) and the calls in the tree (+) differ; UPDATE=1 rewrites it:\n%s", diff)
	}
}

func TestPointsInFindsCallsAndRefusesWhatItCannotRead(t *testing.T) {
	const head = "package x\nimport \"github.com/agogsaas/gatehouse/internal/faultpoint\"\nfunc f(name string) {\n"
	for name, c := range map[string]struct{ file, body, want, wantErr string }{
		"two calls":      {"a.go", "_ = faultpoint.Hit(\"b.second\")\n_ = faultpoint.Hit(\"a.first\")", "a.first b.second", ""},
		"in a test":      {"a_test.go", "_ = faultpoint.Hit(\"a.first\")", "", ""},
		"in a comment":   {"a.go", "// faultpoint.Hit(\"a.first\")", "", ""},
		"variable":       {"a.go", "_ = faultpoint.Hit(name)", "", "string literal"},
		"bad name":       {"a.go", "_ = faultpoint.Hit(\"Sign Off\")", "", "area.moment"},
		"twice the same": {"a.go", "_ = faultpoint.Hit(\"a.first\")\n_ = faultpoint.Hit(\"a.first\")", "", "twice"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, c.file), []byte(head+c.body+"\n}\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := pointsIn(dir)
			if c.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), c.wantErr) {
					t.Fatalf("pointsIn(%q) = %v, %v; want an error with %q", c.body, got, err, c.wantErr)
				}
				return
			}
			if err != nil || strings.Join(got, " ") != c.want {
				t.Errorf("pointsIn(%q) = %v, %v; want %q", c.body, got, err, c.want)
			}
		})
	}
}

// pointsIn reads the names at every faultpoint.Hit( below root, in order.
func pointsIn(root string) ([]string, error) {
	found := []string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" || len(d.Name()) > 2 && d.Name()[0] == '.') {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !strings.Contains(string(text), "faultpoint.Hit(") {
			return nil
		}
		names, err := pointsOf(path, text)
		found = append(found, names...)
		return err
	})
	slices.Sort(found)
	for i, name := range found[:max(len(found)-1, 0)] {
		if name == found[i+1] {
			return nil, fmt.Errorf("the fault point %q stands twice in the tree; a fault there would not say where", name)
		}
	}
	return found, err
}

func pointsOf(path string, text []byte) ([]string, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var names []string
	var bad error
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) != 1 {
			return true
		}
		f, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || f.Sel.Name != "Hit" {
			return true
		}
		if pkg, ok := f.X.(*ast.Ident); !ok || pkg.Name != "faultpoint" {
			return true
		}
		literal, ok := call.Args[0].(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			bad = fmt.Errorf("%s: the name of a fault point must be a string literal", files.Position(call.Pos()))
			return true
		}
		name, err := strconv.Unquote(literal.Value)
		if err != nil || !pointName.MatchString(name) {
			bad = fmt.Errorf("%s: %s is not of the form area.moment", files.Position(call.Pos()), literal.Value)
		}
		names = append(names, name)
		return true
	})
	return names, bad
}
