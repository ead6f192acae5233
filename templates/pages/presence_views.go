package pages

import "github.com/agogsaas/gatehouse/templates/components"

// Present is somebody else who has the same page open now.
type Present struct {
	Name  string
	Since components.Time
}

// MovedPart says, beside a form, that what it is about has changed since the page was opened. Zero says nothing.
type MovedPart struct {
	Text string
	Href string // both versions
}
