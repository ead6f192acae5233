// Package handlers is this site: each handler reads the form, calls one story
// and chooses the page. No rule, no SQL and no markup stands here.
//
// One subject has one file with its routes and handlers, and one beside it
// (<subject>_view.go) that turns domain values into what the page shows. The
// interface a subject needs is declared beside its handlers. Routes joins the
// subjects into the one table; testdata/routes.golden shows every change of
// access in review.
package handlers
