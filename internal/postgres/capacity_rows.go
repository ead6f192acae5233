package postgres

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/capacity"
)

type overfullRow struct {
	FailureID, GroupID                    uuid.UUID
	Cause, CauseReason                    string
	FacilityID                            uuid.UUID
	FacilityCode                          string
	LocationID                            uuid.UUID
	LocationCode, LocationType, ZoneCode  string
	MaterialID                            uuid.UUID
	MaterialCode, LotNumber               string
	Quantity                              capacity.Decimal
	RequiredCubicFeet, AvailableCubicFeet capacity.Decimal
	RequiredWeightLbs, AvailableWeightLbs capacity.Decimal
	BinCubicFeet, BinMaxWeightLbs         *capacity.Decimal
	UnitCubicFeet, UnitWeightLbs          *capacity.Decimal
	State                                 string
	Version                               int
	OwnerIssuer, OwnerSubject, OwnerName  string
	FixCode, FixNotes                     string
	FixedIssuer, FixedSubject, FixedName  string
	FixedAt                               *time.Time
	VerifiedIssuer, VerifiedSubject       string
	VerifiedName                          string
	VerifiedAt                            *time.Time
	AcceptedUntil                         *time.Time
	AcceptedIssuer, AcceptedSubject       string
	AcceptedName, AcceptReason            string
	Occurrences                           int
	FirstSeenAt, LastSeenAt, OpenedAt     time.Time
	Reopened                              int
	Source                                string
}

// failure is the case of the row. What is exceeded follows from its figures.
func (r overfullRow) failure() capacity.Case {
	c := capacity.Case{
		ID: r.FailureID, Group: r.GroupID, Cause: capacity.Cause(r.Cause), Reason: r.CauseReason,
		Facility: capacity.Place{ID: r.FacilityID, Code: r.FacilityCode}, Location: capacity.Place{ID: r.LocationID, Code: r.LocationCode},
		LocationType: r.LocationType, Zone: r.ZoneCode, Material: capacity.Place{ID: r.MaterialID, Code: r.MaterialCode}, Lot: r.LotNumber, Quantity: r.Quantity,
		Needed: capacity.Load{CubicFeet: r.RequiredCubicFeet, WeightLbs: r.RequiredWeightLbs}, Free: capacity.Load{CubicFeet: r.AvailableCubicFeet, WeightLbs: r.AvailableWeightLbs},
		BinCubicFeet: r.BinCubicFeet, BinMaxWeight: r.BinMaxWeightLbs, UnitCubicFeet: r.UnitCubicFeet, UnitWeight: r.UnitWeightLbs,
		State: capacity.State(r.State), Version: r.Version, Owner: capacity.Person{Issuer: r.OwnerIssuer, Subject: r.OwnerSubject, Name: r.OwnerName},
		FixCode: capacity.Code(r.FixCode), FixNotes: r.FixNotes, FixedBy: capacity.Person{Issuer: r.FixedIssuer, Subject: r.FixedSubject, Name: r.FixedName}, FixedAt: timeOrZero(r.FixedAt),
		VerifiedBy: capacity.Person{Issuer: r.VerifiedIssuer, Subject: r.VerifiedSubject, Name: r.VerifiedName}, VerifiedAt: timeOrZero(r.VerifiedAt),
		AcceptUntil: timeOrZero(r.AcceptedUntil), AcceptedBy: capacity.Person{Issuer: r.AcceptedIssuer, Subject: r.AcceptedSubject, Name: r.AcceptedName}, AcceptWhy: r.AcceptReason,
		Occurrences: r.Occurrences, FirstSeen: r.FirstSeenAt.UTC(), LastSeen: r.LastSeenAt.UTC(), OpenedAt: r.OpenedAt.UTC(), Reopened: r.Reopened, Source: capacity.Source(r.Source),
	}
	c.Verdict, _ = capacity.Judge(c.Needed, c.Free) // what was stored exceeded something
	return c
}

func casesOf(rows []overfullRow) []capacity.Case {
	list := make([]capacity.Case, len(rows))
	for i, r := range rows {
		list[i] = r.failure()
	}
	return list
}

type capacityGroupRow struct {
	GroupID, FacilityID                             uuid.UUID
	FacilityCode, FacilityName                      string
	Cause, Subject, Label                           string
	Untouched, InWork, ToVerify, Accepted, Verified int
	WorstRank                                       int
	WorstOverflow                                   capacity.Decimal
	OldestOpenAt, LastSeenAt                        *time.Time
}

