package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// The names of the demo's database while it is filled, and once it is whole.
const (
	DemoFilling  = "gatehouse_filling"
	DemoDatabase = "gatehouse"
)

// MakeDemoDatabase fills a new database and then gives it its name; it does nothing where that is done already. adminURL
// is the private cluster's superuser in database postgres. fill must close every connection it opens.
func MakeDemoDatabase(ctx context.Context, adminURL string, fill func(ctx context.Context) error) error {
	var exists bool
	err := withConn(ctx, adminURL, func(conn *pgx.Conn) error {
		return translate(conn.QueryRow(ctx, sql("DemoDatabaseExists")).Scan(&exists))
	})
	if err != nil || exists {
		return err
	}
	for _, step := range []struct{ name, what string }{
		{"DropHalfDemoDatabase", "removing a half-filled demo database"}, {"CreateDemoDatabase", "creating the demo database"},
	} {
		if err := runScript(ctx, adminURL, step.name, step.what); err != nil {
			return err
		}
	}
	if err := fill(ctx); err != nil {
		return err
	}
	return runScript(ctx, adminURL, "FinishDemoDatabase", "naming the demo database")
}
