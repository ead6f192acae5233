package runbook

import (
	"context"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Seen names an item as a person saw it.
type Seen struct {
	Run     uuid.UUID
	Item    ItemID
	Version int
}

// Overtaken refuses a change of an item that somebody else has changed meanwhile, and carries what it is now.
type Overtaken struct {
	Now     Item
	refusal *fault.Error
}

// Error is the log's text.
func (o *Overtaken) Error() string { return o.refusal.Error() }

// Unwrap gives the refusal.
func (o *Overtaken) Unwrap() error { return o.refusal }

// Take puts an item into this person's hands. Somebody else's item stays theirs.
func (s *Service) Take(ctx context.Context, by actor.Actor, seen Seen) error {
	return s.act(ctx, by, seen, Take, "", func(_ context.Context, _ Tx, _ Plan, item *Item) (bool, error) {
		if item.State == InProgress && by.SamePerson(item.Holder.Issuer, item.Holder.Subject) {
			return false, fault.New(fault.Conflict, "You have this item in hand already.")
		}
		return false, nil
	})
}

// Done finishes an item with the evidence it asks for. Of an item that asks for a file, value is the hash of one that is
// attached already.
func (s *Service) Done(ctx context.Context, by actor.Actor, seen Seen, value, note string) error {
	return s.finish(ctx, by, seen, value, note, nil)
}

// finish stores the evidence and finishes the item; before, where there is one, comes first in the same transaction.
func (s *Service) finish(ctx context.Context, by actor.Actor, seen Seen, value, note string, before func(context.Context, Tx, Item) error) error {
	return s.act(ctx, by, seen, Finish, "", func(ctx context.Context, tx Tx, _ Plan, item *Item) (bool, error) {
		if item.Kind == Auto {
			return false, nil // next says so
		}
		spec, err := frozenSpec(ctx, tx, seen)
		if err != nil {
			return false, err
		}
		evidence, err := spec.Evidence.accept(value, note)
		if err != nil {
			return false, err
		}
		if item.Kind == FileKind {
			if before != nil {
				if err := before(ctx, tx, *item); err != nil {
					return false, err
				}
			}
			if evidence, err = withFile(ctx, tx, seen, evidence); err != nil {
				return false, err
			}
		}
		evidence.By = personOf(by)
		item.evidenceHash = evidence.hash()
		item.Evidence, err = tx.AddEvidence(ctx, seen.Run, seen.Item, evidence)
		return false, err
	})
}

// Fail says that an item did not come out as expected.
func (s *Service) Fail(ctx context.Context, by actor.Actor, seen Seen, reason string) error {
	return s.withReason(ctx, by, seen, GiveUp, reason)
}

// Reopen puts an item back to open, from whatever it is; its evidence stays, and counts no longer.
func (s *Service) Reopen(ctx context.Context, by actor.Actor, seen Seen, reason string) error {
	return s.withReason(ctx, by, seen, Reopen, reason)
}

// Skip says that an item that is not required is not done, and why.
func (s *Service) Skip(ctx context.Context, by actor.Actor, seen Seen, reason string) error {
	return s.withReason(ctx, by, seen, Skip, reason)
}

func (s *Service) withReason(ctx context.Context, by actor.Actor, seen Seen, act Act, reason string) error {
	reason = strings.TrimSpace(reason)
	if complaint := checkReason(reason); complaint != "" {
		return fault.New(fault.Invalid, "A reason is needed. Nothing was changed.").WithField("reason", complaint)
	}
	return s.act(ctx, by, seen, act, reason, func(context.Context, Tx, Plan, *Item) (bool, error) { return false, nil })
}

func checkReason(reason string) string {
	switch n := utf8.RuneCountInString(reason); {
	case unstorable(reason) != "":
		return unstorable(reason)
	case n < 3:
		return "Say why in a few words, for those who read this later."
	case n > maxNote:
		return "At most 2000 characters, please."
	}
	return ""
}

// Check runs the check of an item of kind auto and stores what it found. A check that says no fails the item; a check
// that cannot be run changes nothing.
func (s *Service) Check(ctx context.Context, by actor.Actor, seen Seen) (CheckResult, error) {
	if err := by.Demand(actor.ItemWork); err != nil {
		return CheckResult{}, err
	}
	release, err := s.store.Show(ctx, by, seen.Run)
	if err != nil {
		return CheckResult{}, err
	}
	// Judged before the check is run, because a check may take long; and again below, because things move meanwhile.
	item, err := judge(release.Plan, by, seen, RunCheck)
	if err != nil {
		return CheckResult{}, err
	}
	facts := RunFacts{Run: release.Run.ID, Code: release.Run.Code, Environment: release.Run.Environment}
	for _, m := range release.Migrations {
		facts.Migrations = append(facts.Migrations, m.Migration)
	}
	result, err := s.checker.Check(ctx, by, item.Check, facts)
	if err != nil {
		return CheckResult{}, err
	}
	evidence, err := result.evidence()
	if err != nil {
		return CheckResult{}, err
	}
	evidence.By = personOf(by)
	reason := ""
	if !result.OK {
		reason = cut(result.Summary, maxNote)
	}
	err = s.act(ctx, by, seen, RunCheck, reason, func(ctx context.Context, tx Tx, _ Plan, item *Item) (bool, error) {
		item.evidenceHash = evidence.hash()
		item.Evidence, err = tx.AddEvidence(ctx, seen.Run, seen.Item, evidence)
		return result.OK, err
	})
	return result, err
}

// maxAnswer is how much of a check's answer is kept; a check that has more to say has to say it shorter.
const maxAnswer = 65536

func (r CheckResult) evidence() (Evidence, error) {
	value := string(r.Value)
	if !json.Valid(r.Value) || utf8.RuneCountInString(value) > maxAnswer || unstorable(value+r.Summary+r.Query) != "" {
		return Evidence{}, fault.New(fault.Unavailable, "The check gave an answer that cannot be kept as evidence. Nothing was changed; tell whoever looks after Gatehouse.")
	}
	return Evidence{Kind: Auto, Value: value, Summary: cut(r.Summary, maxNote), Query: cut(r.Query, maxText), Passed: r.OK}, nil
}

func cut(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return s
}

// judge finds the item and says why the act cannot be done to it.
func judge(plan Plan, by actor.Actor, seen Seen, act Act) (Item, error) {
	item, ok := plan.Item(seen.Item)
	if !ok {
		return Item{}, noItem()
	}
	if item.Version != seen.Version {
		return Item{}, &Overtaken{Now: item, refusal: fault.New(fault.Conflict, "%s has changed since you opened the page: it is %s now. Nothing of yours was saved.", item.ID, item.nowWords())}
	}
	item = plan.asNow(item)
	if err := plan.refuse(by, item, act); err != nil {
		return Item{}, err
	}
	_, err := item.next(act, true)
	return item, err
}

func (i Item) nowWords() string {
	switch {
	case i.Holder.Known():
		return i.State.words() + " with " + i.Holder.Name
	case i.Settled.Known():
		return i.State.words() + ", by " + i.Settled.Name
	}
	return i.State.words()
}

// act is the way of every change of an item: lock the run, judge, change, write it down. prepare does what belongs to
// this act alone and says whether a check passed.
func (s *Service) act(ctx context.Context, by actor.Actor, seen Seen, act Act, reason string,
	prepare func(context.Context, Tx, Plan, *Item) (bool, error),
) error {
	if err := by.Demand(actor.ItemWork); err != nil {
		return err
	}
	return s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		plan, err := tx.LockPlan(ctx, seen.Run)
		if err != nil {
			return err
		}
		before, err := judge(plan, by, seen, act)
		if err != nil {
			return err
		}
		after := before
		passed, err := prepare(ctx, tx, plan, &after)
		if err != nil {
			return err
		}
		to, err := before.next(act, passed)
		if err != nil {
			return err
		}
		said := reason
		if act == TakeOver {
			said = "" // it stands with the item's notes: having an item in hand is no part of what is signed
		}
		after.apply(to, personOf(by), plan.At, plan.Run.T0, said)
		if err := tx.Change(ctx, seen.Run, after, before.Version); err != nil {
			return err
		}
		closed, err := closeIfFinished(ctx, tx, plan, after, by)
		if err != nil {
			return err
		}
		return tx.Record(ctx, itemEvent(seen.Run, act, before, after, reason, closed))
	})
}

