package e2e

import "testing"

// TestFloor measures in a browser as large as a telephone: with a scanner from wherever the focus is, blind, by three people, and
// a supervisor decides.
func TestFloor(t *testing.T) {
	p := start(t, "0.0.22")
	p.browse(t, "floor.test.mjs")
}
