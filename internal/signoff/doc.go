// Package signoff decides who may sign what at a gate, and for how long a
// signature counts.
//
// A gate has slots, one per role. A signature fills one slot. It is bound to
// the exact content that the person was shown: the text of that content and
// its SHA-256 are stored with it. When the content moves afterwards, the
// signature is void, and Compare says in words what moved. Nothing un-voids
// it; the role signs again.
//
// The invariants it protects:
//
//   - One slot, one standing signature; one person, one slot per gate.
//   - Four eyes: who started the release signs none of its gates, and who
//     applied one of its migrations signs no gate that judges them.
//   - The role that authorises signs last.
//   - A signature needs a sign-in of at most five minutes ago, by the
//     database's clock.
//   - Whoever holds a place may reject, with a reason: the attempt is stopped, and
//     what was signed counts no longer. So it is when the gate's time runs out.
//     A new attempt is opened by who manages releases, and signed anew.
//   - Signatures are never changed or removed. A person may withdraw their own,
//     with a reason; both stay.
//
// The statement that stores a signature has all of these in its WHERE clause
// (queries/signoff.sql), under a lock of the release. The rules stand here a
// second time, as pure functions, to say beforehand and afterwards why not: a
// refusal that only says "no" cannot be acted on. Tests hold the two together
// by posting past every rule.
//
// It refuses to know what the items of a gate mean, what a migration is, and
// what a page looks like.
//
// Start reading at Gate in gate.go, then Service.Sign in service.go and Reject in
// stop.go.
package signoff
