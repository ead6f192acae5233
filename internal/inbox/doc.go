// Package inbox knows what waits for whom, and what people are to be told about it.
//
// A Task is one thing that waits: an item that is not settled, a place at a gate that nobody fills, or a request of one
// person that a second one has to agree to. Which tasks there are, whether they can be done now, and who is kept from them
// stands in one function of the database, gatehouse.waiting, by the rules of the acts themselves; nothing is stored, so
// nothing can be stale.
//
// A Notice is a line of the outbox: somebody is to be told something. Remind writes one for each cause that it finds, under
// a key that names the cause. The same cause is told once, however many processes look and however often. Others who have
// something to tell write their notices in the transaction of their act (postgres, statement AddNotice). Delivering is not
// done here: a notice that nobody delivered says so.
//
// The invariants it protects:
//
//   - Somebody is shown only what they can do: their roles, and neither what four eyes keep from them nor what another
//     person has in hand.
//   - The number in the frame counts what can be done now, and is never older than what the person last did.
//
// It refuses to know what an item asks for, what a gate judges, and how a message travels.
//
// Start reading at Task in task.go, then service.go.
package inbox
