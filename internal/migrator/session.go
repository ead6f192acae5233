package migrator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/migration"
)

const (
	// applicationPrefix and the run's id are the connection's name, so that its backend can be found after a kill.
	applicationPrefix = "gatehouse-migrator"
	lockClass         = 0x67617465 // first half of the advisory lock's key: "gate"
	lockPause         = 50 * time.Millisecond
)

// session is one connection as the owner. It keeps what the server says beside its answers.
type session struct {
	conn    *pgx.Conn
	notices []string
	hear    func(string)
}

func (m *Migrator) connect(ctx context.Context, run migration.RunID) (*session, error) {
	s := &session{}
	config := m.config.Copy()
	config.RuntimeParams["application_name"] = applicationName(run)
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { s.notice(n) }
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "The database cannot be reached as its owner. Nothing was changed.").Because(err)
	}
	s.conn = conn
	return s, nil
}

func applicationName(run migration.RunID) string {
	if run == (migration.RunID{}) {
		return applicationPrefix
	}
	return applicationPrefix + " " + run.String()
}

func (s *session) notice(n *pgconn.Notice) {
	line := n.Severity + ": " + n.Message
	s.notices = append(s.notices, line)
	if s.hear != nil {
		s.hear(line)
	}
}

// close ends the connection, and with it the lock, also where ctx is over.
func (s *session) close(ctx context.Context) error {
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := s.conn.Close(end); err != nil {
		return fmt.Errorf("closing the owner's connection: %w", err)
	}
	return nil
}

// lock polls. A session that waits inside pg_advisory_lock holds a snapshot, for which CREATE INDEX CONCURRENTLY of the
// lock's owner would wait in turn: a deadlock.
func (s *session) lock(ctx context.Context, key int32, patience time.Duration) error {
	for deadline := time.Now().Add(patience); ; {
		var got bool
		if err := s.conn.QueryRow(ctx, tryLock, lockClass, key).Scan(&got); err != nil {
			return fmt.Errorf("taking the migration lock: %w", err)
		}
		if got {
			return nil
		}
		if !time.Now().Before(deadline) {
			return s.locked(ctx, key)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lockPause):
		}
	}
}

func (s *session) locked(ctx context.Context, key int32) error {
	holder, err := s.holder(ctx, key)
	if err != nil {
		return err
	}
	cause := &migration.Locked{Holder: holder}
	return fault.New(fault.Conflict, "Somebody else is changing the schema: %s. Nothing was changed.", cause.Error()).Because(cause)
}

func (s *session) holder(ctx context.Context, key int32) (migration.Holder, error) {
	var h migration.Holder
	err := s.conn.QueryRow(ctx, lockHolder, int64(lockClass), int64(key)).Scan(&h.PID, &h.Application, &h.Age)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return h, fmt.Errorf("looking who holds the migration lock: %w", err)
	}
	return h, nil
}
