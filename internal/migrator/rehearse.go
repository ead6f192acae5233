package migrator

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/agogsaas/gatehouse/internal/clock"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
)

// RehearseRequest says on which copy to rehearse.
type RehearseRequest struct {
	// URL is the copy, as the owner. Its name begins with migration.ScratchPrefix; it is changed, and not dropped.
	URL  string
	Data migration.RehearsalData // Bytes is measured
	// Facts looks objects of plan cards up in the catalog of the database at url.
	Facts func(ctx context.Context, url string, objects []migration.Object) ([]migration.Fact, error)
	// Say is told what happens; nil tells nobody.
	Say func(line string)
}

// Rehearse runs every pending file up, down and up again on a copy, and measures each statement. The real database is
// only looked at. A file that fails is part of the report and ends it; the error is for a rehearsal that could not be held.
func (m *Migrator) Rehearse(ctx context.Context, req RehearseRequest) (migration.RehearsalReport, error) {
	pending, live, err := m.toRehearse(ctx)
	if err != nil {
		return migration.RehearsalReport{}, err
	}
	s, err := m.onCopy(ctx, req.URL)
	if err != nil {
		return migration.RehearsalReport{}, err
	}
	// The copy is thrown away; how its connection ends is of no consequence.
	defer func() { _ = s.close(ctx) }()
	report := migration.NewRehearsalReport(req.Data)
	report.StartedAt = time.Now().UTC()
	if err := m.isCopy(ctx, s, live, &report); err != nil {
		return migration.RehearsalReport{}, err
	}
	for _, v := range pending {
		report.Planned = append(report.Planned, v.String())
	}
	r := rehearsing{m: m, s: s, req: req}
	for _, v := range pending {
		one, err := r.version(ctx, v)
		if err != nil {
			return migration.RehearsalReport{}, wrap("rehearsing "+v.Title(), err)
		}
		report.Versions = append(report.Versions, one)
		if len(one.Wrong()) > 0 {
			break
		}
	}
	report.FinishedAt = time.Now().UTC()
	return report, nil
}

// toRehearse is what is pending, and the schema that the copy has to have.
func (m *Migrator) toRehearse(ctx context.Context) (pending []migration.Version, live liveSchema, err error) {
	s, err := m.connect(ctx, migration.RunID{})
	if err != nil {
		return nil, live, err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	ladder, err := m.compare(ctx, s)
	if err != nil {
		return nil, live, err
	}
	if len(ladder.Problems) > 0 {
		return nil, live, ladder.Refusal()
	}
	for _, rung := range ladder.Rungs {
		if !rung.InDatabase() && rung.HasFile {
			pending = append(pending, rung.Version)
		}
	}
	if len(pending) == 0 {
		return nil, live, fault.New(fault.Conflict, "Nothing is pending, so there is nothing to rehearse.")
	}
	if live.place, err = readPlaceOf(ctx, s); err != nil {
		return nil, live, wrap("looking at the database", err)
	}
	seen, err := look(ctx, s.conn, nil)
	live.items = seen.catalog.Items
	return pending, live, wrapped("looking at the schema", err)
}

func wrapped(what string, err error) error {
	if err == nil {
		return nil
	}
	return wrap(what, err)
}

type liveSchema struct {
	place place
	items []migration.Item
}

// place is one row of readPlace.
type place struct {
	Name     string
	Bytes    int64
	Server   string
	Identity string // of the cluster and of the database in it
}

func readPlaceOf(ctx context.Context, s *session) (place, error) {
	rows, err := s.conn.Query(ctx, readPlace)
	if err != nil {
		return place{}, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[place])
}

// onCopy connects to the copy with the settings that a real step has.
func (m *Migrator) onCopy(ctx context.Context, url string) (*session, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fault.New(fault.Invalid, "The copy's address is not one of PostgreSQL's (postgres://user@host:5432/database).")
	}
	if !strings.HasPrefix(config.Database, migration.ScratchPrefix) {
		return nil, fault.New(fault.Invalid, "A rehearsal changes its database, so it runs only on one whose name begins with %s; %q does not.", migration.ScratchPrefix, config.Database)
	}
	if config.User != m.config.User {
		return nil, fault.New(fault.Invalid, "A rehearsal runs as the role that migrates, %s, and not as %s: another role may do other things.", m.config.User, config.User)
	}
	maps.Copy(config.RuntimeParams, m.config.RuntimeParams)
	config.RuntimeParams["application_name"] = applicationPrefix + " rehearsal"
	config.DefaultQueryExecMode, config.ConnectTimeout = m.config.DefaultQueryExecMode, m.config.ConnectTimeout
	s := &session{}
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { s.notice(n) }
	if s.conn, err = pgx.ConnectConfig(ctx, config); err != nil {
		return nil, fault.New(fault.Unavailable, "The copy for the rehearsal cannot be reached. Nothing was changed.").Because(err)
	}
	return s, nil
}

