// Package pgdump runs pg_dump and pg_restore. It is the only package that does, and the only one that makes and drops
// scratch databases.
package pgdump
