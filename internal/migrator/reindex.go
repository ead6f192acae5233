package migrator

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
)

const (
	indexDefinition = `
SELECT pg_catalog.pg_get_indexdef(i.indexrelid), EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid)
  FROM pg_catalog.pg_index i
 WHERE i.indexrelid = to_regclass($1)`

	indexValid = `SELECT coalesce((SELECT i.indisvalid AND i.indisready FROM pg_catalog.pg_index i WHERE i.indexrelid = to_regclass($1)), false)`

	// rebuildFor bounds each of the two statements. Nobody who reads or writes waits behind them.
	rebuildFor = 4 * time.Hour
)

// leftBehind are names of what a REINDEX CONCURRENTLY that was cut leaves beside the index itself.
var leftBehind = regexp.MustCompile(`_cc(new|old)[0-9]*"?$`)

// Rebuild drops an index that is not valid and builds it again, both CONCURRENTLY, under the migration lock. What a cut
// REINDEX left beside the index is only dropped. An index that is valid by now, or that somebody builds, is a fault.Conflict;
// outside the tenant's change window, or in its freeze, it is a fault.GateClosed.
func (m *Migrator) Rebuild(ctx context.Context, tenant uuid.UUID, name string, say func(string)) error {
	return m.locked(ctx, migration.RunID{}, func(s *session) error {
		if err := inTime(ctx, s, tenant); err != nil {
			return err
		}
		invalid, err := invalidIndexes(ctx, s.conn)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(invalid, func(i migration.InvalidIndex) bool { return i.Name == name }) {
			return fault.New(fault.Conflict, "%s is no index that is not valid, or somebody is building it now. Nothing was changed.", name)
		}
		var definition string
		var backs bool
		if err := s.conn.QueryRow(ctx, indexDefinition, name).Scan(&definition, &backs); err != nil {
			return wrap("reading the index", err)
		}
		if _, err := s.conn.Exec(ctx, setBounds, millis(rebuildFor), millis(rebuildFor), false); err != nil {
			return wrap("rebuilding the index", err)
		}
		s.hear = say
		run := func(statement string) error {
			say(statement + ";")
			if _, err := exec(ctx, s.conn, statement); err != nil {
				if s.conn.IsClosed() {
					return &migration.Unknown{Cause: err}
				}
				return fault.New(fault.Conflict, "%s: %s. What is left stands on the page of migrations; it may be tried again.", statement, err).Because(err)
			}
			return nil
		}
		switch {
		case backs:
			err = run("REINDEX INDEX CONCURRENTLY " + name)
		case leftBehind.MatchString(name):
			return run("DROP INDEX CONCURRENTLY " + name)
		default:
			say("It is built again by: " + concurrently(definition) + ";")
			if err = run("DROP INDEX CONCURRENTLY " + name); err == nil {
				err = run(concurrently(definition))
			}
		}
		if err != nil {
			return err
		}
		var valid bool
		if err := s.conn.QueryRow(ctx, indexValid, name).Scan(&valid); err != nil {
			return wrap("looking at the index", err)
		}
		if !valid {
			return fault.New(fault.Conflict, "%s was built and is still not valid.", name)
		}
		say(fmt.Sprintf("%s is valid.", name))
		return nil
	})
}

func concurrently(definition string) string {
	return strings.Replace(definition, "INDEX ", "INDEX CONCURRENTLY ", 1)
}
