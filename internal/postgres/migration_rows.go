package postgres

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/migration"
)

type ledgerRow struct {
	LedgerID, VersionNumber                                  int64
	Description, Script, Direction                           string
	Success                                                  bool
	SHA256, SHA256Tokens                                     string
	TenantID                                                 *uuid.UUID // NULL where the acting tenant is another
	ActorIssuer, ActorSubject, ActorName, ActorRoles, Origin string
	ReleaseID, RunID                                         *uuid.UUID
	StartedAt, FinishedAt                                    time.Time
	DurationMs                                               int64
	ServerVersion                                            string
	Sqlstate, Error                                          *string
	Notices                                                  string
	LockWaits                                                *int
	LockWaitMs                                               *int64
	LockWaitedFor                                            *string
}

func (r ledgerRow) entry() migration.Entry {
	var waits *migration.LockWaits
	if r.LockWaits != nil {
		waits = &migration.LockWaits{Times: *r.LockWaits, Took: time.Duration(deref(r.LockWaitMs)) * time.Millisecond, For: deref(r.LockWaitedFor)}
	}
	return migration.Entry{
		ID: r.LedgerID, Version: migration.Version(r.VersionNumber), Direction: migration.Direction(r.Direction),
		Description: r.Description, Script: r.Script, Success: r.Success, SHA256: r.SHA256, TokensSHA256: r.SHA256Tokens,
		By: migration.Person{
			Tenant: deref(r.TenantID), Issuer: r.ActorIssuer, Subject: r.ActorSubject, Name: r.ActorName, Roles: r.ActorRoles, Origin: r.Origin,
		},
		Release: deref(r.ReleaseID), Run: deref(r.RunID), StartedAt: r.StartedAt, FinishedAt: r.FinishedAt,
		Took: time.Duration(r.DurationMs) * time.Millisecond, Server: r.ServerVersion,
		SQLState: deref(r.Sqlstate), Error: deref(r.Error), Notices: r.Notices, Waits: waits,
	}
}

type migrationRunRow struct {
	TenantID, RunID, ReleaseID                               uuid.UUID
	VersionNumber                                            int64
	Direction, SHA256, State                                 string
	ActorIssuer, ActorSubject, ActorName, ActorRoles, Origin string
	Reason                                                   string
	RequestedAt                                              time.Time
	StartedAt, FinishedAt                                    *time.Time
	DurationMs                                               *int64
	Error, Sqlstate                                          *string
	Resolution                                               string
	AcknowledgedBy                                           *string
	AcknowledgedAt                                           *time.Time
	AcknowledgedNote                                         string
}

func (r migrationRunRow) run() migration.Run {
	return migration.Run{
		ID: r.RunID, Tenant: r.TenantID, Release: r.ReleaseID, Version: migration.Version(r.VersionNumber),
		Direction: migration.Direction(r.Direction), SHA256: r.SHA256, State: migration.RunState(r.State),
		By: migration.Person{
			Tenant: r.TenantID, Issuer: r.ActorIssuer, Subject: r.ActorSubject, Name: r.ActorName, Roles: r.ActorRoles, Origin: r.Origin,
		},
		RequestedAt: r.RequestedAt, StartedAt: deref(r.StartedAt), FinishedAt: deref(r.FinishedAt),
		Took: time.Duration(deref(r.DurationMs)) * time.Millisecond, Error: deref(r.Error), SQLState: deref(r.Sqlstate),
		Resolution: r.Resolution, Reason: r.Reason, AcknowledgedBy: deref(r.AcknowledgedBy),
		AcknowledgedAt: deref(r.AcknowledgedAt), AcknowledgedNote: r.AcknowledgedNote,
	}
}

type migrationReleaseRow struct {
	RunID     uuid.UUID
	Code      string
	GateOpen  bool
	BackedUp  bool
	Rehearsed bool
	Missing   []string
	Shut      string
	Unsettled string
	Plan      []byte
	TimeZone  string
	momentRow
}

func (r migrationReleaseRow) release() (*migration.Release, error) {
	release := &migration.Release{ID: r.RunID, Code: r.Code, GateOpen: r.GateOpen, BackedUp: r.BackedUp, Rehearsed: r.Rehearsed, Missing: rolesOf(r.Missing), Shut: r.Shut, Unsettled: r.Unsettled, Plan: map[string]string{}, Zone: r.TimeZone, Moment: r.moment()}
	if err := json.Unmarshal(r.Plan, &release.Plan); err != nil {
		return nil, fmt.Errorf("reading the release's plan: %w", err)
	}
	return release, nil
}

func rolesOf(names []string) []actor.Role {
	var roles []actor.Role
	for _, name := range names {
		roles = append(roles, actor.Role(name))
	}
	return roles
}

type migrationTextRow struct{ SHA256, Body string }

type migrationLineRow struct {
	Seq  int
	At   time.Time
	Line string
}

type catalogRow struct {
	Number int
	Found  bool
	Sound  bool
	Detail string
}

type obstacleRow struct {
	Operator, ReleaseFound    bool
	ReleaseState, ReleaseCode string
	GateOpen                  bool
	BackedUp, Rehearsed       bool
	Unsettled                 string
	Saved                     bool
	PlannedSHA256             string
	Closed, Token             string
	Stopped, RollingBack      string
}

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

func ledgerEntries(into *[]migration.Entry) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		var list []ledgerRow
		err := collect(&list)(rows)
		for _, r := range list {
			*into = append(*into, r.entry())
		}
		return err
	}
}

func migrationRuns(into *[]migration.Run) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		var list []migrationRunRow
		err := collect(&list)(rows)
		for _, r := range list {
			*into = append(*into, r.run())
		}
		return err
	}
}

func migrationBelief(into *migration.Belief) func(pgx.Row) error {
	return func(row pgx.Row) error {
		var version int64
		err := row.Scan(&version, &into.Dirty)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		into.Version, into.Known = migration.Version(max(version, 0)), version >= 0
		return err
	}
}
