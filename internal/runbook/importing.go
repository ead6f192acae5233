package runbook

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// Imported is by whom a company's own template was brought, and when; the zero Imported is that of one of this program's.
type Imported struct {
	By Person
	At time.Time
}

// Templates are what a release can be started from: this program's, and those of the actor's company. Newest first within a
// name, and this program's names first.
func (s *Service) Templates(ctx context.Context, by actor.Actor) ([]Template, error) {
	if err := by.Demand(actor.ReleaseRead); err != nil {
		return nil, err
	}
	brought, err := s.store.Imported(ctx, by)
	if err != nil {
		return nil, err
	}
	own := slices.Clone(brought)
	sortTemplates(own)
	return append(slices.Clone(s.templates), own...), nil
}

// Template is one of Templates, by its hash.
func (s *Service) Template(ctx context.Context, by actor.Actor, sha256 string) (Template, error) {
	all, err := s.Templates(ctx, by)
	if err != nil {
		return Template{}, err
	}
	i := slices.IndexFunc(all, func(t Template) bool { return t.SHA256 == sha256 })
	if i < 0 {
		return Template{}, fault.New(fault.NotFound, "There is no such runbook here.")
	}
	return all[i], nil
}

// TemplateField is the field of a form in which a template comes.
const TemplateField = "runbook_file"

// Import keeps a company's own template, so that releases can be started from it. A version that is here is never replaced.
// Warnings are given back; an error in the text refuses it, with all that is wrong.
func (s *Service) Import(ctx context.Context, by actor.Actor, text []byte) (Template, []Problem, error) {
	if err := by.Demand(actor.RunbookImport); err != nil {
		return Template{}, nil, err
	}
	refuse := func(kind fault.Kind, format string, args ...any) error {
		return fault.New(kind, "The runbook cannot be imported. Nothing was changed.").WithField(TemplateField, fmt.Sprintf(format, args...))
	}
	text = []byte(strings.ReplaceAll(string(text), "\r\n", "\n"))
	t, problems := Lint(text)
	if t.SHA256 == "" {
		return Template{}, problems, refuse(fault.Invalid, "It is not a runbook as this version of Gatehouse reads it: %s.", problemCount(problems))
	}
	if slices.ContainsFunc(s.templates, func(own Template) bool { return own.Name == t.Name }) {
		return Template{}, problems, refuse(fault.Invalid, "The name %s belongs to a runbook of Gatehouse itself. Give yours a name of its own.", t.Name)
	}
	err := s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		there, full, err := tx.AddTemplate(ctx, t)
		switch {
		case err != nil:
			return err
		case full:
			return refuse(fault.Conflict, "The runbooks of your company may have %d MiB together, and with this one they have more. Take what is not needed out of the file.", MaxTemplates>>20)
		case there == t.SHA256:
			return refuse(fault.Conflict, "%s %s is here already, byte by byte.", t.Name, t.Version)
		case there != "":
			return refuse(fault.Conflict, "%s %s is here already, with another text, and a released version is never replaced. Give the file a new version.", t.Name, t.Version)
		}
		return tx.Record(ctx, audit.Event{
			Action: "runbook:import", ObjectKind: "runbook", ObjectID: t.Name + "/" + t.Version, Before: map[string]any{},
			After: map[string]any{"sha256": t.SHA256, "title": t.Title, "bytes": len(t.Text)},
		})
	})
	return t, problems, err
}

func problemCount(problems []Problem) string {
	if len(problems) > mostProblems {
		return fmt.Sprintf("more than %d errors", mostProblems)
	}
	errors := 0
	for _, p := range problems {
		if !p.Warning {
			errors++
		}
	}
	if errors == 1 {
		return "one error"
	}
	return fmt.Sprintf("%d errors", errors)
}

// Frozen is a run with the template it was started from and the newest one of that name, for the page that compares them.
func (s *Service) Frozen(ctx context.Context, by actor.Actor, run uuid.UUID) (Release, Template, error) {
	release, err := s.Show(ctx, by, run)
	if err != nil {
		return Release{}, Template{}, err
	}
	all, err := s.Templates(ctx, by)
	if err != nil {
		return Release{}, Template{}, err
	}
	newest := release.Template
	for _, t := range all {
		if t.Name == release.Template.Name {
			newest = t
			break
		}
	}
	return release, newest, nil
}
