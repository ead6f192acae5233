package capacity

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Sighting is a failure as it was noticed, with what is named by code.
type Sighting struct {
	// Key names the sighting for whoever tells of it: the same key is the same sighting.
	Key                          string
	Facility, Location, Material string // codes
	Lot                          string
	Quantity                     Decimal
	Needed, Free                 Load
	At                           time.Time // when it was seen; zero: now
	Recommendation               uuid.UUID // that led there; zero: none
	// MovedBy is the warehouse's own user who put it there; zero: unknown.
	MovedBy uuid.UUID
	Source  Source
}

// Sighted is what a key stands for.
type Sighted struct {
	Failure    uuid.UUID
	Occurrence int
	Content    string
}

// Scene is what stands around a sighting.
type Scene struct {
	Facility, Location, Material Place
	LocationType, Zone           string
	Evidence                     Evidence
}

// Recorded is what became of a sighting.
type Recorded struct {
	Case Case
	// New: it made a failure; Reopened: one that was settled is open again; otherwise one was counted.
	New, Reopened bool
	Occurrence    int
	// Repeat says that this very sighting had been told before, and nothing was done.
	Repeat bool
}

// Content is what a sighting says, so that one key cannot say two things.
func (s Sighting) Content() string {
	sum := sha256.New()
	for _, text := range []string{
		s.Facility, s.Location, s.Material, s.Lot, s.Quantity.String(), s.Needed.CubicFeet.String(), s.Needed.WeightLbs.String(),
		s.Free.CubicFeet.String(), s.Free.WeightLbs.String(), s.Recommendation.String(),
	} {
		_, _ = fmt.Fprintf(sum, "%d:%s", len(text), text)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// teller is who tells, as the keys of one are no other's.
func (s Sighting) teller(by actor.Actor) string {
	if s.Source == ByWMS {
		return string(ByWMS) + " " + by.Issuer + " " + by.Subject
	}
	return string(s.Source)
}

// How old a sighting may be, and how far ahead of our clock.
const (
	oldestSighting = 30 * 24 * time.Hour
	clockLeeway    = 5 * time.Minute
)

func (s Sighting) check(now time.Time) error {
	refused := fault.New(fault.Invalid, "Something in it has to be put right first. Nothing was recorded.")
	for _, f := range []struct {
		name, value string
		most        int
		needed      bool
	}{
		{"idempotency_key", s.Key, 200, true},
		{"facility", s.Facility, 50, true},
		{"location", s.Location, 50, true},
		{"material", s.Material, 100, true},
		{"lot", s.Lot, 100, true},
	} {
		switch n := utf8.RuneCountInString(f.value); {
		case f.needed && strings.TrimSpace(f.value) == "":
			_ = refused.WithField(f.name, "This is needed.")
		case n > f.most:
			_ = refused.WithField(f.name, fmt.Sprintf("At most %d characters, please; these are %d.", f.most, n))
		}
	}
	s.checkFigures(refused)
	switch {
	case s.At.After(now.Add(clockLeeway)):
		_ = refused.WithField("observed_at", "That is in the future by our clock.")
	case s.At.Before(now.Add(-oldestSighting)):
		_ = refused.WithField("observed_at", "That is longer ago than 30 days.")
	}
	if refused.Fields != nil {
		return refused
	}
	return nil
}

// Record writes down that something did not fit. The same thing seen again is counted; what was settled reopens; the alert
// goes into the outbox in the same transaction.
func (s *Service) Record(ctx context.Context, by actor.Actor, seen Sighting) (Recorded, error) {
	if err := by.Demand(actor.CapacityRecord); err != nil {
		return Recorded{}, err
	}
	var done Recorded
	err := s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		now, err := tx.Hold(ctx)
		if err != nil {
			return err
		}
		if deployed, err := tx.Deployed(ctx); err != nil || !deployed {
			if err == nil {
				err = notDeployed()
			}
			return err
		}
		done, err = s.record(ctx, tx, by, seen, now)
		return err
	})
	return done, err
}

