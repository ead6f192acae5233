package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

func tokenCommand() *cobra.Command {
	var tenant, name string
	var rights []string
	var lifetime time.Duration
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Make a credential for a machine (CI, the WMS, a health script), list or revoke them",
		Long: `Makes a bearer token for a machine, prints it once and keeps only its SHA-256. Programs send it as
"Authorization: Bearer ..." to /graphql and /api, and commands read it from GATEHOUSE_TOKEN.
A token carries rights and never a role: no token can sign. "list" shows what was made, "revoke" ends one.

Rights: release:read migration:read migration:apply migration:down health:read health:run graphql:query audit:read capacity:record crossdock:cancel

Exit codes: 0 made, 1 failed, 2 called wrongly.`,
		Example: `  gatehouse token --tenant rivermark --name ci --right health:read --right graphql:query --lifetime 720h`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			db, err := openDatabase(cmd)
			if err != nil {
				return err
			}
			defer db.Close()
			by, err := systemOf(cmd, db, tenant)
			if err != nil {
				return err
			}
			list := make([]actor.Right, len(rights))
			for i, r := range rights {
				list[i] = actor.Right(strings.TrimSpace(r))
			}
			token, made, err := postgres.Credentials{DB: db}.Create(cmd.Context(), by, name, list, lifetime)
			if err != nil {
				return refusedInput(err)
			}
			cmd.PrintErrf("Credential %s (%s) is good until %s. It is shown this once:\n", made.ID, made.Name, made.ExpiresAt.UTC().Format(time.RFC3339))
			_, err = fmt.Fprintln(cmd.OutOrStdout(), token)
			return err
		},
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "code of the tenant the machine works for")
	cmd.Flags().StringVar(&name, "name", "", "what the machine is, as it shall stand in the audit trail")
	cmd.Flags().StringArrayVar(&rights, "right", nil, "a right, e.g. health:read; may be given several times")
	cmd.Flags().DurationVar(&lifetime, "lifetime", 30*24*time.Hour, "how long the token is good: a year (8784h) at most")
	needed(cmd, "tenant", "name", "right")
	cmd.AddCommand(tokenList(), tokenRevoke())
	return cmd
}

func tokenList() *cobra.Command {
	var tenant string
	cmd := &cobra.Command{
		Use: "list --tenant CODE", Short: "List a tenant's newest 200 credentials, never their tokens", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return inTenant(cmd, tenant, func(db *postgres.DB, by actor.Actor) error {
				list, err := postgres.Credentials{DB: db}.List(cmd.Context(), by)
				if err != nil {
					return err
				}
				for _, c := range list {
					if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s  %-30s %-42s %v\n", c.ID, c.Name, standing(c, time.Now()), c.Rights); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	needTenant(cmd, &tenant)
	return cmd
}

func standing(c postgres.Credential, now time.Time) string {
	switch {
	case c.RevokedAt != nil:
		return "revoked " + c.RevokedAt.UTC().Format(time.RFC3339)
	case !c.ExpiresAt.After(now):
		return "expired " + c.ExpiresAt.UTC().Format(time.RFC3339)
	}
	return "good until " + c.ExpiresAt.UTC().Format(time.RFC3339)
}

func tokenRevoke() *cobra.Command {
	var tenant string
	cmd := &cobra.Command{
		Use: "revoke ID --tenant CODE", Short: "End a credential at once", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := uuid.Parse(args[0])
			if err != nil {
				return exitError{2, errors.New("ID must be the id of a credential, as \"gatehouse token list\" shows it")}
			}
			return inTenant(cmd, tenant, func(db *postgres.DB, by actor.Actor) error {
				if err := (postgres.Credentials{DB: db}).Revoke(cmd.Context(), by, id); err != nil {
					return err
				}
				cmd.PrintErrf("Credential %s is revoked.\n", id)
				return nil
			})
		},
	}
	needTenant(cmd, &tenant)
	return cmd
}

// inTenant does the work as the command itself, acting in the tenant of that code.
func inTenant(cmd *cobra.Command, code string, work func(*postgres.DB, actor.Actor) error) error {
	db, err := openDatabase(cmd)
	if err != nil {
		return err
	}
	defer db.Close()
	by, err := systemOf(cmd, db, code)
	if err != nil {
		return err
	}
	return work(db, by)
}

func needTenant(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVar(into, "tenant", "", "code of the tenant")
	needed(cmd, "tenant")
}
