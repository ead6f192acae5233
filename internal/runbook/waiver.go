package runbook

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Waiver is the signature by which a required item is skipped.
type Waiver struct {
	ID                uuid.UUID
	Role              actor.Role
	Statement, Reason string
	SHA256            string
	Intact            bool
	By                Person
	AuthTime, At      time.Time
}

// WaiverToSign is a signature as it is asked for; the database stores what it is given on.
type WaiverToSign struct {
	ID                uuid.UUID
	Seen              Seen
	Role              actor.Role
	Statement, Reason string
	SHA256            string // of what it was given on; the database says it
}

// WaiverStatement is what is declared, word by word, by whoever signs that a required item is skipped.
func WaiverStatement(run Run, item Item, role actor.Role) string {
	return fmt.Sprintf("As %s I have read what %s (%s) asks for and why it is not done, and I answer for it that release %s goes on without it.",
		role.Title(), item.ID, item.Title, run.Code)
}

// WaiverRole is the role in which this person may sign that the item is skipped.
func (p ItemPage) WaiverRole(by actor.Actor) (actor.Role, bool) {
	i := slices.IndexFunc(p.WaiverRoles, by.Has)
	if i < 0 {
		return "", false
	}
	return p.WaiverRoles[i], true
}

// Waive skips a required item by the signature of a person whose role signs its gate, after a fresh sign-in. The signature
// becomes part of what that gate signs, so all who sign there sign it too.
func (s *Service) Waive(ctx context.Context, by actor.Actor, seen Seen, reason string) error {
	reason = strings.TrimSpace(reason)
	if complaint := checkReason(reason); complaint != "" {
		return fault.New(fault.Invalid, "A reason is needed. Nothing was changed.").WithField("reason", complaint)
	}
	if err := by.Demand(actor.GateSign); err != nil {
		return err
	}
	page, err := s.store.Item(ctx, by, seen.Run, seen.Item)
	if err != nil {
		return err
	}
	role, ok := page.WaiverRole(by)
	if !ok {
		titles := make([]string, len(page.WaiverRoles))
		for i, r := range page.WaiverRoles {
			titles[i] = r.Title()
		}
		return fault.New(fault.Forbidden, "Only a person whose role signs this item's gate can sign that it is skipped: %s.", strings.Join(titles, ", "))
	}
	id, err := s.newID()
	if err != nil {
		return err
	}
	return s.act(ctx, by, seen, Waive, reason, func(ctx context.Context, tx Tx, plan Plan, item *Item) (bool, error) {
		w := WaiverToSign{ID: id, Seen: seen, Role: role, Statement: WaiverStatement(plan.Run, *item, role), Reason: reason}
		w.SHA256, err = tx.Waive(ctx, by, w)
		if err == nil && w.SHA256 == "" {
			err = fault.New(fault.Unauthenticated, "Skipping a required item needs a sign-in of the last five minutes. Sign in again; what you typed stays.")
		}
		item.Waiver, item.waived = id, &w
		return false, err
	})
}
