package migrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
)

const (
	readSavedOfRun = `
SELECT l.taken_at, l.oldest_xid, l.next_xid, l.items, l.files
  FROM gatehouse.migration_runs r
  JOIN gatehouse.migration_losses l ON l.tenant_id = r.tenant_id AND l.loss_id = r.loss_id
 WHERE r.run_id = $1`

	readNewestSaved = `
SELECT l.taken_at, l.oldest_xid, l.next_xid, l.items, l.files
  FROM gatehouse.migration_losses l
 WHERE l.version_number = $1 AND l.undo_sha256 = $2 AND gatehouse.saving_speaks(l.version_number, l.taken_at)
 ORDER BY l.taken_at DESC
 LIMIT 1`

	columnThere = `
SELECT to_regclass($1) IS NOT NULL
   AND ($2 = '' OR EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = to_regclass($1) AND quote_ident(a.attname) = $2 AND a.attnum > 0 AND NOT a.attisdropped))`
)

// readSaved is what the undo of a version would have lost when that was saved; nothing where nobody saved it.
func readSaved(ctx context.Context, conn *pgx.Conn, down migration.File, query string, args ...any) (saved migration.Saved, err error) {
	saved = migration.Saved{Version: down.Version, UndoSHA256: down.SHA256}
	var items, files string
	err = conn.QueryRow(ctx, query, args...).Scan(&saved.TakenAt, &saved.OldestXID, &saved.NextXID, &items, &files)
	if errors.Is(err, pgx.ErrNoRows) {
		return saved, nil
	}
	if err != nil {
		return saved, err
	}
	return saved, errors.Join(json.Unmarshal([]byte(items), &saved.Losses), json.Unmarshal([]byte(files), &saved.Files))
}

// guardLoss lets an undo file throw away only what was saved: it keeps writers out until the transaction ends, and looks for
// rows of a transaction that had not ended when they were saved. Outside a transaction nobody can be kept out.
func guardLoss(ctx context.Context, conn *pgx.Conn, down migration.File, saved migration.Saved) error {
	losses, unread := migration.Losses(down)
	if len(unread) > 0 {
		return fault.New(fault.Conflict, "What %s throws away cannot be counted beforehand. Nothing was undone.", unread[0])
	}
	inside := conn.PgConn().TxStatus() == 'T'
	for _, l := range losses {
		var there bool
		if err := conn.QueryRow(ctx, columnThere, l.Table, l.Column).Scan(&there); err != nil {
			return err
		}
		if !there {
			continue
		}
		if inside {
			if _, err := conn.Exec(ctx, "LOCK TABLE "+l.Table+" IN ACCESS EXCLUSIVE MODE"); err != nil {
				return err
			}
		}
		fresh, err := unsaved(ctx, conn, l, saved)
		if err != nil {
			return err
		}
		if fresh == 0 {
			continue
		}
		if saved.TakenAt.IsZero() {
			return fault.New(fault.Conflict, "%d %s would be lost, and nobody has saved them in the last 15 minutes. Count and save them first, on the page Undo or Repair of %s. Nothing was undone.",
				fresh, l.What(), down.Version.Title())
		}
		return fault.New(fault.Conflict, "%d %s were written about when, or after, what would be lost was saved (%s UTC). Nothing was undone. Save it again on the page Undo of %s, then undo.",
			fresh, l.What(), saved.TakenAt.UTC().Format("15:04:05"), down.Version.Title())
	}
	return nil
}

// unsaved counts what is lost and is in no file. Rows of transactions that were older than any under way when it was saved
// are all in the files, and rows of those that had not begun are not. Of those in between the rows must be the same.
func unsaved(ctx context.Context, conn *pgx.Conn, l migration.Loss, saved migration.Saved) (fresh int64, err error) {
	var recent int64
	var sum string
	var now int64
	if err := conn.QueryRow(ctx, "SELECT pg_current_xact_id()::text::bigint").Scan(&now); err != nil {
		return 0, err
	}
	if err := conn.QueryRow(ctx, newerRows(l), now, saved.OldestXID, saved.NextXID).Scan(&fresh, &recent, &sum); err != nil {
		return 0, err
	}
	if was := savedLoss(saved, l); fresh == 0 && (recent != was.Recent || sum != was.RecentSum) {
		fresh = max(recent-was.Recent, 1)
	}
	return fresh, nil
}

// savedLoss is the same loss as it was saved.
func savedLoss(saved migration.Saved, l migration.Loss) migration.Loss {
	for _, was := range saved.Losses {
		if was.Line == l.Line && was.Table == l.Table && was.Column == l.Column {
			return was
		}
	}
	return migration.Loss{RecentSum: "0"}
}

// newerRows counts rows by the transaction that wrote them, as a number that does not wrap: $1 is the transaction that asks.
// Names, types and conditions are the file's own text.
func newerRows(l migration.Loss) string {
	condition := "true"
	switch {
	case l.To != "":
		condition = fmt.Sprintf("t.%[1]s IS NOT NULL AND t.%[1]s::%[2]s <> t.%[1]s", l.Column, l.To)
	case l.Column != "":
		condition = fmt.Sprintf("t.%s IS NOT NULL", l.Column)
	case l.Where != "":
		condition = "(" + l.Where + ")"
	}
	return fmt.Sprintf(`
SELECT count(*) FILTER (WHERE xid >= $3), count(*) FILTER (WHERE xid BETWEEN $2 AND $3 - 1),
       coalesce(sum(hash) FILTER (WHERE xid BETWEEN $2 AND $3 - 1), 0)::text
  FROM (SELECT hashtextextended(t.ctid::text || ' ' || t.xmin::text, 0) AS hash,
               CASE WHEN t.xmin::text::bigint < 3 THEN 0
                    WHEN t.xmin::text::bigint + (($1::bigint >> 32) << 32) > $1::bigint THEN t.xmin::text::bigint + (($1::bigint >> 32) << 32) - 4294967296
                    ELSE t.xmin::text::bigint + (($1::bigint >> 32) << 32) END AS xid
          FROM %s t WHERE %s) written`, l.Table, condition)
}

// guard is guardLoss for a run that takes a version back, and what stands of it in the ledger. Set-up and tests take steps
// without a run, and no person's data.
func (d *driver) guard() error {
	if d.file.Direction != migration.Down || !d.set.Ledger.claims || d.req.Run == (migration.RunID{}) {
		return nil
	}
	saved, err := readSaved(d.ctx, d.s.conn, d.file, readSavedOfRun, d.req.Run)
	if err != nil {
		return err
	}
	if err := guardLoss(d.ctx, d.s.conn, d.file, saved); err != nil {
		return err
	}
	if !saved.TakenAt.IsZero() {
		d.s.notices = append(d.s.notices, saved.Meaning())
		d.req.Say("%s Nothing was written there since.", saved.Meaning())
	}
	return nil
}
