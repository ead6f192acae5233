package migrator

import (
	"context"

	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
)

// roleMight is what the owner's role may do beside owning the schema.
const roleMight = `
SELECT current_user::text,
       (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user)
       OR pg_catalog.pg_has_role(current_user, 'pg_execute_server_program', 'MEMBER')
       OR pg_catalog.pg_has_role(current_user, 'pg_write_server_files', 'MEMBER')`

// refuseMight refuses an owner's role that reaches the server's machine. A file is read for statements that do, but text that
// a DO block puts together is read by nobody before it runs.
func (m *Migrator) refuseMight(ctx context.Context, s *session) error {
	if !m.set.Ledger.claims {
		return nil
	}
	var role string
	var mighty bool
	if err := s.conn.QueryRow(ctx, roleMight).Scan(&role, &mighty); err != nil {
		return wrap("reading what the owner's role may do", err)
	}
	if mighty {
		return fault.New(fault.Conflict, "The role %s of GATEHOUSE_OWNER_DATABASE_URL is a superuser, or may run programs or write files on the database's machine, and a migration could do so in its name. Nothing was changed. Use gatehouse_owner, which owns the schema and may nothing else.", role)
	}
	return nil
}

// CheckRole refuses an owner's role that reaches the server's machine.
func (m *Migrator) CheckRole(ctx context.Context) error {
	s, err := m.connect(ctx, migration.RunID{})
	if err != nil {
		return err
	}
	defer func() { _ = s.close(ctx) }()
	return m.refuseMight(ctx, s)
}
