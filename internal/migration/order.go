package migration

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/change"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// ApplyRequest is a press of the button: which file was shown, for which release.
type ApplyRequest struct {
	Version Version
	SHA256  string // of the file that was shown
	Release uuid.UUID
	Key     uuid.UUID // of the form: pressing it twice makes one run
	Token   string    // one-time, where it does not come from a page
}

// Apply hands the next version to the worker, where the gate is open.
func (s *Service) Apply(ctx context.Context, by actor.Actor, req ApplyRequest) (Run, error) {
	file, ok := s.files.Up(req.Version)
	if !ok {
		return Run{}, fault.New(fault.NotFound, "There is no migration %s.", req.Version.Title())
	}
	return s.order(ctx, by, actor.MigrationApply, Order{Key: req.Key, PlanSHA256: file.SHA256, TokenSHA256: change.Hash(req.Token), Run: Run{
		Release: req.Release, Version: req.Version, Direction: Up, SHA256: req.SHA256,
	}})
}

// DownRequest takes the last version back. It asks for a reason and for the version to be typed, not for the gate: what
// went wrong must be undoable also when somebody has just taken a signature back because it went wrong.
type DownRequest struct {
	Version Version
	SHA256  string // of the undo file that was shown
	Release uuid.UUID
	Loss    uuid.UUID // the saving of what would be lost that was shown
	Confirm string    // the version, typed
	Reason  string
	Key     uuid.UUID
	Token   string // one-time, where it does not come from a page
}

// Down hands the undoing of the last version to the worker.
func (s *Service) Down(ctx context.Context, by actor.Actor, req DownRequest) (Run, error) {
	up, ok := s.files.Up(req.Version)
	if !ok {
		return Run{}, fault.New(fault.NotFound, "There is no migration %s.", req.Version.Title())
	}
	refusal := fault.New(fault.Invalid, "%s was not taken back.", req.Version.Title())
	if typed, err := ParseVersion(strings.TrimSpace(req.Confirm)); err != nil || typed != req.Version {
		refusal = refusal.WithField("confirm", fmt.Sprintf("Type %s here to say that it is this version.", req.Version.Title()))
	}
	if strings.TrimSpace(req.Reason) == "" {
		refusal = refusal.WithField("reason", "Say why it is taken back.")
	}
	if refusal.Fields != nil {
		return Run{}, refusal
	}
	return s.order(ctx, by, actor.MigrationDown, Order{Key: req.Key, PlanSHA256: up.SHA256, Loss: req.Loss, AuthTime: by.AuthTime, TokenSHA256: change.Hash(req.Token), Run: Run{
		Release: req.Release, Version: req.Version, Direction: Down, SHA256: req.SHA256, Reason: strings.TrimSpace(req.Reason),
	}})
}

// order inserts the run, enqueues it and records who asked, all in one transaction.
func (s *Service) order(ctx context.Context, by actor.Actor, right actor.Right, o Order) (Run, error) {
	if err := mayChange(by, right); err != nil {
		return Run{}, err
	}
	o.Run.ID, o.Run.Tenant, o.Run.State, o.Run.By = uuid.New(), by.Tenant, Queued, personOf(by)
	var result Run
	err := s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		// The second press of one form finds what the first one made.
		if first, found, err := tx.RunByKey(ctx, o.Key); err != nil || found {
			result = first
			return err
		}
		if err := s.judge(ctx, tx, o); err != nil {
			result, err = s.sameKey(ctx, tx, o, err)
			return err
		}
		added, err := tx.AddRun(ctx, o)
		if err != nil {
			return err
		}
		if !added {
			result, err = s.explain(ctx, tx, o)
			return err
		}
		result = o.Run
		if err := tx.Enqueue(ctx, Ref{Tenant: by.Tenant, Run: o.Run.ID}); err != nil {
			return err
		}
		event := audit.Event{
			Action: string(right), ObjectKind: "migration", ObjectID: o.Run.Version.String(), Reason: o.Run.Reason,
			Before: map[string]string{"state": string(before(o.Run.Direction))},
			After:  map[string]string{"run": o.Run.ID.String(), "release": o.Run.Release.String(), "sha256": o.Run.SHA256},
		}
		if o.Run.Direction == Down {
			if event.After, err = s.signed(ctx, tx, o); err != nil {
				return err
			}
		}
		return tx.Record(ctx, event)
	})
	return result, err
}

// before is where a version stands when it is ordered in that direction: the statement that keeps the order holds it.
func before(d Direction) State {
	if d == Down {
		return StateApplied
	}
	return StatePending
}

