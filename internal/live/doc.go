// Package live wakes the pages that are open when what they show has changed.
//
// A notice says that something of a kind and an id has changed, and never what: whoever is woken reads it as that person
// reads the page, inside their tenant. So a notice that is lost, doubled or meant for somebody else costs a look and
// shows nothing. For the same reason a subscriber that is slow holds nobody up and misses nothing: notices that it did
// not take yet become one.
//
// The hub knows no database and no HTTP. Whoever listens to the database publishes here, and says when it cannot listen:
// then every subscriber is told to ask by itself until it can again.
package live
