package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/privatepg"
)

// Finding is one thing the doctor looked at.
type Finding struct {
	What string
	OK   bool
	// Warn marks a finding that does not keep Gatehouse from serving.
	Warn bool
	// Say is what was found; where it is not OK, also what to do.
	Say string
}

// Doctor checks the configuration and every dependency, and goes on after a finding that is not OK as far as it can.
func Doctor(ctx context.Context, environ []string) []Finding {
	config, err := Load(environ)
	found := []Finding{finding("configuration", err, "every variable can be read; `gatehouse config check` lists each with where it comes from")}
	found = append(found, finding("configuration for serving", config.CheckServe(), "nothing is missing"))
	if config.DatabaseURL != "" {
		found = append(found, examineDatabase(ctx, config)...)
	}
	if config.OwnerDatabaseURL != "" {
		found = append(found, examineSchemas(ctx, config)...)
	}
	if config.OIDCIssuer != "" {
		found = append(found, examineProvider(ctx, config))
	}
	if config.KeepsBackups() {
		found = append(found, examineBackupPlace(ctx, config))
	}
	found = append(found, examineHeads(config), examineSealKey(config))
	if dir, err := privatepg.FindBinDir(config.PGBinDir); err != nil {
		found = append(found, Finding{What: "PostgreSQL programs", Warn: true, Say: "not found; only `gatehouse demo` and backups need them: " + err.Error()})
	} else {
		found = append(found, Finding{What: "PostgreSQL programs", OK: true, Say: dir})
	}
	return found
}

func examineHeads(config Config) Finding {
	const what = "heads of the audit trail"
	if config.AuditHeads == "" {
		return Finding{What: what, Warn: true, Say: "kept in the database and the log alone, so who rules the database could cut the trail unseen; set GATEHOUSE_AUDIT_HEADS to a file that they cannot write"}
	}
	return finding(what, audit.HeadFile{Path: config.AuditHeads}.Check(), config.AuditHeads+" can be written")
}