// signed is what whoever takes a version back puts their name to.
func (s *Service) signed(ctx context.Context, tx Tx, o Order) (map[string]string, error) {
	saved, err := tx.Saved(ctx, o.Loss)
	if err != nil {
		return nil, err
	}
	after := map[string]string{
		"run": o.Run.ID.String(), "release": o.Run.Release.String(), "sha256": o.Run.SHA256, "loss": o.Loss.String(), "meaning": saved.Meaning(), "roles": o.Run.By.Roles,
	}
	if !o.AuthTime.IsZero() {
		after["auth_time"] = o.AuthTime.UTC().Format(time.RFC3339)
	}
	return after, nil
}

// judge refuses what files, order and ledger forbid, with the reason in words; the statement that inserts asks the gate.
func (s *Service) judge(ctx context.Context, tx Tx, o Order) error {
	standing, err := tx.Standing(ctx, s.files.Made(o.Run.Version))
	if err != nil {
		return err
	}
	for _, run := range standing.Runs {
		if run.State.Active() {
			return busy(run)
		}
	}
	_, err = s.build(standing).Judge(s.files, StepRequest{Version: o.Run.Version, Direction: o.Run.Direction, SHA256: o.Run.SHA256})
	return err
}

// sameKey looks again where another run is in the way: between the two looks the first press may have committed, and then
// its run is the answer to the second.
func (s *Service) sameKey(ctx context.Context, tx Tx, o Order, refusal error) (Run, error) {
	var busy *Busy
	if !errors.As(refusal, &busy) {
		return Run{}, refusal
	}
	first, found, err := tx.RunByKey(ctx, o.Key)
	if err != nil || found {
		return first, err
	}
	return Run{}, refusal
}

// explain turns the insert's "no row" into the reason. A run that appeared in between with the same key is the answer.
func (s *Service) explain(ctx context.Context, tx Tx, o Order) (Run, error) {
	if first, found, err := tx.RunByKey(ctx, o.Key); err != nil || found {
		return first, err
	}
	is, err := tx.Obstacles(ctx, o)
	if err != nil {
		return Run{}, err
	}
	return Run{}, is.refusal(o)
}

func (is Obstacles) refusal(o Order) error {
	title := o.Run.Version.Title()
	switch {
	case is.Busy != nil:
		return busy(*is.Busy)
	case is.Interrupted != nil:
		return fault.New(fault.Conflict, "The run of %s was cut off. Somebody has to look at it and close it before another may start.", is.Interrupted.Version.Title()).Because(&Busy{*is.Interrupted})
	case !is.Operator:
		return notOperator()
	case !is.ReleaseFound:
		return fault.New(fault.GateClosed, "%s is applied as part of a release, and this is none of yours. Start a release, or choose one.", title)
	case is.ReleaseState != "active":
		return fault.New(fault.GateClosed, "Release %s is %s; only an active release changes the schema.", is.ReleaseCode, strings.ReplaceAll(is.ReleaseState, "_", " "))
	case is.PlannedSHA256 == "":
		return fault.New(fault.GateClosed, "Release %s does not plan %s.", is.ReleaseCode, title)
	case is.PlannedSHA256 != o.PlanSHA256:
		return fault.New(fault.GateClosed, "%s is not the file that release %s was started with (then %s, now %s). Start a new release for it.", title, is.ReleaseCode, short(is.PlannedSHA256), short(o.PlanSHA256))
	case o.Run.Direction == Up && is.RollingBack != "":
		return fault.New(fault.GateClosed, "Release %s is being rolled back by %s, so nothing of it is applied. End the rollback first.", is.ReleaseCode, is.RollingBack)
	case is.Closed != "":
		return fault.New(fault.GateClosed, "%s", is.Closed)
	case o.Run.Direction == Down && !is.Saved:
		return fault.New(fault.GateClosed, "%s", NotSaved)
	case o.Run.Direction == Up && !is.GateOpen && is.Stopped != "":
		return fault.New(fault.GateClosed, "The go / no-go gate of release %s is not open. %s", is.ReleaseCode, is.Stopped)
	case o.Run.Direction == Up && !is.GateOpen:
		return fault.New(fault.GateClosed, "The go / no-go gate of release %s is not open: %s.", is.ReleaseCode, missing(is.Missing))
	case o.Run.Direction == Up && !is.BackedUp:
		return fault.New(fault.GateClosed, "%s", NoBackup)
	case o.Run.Direction == Up && !is.Rehearsed:
		return fault.New(fault.GateClosed, "%s", NotRehearsed)
	case o.Run.Direction == Up && is.Unsettled != "":
		return fault.New(fault.GateClosed, "%s", WantsSettled(is.ReleaseCode, is.Unsettled))
	case o.Run.By.Origin != string(actor.Web) && is.Token != "":
		return fault.New(fault.GateClosed, "%s %s", tokenProblems[is.Token], HowToken)
	}
	return fault.New(fault.Conflict, "Something changed while you pressed the button. Look at the page again.")
}

