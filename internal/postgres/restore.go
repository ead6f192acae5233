package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/operation"
	"github.com/agogsaas/gatehouse/internal/restore"
)

// Restores is restore.Store.
type Restores struct{ DB *DB }

var _ restore.Store = Restores{}

type restoreLookRow struct {
	LookID, BackupID uuid.UUID
	LookedAt         time.Time
	LookedBy, Result string
	Recent, Current  bool
}

type restoreRequestRow struct {
	RequestID, BackupID           uuid.UUID
	Result                        string
	ContentSHA256                 string `db:"content_sha256"`
	Reason, Issuer, Subject, Name string
	AskedAt, ExpiresAt            time.Time
	AgreedBy                      string
	AgreedAt                      *time.Time
	WithdrawnBy                   string
	WithdrawnAt                   *time.Time
	OperationID                   *uuid.UUID
	OperationState, Sentence      string
	SafetyID                      *uuid.UUID
	SafetyName                    string
	SafetyRestores                bool
	RestoredAt                    *time.Time
	Expired, Moved                bool
}

func resultOf(text string) (r restore.Result, err error) {
	if err = json.Unmarshal([]byte(text), &r); err != nil {
		return r, fmt.Errorf("reading what a restore would do: %w", err)
	}
	return r, nil
}

func (r restoreRequestRow) request() (restore.Request, error) {
	result, err := resultOf(r.Result)
	return restore.Request{
		ID: r.RequestID, Backup: r.BackupID, Result: result, Content: r.ContentSHA256, Reason: r.Reason, Issuer: r.Issuer, Subject: r.Subject, By: r.Name,
		AskedAt: r.AskedAt, ExpiresAt: r.ExpiresAt, AgreedBy: r.AgreedBy, AgreedAt: timeOrZero(r.AgreedAt), WithdrawnBy: r.WithdrawnBy, WithdrawnAt: timeOrZero(r.WithdrawnAt),
		Operation: deref(r.OperationID), OperationActive: operation.State(r.OperationState).Active(), Sentence: r.Sentence, Safety: deref(r.SafetyID), SafetyName: r.SafetyName, SafetyRestores: r.SafetyRestores,
		RestoredAt: timeOrZero(r.RestoredAt), HasExpired: r.Expired, Moved: r.Moved,
	}, err
}

// Look reads a backup's page in one round trip.
func (s Restores) Look(ctx context.Context, by actor.Actor, backup uuid.UUID) (p restore.Page, err error) {
	var backups []backupRow
	var state struct {
		Database string
		State    *string
	}
	var look *restoreLookRow
	var requests []restoreRequestRow
	var sessions []struct {
		Role, Program string
		Sessions      int
	}
	err = s.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("ListBackups"), pgx.StrictNamedArgs{"backup": &backup}).Query(collect(&backups))
		b.Queue(sql("RestoreState"), pgx.StrictNamedArgs{"backup": backup}).Query(collectOne(&state))
		b.Queue(sql("NewestRestoreLook"), pgx.StrictNamedArgs{"backup": backup}).Query(collectMaybe(&look))
		b.Queue(sql("RestoreRequests"), pgx.StrictNamedArgs{"backup": &backup, "request": (*uuid.UUID)(nil)}).Query(collect(&requests))
		b.Queue(sql("RestoreSessions")).Query(collect(&sessions))
	})
	if err != nil {
		return p, err
	}
	if len(backups) != 1 {
		return p, fault.New(fault.NotFound, "There is no such backup.")
	}
	if p.Backup, err = backups[0].backup(); err != nil {
		return p, err
	}
	p.Database, p.State = state.Database, deref(state.State)
	if look != nil {
		p.Look = &restore.Look{ID: look.LookID, Backup: look.BackupID, At: look.LookedAt, By: look.LookedBy, Recent: look.Recent, Current: look.Current}
		if p.Look.Result, err = resultOf(look.Result); err != nil {
			return p, err
		}
	}
	for _, one := range sessions {
		p.Sessions = append(p.Sessions, fmt.Sprintf("%d of %s (%s)", one.Sessions, one.Role, one.Program))
	}
	for _, row := range requests {
		r, err := row.request()
		if err != nil {
			return p, err
		}
		p.Requests = append(p.Requests, r)
	}
	return p, nil
}

