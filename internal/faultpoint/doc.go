// Package faultpoint marks the places where a test may make the program fail.
//
//	if err := faultpoint.Hit("signoff.before_commit"); err != nil {
//		return err
//	}
//
// A program built without the tag "faultpoints" holds none of this: Hit is an
// empty function that the compiler removes, and no variable is read. With the
// tag, GATEHOUSE_FAULT says what happens and where:
//
//	GATEHOUSE_FAULT="signoff.before_commit=kill"           end the process at once, as kill -9 does
//	GATEHOUSE_FAULT="signoff.before_commit=panic"          panic
//	GATEHOUSE_FAULT="signoff.before_commit=error"          Hit returns ErrInjected
//	GATEHOUSE_FAULT="signoff.before_commit=pause:300ms"    wait, then go on
//	GATEHOUSE_FAULT="migrator.after_effect=kill@3"         only the third time it is reached
//	GATEHOUSE_FAULT="a.b=error, c.d=pause:1s"              several
//
// A name that is not in points.golden, or an action that is not one of these,
// ends the program: a fault that is never injected would prove nothing.
//
// points.golden lists every point, and a test compares it with the calls in
// the tree: `UPDATE=1 go test ./internal/faultpoint` rewrites it. The name is
// always a string literal, in the form area.moment.
package faultpoint
