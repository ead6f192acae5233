package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
)

// Sweep removes sessions, sign-in attempts and machine credentials that ended more than a day ago, so that started
// logins that nobody finished do not pile up.
func (s Sessions) Sweep(ctx context.Context) error {
	return s.DB.inTenant(ctx, actor.System(actor.Worker, "scheduler"), func(ctx context.Context, tx pgx.Tx) error {
		for _, name := range []string{"SweepSessions", "SweepSignIns", "SweepCredentials"} {
			if _, err := tx.Exec(ctx, sql(name)); err != nil {
				return err
			}
		}
		return nil
	})
}
