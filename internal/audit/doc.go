// Package audit says what gets written down, and how one can tell that nothing
// was changed afterwards.
//
// An Event is what a service hands over inside the transaction of the act it
// describes: no entry, no effect. Refused attempts are events too. The
// database turns an event into an Entry: it numbers it within its tenant,
// chains it to the entry before by SHA-256 over a length-prefixed canonical
// form, and refuses any later change (migrations/console, trigger
// audit_events_chain). Verify recomputes that chain from nothing but the
// entries, so that an export can be checked without our server.
//
// The canonical form is written twice on purpose: in SQL, where the chain is
// made, and here, where it is checked. A test holds the two against each other.
package audit
