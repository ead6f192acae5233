package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/agogsaas/gatehouse/internal/demoidp"
)

// TestReach does the main job in the ways in which people reach it: without script, with the keyboard alone, and on small screens.
func TestReach(t *testing.T) {
	p := start(t, "0.0.18")
	p.browse(t, "script.test.mjs", "AGED="+p.aged(t))
	p.browse(t, "keyboard.test.mjs")
	p.browse(t, "screens.test.mjs", "EVERY_SCREENSHOT="+os.Getenv("EVERY_SCREENSHOT"))
}

// aged is an address that makes the provider say, of who signs in from then on, that they proved who they are an hour ago;
// an empty request makes it honest again.
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
		if string(word) == "old" {
			p.demo.Provider.Behave(old)
		} else {
			p.demo.Provider.Behave(demoidp.Behaviour{})
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}
