package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/objectstore"
	"github.com/agogsaas/gatehouse/internal/pgdump"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// Backups are the stories of backups over the configuration; warn is told what could not be cleaned up.
func Backups(config Config, db *postgres.DB, warn func(text string, err error)) (*backup.Service, error) {
	place, _, err := config.backupPlace()
	if err != nil {
		return nil, err
	}
	return backup.NewService(postgres.Backups{DB: db}, place, source(config, warn), time.Now), nil
}

// Externals are the stories of backups that other tools took.
func Externals(config Config, db *postgres.DB) (*backup.Externals, error) {
	var place backup.Place
	if config.KeepsBackups() {
		var err error
		if place, _, err = config.backupPlace(); err != nil {
			return nil, err
		}
	}
	return backup.NewExternals(postgres.Externals{DB: db}, place, source(config, nil), time.Now, config.ExternalDrill), nil
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
	if !c.KeepsBackups() {
		return noBackupPlace
	}
	return ""
}

const noBackupPlace = "No place for backups is configured: set GATEHOUSE_BACKUP_DIR, or GATEHOUSE_S3_ENDPOINT and its bucket and keys, and start the server again."

// KeepsBackups says whether there is a place for backups.
func (c Config) KeepsBackups() bool { return c.BackupDir != "" || c.S3.Endpoint != "" }

// backupPlace is where backups are kept, and its name for people.
func (c Config) backupPlace() (backup.Place, string, error) {
	if c.S3.Endpoint == "" {
		return backup.Folder{Dir: c.BackupDir}, c.BackupDir, nil
	}
	c.S3.Secret = string(c.S3Secret)
	bucket, err := objectstore.New(c.S3)
	if err != nil {
		return nil, "", err
	}
	return bucket, bucket.String(), nil
}

// backupPlaceProblems says what is half configured, or twice.
func (c Config) backupPlaceProblems() (problems []error) {
	if c.S3.Endpoint == "" {
		for name, value := range map[string]string{"GATEHOUSE_S3_BUCKET": c.S3.Bucket, "GATEHOUSE_S3_ACCESS_KEY": c.S3.Key, "GATEHOUSE_S3_SECRET_KEY": string(c.S3Secret)} {
			if value != "" && !c.wrong["GATEHOUSE_S3_ENDPOINT"] {
				problems = append(problems, fmt.Errorf("%s: is set without GATEHOUSE_S3_ENDPOINT", name))
			}
		}
		slices.SortFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
		return problems
	}
	if c.BackupDir != "" {
		problems = append(problems, errors.New("GATEHOUSE_BACKUP_DIR: is set, and so is GATEHOUSE_S3_ENDPOINT; backups are kept in one place"))
	}
	for _, v := range []struct{ name, value string }{
		{"GATEHOUSE_S3_BUCKET", c.S3.Bucket}, {"GATEHOUSE_S3_ACCESS_KEY", c.S3.Key}, {"GATEHOUSE_S3_SECRET_KEY", string(c.S3Secret)},
	} {
		if v.value == "" && !c.wrong[v.name] {
			problems = append(problems, fmt.Errorf("%s: is not set (nor %s_FILE), and GATEHOUSE_S3_ENDPOINT is", v.name, v.name))
		}
	}
	if c.S3.Plain && c.Environment == "production" && !isLoopback(hostOf(c.S3.Endpoint)) {
		problems = append(problems, errors.New("GATEHOUSE_S3_TLS: production must not send backups unencrypted to another machine"))
	}
	return problems
}

func hostOf(endpoint string) string {
	if host, _, err := net.SplitHostPort(endpoint); err == nil {
		return host
	}
	return endpoint
}
