package app

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/demo/warehouse"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// fillWarehouse makes the sample warehouse: the tables as the ERP made them, its stock and movements, and, unless the
// demo starts before them, the earlier releases with the months of recommendations they left.
func fillWarehouse(ctx context.Context, ownerURL string, plan DemoPlan) error {
	size, err := warehouse.ParseSize(plan.Size)
	if err != nil {
		return err
	}
	options := sample(size, time.Now(), plan)
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

// sample is the same warehouse each time, counted back from now.
func sample(size warehouse.Size, now time.Time, plan DemoPlan) warehouse.Options {
	return warehouse.Options{Size: size, Seed: 1, Now: now, Progress: progress(plan.Say)}
}

// Live is what the sample warehouse does by itself while people work. One that started before V0.0.15 had no table for
// recommendations; it hands in its months of them once the release has applied the last version, so that what is judged
// after that finds decisions to judge. And once there are the tables of V0.0.20, its docks are filled, and its warehouse system tells of what
// did not fit. It returns when that is done, when nothing is owed, or when ctx is over.
func (d *Demo) Live(ctx context.Context, plan DemoPlan) error {
	ownerURL := string(d.Config.OwnerDatabaseURL)
	m, err := migrator.New(migrator.WMS(), ownerURL)
	if err != nil {
		return err
	}
	db, err := postgres.Open(ctx, string(d.Config.DatabaseURL))
	if err != nil {
		return err
	}
	defer db.Close()
	owed := map[string]func() (bool, error){
		"what did not fit": func() (bool, error) { return tellCapacity(ctx, m, db, ownerURL, time.Now()) },
		"dock":             func() (bool, error) { return fillDock(ctx, m, db, ownerURL, time.Now()) },
	}
	if plan.From == "0.0.14" {
		owed["recommendations"] = func() (bool, error) { return handIn(ctx, m, ownerURL, plan) }
	}
	for len(owed) > 0 {
		for what, work := range owed {
			done, err := work()
			if err != nil && ctx.Err() == nil && !fault.Is(err, fault.Unavailable) {
				plan.Say("the sample's " + what + " could not be filled in: " + err.Error())
				done = true
			}
			if done {
				delete(owed, what)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(2 * time.Second):
		}
	}
	return nil
}

// handIn fills in the sample's recommendations where every version is applied and there are none yet.
func handIn(ctx context.Context, m *migrator.Migrator, ownerURL string, plan DemoPlan) (done bool, err error) {
	ladder, err := m.Status(ctx)
	if err != nil {
		return false, err
	}
	if rung, ok := ladder.Find(m.Files().Last()); !ok || !rung.InDatabase() || len(ladder.Problems) > 0 {
		return false, nil
	}
	size, err := warehouse.ParseSize(plan.Size)
	if err != nil {
		return false, err
	}
	err = asOwner(ctx, ownerURL, func(conn *pgx.Conn) error {
		var there bool
		if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM public.putaway_recommendations)").Scan(&there); err != nil || there {
			return err
		}
		made, err := warehouse.MadeAt(ctx, conn)
		if err != nil {
			return err
		}
		plan.Say("the release is applied; the sample warehouse hands in its months of recommendations")
		return warehouse.History(ctx, conn, sample(size, made, plan))
	})
	return err == nil, err
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