// Request is one request.
func (s Restores) Request(ctx context.Context, by actor.Actor, id uuid.UUID) (restore.Request, error) {
	var rows []restoreRequestRow
	err := s.DB.page(ctx, by, func(b *pgx.Batch) {
		b.Queue(sql("RestoreRequests"), pgx.StrictNamedArgs{"backup": (*uuid.UUID)(nil), "request": &id}).Query(collect(&rows))
	})
	if err != nil {
		return restore.Request{}, err
	}
	if len(rows) != 1 {
		return restore.Request{}, fault.New(fault.NotFound, "Nobody asked for such a restore.")
	}
	return rows[0].request()
}

// InTenant runs work in one transaction of the actor's tenant.
func (s Restores) InTenant(ctx context.Context, by actor.Actor, work func(context.Context, restore.Tx) error) error {
	return s.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error { return work(ctx, restoreTx{changeTx{tx, by}}) })
}

// restoreTx keeps people and says whether a statement did its work as changes do.
type restoreTx struct{ changeTx }

func (t restoreTx) AddLook(ctx context.Context, l restore.Look, state string) (bool, error) {
	result, err := json.Marshal(l.Result)
	if err != nil {
		return false, err
	}
	hash := sha256.Sum256([]byte(state))
	var id uuid.UUID
	err = t.tx.QueryRow(ctx, sql("AddRestoreLook"), pgx.StrictNamedArgs{
		"look": l.ID, "backup": l.Backup, "name": l.By, "result": string(result), "state_sha256": hex.EncodeToString(hash[:]),
	}).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func (t restoreTx) Ask(ctx context.Context, w restore.Wanted) (bool, error) {
	return t.did(ctx, new(uuid.UUID), "AskRestore", pgx.StrictNamedArgs{
		"request": w.ID, "backup": w.Backup, "look": w.Look, "reason": w.Reason, "database": w.Database, "auth_time": t.by.AuthTime,
	})
}

func (t restoreTx) Agree(ctx context.Context, request uuid.UUID, database, seen string) (bool, error) {
	return t.did(ctx, new(uuid.UUID), "AgreeRestore", pgx.StrictNamedArgs{"request": request, "database": database, "seen": seen, "auth_time": t.by.AuthTime})
}

func (t restoreTx) Withdraw(ctx context.Context, request uuid.UUID) (bool, error) {
	return t.did(ctx, new(uuid.UUID), "WithdrawRestore", pgx.StrictNamedArgs{"request": request})
}

func (t restoreTx) AddSafety(ctx context.Context, backup, request uuid.UUID, keep time.Duration) error {
	_, err := t.tx.Exec(ctx, sql("AddRestoreSafety"), pgx.StrictNamedArgs{"backup": backup, "request": request, "keep": keep})
	return err
}

// Fate is what the database knows of a restore that an operation was to do; of other kinds it knows nothing.
func (s Operations) Fate(ctx context.Context, ref operation.Ref) (f operation.Fate, err error) {
	var row *struct {
		Sentence string
		Running  bool
		Safety   *uuid.UUID
	}
	err = s.DB.page(ctx, operationWorker(ref), func(b *pgx.Batch) {
		b.Queue(sql("RestoreOutcome"), pgx.StrictNamedArgs{"operation": ref.ID}).Query(collectMaybe(&row))
	})
	if err != nil || row == nil {
		return operation.Fate{}, err
	}
	f = operation.Fate{Known: true, Running: row.Running && row.Sentence == "", Happened: row.Sentence != "", Sentence: row.Sentence, Result: deref(row.Safety)}
	if !f.Happened {
		f.Sentence = "Nothing was restored: a restore is one transaction, and this one was not committed. The warehouse is as it was."
		if row.Safety != nil {
			f.Sentence += " The safety dump is kept."
		}
	}
	return f, nil
}
