package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/agogsaas/gatehouse/internal/fault"
)

// Whether a commit took place whose answer was not heard is not known, and is said so; what the database refused, it refused.
func TestACommitThatWasNotHeardIsNotKnown(t *testing.T) {
	for name, c := range map[string]struct {
		options pgx.TxOptions
		err     error
		unknown bool
	}{
		"connection lost":    {pgx.TxOptions{}, fmt.Errorf("receiving: %w", io.ErrUnexpectedEOF), true},
		"deadline":           {pgx.TxOptions{}, context.DeadlineExceeded, true},
		"only read":          {pgx.TxOptions{AccessMode: pgx.ReadOnly}, io.ErrUnexpectedEOF, false},
		"refused":            {pgx.TxOptions{}, &pgconn.PgError{Code: "40001"}, false},
		"server shuts down":  {pgx.TxOptions{}, &pgconn.PgError{Code: "57P01"}, false},
		"rolled back before": {pgx.TxOptions{}, pgx.ErrTxCommitRollback, false},
	} {
		refused, ok := fault.As(commitLost(c.options, c.err))
		if unknown := ok && strings.Contains(refused.Message, "not known"); unknown != c.unknown || unknown && !errors.Is(refused, c.err) {
			t.Errorf("%s: %v, want it called unknown: %t", name, refused, c.unknown)
		}
	}
}