// closeIfFinished closes a release that was signed off, with its last item. One that is being taken back ends with that.
func closeIfFinished(ctx context.Context, tx Tx, plan Plan, changed Item, by actor.Actor) (bool, error) {
	for i := range plan.Items {
		if plan.Items[i].ID == changed.ID {
			plan.Items[i] = changed
		}
	}
	// What the last gate judged is frozen, so optional items before it may stay open for ever.
	for _, i := range plan.Items {
		if i.Gate == "" && !i.State.Settled() {
			return false, nil
		}
	}
	if plan.Run.State != SignedOff {
		return false, nil
	}
	if way, err := tx.RollingBack(ctx, plan.Run.ID); err != nil || way != "" {
		return false, err
	}
	run := plan.Run
	seen := run.Version
	run.State, run.EndedAt, run.EndedBy, run.EndReason = Closed, plan.At, by.Name, "Nothing is left to do."
	run.Version++
	return true, tx.ChangeRun(ctx, run, seen)
}

func itemEvent(run uuid.UUID, act Act, before, after Item, reason string, closed bool) audit.Event {
	facts := func(i Item) map[string]any {
		m := map[string]any{"state": i.State, "version": i.Version}
		if i.Evidence != 0 {
			m["evidence"] = i.Evidence
			if i.evidenceHash != "" {
				m["evidence_sha256"] = i.evidenceHash
			}
		}
		if w := i.waived; w != nil {
			m["waiver"], m["role"], m["statement"], m["content_sha256"] = w.ID, w.Role, w.Statement, w.SHA256
		}
		if i.Holder.Known() {
			m["holder"] = i.Holder.Name
		}
		if i.Reason != "" {
			m["reason"] = i.Reason
		}
		return m
	}
	now := facts(after)
	if closed {
		now["release"] = Closed
	}
	return audit.Event{
		Action: "item:" + string(act), ObjectKind: "item", ObjectID: run.String() + "/" + string(before.ID), Reason: reason,
		Before: facts(before), After: now,
	}
}

