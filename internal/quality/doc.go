// Package quality tells how good the warehouse's master data and its statistics
// are, as the two summaries of the database hold them.
//
// Both are read, never refreshed: a read that recomputes would let anybody who
// may look hold the database busy. Each figure carries the moment it was
// computed at.
//
// A facility is named by its id alone; one that belongs to another tenant is
// answered exactly like one that does not exist. Summaries that a pending
// migration has yet to bring are *NotDeployed, which is no failure.
//
// It refuses to know SQL and GraphQL. Start reading at Service.
package quality
