package pages_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTemplatesAreOnlyMarkup holds every .templ to the content policy (no
// inline style, no inline script) and to its floor (no import but ours below
// templates/ and the standard library).
func TestTemplatesAreOnlyMarkup(t *testing.T) {
	files, err := filepath.Glob("../*/*.templ")
	if err != nil || len(files) < 10 {
		t.Fatalf("found %d templates (%v), want all of them", len(files), err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, broken := range brokenRules(string(source)) {
			t.Errorf("%s: %s", file, broken)
		}
	}
}

func TestTheRulesOfMarkupCanBeBroken(t *testing.T) {
	for name, source := range map[string]string{
		"css block":    "css red() {\n\tcolor: red;\n}",
		"script block": "script hello() {\n}",
		"style":        "templ X() {\n<p style=\"color:red\"></p>\n}",
		"handler":      "templ X() {\n<p onclick=\"x()\"></p>\n}",
		"raw":          "templ X() {\n@templ.Raw(\"x\")\n}",
		"import":       "import \"github.com/agogsaas/gatehouse/internal/migration\"",
		"library":      "import (\n\t\"strconv\"\n\t\"github.com/a-h/templ\"\n)",
	} {
		if len(brokenRules(source)) == 0 {
			t.Errorf("%s: nothing was found in\n%s", name, source)
		}
	}
	if found := brokenRules("import \"strconv\"\ntempl X() {\n<p data-style=\"x\" class=\"on\"></p>\n}"); len(found) > 0 {
		t.Errorf("sound markup is said to break %v", found)
	}
}

var forbidden = map[string]*regexp.Regexp{
	"has a css block":        regexp.MustCompile(`(?m)^css `),
	"has a script block":     regexp.MustCompile(`(?m)^script `),
	"has an inline style":    regexp.MustCompile(`[\s"]style=`),
	"has an inline handler":  regexp.MustCompile(`[\s"]on[a-z]+=`),
	"has raw markup":         regexp.MustCompile(`templ\.Raw`),
	"has an inline <style>":  regexp.MustCompile(`<style`),
	"has an inline <script>": regexp.MustCompile(`<script[^>]*>[^<]`),
}

var quotedPath = regexp.MustCompile(`(?m)^(?:import )?\t?"([^"]+)"$`)

func brokenRules(source string) []string {
	broken := []string{}
	for rule, pattern := range forbidden {
		if pattern.MatchString(source) {
			broken = append(broken, rule)
		}
	}
	for _, m := range quotedPath.FindAllStringSubmatch(source, -1) {
		ours := strings.HasPrefix(m[1], "github.com/agogsaas/gatehouse/templates/")
		if !ours && strings.Contains(m[1], ".") {
			broken = append(broken, "imports "+m[1])
		}
	}
	return broken
}
