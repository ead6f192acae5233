// Package pages is what each page of Gatehouse looks like: a view, which says
// everything the page needs in strings, counts and small enums, and a templ
// function from that view to HTML.
//
// A page may format and loop. It may not fetch, decide or know a domain type:
// whether a button is there, what it says and why it is not there were decided
// by the stories and written into the view by the edge. A view with its zero
// value draws a page that is empty, never one that is wrong.
//
// Every act is a form that posts and every form works without script. Tests
// find things by data-*: <main data-page="release_show">, data-item, data-gate,
// data-slot, data-state, data-action.
//
// Golden files under testdata hold the full, the empty and the refused view of
// each page; UPDATE=1 go test ./templates/pages rewrites them.
package pages
