package app

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/clock"
	"github.com/agogsaas/gatehouse/internal/operation"
)

// drillExternal restores the file of an external backup beside the database.
func (w works) drillExternal(ctx context.Context, o operation.Operation, say func(string)) (operation.Done, error) {
	id, err := uuid.Parse(o.Argument)
	if err != nil {
		return operation.Done{}, fmt.Errorf("reading the order: %w", err)
	}
	say("The file is read, restored beside the database, and counted.")
	x, drill, err := w.externals.Drill(ctx, o.By, id)
	if err != nil {
		return operation.Done{}, err
	}
	for _, finding := range drill.Findings {
		say("Found: " + finding + ".")
	}
	done := operation.Done{Passed: drill.Passed, Result: drill.Backup}
	switch {
	case !drill.Passed:
		done.Sentence = fmt.Sprintf("%s %s does not restore: %s.", x.Provider, x.Identifier, drill.Findings[0])
	case drill.Unproven != "":
		done.Sentence = fmt.Sprintf("%s %s restores, in %s. It opens no gate, because %s.", x.Provider, x.Identifier, clock.Duration(drill.Took), drill.Unproven)
	default:
		done.Sentence = fmt.Sprintf("%s %s restores, in %s, and counts as a backup from the mark on that is in it.", x.Provider, x.Identifier, clock.Duration(drill.Took))
	}
	return done, nil
}
