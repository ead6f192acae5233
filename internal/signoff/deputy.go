package signoff

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// MostDeputyDays is for how many days somebody can be named, the first and the last included.
const MostDeputyDays = 90

// Deputy is a line of the roster: from a day until a day, the person may sign in the place of a role.
type Deputy struct {
	ID     uuid.UUID
	Role   actor.Role
	Person Person
	// From and Until are days, at midnight UTC; at a gate they are days of the release's own zone.
	From, Until time.Time
	Reason      string
	NamedBy     Person
	NamedAt     time.Time
	Revoked     *Withdrawal
	Key         uuid.UUID // of the form that named them
}

// On says whether the line is for a day of some zone.
func (d Deputy) On(day time.Time) bool { return !day.Before(d.From) && !day.After(d.Until) }

// Day is the day that a moment belongs to in a zone, at midnight UTC as days are kept here.
func Day(at time.Time, zone *time.Location) time.Time {
	y, m, d := at.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// AsDeputy is by what right somebody signed in another's place.
type AsDeputy struct {
	ID          uuid.UUID
	NamedBy     string
	NamedAt     time.Time
	From, Until string // days
	Reason      string
}

// mayDeputise says whether somebody's own roles let them be a deputy, or name one.
func mayDeputise(roles []actor.Role) bool {
	signs := slices.ContainsFunc(roles, func(r actor.Role) bool { return slices.Contains(actor.RolesWith(actor.GateSign), r) })
	return signs && !slices.Contains(roles, actor.Admin) && !slices.Contains(roles, actor.Auditor)
}

// MayDeputise says whether somebody's own roles let them sign in another's place.
func MayDeputise(by actor.Actor) bool { return by.Rights == nil && mayDeputise(by.Roles) }

// DeputyOf finds the line of the roster by which somebody is a deputy in a slot today, whether its moment has come or not.
func (g Gate) DeputyOf(by actor.Actor, slot Slot) (Deputy, bool) {
	if by.Has(slot.Role) || slot.DeputiesFrom.IsZero() {
		return Deputy{}, false
	}
	i := slices.IndexFunc(g.Deputies, func(d Deputy) bool {
		return d.Role == slot.Role && by.SamePerson(d.Person.Issuer, d.Person.Subject)
	})
	if i < 0 {
		return Deputy{}, false
	}
	return g.Deputies[i], true
}

// refuseDeputy says why somebody cannot sign as a deputy in a slot; nil where they can as far as that goes.
func (g Gate) refuseDeputy(by actor.Actor, slot Slot) error {
	if _, ok := g.DeputyOf(by, slot); !ok {
		also := ""
		if !slot.DeputiesFrom.IsZero() {
			also = ", or a deputy whom the roster names for today"
		}
		return fault.New(fault.Forbidden, "Only a person who holds the role %s at the identity provider signs in this place%s.", slot.Role.Title(), also)
	}
	if !mayDeputise(by.Roles) {
		return fault.New(fault.Forbidden, "Who administers or audits signs nothing, and is nobody's deputy.")
	}
	if g.At.Before(slot.DeputiesFrom) {
		zone, err := time.LoadLocation(g.Release.TimeZone)
		if err != nil {
			zone = time.UTC
		}
		return fault.New(fault.Conflict, "You are a deputy of the %s, and deputies sign here from %s on. Until then the place is the %s's own.", slot.Role.Title(), slot.DeputiesFrom.In(zone).Format("2 Jan 2006 at 15:04 MST"), slot.Role.Title())
	}
	for _, own := range g.Slots {
		if _, filled := g.Standing(own.ID); own.ID != slot.ID && own.Required && by.Has(own.Role) && !filled {
			return fault.New(fault.Conflict, "Your own place at this gate comes first: it needs the %s, and one person fills one place.", own.Role.Title())
		}
	}
	return nil
}

// RosterStore is where the roster is kept.
type RosterStore interface {
	// Roster is a page of the roster, newest first, who can be named, and the database's clock.
	Roster(ctx context.Context, by actor.Actor, q RosterQuery) (Roster, error)
	InTenant(ctx context.Context, by actor.Actor, work func(context.Context, RosterTx) error) error
}

// RosterTx is everything that naming may do to the database.
type RosterTx interface {
	// Hold keeps deputies from signing, and others from naming and revoking, until the transaction ends.
	Hold(ctx context.Context) (time.Time, error)
	// Candidate is somebody who has signed in, with the roles they had then; false where there is nobody.
	Candidate(ctx context.Context, person uuid.UUID) (Candidate, bool, error)
	// Deputy is a line of the roster; false where there is none.
	Deputy(ctx context.Context, id uuid.UUID) (Deputy, bool, error)
	NamedWith(ctx context.Context, key uuid.UUID) (Deputy, bool, error)
	// Name stores the line if the rules let it pass; false where they do not. All rules stand in the statement.
	Name(ctx context.Context, by actor.Actor, id uuid.UUID, r NameRequest) (bool, error)
	// Revoke ends the line for good; false where the person may not, or it has been ended.
	Revoke(ctx context.Context, by actor.Actor, id uuid.UUID, reason string) (bool, error)
	Record(ctx context.Context, e audit.Event) error
}

// Candidate is somebody who has signed in here, and may be named.
type Candidate struct {
	ID     uuid.UUID
	Person Person
	Roles  []actor.Role // of the last sign-in
}

// RosterQuery asks for a page of the roster.
type RosterQuery struct {
	BeforeAt time.Time
	BeforeID uuid.UUID
	Limit    int
}

// Roster is a page of it.
type Roster struct {
	Deputies   []Deputy
	Candidates []Candidate
	At         time.Time
	TimeZone   string // of the newest release that runs; its days are the roster's, and UTC's where none runs
}

// RosterService holds the stories of the roster.
type RosterService struct {
	store RosterStore
	newID func() (uuid.UUID, error)
}

// NewRoster makes the service. Times come from the database.
func NewRoster(store RosterStore) *RosterService {
	return &RosterService{store: store, newID: uuid.NewV7}
}

// Names lists the roles for which somebody may name deputies: those that they hold themselves, and that sign.
func Names(by actor.Actor) []actor.Role {
	if by.Rights != nil || !mayDeputise(by.Roles) {
		return nil
	}
	var roles []actor.Role
	for _, role := range actor.RolesWith(actor.GateSign) {
		if by.Has(role) {
			roles = append(roles, role)
		}
	}
	return roles
}

// Revokes says whether somebody may revoke the line: who holds its role, and the deputy.
func (d Deputy) Revokes(by actor.Actor) bool {
	return by.Rights == nil && by.Can(actor.GateSign) && (by.Has(d.Role) || by.SamePerson(d.Person.Issuer, d.Person.Subject))
}

// Roster is a page of who may sign for whom, newest first.
func (s *RosterService) Roster(ctx context.Context, by actor.Actor, q RosterQuery) (Roster, error) {
	if err := by.Demand(actor.ReleaseRead); err != nil {
		return Roster{}, err
	}
	q.Limit = min(max(q.Limit, 1), 200)
	return s.store.Roster(ctx, by, q)
}

// NameRequest names a deputy, as the form sends it.
type NameRequest struct {
	Role        actor.Role
	Person      uuid.UUID
	From, Until time.Time
	Reason      string
	// Key is the form's own; a form that arrives twice names once.
	Key uuid.UUID
}

// Name puts a line onto the roster. Whoever names holds the role, and has just shown who they are.
func (s *RosterService) Name(ctx context.Context, by actor.Actor, r NameRequest) error {
	if err := checkPerson(by, actor.GateSign, r.Key); err != nil {
		return err
	}
	r.Reason = strings.TrimSpace(r.Reason)
	if err := checkText("reason", r.Reason, 3); err != nil {
		return err
	}
	id, err := s.newID()
	if err != nil {
		return err
	}
	return s.store.InTenant(ctx, by, func(ctx context.Context, tx RosterTx) error {
		at, err := tx.Hold(ctx)
		if err != nil {
			return err
		}
		if first, again, err := tx.NamedWith(ctx, r.Key); err != nil || again {
			if err != nil {
				return err
			}
			return sameNaming(ctx, tx, by, r, first)
		}
		named, err := tx.Name(ctx, by, id, r)
		if err != nil {
			return err
		}
		if !named {
			return whyNotNamed(ctx, tx, by, r, at)
		}
		deputy, _, err := tx.Deputy(ctx, id)
		if err != nil {
			return err
		}
		return tx.Record(ctx, audit.Event{
			Action: "deputy:name", ObjectKind: "deputy", ObjectID: id.String(), Reason: r.Reason, After: deputy.facts(),
		})
	})
}

func (d Deputy) facts() map[string]any {
	return map[string]any{
		"role": d.Role, "name": d.Person.Name, "issuer": d.Person.Issuer, "subject": d.Person.Subject,
		"from": d.From.Format(time.DateOnly), "until": d.Until.Format(time.DateOnly), "named_by": d.NamedBy.Name,
	}
}

// sameNaming lets a form that arrives again have the line it made, as long as that one says the same and still stands.
func sameNaming(ctx context.Context, tx RosterTx, by actor.Actor, r NameRequest, first Deputy) error {
	person, known, err := tx.Candidate(ctx, r.Person)
	switch {
	case err != nil:
		return err
	case !known || !first.says(by, r, person.Person):
		return fault.New(fault.Conflict, "This form has named somebody already, and said something else. Nobody was named now. Open the page again.")
	case first.Revoked != nil:
		return fault.New(fault.Conflict, "This form has named %s already, and that was revoked since. Nobody was named now. Open the page again to name somebody anew.", first.Person.Name)
	}
	return nil
}

// says tells whether the form, by whoever sends it, names the person whom the line names, and in the same words.
func (d Deputy) says(by actor.Actor, r NameRequest, person Person) bool {
	return by.SamePerson(d.NamedBy.Issuer, d.NamedBy.Subject) && d.Person.Issuer == person.Issuer && d.Person.Subject == person.Subject &&
		d.Role == r.Role && d.From.Equal(r.From) && d.Until.Equal(r.Until) && d.Reason == r.Reason
}

// whyNotNamed says which rule kept the line from being stored.
func whyNotNamed(ctx context.Context, tx RosterTx, by actor.Actor, r NameRequest, at time.Time) error {
	wrong := fault.New(fault.Invalid, "Something in the form has to be put right first. Nobody was named.")
	if !slices.Contains(Names(by), r.Role) {
		return fault.New(fault.Forbidden, "Only who holds a role that signs, and neither administers nor audits, names its deputies: another %s has to.", r.Role.Title())
	}
	if err := fresh(by, at); err != nil {
		return err
	}
	person, known, err := tx.Candidate(ctx, r.Person)
	switch {
	case err != nil:
		return err
	case !known:
		return wrong.WithField("person", "Choose somebody from the list: who has signed in here before, and may sign.")
	case by.SamePerson(person.Person.Issuer, person.Person.Subject):
		return wrong.WithField("person", "Nobody names themselves. You sign in this place anyhow.")
	case !mayDeputise(person.Roles):
		return wrong.WithField("person", person.Person.Name+" has no role of their own that signs, or administers or audits, and so cannot be a deputy.")
	case slices.Contains(person.Roles, r.Role):
		return wrong.WithField("person", person.Person.Name+" is "+r.Role.Title()+" themself, and needs no deputy's right.")
	case r.From.Before(Day(at, time.UTC).AddDate(0, 0, -1)):
		return wrong.WithField("from", "The first day is over already.")
	case r.Until.Before(r.From):
		return wrong.WithField("until", "The last day is before the first.")
	case r.Until.After(r.From.AddDate(0, 0, MostDeputyDays-1)):
		return wrong.WithField("until", "At most 90 days, the first and the last included.")
	}
	return fault.New(fault.Conflict, "The roster changed at this very moment and nobody was named. Look at the page again.")
}

// Revoke ends a line of the roster. What the deputy has signed until then stays.
func (s *RosterService) Revoke(ctx context.Context, by actor.Actor, id uuid.UUID, reason string) error {
	if err := by.Demand(actor.GateSign); err != nil {
		return err
	}
	reason = strings.TrimSpace(reason)
	if err := checkText("revoke_reason", reason, 3); err != nil {
		return err
	}
	return s.store.InTenant(ctx, by, func(ctx context.Context, tx RosterTx) error {
		if _, err := tx.Hold(ctx); err != nil {
			return err
		}
		deputy, ok, err := tx.Deputy(ctx, id)
		if err != nil {
			return err
		}
		if !ok {
			return fault.New(fault.NotFound, "There is no such line on the roster.")
		}
		done, err := tx.Revoke(ctx, by, id, reason)
		if err != nil {
			return err
		}
		switch {
		case done:
		case !deputy.Revokes(by):
			return fault.New(fault.Forbidden, "Only who is %s, and %s, can revoke this.", deputy.Role.Title(), deputy.Person.Name)
		default:
			return fault.New(fault.Conflict, "This was revoked already. Look at the page again.")
		}
		before, after := deputy.facts(), deputy.facts()
		before["revoked"], after["revoked"] = false, true
		return tx.Record(ctx, audit.Event{Action: "deputy:revoke", ObjectKind: "deputy", ObjectID: id.String(), Reason: reason, Before: before, After: after})
	})
}
