package runbook

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

// State is where a run stands.
type State string

// The states of a run.
const (
	Active    State = "active"
	SignedOff State = "signed_off" // its last gate has been passed; what is left is watching
	Aborted   State = "aborted"
	Closed    State = "closed" // signed off, and nothing is left to do
	// RolledBack says that it was taken back by one of the ways of its runbook.
	RolledBack State = "rolled_back"
)

// Counts is how far a run has come.
type Counts struct{ Total, Done, Failed, Skipped int }

// Run is one release being taken through its runbook.
type Run struct {
	ID          uuid.UUID
	Environment string
	Code, Title string
	State       State
	T0          time.Time
	TimeZone    string
	Template    TemplateRef
	Starter     Person
	StartedAt   time.Time
	EndedAt     time.Time
	EndedBy     string
	EndReason   string
	Counts      Counts
	Version     int
	// Next is what the running release waits for; only a List says it.
	Next Move
}

// Move is the next thing to do in a release: an item, or where Item is empty the signatures of a gate. The zero Move is
// that of a release where nothing is left.
type Move struct {
	Item  ItemID
	Title string
	Owner actor.Role
	Gate  string
}

// TemplateRef names a template exactly.
type TemplateRef struct{ Name, Version, SHA256 string }

// Zone is the run's time zone; UTC where this machine does not know it.
func (r Run) Zone() *time.Location {
	if known, ok := zones.Load(r.TimeZone); ok {
		if zone, ok := known.(*time.Location); ok {
			return zone
		}
	}
	zone, err := time.LoadLocation(r.TimeZone)
	if err != nil {
		return time.UTC
	}
	zones.Store(r.TimeZone, zone)
	return zone
}

// clock is a time as the site's clocks show it.
func (r Run) clock(at time.Time) string { return at.In(r.Zone()).Format("2 Jan 2006 15:04:05 MST") }

// zones holds the zones that were read: a list asks for one per row, and each read opens a file. Only valid names get in.
var zones sync.Map

// Ended says that nothing of the run changes any more, and nothing in it waits for anything.
func (r Run) Ended() bool { return r.State == Aborted || r.State == Closed || r.State == RolledBack }

// mayWork says why nothing can be done to that item of the run now.
func (r Run) mayWork(i Item) error {
	switch r.State {
	case Active:
		return nil
	case SignedOff:
		if i.Gate == "" {
			return nil
		}
		return fault.New(fault.Conflict, "This release has been signed off, so what was signed stays as it is. Only the watching after it goes on.")
	case Aborted:
		return fault.New(fault.Conflict, "This release was aborted, so nothing of it changes any more.")
	case Closed:
		return fault.New(fault.Conflict, "This release is completed, so nothing of it changes any more.")
	case RolledBack:
		return fault.New(fault.Conflict, "This release was rolled back, so nothing of it changes any more.")
	}
	return fault.New(fault.Conflict, "This release is %s.", r.State)
}

// Migration is a migration that the run brings, with the hash that its file had when the run was started.
type Migration struct{ Version, Title, SHA256 string }

// Gate is a gate of a run, as its timeline shows it.
type Gate struct {
	ID         signoff.GateID
	Name       string
	Judges     string
	AfterPhase PhaseID
	Offset     time.Duration
	Passed     bool
}

// Plan is what decides what may be done now: all items in order, and the gates.
type Plan struct {
	Run   Run
	Items []Item
	Gates []Gate
	// At is the database's clock when this was read.
	At time.Time
}

// Wait is something that has to happen before an item. One of Item, Gate and Until is set.
type Wait struct {
	Item ItemID
	Gate signoff.GateID
	// Until is a time that has to come; it keeps nobody from taking the item in hand or from saying that it failed.
	Until time.Time
	Text  string
}

// Item finds an item of the plan.
func (p Plan) Item(id ItemID) (Item, bool) {
	i := slices.IndexFunc(p.Items, func(i Item) bool { return i.ID == id })
	if i < 0 {
		return Item{}, false
	}
	return p.Items[i], true
}

// Waiting lists what has to happen before the item may be worked on; empty where nothing does.
func (p Plan) Waiting(item Item) []Wait { return p.obstacles().before(item) }

// Good says whether an item is settled and what it was settled with still holds: it was not altered, and is not too old.
func (p Plan) Good(item Item) bool { return item.State.Settled() && !item.Altered && !p.Stale(item) }

// WaitingEach is Waiting of every item.
func (p Plan) WaitingEach() map[ItemID][]Wait {
	o, each := p.obstacles(), make(map[ItemID][]Wait, len(p.Items))
	for _, i := range p.Items {
		each[i.ID] = o.before(i)
	}
	return each
}

// obstacles are what is not done of a plan: found once, and put into words once, however many items wait for them.
type obstacles struct {
	plan  Plan
	items []obstacle
	gates []Gate
}

type obstacle struct {
	item *Item
	text string // once somebody waits for it
}

func (p Plan) obstacles() *obstacles {
	o := &obstacles{plan: p}
	if p.Run.Ended() {
		return o
	}
	for n := range p.Items {
		if i := &p.Items[n]; !i.State.Settled() || p.Stale(*i) {
			o.items = append(o.items, obstacle{item: i})
		}
	}
	if p.Run.State == Active { // after the sign-off, the gates have been passed
		for _, g := range p.Gates {
			if !g.Passed {
				o.gates = append(o.gates, g)
			}
		}
	}
	return o
}

