package main

import (
	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

func personCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "person", Short: "End a person's access, or give it back",
		Long: `Ends the access of a person who has signed in before, with every session of theirs, whatever the identity
provider still says; or gives it back. A person is issuer and subject. It stands in the tenant's audit trail.

Exit codes: 0 done, 1 there is no such person, it was so already, or it failed, 2 called wrongly.`,
	}
	cmd.AddCommand(
		personChange("disable", "End a person's access and their sessions at once", "can no longer sign in; their sessions are over", true),
		personChange("enable", "Give a person's access back", "can sign in again", false),
	)
	return cmd
}

func personChange(name, short, said string, disabled bool) *cobra.Command {
	var tenant, issuer, subject string
	cmd := &cobra.Command{
		Use: name + " --tenant CODE --issuer URL --subject SUB", Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return inTenant(cmd, tenant, func(db *postgres.DB, by actor.Actor) error {
				if err := (postgres.People{DB: db}).Disable(cmd.Context(), by, issuer, subject, disabled); err != nil {
					return refusedInput(err)
				}
				cmd.PrintErrf("%s %s.\n", subject, said)
				return nil
			})
		},
	}
	needTenant(cmd, &tenant)
	cmd.Flags().StringVar(&issuer, "issuer", "", "the identity provider's issuer URL")
	cmd.Flags().StringVar(&subject, "subject", "", "the person's subject at that provider")
	needed(cmd, "issuer", "subject")
	return cmd
}
