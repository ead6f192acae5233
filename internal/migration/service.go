package migration

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Gate is the gate of a release that must be passed before its migrations may be applied.
const Gate = "go_no_go"

const historyPage = 50

// Service is what people and machines may do with the warehouse's schema.
type Service struct {
	store Store
	files *Files
	now   func() time.Time
}

// NewService makes the stories over the files of the warehouse's schema.
func NewService(store Store, files *Files, now func() time.Time) *Service {
	return &Service{store: store, files: files, now: now}
}

// Overview is the ladder with everything around it.
type Overview struct {
	Ladder  Ladder
	Runs    []Run
	Release *Release
	History []Entry
	More    bool
	// Restores says whether there is a backup to rehearse on; without one a sample is all there is.
	Restores bool
}

// Ladder is where every version stands, and a page of the ledger; before is the entry after which the page begins.
func (s *Service) Ladder(ctx context.Context, by actor.Actor, before int64) (Overview, error) {
	if err := mayRead(by); err != nil {
		return Overview{}, err
	}
	sight, err := s.store.Look(ctx, by, Question{
		Before: before, Limit: historyPage, Objects: s.files.Made(s.files.Versions()...), Lint: s.files.LintAsks(s.files.Versions()...),
	})
	if err != nil {
		return Overview{}, err
	}
	o := Overview{Ladder: s.build(sight), Runs: sight.Runs, Release: sight.Release, History: sight.History, Restores: sight.Restores}
	if len(o.History) > historyPage {
		o.History, o.More = o.History[:historyPage], true
	}
	return o, nil
}

// Detail is one version.
type Detail struct {
	Ladder  Ladder
	Rung    Rung
	Undo    File
	HasUndo bool
	Checks  []Check
	Runs    []Run // active, or interrupted and not acknowledged, of any version
	Recent  []Run // of this version, newest first
	History []Entry
	Release *Release
	// Saved is the newest saving of what the undo would lose; nil where nobody has saved it.
	Saved *Saved
}

// Show is one version with its checks against the catalog.
func (s *Service) Show(ctx context.Context, by actor.Actor, v Version) (Detail, error) {
	if err := mayRead(by); err != nil {
		return Detail{}, err
	}
	undo, _ := s.files.Down(v)
	sight, err := s.store.Look(ctx, by, Question{
		Version: v, Limit: historyPage, Objects: s.files.Objects(v), Undo: undo.SHA256, Lint: s.files.LintAsks(v), Known: s.files.Hashes(),
	})
	if err != nil {
		return Detail{}, err
	}
	d := Detail{Saved: sight.Saved, Ladder: s.build(sight), Runs: sight.Runs, Recent: sight.Recent, History: sight.History, Release: sight.Release}
	rung, ok := d.Ladder.Find(v)
	if !ok {
		return Detail{}, fault.New(fault.NotFound, "There is no migration %s.", v.Title())
	}
	d.Rung = rung
	d.Undo, d.HasUndo = s.files.Down(v)
	if rung.HasFile {
		d.Checks = Checks(rung.File, rung.InDatabase(), sight.Facts)
	}
	return d, nil
}

// Sighting is one run as its page shows it.
type Sighting struct {
	Run    Run
	File   File
	Lines  []Line
	Checks []Check // only once the run has ended
	Ladder Ladder
	// Release is the active one, and nil where there is none.
	Release *Release
}

// Run is one run of the actor's tenant with its log.
func (s *Service) Run(ctx context.Context, by actor.Actor, id RunID) (Sighting, error) {
	if err := mayRead(by); err != nil {
		return Sighting{}, err
	}
	// Which version the run is of is not known yet, so the catalog is asked for all.
	sight, err := s.store.Look(ctx, by, Question{Run: id, Objects: s.files.Objects(s.files.Versions()...)})
	if err != nil {
		return Sighting{}, err
	}
	if sight.Run == nil {
		return Sighting{}, fault.New(fault.NotFound, "There is no such run.")
	}
	one := Sighting{Run: *sight.Run, Lines: sight.Lines, Ladder: s.build(sight), Release: sight.Release}
	one.File, _ = s.files.In(one.Run.Direction, one.Run.Version)
	up, hasUp := s.files.Up(one.Run.Version)
	rung, onLadder := one.Ladder.Find(one.Run.Version)
	if hasUp && onLadder && !one.Run.State.Active() {
		one.Checks = Checks(up, rung.InDatabase(), sight.Facts)
	}
	return one, nil
}

// tailLines is the most that Tail gives at once.
const tailLines = 500

// Tail is a run and what its log holds after a line, for who watches it; more says that there is more.
func (s *Service) Tail(ctx context.Context, by actor.Actor, id RunID, after int) (run Run, lines []Line, more bool, err error) {
	if err := mayRead(by); err != nil {
		return Run{}, nil, false, err
	}
	run, lines, err = s.store.Tail(ctx, by, id, after, tailLines+1)
	if fault.Is(err, fault.NotFound) {
		err = fault.New(fault.NotFound, "There is no such run.").Because(err)
	}
	if len(lines) > tailLines {
		lines, more = lines[:tailLines], true
	}
	return run, lines, more, err
}

// Verify is every check of every version that is in the database, for a runbook's evidence.
func (s *Service) Verify(ctx context.Context, by actor.Actor) (Ladder, []Check, error) {
	if err := mayRead(by); err != nil {
		return Ladder{}, nil, err
	}
	sight, err := s.store.Look(ctx, by, Question{Objects: s.files.Objects(s.files.Versions()...)})
	if err != nil {
		return Ladder{}, nil, err
	}
	ladder := s.build(sight)
	var checks []Check
	for _, r := range ladder.Rungs {
		if r.HasFile && r.InDatabase() {
			checks = append(checks, Checks(r.File, true, sight.Facts)...)
		}
	}
	return ladder, checks, nil
}

// Files are the files that this program carries.
func (s *Service) Files() *Files { return s.files }

func (s *Service) build(sight Sight) Ladder {
	ladder := Build(s.files, sight.Entries, sight.Belief, sight.Runs)
	ladder.WithRehearsals(sight.Rehearsed)
	ladder.Stray(sight.Facts)
	ladder.Weigh(s.files, sight.Live)
	if sight.Texts != nil {
		ladder.Explain(sight.Texts)
	}
	if !slices.ContainsFunc(sight.Runs, func(r Run) bool { return r.State.Active() }) {
		ladder.Invalid = sight.Invalid // while a run is under way it may be building them
	}
	return ladder
}

func mayRead(by actor.Actor) error {
	if !by.Can(actor.MigrationRead) {
		return fault.New(fault.Forbidden, "You may not see migrations. Whoever holds one of these roles may: %s.", titles(actor.RolesWith(actor.MigrationRead)))
	}
	return nil
}

func titles(roles []actor.Role) string {
	words := make([]string, len(roles))
	for i, r := range roles {
		words[i] = r.Title()
	}
	return strings.Join(words, ", ")
}
