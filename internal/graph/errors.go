package graph

import (
	"context"
	"errors"
	"log/slog"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/quality"
)

// The codes of extensions.code.
const (
	codeValidation      = "VALIDATION"
	codeUnauthenticated = "UNAUTHENTICATED"
	codeForbidden       = "FORBIDDEN"
	codeNotFound        = "NOT_FOUND"
	codeConflict        = "CONFLICT"
	codeNotDeployed     = "NOT_DEPLOYED"
	codeUnavailable     = "UNAVAILABLE"
	codeInternal        = "INTERNAL"
)

func codeOf(kind fault.Kind) string {
	switch kind {
	case fault.Invalid, fault.TooLarge:
		return codeValidation
	case fault.Unauthenticated:
		return codeUnauthenticated
	case fault.Forbidden, fault.GateClosed:
		return codeForbidden
	case fault.NotFound:
		return codeNotFound
	case fault.Conflict:
		return codeConflict
	case fault.Unavailable, fault.TooMany:
		return codeUnavailable
	case fault.Internal:
	}
	return codeInternal
}

type refKey struct{}

// present turns whatever a resolver returned into what the caller may read. What is no refusal shows only a reference,
// under which the log has the cause.
func (s *Server) present(ctx context.Context, err error) *gqlerror.Error {
	var shown *gqlerror.Error
	if !errors.As(err, &shown) {
		shown = gqlerror.WrapPath(nil, err)
	}
	var missing *quality.NotDeployed
	refused, isFault := fault.As(err)
	message, code := "Something went wrong here.", codeInternal
	switch {
	case errors.As(err, &missing):
		message, code = missing.Error(), codeNotDeployed
	case isFault && refused.Kind != fault.Internal:
		message, code = refused.Message, codeOf(refused.Kind)
	case errors.Is(err, context.DeadlineExceeded):
		message, code = "The answer took too long and was given up.", codeUnavailable
	case shown.Err == nil: // the library's own complaint about a value
		message, code = shown.Message, codeValidation
	}
	answer := &gqlerror.Error{Message: message, Path: shown.Path, Locations: shown.Locations, Extensions: map[string]any{"code": code}}
	if code == codeInternal {
		ref, _ := ctx.Value(refKey{}).(string)
		answer.Message = "Something went wrong here; the log has it under reference " + ref + "."
		answer.Extensions["ref"] = ref
		s.log.LogAttrs(ctx, slog.LevelError, "graphql resolver failed", slog.String("ref", ref), slog.Any("why", err))
	}
	return answer
}

// refused are errors of a query that never ran, under our own code.
func refused(list gqlerror.List) gqlerror.List {
	out := make(gqlerror.List, len(list))
	for i, e := range list {
		code, ours := e.Extensions["code"].(string)
		if !ours || code != codeForbidden {
			code = codeValidation
		}
		out[i] = &gqlerror.Error{Message: e.Message, Locations: e.Locations, Path: e.Path, Extensions: map[string]any{"code": code}}
	}
	return out
}
