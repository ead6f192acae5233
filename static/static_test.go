package static

import (
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestEveryAssetIsServedUnderItsHashForEver(t *testing.T) {
	for name, contentType := range map[string]string{
		"console.css":   "text/css; charset=utf-8",
		"warehouse.css": "text/css; charset=utf-8",
		"console.js":    "text/javascript; charset=utf-8",
		"live.js":       "text/javascript; charset=utf-8",
		"scanner.js":    "text/javascript; charset=utf-8",
		"icon.svg":      "image/svg+xml",
	} {
		answer := ask(http.MethodGet, Path(name), "")
		if answer.Code != http.StatusOK {
			t.Errorf("GET %s = %d, want 200", Path(name), answer.Code)
		}
		if got := answer.Header().Get("Content-Type"); got != contentType {
			t.Errorf("%s has type %q, want %q", name, got, contentType)
		}
		if got := answer.Header().Get("Cache-Control"); !strings.Contains(got, "immutable") {
			t.Errorf("%s is kept as %q, want immutable", name, got)
		}
		if answer.Body.Len() == 0 {
			t.Errorf("%s is empty", name)
		}
		if again := ask(http.MethodGet, Path(name), answer.Header().Get("ETag")); again.Code != http.StatusNotModified {
			t.Errorf("%s asked again = %d, want 304", name, again.Code)
		}
	}
}

func TestAnOldHashGetsTheNewFileButMayNotKeepIt(t *testing.T) {
	answer := ask(http.MethodGet, "/static/0123456789abcdef/console.css", "")
	if answer.Code != http.StatusOK {
		t.Fatalf("old hash = %d, want 200", answer.Code)
	}
	if got := answer.Header().Get("Cache-Control"); got != "no-cache" {
		t.Errorf("old hash is kept as %q, want no-cache", got)
	}
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	for _, path := range []string{"/static/", "/static/x/", "/static/x/static.go", "/static/x/../../go.mod", "/static/x/css/base.css"} {
		if answer := ask(http.MethodGet, path, ""); answer.Code != http.StatusNotFound {
			t.Errorf("GET %s = %d, want 404", path, answer.Code)
		}
	}
	if answer := ask(http.MethodPost, Path("console.js"), ""); answer.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST = %d, want 405", answer.Code)
	}
}

func TestTheStyleSheetAndTheScriptLeaveRoomForThePage(t *testing.T) {
	const most = 36 << 10 // of the 60 kB a first page has; what goes over the wire is held in internal/app
	sum := len(assets["console.css"].body) + len(assets["console.js"].body)
	if sum > most {
		t.Errorf("style sheet and script are %d bytes, want at most %d", sum, most)
	}
}

// slim drops only whole lines; a comment beside code would be kept half.
func TestNoCommentSharesALineWithCode(t *testing.T) {
	for _, name := range []string{"console.css", "console.js", "live.js", "scanner.js", "warehouse.css"} {
		body := string(assets[name].body)
		if strings.Contains(body, "/*") || strings.Contains(body, "*/") || strings.Contains(body, "; //") {
			t.Errorf("%s still holds a comment after slimming", name)
		}
		if strings.Count(body, "{") != strings.Count(body, "}") {
			t.Errorf("%s has %d { and %d }", name, strings.Count(body, "{"), strings.Count(body, "}"))
		}
	}
}

// TestContrast holds every pair that meets on a page to WCAG 2.2 AA in both
// themes: 4.5 for text, 3 for shapes and edges of controls.
func TestContrast(t *testing.T) {
	tokens := colours(t)
	text := [][2]string{
		{"ink", "paper"},
		{"ink", "card"},
		{"ink", "sunk"},
		{"soft", "paper"},
		{"soft", "card"},
		{"soft", "sunk"},
		{"accent", "paper"},
		{"accent", "card"},
		{"accent", "sunk"},
		{"on-accent", "accent-fill"},
		{"accent", "accent-wash"},
		{"ink", "accent-wash"},
		{"soft", "accent-wash"},
		{"on-danger", "danger-fill"},
		{"on-stripe", "production"},
		{"on-stripe", "staging"},
		{"on-stripe", "demo"},
	}
	for _, tone := range []string{"good", "warn", "bad", "info", "neutral", "unknown"} {
		text = append(text, [2]string{tone, tone + "-wash"}, [2]string{tone, "card"}, [2]string{tone, "paper"}, [2]string{"ink", tone + "-wash"})
	}
	shapes := [][2]string{{"edge", "card"}, {"edge", "paper"}, {"accent", "card"}, {"accent", "paper"}}
	for limit, pairs := range map[float64][][2]string{4.5: text, 3: shapes} {
		for _, pair := range pairs {
			for theme, name := range []string{"light", "dark"} {
				front, back := tokens[pair[0]], tokens[pair[1]]
				if front[theme] == "" || back[theme] == "" {
					t.Fatalf("there is no token for %v", pair)
				}
				if got := contrast(front[theme], back[theme]); got < limit {
					t.Errorf("--%s on --%s in %s is %.2f, want at least %.1f", pair[0], pair[1], name, got, limit)
				}
			}
		}
	}
}

func colours(t *testing.T) map[string][2]string {
	t.Helper()
	found := map[string][2]string{}
	pair := regexp.MustCompile(`--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);`)
	one := regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`)
	source := read("css/tokens.css")
	for _, m := range pair.FindAllStringSubmatch(source, -1) {
		found[m[1]] = [2]string{m[2], m[3]}
	}
	for _, m := range one.FindAllStringSubmatch(source, -1) {
		found[m[1]] = [2]string{m[2], m[2]}
	}
	return found
}

// contrast is WCAG's ratio of relative luminances.
func contrast(a, b string) float64 {
	x, y := luminance(a), luminance(b)
	return (math.Max(x, y) + 0.05) / (math.Min(x, y) + 0.05)
}

func luminance(hex string) float64 {
	channel := func(at int) float64 {
		n, err := strconv.ParseUint(hex[at:at+2], 16, 8)
		if err != nil {
			return math.NaN()
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(1) + 0.7152*channel(3) + 0.0722*channel(5)
}

func ask(method, path, etag string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/", nil)
	r.URL.Path = path
	if etag != "" {
		r.Header.Set("If-None-Match", etag)
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w
}

func TestEverySheetIsJoined(t *testing.T) {
	entries, err := files.ReadDir("css")
	if err != nil {
		t.Fatal(err)
	}
	const apart = 1 // wall.css, which only a wall asks for
	if joined := len(sheets) + len(warehouse); len(entries) != joined+apart {
		t.Errorf("css/ holds %d files, of which %d are joined and %d stands apart", len(entries), joined, apart)
	}
	for _, layer := range layers {
		if !strings.Contains(string(assets["console.css"].body), "@layer "+layer+"{") {
			t.Errorf("nothing is written in layer %s", layer)
		}
	}
}
