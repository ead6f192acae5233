// Package capacity decides when goods do not fit a bin, why that probably is, and
// what has to happen until it is put right.
//
// Judge holds what a putaway needs against what the bin has left, in exact
// decimals: which of volume and weight is exceeded, by how much, and how bad that
// is. A Case is such a failure at work: seen, acknowledged, assigned, fixed,
// verified by somebody else, accepted until a day, reopened. Guess names the
// cause with its reason, and failures of one cause lie in one Group.
//
// The invariants it protects:
//
//   - Where nothing is exceeded there is no failure, and no overflow is negative.
//   - The same failure seen again is counted and not doubled; one that was settled
//     reopens by itself, and its clock starts anew.
//   - Who fixed a failure never verifies it.
//   - An acceptance ends on its day. It is renewed by a new act, never by itself.
//   - What a correction would clear is said before, and is what it clears: the same
//     rule, Clears, in the same transaction.
//   - An alert is a line of the outbox, written with the failure. It is called sent
//     once somebody delivered it.
//
// It refuses to know SQL, HTTP, how a material is measured and how a notice travels.
//
// Start reading at Judge in judge.go, then case.go, then service.go.
package capacity
