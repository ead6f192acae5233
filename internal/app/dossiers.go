package app

import (
	"context"
	"io"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/dossier"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// Dossiers put releases of that database into archives, sealed as configured.
func Dossiers(config Config, db *postgres.DB) *dossier.Service {
	return dossier.NewService(postgres.Dossiers{DB: db, Trail: config.Trail(db), Files: attached(postgres.Runbook{DB: db})})
}

// attached are the files of a release as its dossier takes them: listed at once, and their bytes when they are written.
func attached(store postgres.Runbook) func(context.Context, actor.Actor, uuid.UUID) ([]dossier.File, error) {
	return func(ctx context.Context, by actor.Actor, run uuid.UUID) ([]dossier.File, error) {
		files, err := store.Files(ctx, by, run)
		list := make([]dossier.File, len(files))
		for i, f := range files {
			list[i] = dossier.File{
				Item: string(f.Item), Number: f.Number, Name: f.Name, Bytes: int64(f.Bytes), SHA256: f.SHA256, By: f.By.Name, AddedAt: f.AddedAt,
				Write: func(ctx context.Context, to io.Writer) error { return store.WriteFile(ctx, by, run, f, to) },
			}
		}
		return list, err
	}
}
