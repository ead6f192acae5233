package app

import (
	"context"

	"github.com/agogsaas/gatehouse/internal/actor"
)

// noticeOlder compares every tenant's audit trail with the heads that were published outside the database, before anything
// is served: a tenant whose trail is older is read-only until somebody acknowledges it. What cannot be read stops nothing;
// the log and `gatehouse doctor` say so.
func (a *App) noticeOlder(ctx context.Context) {
	tenants, err := a.db.Tenants(ctx)
	if err != nil {
		a.log.ErrorContext(ctx, "the audit trails were not compared with their published heads", "error", err)
		return
	}
	trail := a.config.Trail(a.db)
	for _, t := range tenants {
		switch alarm, err := trail.Notice(ctx, t.Actor(actor.Worker, "start")); {
		case err != nil:
			a.log.ErrorContext(ctx, "an audit trail was not compared with its published heads", "tenant", t.Code, "error", err)
		case alarm != "":
			a.log.ErrorContext(ctx, "an audit trail is older than its published head; its tenant is read-only", "tenant", t.Code, "alarm", alarm)
		}
	}
}
