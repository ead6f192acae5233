package pages

import (
	"html"
	"strings"

	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

// ProblemView is a refusal or a failure: what happened, what is safe, what to
// do next. The title is the shell's.
type ProblemView struct {
	layouts.Shell
	Status   int
	Kind     string // data-kind: "gate_closed", "not_found"
	What     string
	Safe     string // what did not happen and is as it was
	Next     string
	WhoCan   []string // roles, in words, that may do what this person may not
	Details  []string // further facts, one a line
	Links    []components.Link
	Back     components.Link
	TryAgain string // "in about 10 seconds"
}

// Fallback is the page shown when even the problem page could not be rendered.
// It depends on nothing: no template, no style sheet, no database.
func Fallback(ref string) string {
	return strings.Replace(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Something went wrong · Gatehouse</title></head>
<body>
<main id="main" data-page="fallback" data-ready>
<h1>This page could not be drawn</h1>
<p>The fault is ours, not yours. Whatever you did before this page was either done completely or not at all; the page of the release or migration shows which.</p>
<p>Go back and reload. If it happens again, tell your DevOps lead this reference: <code data-ref>REF</code></p>
<p><a href="/releases">To the releases</a></p>
</main>
</body>
</html>
`, "REF", html.EscapeString(ref), 1)
}
