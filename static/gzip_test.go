package static

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
)

func TestAssetsAreSentWithGzipToWhoTakesIt(t *testing.T) {
	for _, name := range []string{"console.css", "console.js", "icon.svg"} {
		for accepted, want := range map[string]string{
			"": "", "br": "", "gzip;q=0": "", "gzip; q=0.0, *": "", "identity": "", "*;q=0": "",
			"gzip": "gzip", "br, GZIP;q=0.5": "gzip", "*": "gzip", "deflate, gzip, br": "gzip",
		} {
			r := httptest.NewRequest(http.MethodGet, Path(name), nil)
			r.Header.Set("Accept-Encoding", accepted)
			answer := httptest.NewRecorder()
			Handler().ServeHTTP(answer, r)
			if got := answer.Header().Get("Content-Encoding"); got != want {
				t.Errorf("%s for %q has encoding %q, want %q", name, accepted, got, want)
			}
			if got := answer.Header().Get("Vary"); got != "Accept-Encoding" {
				t.Errorf("%s for %q has Vary %q, want Accept-Encoding", name, accepted, got)
			}
			if got := answer.Header().Get("Content-Length"); got != strconv.Itoa(answer.Body.Len()) {
				t.Errorf("%s for %q says %s bytes and has %d", name, accepted, got, answer.Body.Len())
			}
			if got := plain(t, answer); got != string(assets[name].body) {
				t.Errorf("%s for %q is not the asset", name, accepted)
			}
			again := r.Clone(r.Context())
			again.Header.Set("If-None-Match", answer.Header().Get("ETag"))
			second := httptest.NewRecorder()
			Handler().ServeHTTP(second, again)
			if second.Code != http.StatusNotModified || second.Header().Get("Vary") != "Accept-Encoding" {
				t.Errorf("%s for %q asked again = %d, Vary %q", name, accepted, second.Code, second.Header().Get("Vary"))
			}
		}
	}
}

// A tag that named both forms would let a cache answer one with the other.
func TestPlainAndZippedHaveTagsOfTheirOwn(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, Path("console.css"), nil)
	plain, zipped := httptest.NewRecorder(), httptest.NewRecorder()
	Handler().ServeHTTP(plain, r)
	r.Header.Set("Accept-Encoding", "gzip")
	Handler().ServeHTTP(zipped, r)
	if plain.Header().Get("ETag") == zipped.Header().Get("ETag") {
		t.Errorf("both have the tag %s", plain.Header().Get("ETag"))
	}
}

func plain(t *testing.T, answer *httptest.ResponseRecorder) string {
	t.Helper()
	var body io.Reader = answer.Body
	if answer.Header().Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(body)
		if err != nil {
			t.Fatal(err)
		}
		body = z
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
