package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/demoidp"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/privatepg"
	"github.com/agogsaas/gatehouse/internal/setup"
)

// DemoPlan is what the demo shall be.
type DemoPlan struct {
	Size         string // of the sample warehouse: small, medium, large
	From         string // where the warehouse stands before the release: 0.0.18, or 0.0.14 for all six
	ProviderAddr string // where the demo identity provider listens
	Fresh        bool   // throw away what an earlier demo left
	Say          func(line string)
}

// Demo is everything that `gatehouse demo` starts beside the server.
type Demo struct {
	Config   Config
	People   []demoidp.Person
	Provider *demoidp.Provider
	pg       *privatepg.Server
	dir      string // of the private PostgreSQL
}

// DemoTenants are the two companies of the demo. The first operates the environment.
var DemoTenants = []postgres.Tenant{
	{ID: uuid.MustParse("11111111-1111-7111-8111-111111111111"), Code: "rivermark", Name: "Rivermark Print", Operator: true},
	{ID: uuid.MustParse("22222222-2222-7222-8222-222222222222"), Code: "saltway", Name: "Saltway Packaging"},
}

// StartDemo starts a private PostgreSQL, makes its database ready, fills a sample warehouse into a new one, starts the
// demo identity provider, and gives the configuration with which the server runs on all that.
func StartDemo(ctx context.Context, config Config, plan DemoPlan, log *slog.Logger) (*Demo, error) {
	if (config.DatabaseURL != "" && config.fromPG == nil) || config.OwnerDatabaseURL != "" || config.OIDCIssuer != "" {
		return nil, fmt.Errorf("GATEHOUSE_DATABASE_URL, GATEHOUSE_OWNER_DATABASE_URL or GATEHOUSE_OIDC_ISSUER is set: the demo brings its own and does not touch yours. Unset them, or run `gatehouse serve`")
	}
	if err := free(ctx, config.Addr, "GATEHOUSE_ADDR"); err != nil {
		return nil, err
	}
	if err := free(ctx, plan.ProviderAddr, "--sign-in-addr"); err != nil {
		return nil, err
	}
	d := &Demo{Config: config}
	if err := d.start(ctx, plan, log); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// free finds out before anything is made whether an address can be listened on, and says what chooses another one.
func free(ctx context.Context, addr, choice string) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("listening on %s: %w; %s chooses another address", addr, err, choice)
	}
	return l.Close()
}