// Why nothing is applied although the gate is open.
const (
	NoBackup = "Nothing is applied without a backup that was restored in a drill and is fresh: at most 24 hours old, of this server, " +
		"with little written since. Take one on the page Backups."
	NotRehearsed = "Nothing is applied that did not pass a rehearsal: exactly these files, up, down and up again, on a backup that a drill restored " +
		"and that was at most a day old then, held after a fresh backup was taken. Rehearse on the page Backups."
	NotSaved = "Nothing is undone before it was counted what would be lost and that was saved, from exactly this undo file, in the last 15 minutes, " +
		"and signed for with a sign-in of the last ten. Count and save it on the page Undo of the version, then undo."
)

// WantsSettled says which items the runbook of a release puts before applying.
func WantsSettled(release, items string) string {
	return fmt.Sprintf("The runbook of release %s wants this settled before anything is applied: %s. Settle it on the release's page, then apply.", release, items)
}

// HowToken says how the command line gets its token.
const HowToken = "When go / no-go is signed, a person who may apply makes one on the release's page Window; " +
	"it is good once, for one version and direction, until the window ends and for an hour at most. Put it into GATEHOUSE_APPLY_TOKEN."

var tokenProblems = map[string]string{
	"none":    "Nothing is changed from here without a one-time token of the signed gate.",
	"unknown": "The one-time token is none of this organisation's.",
	"used":    "The one-time token was used already.",
	"revoked": "The one-time token was revoked.",
	"expired": "The one-time token has expired.",
	"another": "The one-time token is for another release, version, direction or text of the file.",
	"void":    "The one-time token is void: what go / no-go was signed on has changed, or a signature was taken back.",
}

func missing(roles []actor.Role) string {
	if len(roles) == 0 {
		return "a signature is no longer valid"
	}
	return "it waits for the signature of " + titles(roles)
}

func busy(run Run) error {
	cause := &Busy{run}
	return fault.New(fault.Conflict, "%s One step at a time; wait until it has ended.", cause.Error()).Because(cause)
}

func notOperator() error {
	return fault.New(fault.Forbidden, "This environment is operated by another organisation; only its people may change the schema.")
}

func mayChange(by actor.Actor, right actor.Right) error {
	if !by.Can(right) {
		return fault.New(fault.Forbidden, "You may not change the schema. Whoever holds one of these roles may: %s.", titles(actor.RolesWith(right)))
	}
	if !by.Operator {
		return notOperator()
	}
	return nil
}

func personOf(by actor.Actor) Person {
	roles := make([]string, len(by.Roles))
	for i, r := range by.Roles {
		roles[i] = string(r)
	}
	return Person{Tenant: by.Tenant, Issuer: by.Issuer, Subject: by.Subject, Name: by.Name, Roles: strings.Join(roles, ","), Origin: string(by.Origin)}
}

// Acknowledge notes that a person has looked at an interrupted run; only then may another one start.
func (s *Service) Acknowledge(ctx context.Context, by actor.Actor, id RunID, note string) error {
	if err := mayChange(by, actor.MigrationApply); err != nil {
		return err
	}
	if strings.TrimSpace(note) == "" {
		return fault.New(fault.Invalid, "The run was not closed.").WithField("reason", "Say what you found, and why it may go on.")
	}
	return s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		run, err := tx.Run(ctx, id)
		if err != nil {
			return err
		}
		if run.State != Interrupted {
			return fault.New(fault.Conflict, "This run is %s; only an interrupted one needs somebody to look.", run.State)
		}
		done, err := tx.Acknowledge(ctx, id, strings.TrimSpace(note))
		if err != nil || !done {
			return err // somebody else was quicker, and it is done
		}
		return tx.Record(ctx, audit.Event{
			Action: "migration:acknowledge", ObjectKind: "migration_run", ObjectID: id.String(), Reason: strings.TrimSpace(note),
			Before: map[string]any{"version": run.Version.String(), "state": run.State, "acknowledged": false},
			After:  map[string]any{"version": run.Version.String(), "state": run.State, "acknowledged": true},
		})
	})
}
