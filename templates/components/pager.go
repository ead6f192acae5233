package components

// Pager moves along a list by key, so that new rows never shift a page. Empty
// addresses are not drawn.
type Pager struct {
	Newest string // back to the top
	Older  string
	Shown  string // "50 releases, from 24 Dec to 3 Oct"
	// What the two ways are called where the list is not one of the newest first.
	NewestWord, OlderWord string
}

// Filter is one choice of a list's filter row.
type Filter struct {
	Label, Href string
	Count       string // formatted, with its own "as of" where it is not live
	Chosen      bool
	Code        string // data-filter
}

// Counts is how far a set of things has come.
type Counts struct {
	Done, Failed, Blocked, Open, Skipped int
}

// Total is how many things there are.
func (p Counts) Total() int { return p.Done + p.Failed + p.Blocked + p.Open + p.Skipped }

// Percent is how many of them need nothing more, rounded down: 99.6 is not done.
func (p Counts) Percent() int {
	if p.Total() == 0 {
		return 0
	}
	return (p.Done + p.Skipped) * 100 / p.Total()
}

// Check is one thing that was looked at: an object after a migration, a
// condition before a gate.
type Check struct {
	Name     string
	State    State
	Detail   string
	Expected string
	Found    string
}
