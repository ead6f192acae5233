// Package components holds the pieces pages are made of: the state badge, the
// form field and its complaints, the time, the gate with its slots, the
// timeline, the pager. Two uses make a component; one does not.
//
// A component takes values, never a page's view and never a domain type. It may
// format and loop; it may not decide. Whether a state is good or bad was
// decided by whoever filled in the [Tone].
//
// Start reading at tone.go: the same state has the same badge on every page.
package components
