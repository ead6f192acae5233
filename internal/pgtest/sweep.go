package pgtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// sharedPrefix begins the name of every database we make on somebody else's
// server; the process's mark follows.
const sharedPrefix = "gatehouse_test_"

// claim holds a lock named after this process's mark for as long as it lives,
// and drops the databases whose mark nobody holds any more.
func (s *server) claim(ctx context.Context, mark string) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("claiming the test server: %w", err)
	}
	// Taken out of the pool and kept until the process ends: its session is the claim.
	held := conn.Hijack()
	if _, err := held.Exec(ctx, "SELECT pg_advisory_lock($1, $2)", claimLock, int32(hash(mark))); err != nil {
		return errors.Join(fmt.Errorf("claiming the test server: %w", err), held.Close(ctx))
	}
	rows, err := s.pool.Query(ctx, "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", sharedPrefix)
	if err != nil {
		return fmt.Errorf("looking for databases left behind: %w", err)
	}
	var left []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			rows.Close()
			return fmt.Errorf("looking for databases left behind: %w", err)
		}
		left = append(left, name)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("looking for databases left behind: %w", err)
	}
	for _, name := range left {
		if err := s.dropUnclaimed(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// dropUnclaimed drops a database unless its process still lives. The lock is
// held meanwhile, so two that sweep do not meet at one database.
func (s *server) dropUnclaimed(ctx context.Context, name string) error {
	mark, _, _ := strings.Cut(strings.TrimPrefix(name, sharedPrefix), "_")
	key := int32(hash(mark))
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("sweeping the test server: %w", err)
	}
	defer conn.Release()
	var free bool
	if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1, $2)", claimLock, key).Scan(&free); err != nil {
		return fmt.Errorf("sweeping the test server: %w", err)
	}
	if !free {
		return nil
	}
	dropErr := s.drop(ctx, name)
	_, err = conn.Exec(ctx, "SELECT pg_advisory_unlock($1, $2)", claimLock, key)
	return errors.Join(dropErr, err)
}

// claimLock is the first half of the keys of the advisory locks of marks.
const claimLock int32 = 0x67686f75
