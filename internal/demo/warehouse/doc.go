// Package warehouse makes the sample warehouse of the demo and the browser
// tests: two tenants of the print trade, three facilities, and 180 days of
// receipts, orders, picks and putaway decisions.
//
// It decides what a plausible warehouse looks like and which faults are
// planted in it. The faults are one table, Faults, which names each by the code
// a page shows; a test or a page that looks for one takes it from there.
//
// The invariant it protects: the same Options make the same rows, to the last
// id. Everything is drawn from generators seeded by Options.Seed, and every
// time is counted back from Options.Now. The one exception is what the
// database itself records about when it was told.
//
// It refuses to know how a migration is applied. Warehouse fills a database
// that stands at V0.0.14; whoever calls it then applies V0.0.15, 16 and 18 and
// calls History for the months of recommendations those releases have seen.
// Both need the connection of the tables' owner, whom row-level security does
// not bind, and each is one transaction: after a kill there is all or nothing.
//
// Start reading at Warehouse in warehouse.go; plan.go lays out buildings and
// master data, stock.go fills the bins, orders.go makes them move, history.go
// decides putaways.
package warehouse