func (s *Service) record(ctx context.Context, tx Tx, by actor.Actor, seen Sighting, now time.Time) (Recorded, error) {
	if seen.At.IsZero() {
		seen.At = now
	}
	if err := seen.check(now); err != nil {
		return Recorded{}, err
	}
	if before, told, err := tx.Sighted(ctx, seen.teller(by), seen.Key); err != nil || told {
		return repeated(ctx, tx, seen, before, err)
	}
	scene, ok, err := tx.Scene(ctx, seen)
	if err != nil {
		return Recorded{}, err
	}
	if !ok {
		return Recorded{}, fault.New(fault.NotFound, "There is no such facility, no such location in it, or no such material.")
	}
	verdict, exceeded := Judge(seen.Needed, seen.Free)
	if !exceeded {
		return Recorded{}, fault.New(fault.Invalid, "It fits: neither volume nor weight needs more than is free. Nothing was recorded.").
			WithField("required_cubic_feet", "Not more than the available cubic feet, and the weight is not more than the available pounds either.")
	}
	c, found, err := tx.CaseOf(ctx, scene.Location.ID, scene.Material.ID, verdict.Type)
	if err != nil {
		return Recorded{}, err
	}
	done := Recorded{New: !found}
	tell := !found
	if found {
		done.Reopened = c.Can(Recur)
		if tell, err = s.again(ctx, tx, by, &c, seen, verdict, now); err != nil {
			return Recorded{}, err
		}
	} else if c, err = s.first(ctx, tx, scene, seen, verdict, now); err != nil {
		return Recorded{}, err
	}
	if err := tx.AddSighting(ctx, c, seen, seen.teller(by)); err != nil {
		return Recorded{}, err
	}
	if tell {
		if err := tx.Tell(ctx, alerts(c)); err != nil {
			return Recorded{}, err
		}
	}
	done.Case, done.Occurrence = c, c.Occurrences
	return done, nil
}

func repeated(ctx context.Context, tx Tx, seen Sighting, before Sighted, err error) (Recorded, error) {
	if err != nil {
		return Recorded{}, err
	}
	if before.Content != seen.Content() {
		return Recorded{}, fault.New(fault.Conflict, "This idempotency key has told of something else before. Nothing was recorded; a new sighting needs a new key.")
	}
	c, ok, err := tx.Case(ctx, before.Failure)
	if err == nil && !ok {
		err = noSuch()
	}
	return Recorded{Case: c, Occurrence: before.Occurrence, New: before.Occurrence == 1, Repeat: true}, err
}

// again counts a failure that is known.
func (s *Service) again(ctx context.Context, tx Tx, by actor.Actor, c *Case, seen Sighting, v Verdict, now time.Time) (tell bool, err error) {
	before, state := c.Facts(), c.State
	tell = c.Again(seen, v, now)
	e := Event{Version: c.Version, Act: Recur, From: state, To: c.State, By: person(by), Note: seen.words()}
	if err := tx.Save(ctx, *c, e); err != nil {
		return false, err
	}
	return tell, tx.Record(ctx, audit.Event{
		Action: "capacity:record", ObjectKind: objectKind, ObjectID: c.ID.String(), Reason: seen.words(), Before: before, After: c.Facts(),
	})
}

