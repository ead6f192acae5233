// Package postgres is the only package that speaks SQL.
//
// Statements live in queries/<domain>.sql under a `-- name:` line and are
// prepared by a test on a migrated database. Each domain has one adapter, a
// struct with a DB, that satisfies the Store the domain declares.
//
// There are three ways to the database, and nothing else can reach the pool:
//
//   - inTenant: a transaction that has entered the actor's tenant; for stories that write.
//   - view: the same, READ ONLY; for stories that only read, in several steps.
//   - page: one READ ONLY transaction sent as one pipelined batch, so that a page costs one
//     round trip however many statements it needs.
//
// An actor without a tenant enters the system tenant (the nil UUID): tables of
// tenants then show nothing. Errors come back as faults: a missing row is
// NotFound, a unique or serialization failure Conflict, a dead connection or a
// timeout Unavailable. pgx's own errors never leave this package unwrapped.
package postgres