func (d *Demo) start(ctx context.Context, plan DemoPlan, log *slog.Logger) error {
	dir, err := d.stateDir()
	if err != nil {
		return err
	}
	dir = filepath.Join(dir, "demo-"+plan.Size+"-from-"+plan.From)
	if plan.Fresh {
		plan.Say("removing " + dir + " and its backups")
		if err := os.RemoveAll(dir + "-backups"); err != nil {
			return fmt.Errorf("removing the demo's backups: %w", err)
		}
		if err := privatepg.Remove(ctx, privatepg.Config{Dir: dir, BinDir: d.Config.PGBinDir}); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	d.dir = dir
	plan.Say("private PostgreSQL in " + dir)
	pg, err := privatepg.Start(ctx, privatepg.Config{Dir: dir, BinDir: d.Config.PGBinDir})
	if err != nil {
		return err
	}
	d.pg = pg
	if !d.Config.KeepsBackups() {
		d.Config.BackupDir = dir + "-backups"
		if err := os.MkdirAll(d.Config.BackupDir, 0o700); err != nil {
			return fmt.Errorf("making the demo's folder for backups: %w", err)
		}
	}
	if d.Config.AuditHeads == "" {
		d.Config.AuditHeads = filepath.Join(dir, "audit-heads.jsonl")
	}
	if d.Config.SealKey == nil {
		if d.Config.SealKey, err = sealKeyIn(dir); err != nil {
			return err
		}
	}
	if err := d.database(ctx, plan); err != nil {
		return err
	}
	if err := d.provider(ctx, plan, log); err != nil {
		return err
	}
	return d.writeEnviron()
}

func (d *Demo) stateDir() (string, error) {
	if d.Config.StateDir != "" {
		return d.Config.StateDir, nil
	}
	return privatepg.DefaultDir()
}

func (d *Demo) database(ctx context.Context, plan DemoPlan) error {
	err := postgres.MakeDemoDatabase(ctx, d.pg.URL("postgres", privatepg.Superuser), func(ctx context.Context) error {
		ownerURL := d.pg.URL(postgres.DemoFilling, setup.OwnerRole)
		err := setup.Run(ctx, setup.Plan{AdminURL: d.pg.URL(postgres.DemoFilling, privatepg.Superuser), OwnerURL: ownerURL, Tenants: DemoTenants, Say: plan.Say})
		if err != nil {
			return err
		}
		return fillWarehouse(ctx, ownerURL, plan)
	})
	if err != nil {
		return err
	}
	d.Config.DatabaseURL = Secret(d.pg.URL(postgres.DemoDatabase, setup.AppRole))
	d.Config.OwnerDatabaseURL = Secret(d.pg.URL(postgres.DemoDatabase, setup.OwnerRole))
	d.Config.ScratchDatabaseURL = Secret(d.pg.URL(postgres.DemoDatabase, privatepg.Superuser))
	// An older demo's tables are brought up to date; a new one's already are.
	err = setup.Run(ctx, setup.Plan{
		AdminURL: d.pg.URL(postgres.DemoDatabase, privatepg.Superuser), OwnerURL: string(d.Config.OwnerDatabaseURL), Tenants: DemoTenants,
	})
	var disagree *migration.Disagreement
	if errors.As(err, &disagree) {
		return fmt.Errorf("this demo was made by another version of Gatehouse, and its tables cannot be brought up to date: %w\n"+
			"Nothing was changed. `gatehouse demo --fresh` throws it away and starts over", err)
	}
	return err
}

// earlier applies what earlier releases applied, through the same runner and ledger as the release will use.
func earlier(ctx context.Context, ownerURL, version string, say func(string)) error {
	m, err := migrator.New(migrator.WMS(), ownerURL)
	if err != nil {
		return err
	}
	last, err := migration.ParseVersion(version)
	if err != nil {
		return err
	}
	say("warehouse schema V" + version)
	_, err = m.UpTo(ctx, last, DemoTenants[0].Actor(actor.CLI, "demo set-up"), nil)
	return err
}

func (d *Demo) provider(ctx context.Context, plan DemoPlan, log *slog.Logger) error {
	plan.Say("demo identity provider on " + plan.ProviderAddr)
	public := d.Config.PublicURL.String()
	d.Config.Environment = "demo"
	d.Config.OIDCClientID, d.Config.OIDCClientSecret, d.Config.OIDCName = "gatehouse", "demo-secret", "the demo provider"
	provider, err := demoidp.Start(ctx, demoidp.Config{
		Addr: plan.ProviderAddr, ClientID: d.Config.OIDCClientID, ClientSecret: string(d.Config.OIDCClientSecret),
		RedirectURIs: []string{public + "/oidc/callback"}, PostLogoutURIs: []string{public + "/signed-out"},
		BackChannelLogoutURI: public + "/oidc/backchannel", Log: log,
	})
	if err != nil {
		return err
	}
	d.Provider, d.People, d.Config.OIDCIssuer = provider, demoidp.DemoPeople(), provider.Issuer()
	return nil
}

// Keep starts the private PostgreSQL again where it ends by itself, until ctx is over. The error is why it cannot.
func (d *Demo) Keep(ctx context.Context, say func(line string)) error {
	for {
		began := time.Now()
		select {
		case <-ctx.Done():
		case <-d.pg.Exited():
		}
		select {
		case <-ctx.Done():
			return nil
		default:
		}
		if time.Since(began) < shortLife {
			return fmt.Errorf("the private PostgreSQL ended %s after it had started; its log is %s", time.Since(began).Round(time.Second), d.pg.LogFile())
		}
		say("the private PostgreSQL has ended by itself; starting it again")
		if err := d.pg.Restart(ctx, privatepg.Fast); err != nil {
			return err
		}
		say("the private PostgreSQL is back")
	}
}

// shortLife is how long the private PostgreSQL has to live for another start to be worth while.
const shortLife = 5 * time.Second

// RestartDatabase restarts the private PostgreSQL at the same address, for tests of what people see meanwhile.
func (d *Demo) RestartDatabase(ctx context.Context, mode privatepg.Mode) error {
	return d.pg.Restart(ctx, mode)
}

// Close stops what was started.
func (d *Demo) Close() {
	if d.Provider != nil {
		d.Provider.Close()
	}
	if d.pg != nil {
		_ = d.pg.Stop() // nothing can be done about it; the next start recovers
	}
}
