package runbook

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/change"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/live"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

// Store is where runs are kept. Each read is one round trip.
type Store interface {
	List(ctx context.Context, by actor.Actor, environment string, q Query) ([]Run, error)
	Active(ctx context.Context, by actor.Actor, environment string) (Run, bool, error)
	// Show reads a run with its plan, its gates with their signatures, and its migrations.
	Show(ctx context.Context, by actor.Actor, run uuid.UUID) (Release, error)
	// Item reads an item with its plan, all its evidence and its history.
	Item(ctx context.Context, by actor.Actor, run uuid.UUID, item ItemID) (ItemPage, error)
	// Mark is what tells an open page that it shows something that was; place is who else has it open.
	Mark(ctx context.Context, by actor.Actor, run, place uuid.UUID) (Mark, error)
	// File reads the newest file of an item with that hash, and hashes its bytes for Intact.
	File(ctx context.Context, by actor.Actor, run uuid.UUID, item ItemID, sha256 string) (File, error)
	// FilePieces reads a few pieces of a file from a place on; none after the last.
	FilePieces(ctx context.Context, by actor.Actor, run uuid.UUID, item ItemID, file, from int) ([][]byte, error)
	// Imported are the templates that the actor's company brought, in no order.
	Imported(ctx context.Context, by actor.Actor) ([]Template, error)
	InTenant(ctx context.Context, by actor.Actor, work func(context.Context, Tx) error) error
}

// Tx is everything the runbook may do to the database.
type Tx interface {
	Active(ctx context.Context, environment string) (Run, bool, error)
	// Add stores a new run with everything that is frozen in it.
	Add(ctx context.Context, run Run, t Template, migrations []Migration) error
	// LockPlan holds off every other change of the run until the transaction ends, and reads it.
	LockPlan(ctx context.Context, run uuid.UUID) (Plan, error)
	// Template is the text that the run was frozen from.
	Template(ctx context.Context, run uuid.UUID) (string, error)
	// AddEvidence stores a piece of evidence of an item and returns its number.
	AddEvidence(ctx context.Context, run uuid.UUID, item ItemID, e Evidence) (int, error)
	// Files lists the files of an item, oldest first; their bytes are not read.
	Files(ctx context.Context, run uuid.UUID, item ItemID) ([]File, error)
	// AddFile stores a file in the item's round.
	AddFile(ctx context.Context, run uuid.UUID, item Item, a Attachment) (File, error)
	// AddTemplate keeps a company's own template; where its name and version are taken, it says by which hash, and full that
	// the company's texts would be more than MaxTemplates together.
	AddTemplate(ctx context.Context, t Template) (there string, full bool, err error)
	// AddNote stores what somebody said beside an item; false where the form with this key said it already, and
	// ErrSaidOtherwise where it said something else.
	AddNote(ctx context.Context, run uuid.UUID, item ItemID, n Note, key uuid.UUID) (bool, error)
	// Waive stores the signature by which a required item is skipped, if all its rules hold, and gives the hash of what it was
	// given on; empty where they do not hold.
	Waive(ctx context.Context, by actor.Actor, w WaiverToSign) (sha256 string, err error)
	// Change stores an item and brings the run's counts up to date; seen is the version it was changed from.
	Change(ctx context.Context, run uuid.UUID, item Item, seen int) error
	// ChangeRun stores T-0, state and end of a run; seen is the version it was changed from.
	ChangeRun(ctx context.Context, run Run, seen int) error
	// RollingBack is the way by which the release is being taken back now; empty while it is not.
	RollingBack(ctx context.Context, run uuid.UUID) (way string, err error)
	Record(ctx context.Context, e audit.Event) error
}

// Checker runs the checks of items of kind auto.
type Checker interface {
	Check(ctx context.Context, by actor.Actor, name string, run RunFacts) (CheckResult, error)
}

// RunFacts is what a check may want to know of the run.
type RunFacts struct {
	Run         uuid.UUID
	Code        string
	Environment string
	Migrations  []Migration
}

// CheckResult is what a check found: whether it is as it should be, in a sentence, what was asked, and the answer as JSON.
type CheckResult struct {
	OK      bool
	Summary string
	Query   string
	Value   []byte
	At      time.Time
}

// MigrationPlan knows the migration files of this program, by version as the ledger writes it.
type MigrationPlan interface {
	Files(ctx context.Context) ([]Migration, error)
}

// Query asks for a page of runs, newest first.
type Query struct {
	State State // empty for all
	// BeforeAt and BeforeID are the last row of the page before; zero for the first page.
	BeforeAt time.Time
	BeforeID uuid.UUID
	Limit    int
}

// GateShown is a gate on the page of a run: when it is due, and how it stands.
type GateShown struct {
	Gate
	Signing signoff.Gate
}

// MigrationShown is a migration of the run and what the ledger last says of it; Direction is empty where it says nothing.
type MigrationShown struct {
	Migration
	Direction string
	Success   bool
	At        time.Time
	Own       bool // that entry of the ledger is this run's
}

