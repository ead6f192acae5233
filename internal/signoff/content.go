package signoff

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Content is what a gate's signatures are bound to, as gatehouse.gate_content makes it.
type Content struct {
	Form    string `json:"form"`
	Release struct {
		Run, Tenant, Code, Title, Environment, T0 string
		TimeZone                                  string `json:"time_zone"`
	} `json:"release"`
	Template struct{ Name, Version, SHA256 string } `json:"template"`
	Gate     struct {
		ID, Name, Judges string
		NotBefore        string `json:"not_before"`
	} `json:"gate"`
	Slots []struct {
		Slot, Role, Statement string
		Required              bool
	} `json:"slots"`
	Migrations []struct{ Version, Title, SHA256 string } `json:"migrations"`
	Items      []ContentItem                             `json:"items"`
	Applied    []ContentApplied                          `json:"applied"`
	Health     *struct {
		Item, Summary, SHA256, At string
		Passed                    bool
	} `json:"health"`
	// Expires is when the attempt has to have passed, and the others how earlier attempts ended and began again.
	Expires  string           `json:"expires"`
	Stops    []ContentStop    `json:"stops"`
	Attempts []ContentAttempt `json:"attempts"`
	// Rollbacks were begun and given up.
	Rollbacks []ContentRollback `json:"rollbacks"`
}

// ContentStop is an attempt that ended without passing.
type ContentStop struct {
	Attempt                                                   int
	Kind, Slot, Role, Reason, By, Issuer, Subject, At, SHA256 string
}

// ContentRollback is a rollback of the release that was begun and given up.
type ContentRollback struct {
	Option, Reason, By, At string
	GivenUp                string `json:"given_up"`
	GivenUpBy              string `json:"given_up_by"`
	GivenUpAt              string `json:"given_up_at"`
}

// ContentAttempt is an attempt after a stopped one.
type ContentAttempt struct {
	Attempt                       int
	Note, By, Issuer, Subject, At string
}

// ContentItem is an item of the runbook in the content.
type ContentItem struct {
	ID, Title, Owner, State string
	Required                bool
	By, Issuer, Subject, At string
	NotBefore               string `json:"not_before"`
	Reason                  string
	Evidence                *ContentEvidence
	Files                   []ContentFile
	Waiver                  *ContentWaiver
}

// ContentWaiver is the signature by which a required item is skipped.
type ContentWaiver struct {
	Statement, Reason, Role, By string
	Issuer, Subject, At, SHA256 string
}

// ContentFile is a file that counts for an item.
type ContentFile struct {
	Number, Bytes        int
	Name, SHA256, By, At string
}

// ContentEvidence is the evidence that counts for an item.
type ContentEvidence struct {
	Number                            int
	Kind, Value, Note, Summary, Query string
	Passed                            bool
	SHA256, By, At                    string
}

// ContentApplied is the last entry of the ledger for one of the release's migrations.
type ContentApplied struct {
	Version, Direction, SHA256 string
	FinishedAt                 string `json:"finished_at"`
	Success                    bool
	Entry                      int64
}

// ParseContent reads the text of a content.
func ParseContent(text string) (Content, error) {
	var c Content
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return Content{}, fmt.Errorf("reading the content of a gate: %w", err)
	}
	return c, nil
}

// Change is one thing that is not what it was when it was signed. Then or Now is empty where it was not there.
type Change struct{ What, Then, Now string }

// AboutAttempts says whether it is how an attempt at the gate ended or began.
func (c Change) AboutAttempts() bool {
	return strings.HasPrefix(c.What, "Attempt ") || strings.HasPrefix(c.What, "End of attempt ") || c.What == deadlineWords
}

const deadlineWords = "The gate has to be passed by"

// Compare says in words what differs between the content that was signed and the one there is now.
func Compare(then, now string) ([]Change, error) {
	if then == now {
		return nil, nil
	}
	a, err := ParseContent(then)
	if err != nil {
		return nil, err
	}
	b, err := ParseContent(now)
	if err != nil {
		return nil, err
	}
	was, is := a.facts(), b.facts()
	var changes []Change
	for _, f := range was {
		i := slices.IndexFunc(is, func(g fact) bool { return g.what == f.what })
		switch {
		case i < 0:
			changes = append(changes, Change{What: f.what, Then: f.value})
		case is[i].value != f.value:
			changes = append(changes, Change{What: f.what, Then: f.value, Now: is[i].value})
		}
	}
	for _, f := range is {
		if !slices.ContainsFunc(was, func(g fact) bool { return g.what == f.what }) {
			changes = append(changes, Change{What: f.what, Now: f.value})
		}
	}
	if len(changes) == 0 {
		changes = append(changes, Change{What: "The stored text", Then: "as it was signed", Now: "the same facts, written differently"})
	}
	return changes, nil
}

