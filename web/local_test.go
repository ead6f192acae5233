package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestLocalPath(t *testing.T) {
	for _, c := range []struct {
		raw, want string
	}{
		{"/", "/"},
		{"/home", "/home"},
		{"/a/b?x=1&y=2", "/a/b?x=1&y=2"},
		{"/a%20b", "/a%20b"},
		{"/a?next=//evil", "/a?next=//evil"},
		{"", ""},
		{"home", ""},
		{"//evil.example", ""},
		{"///evil.example", ""},
		{"/\\evil.example", ""},
		{"\\/evil.example", ""},
		{"\\\\evil.example", ""},
		{"https://evil.example", ""},
		{"http:evil.example", ""},
		{"javascript:alert(1)", ""},
		{"data:text/html,x", ""},
		{" //evil.example", ""},
		{"\t//evil.example", ""},
		{"/\t/evil.example", ""},
		{"/\n/evil.example", ""},
		{"/\r/evil.example", ""},
		{"/%2fevil.example", ""},
		{"/%2F%2Fevil.example", ""},
		{"/%5cevil.example", ""},
		{"/a//evil.example", ""},
		{"/..//evil.example", ""},
		{"/../x", ""},
		{"/a/./b", ""},
		{"/%2e%2e/x", ""},
		{"/a\x00b", ""},
		{"/%00", ""},
		{"/é", ""},
		{"/a#//evil", ""},
		{"/%zz", ""},
		{"//user@evil.example/", ""},
		{"/" + strings.Repeat("a", 2000), ""},
		{"?x=1", ""},
		{"#x", ""},
		{"/\u2028/evil", ""},
		{"https:/evil.example", ""},
		{"HTTPS:\\\\evil.example", ""},
		{"/\x7f", ""},
	} {
		got, ok := localPath(c.raw)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("localPath(%q) = %q, %v, want %q", c.raw, got, ok, c.want)
		}
	}
}

func FuzzLocalPath(f *testing.F) {
	for _, seed := range []string{"/", "//x", "/\\x", "/%2fx", "/a?b#c", "/a:b", "/;x"} {
		f.Add(seed)
	}
	here, err := url.Parse("https://gatehouse.example/login")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		local, ok := localPath(raw)
		if !ok {
			return
		}
		to, err := here.Parse(local)
		if err != nil || to.Host != here.Host || to.Scheme != here.Scheme {
			t.Errorf("localPath(%q) = %q, which leads to %v", raw, local, to)
		}
		// Browsers also read a backslash as a slash, and drop tabs and line ends first.
		if strings.ContainsAny(local, "\\\t\r\n") || strings.HasPrefix(local, "//") {
			t.Errorf("localPath(%q) = %q, which a browser may read as another site", raw, local)
		}
		if again, ok := localPath(local); !ok || again != local {
			t.Errorf("localPath(%q) = %q, %v, want it unchanged", local, again, ok)
		}
		w := httptest.NewRecorder()
		http.Redirect(w, httptest.NewRequest(http.MethodGet, "/login", nil), local, http.StatusSeeOther)
		if got := w.Header().Get("Location"); strings.HasPrefix(got, "//") || !strings.HasPrefix(got, "/") {
			t.Errorf("the redirect to %q says %q", local, got)
		}
	})
}

func FuzzParsePairs(f *testing.F) {
	for _, seed := range []string{"a=1", "a=1&a=2", "a=%00", "a=%ff", "a;b", "%zz", "=", "&&&"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		values, err := parsePairs(raw)
		if err != nil && len(values) > 0 {
			t.Errorf("parsePairs(%q) gives %v with the error %v", raw, values, err)
		}
		for name, list := range values {
			if len(list) != 1 || strings.ContainsRune(list[0], 0) || strings.ContainsRune(name, 0) {
				t.Errorf("parsePairs(%q) lets %q = %q pass", raw, name, list)
			}
		}
	})
}
