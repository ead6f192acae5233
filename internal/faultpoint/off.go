//go:build !faultpoints

package faultpoint

// Enabled reports whether faults can be injected into this program.
const Enabled = false

// Hit does nothing in a program built without the tag "faultpoints".
func Hit(string) error { return nil }