// Before says whether the migration was in the database when a release was started at that time: it is none of that release's.
func (m MigrationShown) Before(started time.Time) bool {
	return !m.Own && m.Success && (m.Direction == "up" || m.Direction == "baseline") && m.At.Before(started)
}

// Release is a run as its page shows it.
type Release struct {
	Plan
	Gates      []GateShown
	Migrations []MigrationShown
	Template   Template // as it was frozen
	Newest     TemplateRef
	Moment     change.Moment     // how it stands to its change window
	TakenOver  []TakenOver       // from whoever had it, and still in other hands
	Rollbacks  []Rollback        // newest first
	waits      map[ItemID][]Wait // of every item, where they were read for many
}

// HistoryLine is something that was done to an item.
type HistoryLine struct {
	At     time.Time
	Who    string
	Action string
	Reason string
}

// ItemPage is an item as its page shows it.
type ItemPage struct {
	Plan
	Item     Item
	Phase    PhaseSpec
	Spec     ItemSpec
	Template Template
	Evidence []Evidence // newest first
	Files    []File     // oldest first, their bytes hashed anew
	Notes    []Note     // oldest first
	// WaiverRoles are the roles of which one may sign that it is skipped; Waiver is the signature that did.
	WaiverRoles []actor.Role
	Waiver      *Waiver
	History     []HistoryLine
	Here        []live.Present // who has it open now, whoever asks included
}

// Mark changes with what a page of a release shows.
type Mark struct {
	Value string
	Over  bool // nothing of the release will change any more
}

// Service holds the stories of a runbook.
type Service struct {
	store       Store
	newID       func() (uuid.UUID, error)
	environment string
	templates   []Template
	plan        MigrationPlan
	checker     Checker
	// What many look at when it changes is read once for all of them.
	shown  live.Together[inTenant, Release]
	marked live.Together[inTenant, Mark]
}

// inTenant names what everybody of a tenant reads alike.
type inTenant struct{ tenant, run, place uuid.UUID }

// NewService makes the service for one environment. A release can be started from the templates; which of a name is the
// newest goes by their versions. Times come from the database, so that a wrong clock here writes nothing down at the wrong
// time.
func NewService(store Store, environment string, templates []Template, plan MigrationPlan, checker Checker) *Service {
	return &Service{store: store, newID: uuid.NewV7, environment: environment, templates: templates, plan: plan, checker: checker}
}

// Environment is the environment whose releases this service runs.
func (s *Service) Environment() string { return s.environment }

// List is a page of the releases, newest first. Of each run it holds what a list shows; Show gives the rest.
func (s *Service) List(ctx context.Context, by actor.Actor, q Query) ([]Run, error) {
	if err := by.Demand(actor.ReleaseRead); err != nil {
		return nil, err
	}
	q.Limit = min(max(q.Limit, 1), 200)
	return s.store.List(ctx, by, s.environment, q)
}

// Active is the release that runs here now.
func (s *Service) Active(ctx context.Context, by actor.Actor) (Run, bool, error) {
	if err := by.Demand(actor.ReleaseRead); err != nil {
		return Run{}, false, err
	}
	return s.store.Active(ctx, by, s.environment)
}

// Show is one release for its page.
func (s *Service) Show(ctx context.Context, by actor.Actor, run uuid.UUID) (Release, error) {
	if err := by.Demand(actor.ReleaseRead); err != nil {
		return Release{}, err
	}
	release, err := s.shown.Do(ctx, inTenant{tenant: by.Tenant, run: run}, func(ctx context.Context) (Release, error) { return s.read(ctx, by, run) })
	if err != nil {
		return Release{}, err
	}
	// The store knows the versions of a company's own; a name is this program's or theirs, never both.
	for _, t := range s.templates {
		if t.Name == release.Template.Name {
			release.Newest = t.Ref()
			break
		}
	}
	return release, nil
}

// read is what everybody who looks at the release shares: what the store knows, and what follows from it for every item.
func (s *Service) read(ctx context.Context, by actor.Actor, run uuid.UUID) (Release, error) {
	release, err := s.store.Show(ctx, by, run)
	if err == nil {
		release.waits = release.WaitingEach()
	}
	return release, err
}

// Waits is what each item waits for.
func (r Release) Waits() map[ItemID][]Wait {
	if r.waits == nil {
		return r.WaitingEach()
	}
	return r.waits
}

// Mark is what tells an open page of the release, or of a place in it, that it shows something that was.
func (s *Service) Mark(ctx context.Context, by actor.Actor, run, place uuid.UUID) (Mark, error) {
	if err := by.Demand(actor.ReleaseRead); err != nil {
		return Mark{}, err
	}
	return s.marked.Do(ctx, inTenant{by.Tenant, run, place}, func(ctx context.Context) (Mark, error) { return s.store.Mark(ctx, by, run, place) })
}

