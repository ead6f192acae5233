package e2e

import (
	"os"
	"testing"
)

// TestWalk takes the release from its checklist to the final sign-off, with people changing at the gates.
func TestWalk(t *testing.T) {
	p := start(t, "0.0.18")
	p.browse(t, "walk.test.mjs", "SCREENSHOTS="+os.Getenv("SCREENSHOTS"))
	p.browse(t, "identity.test.mjs")
	p.browse(t, "pages.test.mjs", "EVERY_SCREENSHOT="+os.Getenv("EVERY_SCREENSHOT"))
}
