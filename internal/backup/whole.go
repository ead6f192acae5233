package backup

import (
	"context"
	"io"
	"strings"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Whole reads a backup's file again, and refuses where it is not what was written down. The look stands in the record.
func (s *Service) Whole(ctx context.Context, by actor.Actor, id uuid.UUID) (Backup, error) {
	b, check, err := s.Verify(ctx, by, id)
	if err == nil && !check.Passed {
		err = fault.New(fault.Conflict, "%s is not whole: %s. Nothing was changed.", b.Name, strings.Join(check.Findings, "; "))
	}
	return b, err
}

// Reading does work with a backup's file, from its beginning. Where the place stops giving it, that is the error.
func (s *Service) Reading(ctx context.Context, b Backup, work func(io.Reader) error) error {
	return s.reading(ctx, b, work)
}
