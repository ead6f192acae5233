package postgres

// Statements are the named statements, for the tests that look at all of them.
var Statements = statements
