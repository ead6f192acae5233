// Package static holds the style sheet, the script and the icon, and serves
// them at addresses that contain the hash of what is served, so that a browser
// may keep them for ever and still never show an old one.
//
// The style sheet is written in a few files, each within one cascade layer; they
// are joined here. Comments and indentation stay in the source and are left out of
// what is sent: the first page has 60 kB, and a tired person on a bad line has
// less.
//
// It knows no page and no template.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

//go:embed css/*.css js/*.js img/*.svg
var files embed.FS

// prefix is where the handler is mounted. The hash follows, then the name.
const prefix = "/static/"

// layers in the order of the cascade, and sheets in the order they are joined.
// What is narrow stands in pages.css, so it comes last.
var (
	layers = []string{"tokens", "base", "layout", "components", "pages"}
	sheets = []string{"tokens", "base", "layout", "components", "forms", "gates", "subjects", "live", "pages"}
	// Only the pages of the warehouse ask for these, beside the sheet that every page has.
	warehouse = []string{"charts", "floor"}
)

// tight leaves out the white space of style sheets that means nothing. None of
// it stands inside a string of ours.
var tight = strings.NewReplacer(" {\n", "{", ";\n}\n", "}", ";\n", ";", "}\n", "}", ",\n", ",", ": ", ":")

type asset struct {
	contentType string
	body        []byte
	zipped      func() []byte // with gzip, made at its first use
	hash        string
}

var assets = load()

// Path is the address of an asset by its name: "console.css", "console.js",
// "icon.svg". It panics for a name that does not exist, because a page without
// its style sheet must not reach anybody; a test asks for all of them.
func Path(name string) string {
	a, ok := assets[name]
	if !ok {
		panic(fmt.Sprintf("static: there is no asset named %q", name))
	}
	return prefix + a.hash + "/" + name
}

// Handler serves the assets. It expects the whole path, /static/<hash>/<name>.
func Handler() http.Handler {
	return http.HandlerFunc(serve)
}

func serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Only GET and HEAD are possible here.", http.StatusMethodNotAllowed)
		return
	}
	hash, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, prefix), "/")
	a, ok := assets[name]
	if !ok {
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "There is no such file.", http.StatusNotFound)
		return
	}
	header := w.Header()
	header.Set("Content-Type", a.contentType)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("ETag", `"`+a.hash+`"`)
	// A page from before an update asks for the old hash. It gets the new file,
	// but must not keep it under the old name.
	header.Set("Cache-Control", "no-cache")
	if hash == a.hash {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	header.Set("Vary", "Accept-Encoding")
	body := a.body
	if TakesGzip(r.Header.Get("Accept-Encoding")) {
		body = a.zipped()
		header.Set("Content-Encoding", "gzip")
		header.Set("ETag", `"`+a.hash+`-gzip"`)
	}
	if r.Header.Get("If-None-Match") == header.Get("ETag") {
		header.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	// A failed write means the browser has gone; there is nobody to tell.
	_, _ = w.Write(body)
}

// TakesGzip reads Accept-Encoding: gzip must be named, or everything be welcome, and its weight not be zero. Pages are
// sent by the same rule as what is served here.
func TakesGzip(accepted string) bool {
	everything := false
	for part := range strings.SplitSeq(accepted, ",") {
		coding, weight, _ := strings.Cut(part, ";")
		q, given := strings.CutPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
		wanted := true
		if given {
			n, err := strconv.ParseFloat(q, 64)
			wanted = err == nil && n > 0
		}
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip":
			return wanted
		case "*":
			everything = wanted
		}
	}
	return everything
}

func load() map[string]asset {
	live := named("text/javascript; charset=utf-8", slim(read("js/live.js")))
	scanner := named("text/javascript; charset=utf-8", slim(read("js/scanner.js")))
	// Pages that do not change by themselves never ask for live.js; the others find it at an address that they may keep.
	console := strings.ReplaceAll(slim(read("js/console.js")), `"./live.js"`, `"`+prefix+live.hash+`/live.js"`)
	console = strings.ReplaceAll(console, `"./scanner.js"`, `"`+prefix+scanner.hash+`/scanner.js"`)
	return map[string]asset{
		// Only a wall asks for it, beside the sheet that every page has.
		"wall.css":      named("text/css; charset=utf-8", tight.Replace(slim(read("css/wall.css")))),
		"console.css":   named("text/css; charset=utf-8", joined(sheets)),
		"warehouse.css": named("text/css; charset=utf-8", joined(warehouse)),
		"console.js":    named("text/javascript; charset=utf-8", console),
		"live.js":       live,
		"scanner.js":    scanner,
		"icon.svg":      named("image/svg+xml", read("img/icon.svg")),
	}
}

// joined is one style sheet of several.
func joined(sheets []string) string {
	var css strings.Builder
	css.WriteString("@layer " + strings.Join(layers, ",") + ";\n")
	for _, sheet := range sheets {
		css.WriteString(slim(read("css/" + sheet + ".css")))
	}
	return tight.Replace(css.String())
}

func read(name string) string {
	body, err := files.ReadFile(name)
	if err != nil {
		panic(err) // the file is embedded: it is missing from the source, not from the machine
	}
	return string(body)
}

func named(contentType, body string) asset {
	sum := sha256.Sum256([]byte(body))
	return asset{contentType: contentType, body: []byte(body), zipped: sync.OnceValue(func() []byte { return zipped(body) }), hash: hex.EncodeToString(sum[:])[:16]}
}

func zipped(body string) []byte {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = z.Write([]byte(body))
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		panic(err) // it writes into memory: only a level that does not exist can fail
	}
	return b.Bytes()
}

// slim leaves out indentation, empty lines and comments that have lines of
// their own. It understands nothing else, so it can break nothing else: in our
// files a comment never shares a line with code.
func slim(source string) string {
	var out strings.Builder
	inComment := false
	for line := range strings.Lines(source) {
		line = strings.TrimSpace(line)
		switch {
		case inComment:
			inComment = !strings.HasSuffix(line, "*/")
		case strings.HasPrefix(line, "/*"):
			inComment = !strings.HasSuffix(line, "*/")
		case line == "" || strings.HasPrefix(line, "//"):
		default:
			out.WriteString(line)
			out.WriteByte('\n')
		}
	}
	return out.String()
}
