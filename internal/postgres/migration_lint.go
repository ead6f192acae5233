package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/migration"
)

// lintRows is what the database answers to the lint.
type lintRows struct {
	tables  []lintTableRow
	columns []lintColumnRow
	roles   []string
}

type lintTableRow struct {
	Name          string
	Rows, Bytes   int64
	WritesPerHour float64
	Filled        bool
	UniqueIndex   string
}

type lintColumnRow struct {
	Name, Type string
	Views      []string
}

// queue asks in the page's one batch; a page without a question about files asks nothing.
func (r *lintRows) queue(b *pgx.Batch, q migration.LintQuestion) {
	if len(q.Relations) > 0 {
		b.Queue(sql("LintTables"), pgx.StrictNamedArgs{"relations": q.Relations}).Query(collect(&r.tables))
	}
	if len(q.Columns) > 0 {
		b.Queue(sql("LintColumns"), pgx.StrictNamedArgs{"columns": q.Columns}).Query(collect(&r.columns))
	}
	if len(q.Roles) > 0 {
		b.Queue(sql("LintRoles"), pgx.StrictNamedArgs{"roles": q.Roles}).Query(func(rows pgx.Rows) (err error) {
			r.roles, err = pgx.CollectRows(rows, pgx.RowTo[string])
			return err
		})
	}
}

func (r *lintRows) live(q migration.LintQuestion) migration.LintLive {
	live := migration.LintLive{
		Known:  len(q.Relations)+len(q.Columns)+len(q.Roles) > 0,
		Tables: map[string]migration.LintTable{}, Columns: map[string]string{}, Views: map[string][]string{}, Roles: map[string]bool{},
	}
	for _, t := range r.tables {
		live.Tables[t.Name] = migration.LintTable{Rows: t.Rows, Bytes: t.Bytes, WritesPerHour: t.WritesPerHour, Filled: t.Filled, Unique: t.UniqueIndex}
	}
	for _, c := range r.columns {
		live.Columns[c.Name], live.Views[c.Name] = c.Type, c.Views
	}
	for _, role := range r.roles {
		live.Roles[role] = true
	}
	return live
}

// LintLiveAsOwner asks what the lint would like to know as the owner, for a command that has no page.
func LintLiveAsOwner(ctx context.Context, ownerURL string, q migration.LintQuestion) (live migration.LintLive, err error) {
	var answers lintRows
	err = withConn(ctx, ownerURL, func(conn *pgx.Conn) error {
		var b pgx.Batch
		answers.queue(&b, q)
		return conn.SendBatch(ctx, &b).Close()
	})
	live = answers.live(q)
	live.Known = true // also where there was nothing to ask
	return live, err
}
