// Package crossdock decides what becomes of goods at the dock when the order they
// were for is no longer theirs.
//
// Cross-docking brings a receipt to the dock for an urgent order. When the order
// disappears, changes or the goods turn out to be bad, somebody or some program
// cancels it: the lot needs a new place, and somebody has to carry it there. A
// Cancellation is that errand, from the word that it is cancelled until the place
// where the lot really lies was scanned.
//
// The invariants it protects:
//
//   - A cancellation is written down whether there is a place or not. One without
//     waits for a place, with the reason, and is tried again by itself.
//   - A lot has one open cancellation. Told again, it is the same one.
//   - Goods of doubtful quality are held and go to quarantine, and nowhere else.
//   - A place is promised once: what other open cancellations were told to bring to
//     a bin is not free there.
//   - The errand ends where the lot is: scanning the real place moves the lot, writes
//     the transfer and ends the cancellation in one transaction, once.
//
// It refuses to know SQL, HTTP, and how a place is scored: a Placer chooses it. What
// fits is what package capacity calls fitting.
//
// Start reading at Need in place.go, then cancel.go and store.go.
package crossdock
