package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/agogsaas/gatehouse/internal/postgres"
)

// NewAt is New on a machine whose clock shows what now says.
func NewAt(ctx context.Context, config Config, log *slog.Logger, patience time.Duration, now func() time.Time) (*App, error) {
	db, err := postgres.Open(ctx, string(config.DatabaseURL))
	if err != nil {
		return nil, err
	}
	a := &App{config: config, log: log, now: now, db: db}
	if err := a.open(ctx, patience); err != nil {
		db.Close()
		return nil, err
	}
	return a, nil
}
