package pgtest

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// standard is what Open prepares: the roles, and the database in the hands of
// its owner.
func standard(ctx context.Context, superURL, database string) error {
	conn, err := pgx.Connect(ctx, superURL)
	if err != nil {
		return fmt.Errorf("connecting to the template: %w", err)
	}
	err = withRolesLocked(ctx, conn, func(tx pgx.Tx) error {
		for _, role := range []struct{ name, options string }{
			{ownerRole, "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB"},
			{appRole, "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB"},
			{"wms_application_role", "NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB"},
		} {
			if err := ensureRole(ctx, tx, role.name, role.options); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, "ALTER DATABASE "+quote(database)+" OWNER TO "+ownerRole)
		return err
	})
	return errors.Join(err, conn.Close(ctx))
}

func ensureRole(ctx context.Context, tx pgx.Tx, name, options string) error {
	var there bool
	if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", name).Scan(&there); err != nil {
		return fmt.Errorf("looking for role %s: %w", name, err)
	}
	verb := "CREATE ROLE "
	if there {
		verb = "ALTER ROLE "
	}
	if _, err := tx.Exec(ctx, verb+quote(name)+" "+options); err != nil {
		return fmt.Errorf("making role %s: %w", name, err)
	}
	return nil
}

type beginner interface {
	Begin(ctx context.Context) (pgx.Tx, error)
}

// withRolesLocked runs work alone among all that touch roles. Roles belong to
// the whole server, and two test processes may share one.
func withRolesLocked(ctx context.Context, db beginner, work func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", rolesLock); err != nil {
			return fmt.Errorf("waiting for the roles: %w", err)
		}
		return work(tx)
	})
}

// rolesLock is the key of the advisory lock around roles: "pgtest" in ASCII.
const rolesLock int64 = 0x706774657374
