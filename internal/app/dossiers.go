package app

import (
	"github.com/agogsaas/gatehouse/internal/dossier"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// Dossiers put releases of that database into archives, sealed as configured.
func Dossiers(config Config, db *postgres.DB) *dossier.Service {
	return dossier.NewService(postgres.Dossiers{DB: db, Trail: config.Trail(db)})
}
