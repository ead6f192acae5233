package app

import (
	"context"
	"strings"
	"time"

	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/pgdump"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// Backups are the stories of backups over the configuration; warn is told what could not be cleaned up.
func Backups(config Config, db *postgres.DB, warn func(text string, err error)) *backup.Service {
	return backup.NewService(postgres.Backups{DB: db}, backup.Folder{Dir: config.BackupDir}, source(config, warn), time.Now)
}

func source(config Config, warn func(text string, err error)) pgdump.Source {
	return pgdump.Source{
		OwnerURL: string(config.OwnerDatabaseURL), AdminURL: string(config.ScratchDatabaseURL), BinDir: config.PGBinDir, Standing: schemaStanding, Warn: warn,
	}
}

// schemaStanding says where the warehouse's schema of a database stands, and what is wrong with it.
func schemaStanding(ctx context.Context, url string) (string, error) {
	m, err := migrator.New(migrator.WMS(), url)
	if err != nil {
		return "", err
	}
	ladder, err := m.Status(ctx)
	if err != nil {
		return "", err
	}
	standing := "no version"
	for _, rung := range ladder.Rungs {
		if rung.InDatabase() {
			standing = rung.Version.Title()
		}
	}
	return strings.Join(append([]string{standing}, ladder.Problems...), "; "), nil
}

// noBackups says why no backup can be taken; empty where one can.
func (c Config) noBackups() string {
	if c.BackupDir == "" {
		return noBackupFolder
	}
	return ""
}