func (r capacityGroupRow) group() capacity.Group {
	return capacity.Group{
		ID: r.GroupID, Facility: capacity.Place{ID: r.FacilityID, Code: r.FacilityCode, Name: r.FacilityName}, Cause: capacity.Cause(r.Cause), Subject: r.Subject, Label: r.Label,
		Untouched: r.Untouched, InWork: r.InWork, ToVerify: r.ToVerify, Accepted: r.Accepted, Verified: r.Verified,
		WorstRank: r.WorstRank, WorstOverflow: r.WorstOverflow, OldestOpen: timeOrZero(r.OldestOpenAt), LastSeen: timeOrZero(r.LastSeenAt),
	}
}

type capacityEventRow struct {
	Version                 int
	Act, FromState, ToState string
	Note                    string
	BulkID                  *uuid.UUID
	Issuer, Subject, Name   string
	At                      time.Time
}

func eventsOf(rows []capacityEventRow) []capacity.Event {
	list := make([]capacity.Event, len(rows))
	for i, r := range rows {
		list[i] = capacity.Event{
			Version: r.Version, Act: capacity.Act(r.Act), From: capacity.State(r.FromState), To: capacity.State(r.ToState), Note: r.Note, Bulk: orNil(r.BulkID),
			By: capacity.Person{Issuer: r.Issuer, Subject: r.Subject, Name: r.Name}, At: r.At.UTC(),
		}
	}
	return list
}

type bulkRow struct {
	BulkID                uuid.UUID
	Act, Reason           string
	Cases                 int
	Issuer, Subject, Name string
	DoneAt                time.Time
	UndoneAt              *time.Time
}

func (r bulkRow) bulk() capacity.Bulk {
	return capacity.Bulk{
		ID: r.BulkID, Act: capacity.Act(r.Act), Reason: r.Reason, Cases: r.Cases, By: capacity.Person{Issuer: r.Issuer, Subject: r.Subject, Name: r.Name},
		DoneAt: r.DoneAt.UTC(), UndoneAt: timeOrZero(r.UndoneAt),
	}
}

func maybeBulk(rows []bulkRow) *capacity.Bulk {
	if len(rows) == 0 {
		return nil
	}
	b := rows[0].bulk()
	return &b
}

// working are the roles that may have a failure in hand.
func working() []string {
	var roles []string
	for _, role := range actor.RolesWith(actor.CapacityWork) {
		roles = append(roles, string(role))
	}
	return roles
}

func workersOf(rows []candidateRow) []capacity.Worker {
	list := make([]capacity.Worker, len(rows))
	for i, r := range rows {
		c := r.candidate()
		list[i] = capacity.Worker{ID: c.ID, Person: capacity.Person{Issuer: c.Person.Issuer, Subject: c.Person.Subject, Name: c.Person.Name}, Roles: c.Roles}
	}
	return list
}

// filter are the arguments of what narrows a list of cases.
func filter(by actor.Actor, q capacity.Query) pgx.StrictNamedArgs {
	args := pgx.StrictNamedArgs{"zone": q.Zone, "rank": q.Severity.Rank(), "before": nil, "owned": q.Mine || q.Nobodys, "owner_issuer": "", "owner_subject": ""}
	if q.Mine {
		args["owner_issuer"], args["owner_subject"] = by.Issuer, by.Subject
	}
	if q.OlderThan > 0 {
		args["before"] = time.Now().Add(-q.OlderThan)
	}
	return args
}

// states are those that a query asks for.
func states(list []capacity.State) []string {
	words := make([]string, len(list))
	for i, s := range list {
		words[i] = string(s)
	}
	return words
}

// beyond is where a list that is ordered by the worst begins.
const (
	beyondRank     = 9
	beyondOverflow = "99999999"
)

func after(args pgx.StrictNamedArgs, c capacity.Cursor) {
	args["after_rank"], args["after_overflow"], args["after_id"] = beyondRank, any(beyondOverflow), uuid.Max
	if c.Set() {
		args["after_rank"], args["after_overflow"], args["after_id"] = c.Rank, c.Overflow, c.ID
	}
}

func afterTime(args pgx.StrictNamedArgs, c capacity.Cursor) {
	args["after_at"], args["after_id"] = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), uuid.Max
	if c.Set() {
		args["after_at"], args["after_id"] = c.At, c.ID
	}
}

func orNow(d *capacity.Decimal) capacity.Decimal {
	if d == nil {
		return capacity.Decimal{}
	}
	return *d
}