func examineBackupPlace(ctx context.Context, config Config) Finding {
	const what = "place for backups"
	place, name, err := config.backupPlace()
	if err != nil {
		return finding(what, err, "")
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return finding(what, place.Check(ctx), name+" can be written")
}

func finding(what string, err error, good string) Finding {
	if err != nil {
		return Finding{What: what, Say: err.Error()}
	}
	return Finding{What: what, OK: true, Say: good}
}

func examineDatabase(ctx context.Context, config Config) []Finding {
	db, err := postgres.Open(ctx, string(config.DatabaseURL))
	if err != nil {
		return []Finding{finding("database", err, "")}
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := db.Ping(ctx); err != nil {
		return []Finding{{What: "database", Say: config.databaseName() + " does not answer. Is the server up, the address right, the role allowed by pg_hba.conf? " + err.Error()}}
	}
	found := []Finding{{What: "database", OK: true, Say: "answers"}, finding("application role", db.CheckRole(ctx), "owns nothing and cannot look past row-level security")}
	clock, err := postgres.Health{DB: db}.Clock(ctx, actor.System(actor.CLI, "doctor"))
	if skew := time.Since(clock).Abs(); err == nil && skew > 5*time.Second {
		found = append(found, Finding{What: "clocks", Warn: true, Say: fmt.Sprintf("this machine and the database differ by %s; signatures use the database's clock. Check NTP on both.", skew.Round(time.Second))})
	} else {
		found = append(found, finding("clocks", err, "this machine and the database agree"))
	}
	tenants, err := db.Tenants(ctx)
	switch {
	case err != nil:
		found = append(found, Finding{What: "tenants", Say: "cannot be listed; run `gatehouse setup`. " + err.Error()})
	case len(tenants) == 0:
		found = append(found, Finding{What: "tenants", Say: "there is none; run `gatehouse setup --tenant CODE --tenant-id UUID`"})
	default:
		codes := make([]string, len(tenants))
		for i, t := range tenants {
			codes[i] = t.Code
		}
		found = append(found, Finding{What: "tenants", OK: true, Say: strings.Join(codes, ", ")}, examineTrail(ctx, config.Trail(db), tenants))
	}
	return found
}

// examineTrail walks every chain to its head. On a host that was restored it says whether what came back is the state that
// was published last, or an older one.
func examineTrail(ctx context.Context, trail postgres.Audit, tenants []postgres.Tenant) Finding {
	const what = "audit trail"
	actors := []actor.Actor{actor.System(actor.CLI, "doctor")}
	for _, t := range tenants {
		actors = append(actors, t.Actor(actor.CLI, "doctor"))
	}
	var entries int64
	for _, by := range actors {
		check, err := trail.Verify(ctx, by)
		switch {
		case errors.Is(ctx.Err(), context.DeadlineExceeded):
			return Finding{What: what, Warn: true, Say: "too long to walk here; run `gatehouse audit verify`"}
		case err != nil:
			return finding(what, fmt.Errorf("the chain of %s cannot be walked: %w", by.TenantCode, err), "")
		case !check.Whole():
			return Finding{What: what, Say: "the chain of " + by.TenantCode + " does not hold: " + check.Break + ". `gatehouse audit verify` shows every chain."}
		}
		entries += check.Entries
	}
	return Finding{What: what, OK: true, Say: fmt.Sprintf("every chain holds from its first entry to its head, %d entries", entries)}
}

func examineSchemas(ctx context.Context, config Config) []Finding {
	found := []Finding{finding("Gatehouse's own tables", checkConsoleSchema(ctx, string(config.OwnerDatabaseURL)), "up to date")}
	m, err := migrator.New(migrator.WMS(), string(config.OwnerDatabaseURL))
	if err != nil {
		return append(found, finding("migration files", err, ""))
	}
	found = append(found, finding("owner role", m.CheckRole(ctx), "owns the schema and does not reach the server's machine"))
	ladder, err := m.Status(ctx)
	if err != nil {
		return append(found, Finding{What: "warehouse schema", Say: "its ledger cannot be read: " + err.Error()})
	}
	schema := Finding{What: "warehouse schema", Warn: true, Say: "no version recorded: run `gatehouse migrate baseline`"}
	for _, rung := range ladder.Rungs {
		if rung.InDatabase() {
			schema = Finding{What: schema.What, OK: true, Say: "stands at " + rung.Version.Title()}
		}
	}
	if len(ladder.Problems) > 0 {
		schema.OK, schema.Warn = false, true
		schema.Say += ", but files and database disagree, so nothing can be applied: " + strings.Join(ladder.Problems, " ") + " `gatehouse migrate status` shows every version."
	}
	return append(found, schema)
}

func examineProvider(ctx context.Context, config Config) Finding {
	const what = "identity provider"
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	address := strings.TrimSuffix(config.OIDCIssuer, "/") + "/.well-known/openid-configuration"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return finding(what, err, "")
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return Finding{What: what, Say: "cannot be reached at " + address + ": " + err.Error() + ". Gatehouse starts all the same; nobody can sign in until it is back."}
	}
	defer func() { _ = answer.Body.Close() }() // it was read or is of no use
	var said struct {
		Issuer string `json:"issuer"`
	}
	err = json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&said)
	switch {
	case err != nil || answer.StatusCode != http.StatusOK:
		return Finding{What: what, Say: fmt.Sprintf("%s does not answer with an OpenID configuration (status %d). Is GATEHOUSE_OIDC_ISSUER right?", address, answer.StatusCode)}
	case said.Issuer != config.OIDCIssuer:
		return Finding{What: what, Say: fmt.Sprintf("says it is %q; set GATEHOUSE_OIDC_ISSUER to exactly that", said.Issuer)}
	}
	return Finding{What: what, OK: true, Say: "answers as " + said.Issuer}
}
