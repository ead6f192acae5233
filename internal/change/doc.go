// Package change decides when a release may change the schema, who may say otherwise, and with what the command line
// shows that the gate let it through.
//
// A release has a change window: the four hours from T-0 on, or what somebody set before go / no-go was signed. The
// operator may freeze the environment. Outside the window and in a freeze every door refuses with the same sentence,
// which the database makes (gatehouse.change_moment): it stands in the statement that inserts a run, in the one that
// starts it, and beside the migrator's lock.
//
// An Override takes two people with a fresh sign-in each and a reason, and it expires. There are three kinds: past the
// window, past a freeze, and with a backup that is too old or was never restored. Nothing overrides a signature that is
// missing, a file that changed, or a rehearsal of these files that did not pass.
//
// A Token lets the command line take one step. A person makes it after the gate is signed; it is shown once, good for one
// version, direction and text of the file, and void with the gate's content.
//
// It knows no SQL and no page. Start reading at Moment in moment.go, then service.go.
package change
