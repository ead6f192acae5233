package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/migration"
)

// CatalogFacts looks objects of plan cards up in the catalog of any database, as whoever the address names.
func CatalogFacts(ctx context.Context, url string, objects []migration.Object) (facts []migration.Fact, err error) {
	kinds, names := objectNames(objects)
	err = withConn(ctx, url, func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, sql("CatalogObjects"), pgx.StrictNamedArgs{"kinds": kinds, "names": names})
		if err != nil {
			return translate(err)
		}
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[catalogRow])
		for _, o := range found {
			facts = append(facts, migration.Fact{Object: objects[o.Number-1], Found: o.Found, Sound: o.Sound, Detail: o.Detail})
		}
		return translate(err)
	})
	return facts, err
}
