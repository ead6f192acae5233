package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/runbook"
)

type noteRow struct {
	Words                             string
	FromIssuer, FromSubject, FromName string
	Issuer, Subject, Name             string
	AddedAt                           time.Time
}

func (r noteRow) note() runbook.Note {
	return runbook.Note{
		Words: r.Words, From: runbook.Person{Issuer: r.FromIssuer, Subject: r.FromSubject, Name: r.FromName},
		By: runbook.Person{Issuer: r.Issuer, Subject: r.Subject, Name: r.Name}, At: r.AddedAt.UTC(),
	}
}

type takenOverRow struct {
	ItemID, Title string
	noteRow
}

func (t runbookTx) AddNote(ctx context.Context, run uuid.UUID, item runbook.ItemID, n runbook.Note, key uuid.UUID) (bool, error) {
	kind := "comment"
	if n.From.Known() {
		kind = "takeover"
	}
	tag, err := t.tx.Exec(ctx, sql("AddItemNote"), pgx.StrictNamedArgs{
		"run": run, "item": string(item), "kind": kind, "words": n.Words, "from_issuer": n.From.Issuer, "from_subject": n.From.Subject,
		"from_name": n.From.Name, "issuer": n.By.Issuer, "subject": n.By.Subject, "name": n.By.Name, "key": key,
	})
	if err != nil || tag.RowsAffected() == 1 {
		return err == nil, err
	}
	var said bool
	err = t.tx.QueryRow(ctx, sql("ItemNoteSaid"), pgx.StrictNamedArgs{
		"key": key, "run": run, "item": string(item), "words": n.Words, "issuer": n.By.Issuer, "subject": n.By.Subject,
	}).Scan(&said)
	if err == nil && !said {
		err = runbook.ErrSaidOtherwise
	}
	return false, err
}

// waiverRow is who may sign that an item is skipped and, where somebody did, that signature.
type waiverRow struct {
	Roles                   []string
	WaiverID                *uuid.UUID
	Role, Statement, Reason *string
	ContentSHA256           *string `db:"content_sha256"`
	Intact                  *bool
	Issuer, Subject, Name   *string
	AuthTime, SignedAt      *time.Time
}

func (r waiverRow) roles() []actor.Role {
	var roles []actor.Role
	for _, role := range r.Roles {
		roles = append(roles, actor.Role(role))
	}
	return roles
}

func (r waiverRow) waiver() *runbook.Waiver {
	if r.WaiverID == nil {
		return nil
	}
	return &runbook.Waiver{
		ID: *r.WaiverID, Role: actor.Role(*r.Role), Statement: *r.Statement, Reason: *r.Reason, SHA256: *r.ContentSHA256, Intact: *r.Intact,
		By: runbook.Person{Issuer: *r.Issuer, Subject: *r.Subject, Name: *r.Name}, AuthTime: r.AuthTime.UTC(), At: r.SignedAt.UTC(),
	}
}

func (t runbookTx) Waive(ctx context.Context, by actor.Actor, w runbook.WaiverToSign) (string, error) {
	rows, err := t.tx.Query(ctx, sql("AddItemWaiver"), pgx.StrictNamedArgs{
		"waiver": w.ID, "run": w.Seen.Run, "item": string(w.Seen.Item), "seen": w.Seen.Version, "role": string(w.Role), "roles": roleNames(by),
		"statement": w.Statement, "reason": w.Reason, "issuer": by.Issuer, "subject": by.Subject, "name": by.Name, "auth_time": by.AuthTime,
		"fresh_for": actor.FreshFor, "leeway": actor.Leeway, "acr": by.ACR, "origin": string(by.Origin), "ip": by.IP, "session": by.Session,
	})
	if err != nil {
		return "", err
	}
	sums, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(sums) == 0 {
		return "", err
	}
	return sums[0], nil
}
