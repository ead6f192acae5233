package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
)

// exportPage is how many entries an export reads at once; between two reads it holds nothing of the database.
const exportPage = 1000

// Export writes down that the trail is exported, seals the head after that entry, and gives what is to be written: the
// entries of the filter up to that head, read in order as they are asked for.
func (a Audit) Export(ctx context.Context, by actor.Actor, q audit.Query, format string) (audit.Export, error) {
	filter := q.Filter()
	err := a.Record(ctx, by, audit.Event{Action: "audit:export", ObjectKind: "audit", ObjectID: format, After: map[string]any{"filter": filter, "format": format}})
	if err != nil {
		return audit.Export{}, err
	}
	x := audit.Export{TenantID: by.Tenant, TenantCode: by.TenantCode, By: by.Name, Filter: filter, Key: a.Keys.Own()}
	if x.Key != nil {
		// A chain that does not hold is exported all the same: somebody will have to look at it. But it is not sealed.
		check, err := a.Seal(ctx, by)
		if err != nil {
			return audit.Export{}, err
		}
		if check.Whole() {
			x.Seal = check.Seal
		}
	}
	err = a.DB.view(ctx, by, func(ctx context.Context, tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, sql("SealMoment")).Scan(&x.At); err != nil || x.Seal != nil {
			return err
		}
		var hash []byte
		return tx.QueryRow(ctx, sql("AuditHead")).Scan(&x.UpTo, &hash)
	})
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return audit.Export{}, err
	}
	if x.Seal != nil {
		x.UpTo = x.Seal.Seq
	}
	x.Read = func(yield func(audit.Entry) error) error { return a.between(ctx, by, q, 0, x.UpTo, yield) }
	return x, nil
}

// between gives the entries of the filter that come after one and up to another, in order.
func (a Audit) between(ctx context.Context, by actor.Actor, q audit.Query, after, upTo int64, yield func(audit.Entry) error) error {
	for {
		var rows []auditRow
		err := a.DB.page(ctx, by, func(b *pgx.Batch) {
			args := queryArgs(q)
			args["after"], args["up_to"], args["limit"] = after, upTo, exportPage
			b.Queue(sql("AuditBetween"), args).Query(collect(&rows))
		})
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := yield(r.entry()); err != nil {
				return err
			}
			after = r.Seq
		}
		if len(rows) < exportPage {
			return nil
		}
	}
}

// readAgain is how long one entry stands for a person's reading of the trail with the same filter.
const readAgain = 15 * time.Minute

// reading are the arguments that write down that the trail was read.
func reading(by actor.Actor, q audit.Query) (pgx.StrictNamedArgs, error) {
	args, err := auditArgs(by, audit.Event{Action: "audit:read", ObjectKind: "audit", After: map[string]any{"filter": q.Filter()}})
	if err != nil {
		return nil, err
	}
	args["again"] = readAgain
	return args, nil
}
