package main

import (
	"fmt"
	"strings"
	"time"

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
		Short: "Make a credential for a machine: CI, the WMS, a health script",
		Long: `Makes a bearer token for a machine, prints it once and keeps only its SHA-256. Programs send it as
"Authorization: Bearer ..." to /graphql and /api, and commands read it from GATEHOUSE_TOKEN.
A token carries rights and never a role: no token can sign.

Rights: release:read migration:read migration:apply migration:down health:read health:run graphql:query audit:read

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
				return err
			}
			cmd.PrintErrf("Credential %s (%s) is good until %s. It is shown this once:\n", made.ID, made.Name, made.ExpiresAt.UTC().Format(time.RFC3339))
			_, err = fmt.Fprintln(cmd.OutOrStdout(), token)
			return err
		},
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "code of the tenant the machine works for")
	cmd.Flags().StringVar(&name, "name", "", "what the machine is, as it shall stand in the audit trail")
	cmd.Flags().StringArrayVar(&rights, "right", nil, "a right, e.g. health:read; may be given several times")
	cmd.Flags().DurationVar(&lifetime, "lifetime", 30*24*time.Hour, "how long the token is good")
	for _, needed := range []string{"tenant", "name", "right"} {
		if err := cmd.MarkFlagRequired(needed); err != nil {
			panic(err) // a flag of this name stands three lines above
		}
	}
	return cmd
}
