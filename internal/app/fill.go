package app

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/demo/warehouse"
)

// fillWarehouse makes the sample warehouse: the tables as the ERP made them, its stock and movements, and, unless the
// demo starts before them, the earlier releases with the months of recommendations they left.
func fillWarehouse(ctx context.Context, ownerURL string, plan DemoPlan) error {
	size, err := warehouse.ParseSize(plan.Size)
	if err != nil {
		return err
	}
	options := warehouse.Options{Size: size, Seed: 1, Now: time.Now(), Progress: progress(plan.Say)}
	if err := earlier(ctx, ownerURL, "0.0.14", plan.Say); err != nil {
		return err
	}
	plan.Say("sample warehouse, " + plan.Size)
	if err := asOwner(ctx, ownerURL, func(conn *pgx.Conn) error { return warehouse.Warehouse(ctx, conn, options) }); err != nil {
		return fmt.Errorf("filling the sample warehouse: %w", err)
	}
	if plan.From == "0.0.14" {
		return nil
	}
	if err := earlier(ctx, ownerURL, plan.From, plan.Say); err != nil {
		return err
	}
	plan.Say("months of recommendations")
	if err := asOwner(ctx, ownerURL, func(conn *pgx.Conn) error { return warehouse.History(ctx, conn, options) }); err != nil {
		return fmt.Errorf("filling the recommendations: %w", err)
	}
	return nil
}

// progress says a tenth at a time, and only for what takes long enough to be looked at.
func progress(say func(string)) func(done, total int, what string) {
	began, last := time.Now(), 0
	return func(done, total int, what string) {
		tenth := 0
		if total > 0 {
			tenth = done * 10 / total
		}
		if tenth != last && time.Since(began) > 2*time.Second {
			last = tenth
			say(fmt.Sprintf("    %d %% (%s)", tenth*10, what))
		}
	}
}

func asOwner(ctx context.Context, url string, work func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // the work is done or has failed
	return work(conn)
}