// isCopy refuses the real database under another name, and a copy that is not of the schema as it stands.
func (m *Migrator) isCopy(ctx context.Context, s *session, live liveSchema, report *migration.RehearsalReport) error {
	here, err := readPlaceOf(ctx, s)
	if err != nil {
		return wrap("looking at the copy", err)
	}
	report.Server, report.Data.Bytes = here.Server, here.Bytes
	if here.Identity == live.place.Identity {
		return fault.New(fault.Invalid, "This is the database itself, and not a copy of it. Nothing was changed.")
	}
	seen, err := look(ctx, s.conn, nil)
	if err != nil {
		return wrap("looking at the copy's schema", err)
	}
	differences := migration.SchemaDifferences(migration.AsDumped(live.items), migration.AsDumped(seen.catalog.Items))
	if len(differences) == 0 {
		return nil
	}
	cause := &migration.Disagreement{Problems: differences}
	return fault.New(fault.Conflict, "The copy does not have the schema that the database has now, so a rehearsal on it would prove nothing. In %d places it differs; the first: %s",
		len(differences), differences[0]).Because(cause)
}

// rehearsing is one rehearsal on its copy.
type rehearsing struct {
	m   *Migrator
	s   *session
	req RehearseRequest
}

func (r rehearsing) say(format string, args ...any) {
	if r.req.Say != nil {
		r.req.Say(fmt.Sprintf(format, args...))
	}
}

// version runs up, down and up, and holds the schema against itself.
func (r rehearsing) version(ctx context.Context, v migration.Version) (migration.RehearsedVersion, error) {
	up, _ := r.m.files.Up(v)
	down, hasDown := r.m.files.Down(v)
	one := migration.RehearsedVersion{Version: v.String(), SHA256: up.SHA256}
	if !hasDown {
		return one, fault.New(fault.Conflict, "%s has no file to take it back with, so it cannot be rehearsed.", v.Title())
	}
	down.Card = up.Card // the bounds of the undo file are those of the version's card
	var schemas [4][]migration.Item
	for i, file := range []migration.File{up, down, up, {}} {
		seen, err := look(ctx, r.s.conn, nil)
		if err != nil {
			return one, err
		}
		schemas[i] = seen.catalog.Items
		if i == 3 {
			break
		}
		pass, err := r.pass(ctx, file)
		if err != nil {
			return one, err
		}
		one.Passes = append(one.Passes, pass)
		if pass.Error != "" {
			return one, r.leftBehind(ctx, &one, schemas[i])
		}
		statements := "statements"
		if len(pass.Statements) == 1 {
			statements = "statement"
		}
		r.say("%s: %d %s in %s", file.Script, len(pass.Statements), statements, clock.Duration(pass.Took))
	}
	one.Left = migration.SchemaDifferences(schemas[0], schemas[2])
	one.Differs = migration.SchemaDifferences(schemas[1], schemas[3])
	return one, r.check(ctx, up, &one)
}

// leftBehind says what a file that failed has left, which is nothing unless it ran without a transaction.
func (r rehearsing) leftBehind(ctx context.Context, one *migration.RehearsedVersion, before []migration.Item) error {
	seen, err := look(ctx, r.s.conn, nil)
	one.Left = migration.SchemaDifferences(before, seen.catalog.Items)
	return err
}

// check holds the card against the copy's catalog.
func (r rehearsing) check(ctx context.Context, up migration.File, one *migration.RehearsedVersion) error {
	facts, err := r.req.Facts(ctx, r.req.URL, r.m.files.Objects(up.Version))
	if err != nil {
		return err
	}
	checks := migration.Checks(up, true, facts)
	one.Checks = len(checks)
	for _, c := range checks {
		if !c.Passed {
			one.Failed = append(one.Failed, fmt.Sprintf("%s: expected %s, found %s.", c.Name, c.Expected, c.Found))
		}
	}
	return nil
}