// first makes the failure.
func (s *Service) first(ctx context.Context, tx Tx, scene Scene, seen Sighting, v Verdict, now time.Time) (Case, error) {
	id, err := s.newID()
	if err != nil {
		return Case{}, err
	}
	e := scene.Evidence
	e.Needed, e.Free, e.Quantity, e.Recommended = seen.Needed, seen.Free, seen.Quantity, seen.Recommendation != uuid.Nil
	g := GuessCause(e)
	c := Case{
		ID: id, Facility: scene.Facility, Location: scene.Location, LocationType: scene.LocationType, Zone: scene.Zone, Material: scene.Material,
		Lot: seen.Lot, Quantity: seen.Quantity, Needed: seen.Needed, Free: seen.Free, Verdict: v,
		BinCubicFeet: e.BinVolume, BinMaxWeight: e.BinMaxWeight, UnitCubicFeet: e.UnitVolume, UnitWeight: e.UnitWeight,
		Cause: g.Cause, Reason: g.Reason, State: New, Version: 1, Occurrences: 1, FirstSeen: seen.At, LastSeen: seen.At, OpenedAt: now, Source: seen.Source,
	}
	if c, err = tx.Add(ctx, c, g, seen); err != nil {
		return Case{}, err
	}
	if err := tx.Gather(ctx, c, g); err != nil {
		return Case{}, err
	}
	return c, tx.Record(ctx, audit.Event{
		Action: "capacity:record", ObjectKind: objectKind, ObjectID: c.ID.String(), Reason: seen.words(), After: c.Facts(),
	})
}

// objectKind is what the trail calls a failure.
const objectKind = "capacity_failure"

func (s Sighting) words() string {
	return fmt.Sprintf("%s of %s, lot %s, into %s: %s ft³ and %s lb needed, %s ft³ and %s lb free", s.Quantity, s.Material, s.Lot, s.Location,
		s.Needed.CubicFeet, s.Needed.WeightLbs, s.Free.CubicFeet, s.Free.WeightLbs)
}

// Alert is what somebody is to be told of a failure.
type Alert struct {
	Key            string
	Role           actor.Role
	Person         Person // in place of a role
	Headline, Body string
	Path           string
	DueAt          time.Time
}

// tells says whom a severity alerts. What is only information is kept and told nobody.
func (s Severity) tells() []actor.Role {
	switch s {
	case Critical:
		return []actor.Role{actor.WarehouseSupervisor, actor.DevOpsLead}
	case Warning:
		return []actor.Role{actor.WarehouseSupervisor}
	case Info:
	}
	return nil
}

// Path is where a failure is dealt with.
func (c Case) Path() string { return "/capacity-failures/" + c.ID.String() }

// alerts are the lines of the outbox for a failure that is new, open again or worse. Each says the figures that were judged.
func alerts(c Case) []Alert {
	var list []Alert
	for _, role := range c.Verdict.Severity.tells() {
		list = append(list, Alert{
			Key:  fmt.Sprintf("capacity_failure %s %d %d %s", c.ID, c.Reopened, c.Verdict.Severity.Rank(), role),
			Role: role, Path: c.Path(), DueAt: c.DueAt(),
			Headline: fmt.Sprintf("%s: %s does not fit into %s (%s)", c.Verdict.Severity, c.Material.Code, c.Location.Code, c.Facility.Code),
			Body: fmt.Sprintf("%s. Lot %s, %s pieces: %s ft³ needed and %s free (%s), %s lb needed and %s free (%s). %s: %s",
				c.Verdict.Type.Words(), c.Lot, c.Quantity, c.Needed.CubicFeet, c.Free.CubicFeet, c.Verdict.Volume.Words(), c.Needed.WeightLbs, c.Free.WeightLbs, c.Verdict.Weight.Words(),
				c.Cause.Words(), c.Reason),
		})
	}
	return list
}

// Words is the type as people say it.
func (t Type) Words() string {
	switch t {
	case VolumeExceeded:
		return "Too little volume"
	case WeightExceeded:
		return "Too much weight"
	case BothExceeded:
		return "Too little volume and too much weight"
	}
	return string(t)
}

// Words is the overflow as people say it.
func (o Overflow) Words() string {
	switch {
	case o.NoRoom:
		return "no room at all"
	case o.Pct.IsZero():
		return "fits"
	case o.Pct.LessThan(lowest):
		return "less than 0.01 % over"
	}
	return o.Pct.Truncate(2).String() + " % over"
}