// words say what is wrong with an item that is not done.
func (o *obstacles) words(n int) string {
	b := &o.items[n]
	switch i := b.item; {
	case b.text != "":
	case !i.State.Settled():
		b.text = fmt.Sprintf("%s, %s, is %s.", i.ID, i.Title, i.State.words())
	default:
		b.text = fmt.Sprintf("%s, %s, is stale: its evidence was good until %s.", i.ID, i.Title, o.plan.Run.clock(i.GoodUntil()))
	}
	return b.text
}

func (o *obstacles) before(item Item) []Wait {
	p := o.plan
	if p.Run.Ended() {
		return nil
	}
	var waits []Wait
	for n := range o.items {
		i := o.items[n].item
		if i.Position < item.Position && ((i.Phase != item.Phase && i.Required) || slices.Contains(item.After, i.ID)) {
			waits = append(waits, Wait{Item: i.ID, Text: o.words(n)})
		}
	}
	for _, g := range o.gates {
		if p.before(g.AfterPhase, item.Phase) {
			waits = append(waits, Wait{Gate: g.ID, Text: fmt.Sprintf("The gate %s has not been passed.", g.Name)})
		}
	}
	if at, ok := item.Earliest(p.Run.T0); ok && p.At.Before(at) {
		waits = append(waits, Wait{Until: at, Text: fmt.Sprintf("It can be said from %s on (%s), and by the database's clock it is %s.",
			p.Run.clock(at), Offset(*item.NotBefore), p.Run.clock(p.At))})
	}
	return waits
}

// GoodUntil is when the evidence of a done item grows too old for signing; zero where it does not.
func (i Item) GoodUntil() time.Time {
	if i.FreshFor == nil || i.State != Done || i.EvidenceAt.IsZero() {
		return time.Time{}
	}
	return i.EvidenceAt.Add(*i.FreshFor)
}

// Stale says that the item was done with evidence that is too old now, so that it is open again until its gate has passed.
// What was signed in time stays signed: the limit is one of signing.
func (p Plan) Stale(item Item) bool {
	until, at := item.GoodUntil(), p.At
	if p.Run.Ended() {
		at = p.Run.EndedAt // what was too old then is not made fresh by ending
	}
	if p.Run.State == SignedOff || until.IsZero() || !at.After(until) {
		return false
	}
	return !slices.ContainsFunc(p.Gates, func(g Gate) bool { return g.ID == item.Gate && g.Passed })
}

// asNow is the item as it can be worked on: one whose evidence went stale is open. One that the system checks is checked again.
func (p Plan) asNow(item Item) Item {
	if item.Kind != Auto && p.Stale(item) {
		item.State = Open
	}
	return item
}

// before says whether one phase comes before another.
func (p Plan) before(a, b PhaseID) bool {
	if a == b {
		return false
	}
	for _, i := range p.Items {
		switch i.Phase {
		case a:
			return true
		case b:
			return false
		}
	}
	return false
}

// refuse says why this person cannot do the act to the item now.
func (p Plan) refuse(by actor.Actor, item Item, act Act) error {
	if err := p.Run.mayWork(item); err != nil {
		return err
	}
	if act == Reopen {
		return nil // putting something back must not wait for anything
	}
	waits := p.Waiting(item)
	if act != Finish && act != RunCheck {
		waits = slices.DeleteFunc(waits, func(w Wait) bool { return !w.Until.IsZero() })
	}
	if len(waits) > 0 {
		refusal := fault.New(fault.Conflict, "%s has to wait. %s", item.ID, waits[0].Text)
		if len(waits) > 1 {
			refusal = fault.New(fault.Conflict, "%s has to wait. %s There are %d more to wait for.", item.ID, waits[0].Text, len(waits)-1)
		}
		return refusal
	}
	if act == Take {
		return nil // says by itself who has it
	}
	if act == TakeOver {
		if item.State == InProgress && by.SamePerson(item.Holder.Issuer, item.Holder.Subject) {
			return fault.New(fault.Conflict, "You have this item in hand already.")
		}
		return nil
	}
	if act == Waive {
		if err := p.refuseWaiver(by); err != nil {
			return err
		}
	}
	return item.heldByOther(by)
}

// refuseWaiver says why this person cannot sign that a required item is skipped, whatever item it is.
func (p Plan) refuseWaiver(by actor.Actor) error {
	switch {
	case by.Rights != nil || !by.Can(actor.GateSign):
		return fault.New(fault.Forbidden, "Skipping a required item takes the signature of a person whose role signs its gate.")
	case by.SamePerson(p.Run.Starter.Issuer, p.Run.Starter.Subject):
		return fault.New(fault.Forbidden, "You started this release, and four eyes are asked for: somebody else has to sign that a required item is skipped.")
	}
	return nil
}

// Acts lists what this person can do to the item now, in the order of a page.
func (p Plan) Acts(by actor.Actor, item Item) []Act {
	if !by.Can(actor.ItemWork) {
		return nil
	}
	var acts []Act
	item = p.asNow(item)
	for _, act := range []Act{Take, TakeOver, RunCheck, Finish, GiveUp, Reopen, Skip, Waive} {
		if p.refuse(by, item, act) != nil {
			continue
		}
		if _, err := item.next(act, true); err == nil {
			acts = append(acts, act)
		}
	}
	return acts
}

// MayAttach says whether this person may add a file to the item now.
func (p Plan) MayAttach(by actor.Actor, item Item) bool {
	return by.Can(actor.ItemWork) && p.Run.mayWork(item) == nil
}
