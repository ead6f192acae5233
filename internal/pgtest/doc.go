// Package pgtest gives every test a real, migrated PostgreSQL database of its
// own in about 60 milliseconds.
//
// One private cluster runs per test process, with fsync off; a template
// database is prepared in it once and cloned for each test. Where
// GATEHOUSE_TEST_DATABASE_URL names a server (a superuser, as a postgres://
// URL), that server is used instead. There is no third way: a test that cannot
// have its database fails, it is never skipped.
//
// Nothing is left behind, whatever ends the process: the server shuts down when
// the process dies, a watcher then removes its folder, and what both missed
// (a machine that lost power) the next run sweeps away.
//
// Tests speak to the database through AppURL, the application's own role. A
// superuser would pass every test of row-level security without having one.
//
// Start reading at OpenWith in database.go.
package pgtest
