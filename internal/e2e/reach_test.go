package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/agogsaas/gatehouse/internal/demoidp"
)

// TestReach does the main job in the ways in which people reach it: without script, with the keyboard alone, and on small screens.
func TestReach(t *testing.T) {
	p := start(t, "0.0.18")
	aged := "AGED=" + p.aged(t)
	p.browse(t, "script.test.mjs", aged)
	p.browse(t, "glass.test.mjs", aged, p.sealed(t, "ONE"), p.sealed(t, "OTHER"))
	p.browse(t, "rollback.test.mjs")
	p.browse(t, "keyboard.test.mjs")
	p.browse(t, "screens.test.mjs", "EVERY_SCREENSHOT="+os.Getenv("EVERY_SCREENSHOT"))
}

// sealed makes a code of two halves for signing while the provider is away, and hands the files with them on under that name.
func (p *product) sealed(t *testing.T, name string) string {
	t.Helper()
	first, second := filepath.Join(t.TempDir(), "first"), filepath.Join(t.TempDir(), "second")
	p.command(t, "admin", "signing-code", "make", "--tenant", "rivermark", "--first", "Ada Morrow", "--second", "Omar Fitch", "--reason", "for the walk", "--first-to", first, "--second-to", second)
	return name + "=" + first + ":" + second
}

// aged is an address that makes the provider say, of who signs in from then on, that they proved who they are an hour ago,
// or answer nobody; an empty request makes it honest again.
func (p *product) aged(t *testing.T) string {
	t.Helper()
	old := demoidp.Behaviour{Claims: func(claims map[string]any) {
		claims["auth_time"] = time.Now().Add(-time.Hour).Unix()
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		word, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		switch string(word) {
		case "old":
			p.demo.Provider.Behave(old)
		case "away":
			p.demo.Provider.Behave(demoidp.Behaviour{Down: true})
		default:
			p.demo.Provider.Behave(demoidp.Behaviour{})
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}
