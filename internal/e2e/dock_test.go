package e2e

import (
	"testing"

	"github.com/agogsaas/gatehouse/internal/app"
)

// TestDock stores, holds and leaves lots at the dock in a browser as large as a telephone, with a scanner, and a supervisor cancels
// one by hand.
func TestDock(t *testing.T) {
	p := start(t, "0.0.22")
	if err := p.demo.Live(t.Context(), app.DemoPlan{From: "0.0.22", Size: "small", Say: func(line string) { t.Log(line) }}); err != nil {
		t.Fatalf("what the sample's dock receives: %v", err)
	}
	p.browse(t, "dock.test.mjs")
}