func frozenSpec(ctx context.Context, tx Tx, seen Seen) (ItemSpec, error) {
	text, err := tx.Template(ctx, seen.Run)
	if err != nil {
		return ItemSpec{}, err
	}
	t, err := ParseTemplate([]byte(text))
	if err != nil {
		return ItemSpec{}, err
	}
	spec, _, ok := t.Spec(seen.Item)
	if !ok {
		return ItemSpec{}, noItem()
	}
	return spec, nil
}

// SeenRun names a run as a person saw it.
type SeenRun struct {
	Run     uuid.UUID
	Version int
}

// Schedule moves T-0. What is open moves with it; what is settled keeps its times. It voids what was signed, because
// the time was signed too.
func (s *Service) Schedule(ctx context.Context, by actor.Actor, seen SeenRun, t0 time.Time, reason string) error {
	return s.changeRun(ctx, by, seen, "release:schedule", reason, func(run *Run, _ time.Time) (field, complaint string) {
		switch {
		case t0.Year() < 2000 || t0.Year() > 2100:
			return "t_zero", "T-0 needs a date and a time."
		case run.T0.Equal(t0):
			return "t_zero", "This is when T-0 is now."
		}
		run.T0 = t0.UTC()
		return "", ""
	})
}

// Abort ends a release for good. What it applied stays applied.
func (s *Service) Abort(ctx context.Context, by actor.Actor, seen SeenRun, confirm, reason string) error {
	return s.changeRun(ctx, by, seen, "release:abort", reason, func(run *Run, at time.Time) (field, complaint string) {
		if strings.TrimSpace(confirm) != run.Code {
			return "confirm", "Type " + run.Code + " to abort it."
		}
		run.State, run.EndedAt, run.EndedBy, run.EndReason = Aborted, at, by.Name, strings.TrimSpace(reason)
		return "", ""
	})
}

// CheckReason says what is wrong with the reason of a change as it stands; Schedule and Abort ask the same.
func CheckReason(reason string) error {
	if complaint := checkReason(strings.TrimSpace(reason)); complaint != "" {
		return refuseRun().WithField("reason", complaint)
	}
	return nil
}

func refuseRun() *fault.Error {
	return fault.New(fault.Invalid, "The release cannot be changed like this. Nothing was changed.")
}

// changeRun is the way of every change of a run: lock it, change it, write it down. Everything that is wrong with the
// request is said at once: the reason, and the field that change complains about.
func (s *Service) changeRun(ctx context.Context, by actor.Actor, seen SeenRun, action, reason string, change func(run *Run, at time.Time) (field, complaint string)) error {
	if err := by.Demand(actor.ReleaseManage); err != nil {
		return err
	}
	reason = strings.TrimSpace(reason)
	return s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		plan, err := tx.LockPlan(ctx, seen.Run)
		if err != nil {
			return err
		}
		before := plan.Run
		if before.State != Active {
			return fault.New(fault.Conflict, "This release is over, so nothing of it changes any more.")
		}
		if before.Version != seen.Version {
			return fault.New(fault.Conflict, "This release has changed since you opened the page: T-0 is %s now. Nothing of yours was saved.", before.T0.In(before.Zone()).Format("2 Jan 2006 15:04 MST"))
		}
		after, refusal := before, refuseRun()
		if field, complaint := change(&after, plan.At); complaint != "" {
			refusal = refusal.WithField(field, complaint)
		}
		if complaint := checkReason(reason); complaint != "" {
			refusal = refusal.WithField("reason", complaint)
		}
		if refusal.Fields != nil {
			return refusal
		}
		if after.State == Aborted {
			if err := refuseInRollback(ctx, tx, before.ID); err != nil {
				return err
			}
		}
		after.Version++
		if err := tx.ChangeRun(ctx, after, before.Version); err != nil {
			return err
		}
		return tx.Record(ctx, audit.Event{
			Action: action, ObjectKind: "release", ObjectID: before.ID.String(), Reason: reason, Before: before.facts(), After: after.facts(),
		})
	})
}

func refuseInRollback(ctx context.Context, tx Tx, run uuid.UUID) error {
	way, err := tx.RollingBack(ctx, run)
	if err == nil && way != "" {
		err = fault.New(fault.Conflict, "This release is being rolled back by %s. It ends with that; to abort it, give the rollback up first.", way)
	}
	return err
}

func (r Run) facts() map[string]any {
	return map[string]any{"state": r.State, "t0": r.T0.UTC().Format(time.RFC3339), "version": r.Version}
}
