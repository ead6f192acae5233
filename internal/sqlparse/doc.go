// Package sqlparse reads SQL with PostgreSQL's own parser and hands it on in the words of internal/migration.
//
// It is the only package that speaks the parser's library. The parser is PostgreSQL's C code as WebAssembly: the first
// text costs the seconds of compiling it, every further one less than a millisecond, and what it takes of memory the
// library does not give back. So nothing is loaded until somebody asks, one text is read at a time, and who serves pages
// does not ask: what the parser reads in our files is written down beside them (migration.Reading, `make readings`).
//
// It knows nothing of rules, locks and sizes; those are internal/migration's. Read Parse first.
package sqlparse
