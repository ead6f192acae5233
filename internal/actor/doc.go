// Package actor says who acts, in which tenant, with which roles and rights.
//
// An Identity is what an identity provider has proven about a person. An Actor
// is that person inside Gatehouse: a row, a tenant, roles that the token
// granted, and the rights those roles carry. Services take an Actor as their
// second argument and ask Can; the route table names the same rights, so that
// the list of routes is the access matrix.
//
// Roles come from the identity provider's claim at each sign-in and are never
// edited here. A right that no role carries can be held by nobody.
package actor
