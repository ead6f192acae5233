package components

// Slot is one role's place in a gate: empty, signed, void or withdrawn.
type Slot struct {
	ID          string // data-slot: "devops", "backend", "qa", "statistics", "product"
	Role        string // in words: "QA lead"
	Required    bool
	State       State
	By          string // who signed; empty when nobody did
	Meaning     string // "approved"
	At          Time
	Score       string // "9.5 of 10", where the role gives one
	VoidBecause string // which field moved, when the signature is void
	Href        string // the signature's own page
	Glass       string // that the signature was given by break-glass, and what its review says
	Mine        bool   // this slot is the person's to fill
}

// Gate is a gate with its slots, as drawn between phases and on its own page.
type Gate struct {
	ID       string // data-gate: "go_no_go", "final_signoff"
	Name     string // "Go / no-go"
	Judges   string // what passing it allows, in words
	State    State
	Sentence string // "Two of four required signatures; QA lead and statistical expert are missing."
	Href     string
	Action   string // text of the link to the signing page, empty when there is nothing to do there
	Slots    []Slot
}