type fact struct{ what, value string }

// facts spreads the content into single facts that have a name people understand. Every field of Content is in one.
func (c Content) facts() []fact {
	facts := []fact{
		{"Form of the content", c.Form},
		{"Release", c.Release.Code + " (" + c.Release.Run + ", tenant " + c.Release.Tenant + ")"},
		{"Title of the release", c.Release.Title},
		{"Environment", c.Release.Environment},
		{"T-0", c.Release.T0},
		{"Time zone", c.Release.TimeZone},
		{"Runbook template", c.Template.Name + " " + c.Template.Version + " " + c.Template.SHA256},
		{"Gate", c.Gate.ID + ": " + c.Gate.Name + ". " + c.Gate.Judges},
	}
	if c.Gate.NotBefore != "" {
		facts = append(facts, fact{"The gate opens", c.Gate.NotBefore})
	}
	if c.Expires != "" {
		facts = append(facts, fact{deadlineWords, c.Expires})
	}
	for _, s := range c.Stops {
		what := fmt.Sprintf("%s by %s (%s at %s), %s: %s", s.Kind, s.By, s.Subject, s.Issuer, s.At, s.Reason)
		if s.Slot != "" {
			what += fmt.Sprintf(" (place %s, %s)", s.Slot, s.Role)
		}
		facts = append(facts, fact{fmt.Sprintf("End of attempt %d", s.Attempt), what + ", content " + s.SHA256})
	}
	for _, a := range c.Attempts {
		facts = append(facts, fact{fmt.Sprintf("Attempt %d", a.Attempt), fmt.Sprintf("opened by %s (%s at %s), %s: %s", a.By, a.Subject, a.Issuer, a.At, a.Note)})
	}
	for i, b := range c.Rollbacks {
		facts = append(facts, fact{fmt.Sprintf("Rollback %d", i+1), fmt.Sprintf("%s begun by %s, %s: %s; given up by %s, %s: %s", b.Option, b.By, b.At, b.Reason, b.GivenUpBy, b.GivenUpAt, b.GivenUp)})
	}
	for _, s := range c.Slots {
		facts = append(facts, fact{"Place " + s.Slot, fmt.Sprintf("%s, required: %s. %s", s.Role, yes(s.Required), s.Statement)})
	}
	for _, m := range c.Migrations {
		facts = append(facts, fact{"File of migration " + m.Version, m.Title + " " + m.SHA256})
	}
	for _, i := range c.Items {
		facts = append(facts, i.facts()...)
	}
	for _, a := range c.Applied {
		facts = append(facts, fact{"Migration " + a.Version + " in the ledger", fmt.Sprintf("%s, succeeded: %s, at %s, entry %d, file %s", a.Direction, yes(a.Success), a.FinishedAt, a.Entry, a.SHA256)})
	}
	if h := c.Health; h != nil {
		facts = append(facts, fact{"Health", fmt.Sprintf("%s (passed: %s, at %s, from %s, %s)", h.Summary, yes(h.Passed), h.At, h.Item, h.SHA256)})
	}
	return facts
}

func (i ContentItem) facts() []fact {
	facts := []fact{
		{i.ID + " title", i.Title},
		{i.ID + " owner", i.Owner},
		{i.ID + " required", yes(i.Required)},
		{i.ID + " state", i.State},
	}
	add := func(what, value string) {
		if value != "" {
			facts = append(facts, fact{i.ID + " " + what, value})
		}
	}
	if i.By != "" {
		add("by", i.By+" ("+i.Subject+" at "+i.Issuer+")")
	}
	add("at", i.At)
	add("not before", i.NotBefore)
	add("reason", i.Reason)
	if e := i.Evidence; e != nil {
		add("evidence", e.Value)
		add("evidence note", e.Note)
		add("evidence summary", e.Summary)
		add("evidence question", e.Query)
		add("evidence passed", yes(e.Passed))
		add("evidence origin", fmt.Sprintf("number %d, %s, by %s, at %s", e.Number, e.Kind, e.By, e.At))
		add("evidence hash", e.SHA256)
	}
	if w := i.Waiver; w != nil {
		add("skipped by signature", fmt.Sprintf("%s (%s at %s) as %s, at %s: %s %s SHA-256 %s", w.By, w.Subject, w.Issuer, w.Role, w.At, w.Statement, w.Reason, w.SHA256))
	}
	for _, f := range i.Files {
		add(fmt.Sprintf("file %d", f.Number), fmt.Sprintf("%s, %d bytes, by %s, at %s, SHA-256 %s", f.Name, f.Bytes, f.By, f.At, f.SHA256))
	}
	return facts
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
