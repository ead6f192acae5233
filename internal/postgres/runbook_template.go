package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/runbook"
)

type importedRow struct {
	Template, Issuer, Subject, Person string
	ImportedAt                        time.Time
}

type templateRefRow struct {
	Name, Version string
	SHA256        string `db:"sha256"`
}

// Imported are the templates that the actor's company brought. One that this version of the program no longer reads is left
// out: a release that was started from it shows its own frozen text.
func (r Runbook) Imported(ctx context.Context, by actor.Actor) ([]runbook.Template, error) {
	var rows []importedRow
	err := r.DB.page(ctx, by, func(b *pgx.Batch) { b.Queue(sql("ImportedTemplates")).Query(collect(&rows)) })
	if err != nil {
		return nil, err
	}
	var all []runbook.Template
	for _, row := range rows {
		t, err := runbook.ParseTemplate([]byte(row.Template))
		if err != nil {
			continue
		}
		t.Imported = runbook.Imported{By: runbook.Person{Issuer: row.Issuer, Subject: row.Subject, Name: row.Person}, At: row.ImportedAt.UTC()}
		all = append(all, t)
	}
	return all, nil
}

func (t runbookTx) AddTemplate(ctx context.Context, template runbook.Template) (there string, full bool, err error) {
	tag, err := t.tx.Exec(ctx, sql("AddTemplate"), pgx.StrictNamedArgs{
		"name": template.Name, "version": template.Version, "sha256": template.SHA256, "template": template.Text,
		"issuer": t.by.Issuer, "subject": t.by.Subject, "person": t.by.Name, "most": runbook.MaxTemplates,
	})
	if err != nil || tag.RowsAffected() == 1 {
		return "", false, err
	}
	err = t.tx.QueryRow(ctx, sql("TemplateThere"), pgx.StrictNamedArgs{"name": template.Name, "version": template.Version}).Scan(&there)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", true, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("reading the version that is there: %w", err)
	}
	return there, false, nil
}
