package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"

	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/app"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// variable is a variable of the environment, or what the file holds that its _FILE twin names.
func variable(name string) (string, error) {
	value, err := app.Variable(os.Environ(), name)
	if err != nil {
		return "", exitError{2, err}
	}
	return value, nil
}

// refusedInput gives what was typed wrongly the exit code for that.
func refusedInput(err error) error {
	if fault.Is(err, fault.Invalid) {
		return exitError{2, err}
	}
	return err
}

// openDatabase opens the database of GATEHOUSE_DATABASE_URL as the application, with the same refusals as the server.
func openDatabase(cmd *cobra.Command) (*postgres.DB, error) {
	config, err := app.Load(os.Environ())
	if err != nil {
		return nil, exitError{2, err}
	}
	if config.DatabaseURL == "" {
		return nil, exitError{2, errors.New("GATEHOUSE_DATABASE_URL is not set")}
	}
	db, err := postgres.Open(cmd.Context(), string(config.DatabaseURL))
	if err != nil {
		return nil, err
	}
	if err := db.CheckRole(cmd.Context()); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// systemOf is the command itself, acting in the tenant of that code.
func systemOf(cmd *cobra.Command, db *postgres.DB, code string) (actor.Actor, error) {
	tenants, err := db.Tenants(cmd.Context())
	if err != nil {
		return actor.Actor{}, err
	}
	return tenantOf(tenants, code)
}

// account is whose account of the machine runs the command. The operating system says so and nobody proves it; the trail that
// names it says more than one that does not.
func account() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return fmt.Sprintf("with the number %d", os.Getuid())
}

func tenantOf(tenants []postgres.Tenant, code string) (actor.Actor, error) {
	for _, t := range tenants {
		if t.Code == code {
			by := t.Actor(actor.CLI, "command line")
			by.Name += ", account " + account()
			return by, nil
		}
	}
	return actor.Actor{}, exitError{2, fmt.Errorf("there is no tenant %q", code)}
}

// machineOf is the machine whose credential stands in GATEHOUSE_TOKEN.
func machineOf(ctx context.Context, db *postgres.DB) (actor.Actor, error) {
	token, err := variable("GATEHOUSE_TOKEN")
	if err != nil {
		return actor.Actor{}, err
	}
	if token == "" {
		return actor.Actor{}, fault.New(fault.Unauthenticated, "GATEHOUSE_TOKEN is not set: it holds the credential of the machine that asks. "+
			"`gatehouse token` makes one; what a command needs, its --help says.")
	}
	return postgres.Credentials{DB: db}.Authenticate(ctx, token, actor.CLI, "")
}