// Item is one item for its page.
func (s *Service) Item(ctx context.Context, by actor.Actor, run uuid.UUID, item ItemID) (ItemPage, error) {
	if err := by.Demand(actor.ReleaseRead); err != nil {
		return ItemPage{}, err
	}
	page, err := s.store.Item(ctx, by, run, item)
	if err != nil {
		return ItemPage{}, err
	}
	page.Spec, page.Phase, _ = page.Template.Spec(item)
	return page, nil
}

// StartRequest is a release to be started.
type StartRequest struct {
	// Template is the hash of the template, as the form showed it.
	Template string
	Code     string
	Title    string
	T0       time.Time
	TimeZone string
}

// Start freezes the template and the files of its migrations in a new run. One run is active at a time.
func (s *Service) Start(ctx context.Context, by actor.Actor, r StartRequest) (uuid.UUID, error) {
	if err := by.Demand(actor.ReleaseStart); err != nil {
		return uuid.Nil, err
	}
	r.Code = strings.TrimSpace(r.Code)
	template, err := s.templateFor(ctx, by, r)
	if err != nil {
		return uuid.Nil, err
	}
	r.Title = cmp.Or(strings.TrimSpace(r.Title), template.Title)
	migrations, err := s.frozenMigrations(ctx, template)
	if err != nil {
		return uuid.Nil, err
	}
	id, err := s.newID()
	if err != nil {
		return uuid.Nil, err
	}
	run := Run{
		ID: id, Environment: s.environment, Code: r.Code, Title: r.Title, State: Active, T0: r.T0.UTC(), TimeZone: r.TimeZone,
		Template: template.Ref(), Starter: personOf(by), Counts: Counts{Total: len(template.Items())}, Version: 1,
	}
	err = s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		running, is, err := tx.Active(ctx, s.environment)
		if err != nil {
			return err
		}
		if is {
			return fault.New(fault.Conflict, "Release %s is under way in %s. One release runs at a time: finish or abort it first.", running.Code, s.environment)
		}
		if err := tx.Add(ctx, run, template, migrations); err != nil {
			return err
		}
		return tx.Record(ctx, audit.Event{
			Action: "release:start", ObjectKind: "release", ObjectID: id.String(), After: map[string]any{
				"code": run.Code, "title": run.Title, "environment": run.Environment, "t0": run.T0.Format(time.RFC3339),
				"time_zone": run.TimeZone, "template": run.Template, "migrations": migrations,
			},
		})
	})
	return id, err
}

// CheckStart says what is wrong with a request as it stands, field by field; Start asks the same, and what only the
// database knows.
func (s *Service) CheckStart(ctx context.Context, by actor.Actor, r StartRequest) error {
	_, err := s.templateFor(ctx, by, r)
	return err
}

// templateFor finds the runbook of a request whose every field is as it must be.
func (s *Service) templateFor(ctx context.Context, by actor.Actor, r StartRequest) (Template, error) {
	templates, err := s.Templates(ctx, by)
	if err != nil {
		return Template{}, err
	}
	refusal := fault.New(fault.Invalid, "The release cannot be started like this. Nothing was changed.")
	if n := utf8.RuneCountInString(r.Code); n < 1 || n > 100 || unstorable(r.Code) != "" || strings.ContainsAny(r.Code, "/\n") {
		refusal = refusal.WithField("code", "The release needs a code of 1 to 100 characters, without a slash, like REQ-STRATEGIC-AUTO-1766545799451.")
	}
	if n := utf8.RuneCountInString(r.Title); n > 200 || unstorable(r.Title) != "" {
		refusal = refusal.WithField("title", "A title has at most 200 characters. Left empty, it is that of the runbook.")
	}
	if r.T0.Year() < 2000 || r.T0.Year() > 2100 {
		refusal = refusal.WithField("t_zero", "T-0 needs a date and a time.")
	}
	if _, err := time.LoadLocation(r.TimeZone); err != nil || r.TimeZone == "" || r.TimeZone == "Local" {
		refusal = refusal.WithField("zone", "Choose the time zone of the site.")
	}
	i := slices.IndexFunc(templates, func(t Template) bool { return t.SHA256 == r.Template })
	if i < 0 {
		refusal = refusal.WithField("template", "Choose one of the runbooks. The one you chose is not there (any more).")
	}
	if refusal.Fields != nil {
		return Template{}, refusal
	}
	return templates[i], nil
}

func (s *Service) frozenMigrations(ctx context.Context, t Template) ([]Migration, error) {
	files, err := s.plan.Files(ctx)
	if err != nil {
		return nil, err
	}
	var frozen []Migration
	for _, version := range t.Migrations {
		i := slices.IndexFunc(files, func(m Migration) bool { return m.Version == version })
		if i < 0 {
			return nil, fault.New(fault.Conflict, "The runbook brings migration V%s, and this version of Gatehouse carries no such file. Nothing was started.", version)
		}
		frozen = append(frozen, files[i])
	}
	return frozen, nil
}
