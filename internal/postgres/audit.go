package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
)

// record writes an audit event inside the act's own transaction: where it cannot be written, the act does not happen.
func record(ctx context.Context, tx pgx.Tx, by actor.Actor, e audit.Event) error {
	args, err := auditArgs(by, e)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, sql("RecordAudit"), args)
	return err
}

func auditArgs(by actor.Actor, e audit.Event) (pgx.StrictNamedArgs, error) {
	before, err := jsonOrNull(e.Before)
	if err != nil {
		return nil, fmt.Errorf("encoding the state before %s: %w", e.Action, err)
	}
	after, err := jsonOrNull(e.After)
	if err != nil {
		return nil, fmt.Errorf("encoding the state after %s: %w", e.Action, err)
	}
	if e.Outcome == "" {
		e.Outcome = audit.Done
	}
	roles := make([]string, len(by.Roles))
	for i, r := range by.Roles {
		roles[i] = string(r)
	}
	return pgx.StrictNamedArgs{
		"tenant": by.Tenant, "origin": string(by.Origin), "issuer": by.Issuer, "subject": by.Subject, "name": by.Name,
		"roles": strings.Join(roles, ","), "ip": by.IP, "action": e.Action, "object_kind": e.ObjectKind,
		"object_id": e.ObjectID, "outcome": string(e.Outcome), "reason": e.Reason, "before": before, "after": after,
	}, nil
}

func jsonOrNull(v any) (*string, error) {
	if v == nil {
		return nil, nil //nolint:nilnil // SQL NULL is what is meant
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	s := string(b)
	return &s, nil
}

// Audit writes down events that stand for themselves, outside another story's transaction: refusals above all.
type Audit struct {
	DB *DB
	// Heads keeps where the chains stood outside the database. The zero value keeps nothing.
	Heads audit.HeadFile
	// Keys seals heads and checks seals. The zero value does neither.
	Keys audit.Keyring
}

// Record writes one event of the actor in a transaction of its own.
func (a Audit) Record(ctx context.Context, by actor.Actor, e audit.Event) error {
	return a.DB.inTenant(ctx, by, func(ctx context.Context, tx pgx.Tx) error { return record(ctx, tx, by, e) })
}
