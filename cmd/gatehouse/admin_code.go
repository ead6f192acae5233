package main

import (
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/app"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// signingCode is what the flags of the commands say.
type signingCode struct {
	tenant string
	plan   postgres.SigningCodePlan
	days   int
	to     halfFiles
}

func signingCodeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "signing-code",
		Short: "Sealed codes for signing at a gate while the identity provider is away",
		Long: `A sealed code has two halves for two people, in two envelopes. While the identity provider cannot be reached, and the server
has found that out by itself, both halves together let a person sign at a gate on the session that they still have. The
signature is marked for good, and somebody else has to review it within 72 hours.

Codes are made in quiet times, on this machine alone, as the owner (GATEHOUSE_OWNER_DATABASE_URL). Each is good for one
time; only the hashes of its halves are kept. Making, revoking and using one stands in the company's audit trail.`,
	}
	cmd.AddCommand(makeSigningCode(), listSigningCodes(), revokeSigningCode())
	return cmd
}

func makeSigningCode() *cobra.Command {
	var s signingCode
	cmd := &cobra.Command{
		Use:   "make --tenant CODE --first NAME --second NAME --reason TEXT",
		Short: "Make a sealed code for two people",
		Long: `Makes a sealed code of two halves. Name the holders as they are called at the identity provider, or by their e-mail address:
whoever holds a half does not review what was signed with it, and the signer may hold one of them at most.

On a terminal the first half is shown, then hidden before the second is shown, so that each person seals their own. Anywhere
else --first-to and --second-to name the files that the halves are written to; they must not exist, and only you may read
them.

Exit codes: 0 made, 1 failed, 2 called wrongly.`,
		Example: `  gatehouse admin signing-code make --tenant rivermark --first "Ada Morrow" --second "Omar Fitch" --reason "envelopes of the fourth quarter" --days 60`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return s.make(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&s.tenant, "tenant", "", "code of the tenant")
	flags.StringVar(&s.plan.FirstHolder, "first", "", "who gets the first half")
	flags.StringVar(&s.plan.SecondHolder, "second", "", "who gets the second half: somebody else")
	flags.StringVar(&s.plan.Reason, "reason", "", "why, as it shall stand in the audit trail")
	flags.IntVar(&s.days, "days", 28, "how many days the code is good: 1 to 90")
	flags.StringVar(&s.to.first, "first-to", "", "file for the first half, instead of the terminal")
	flags.StringVar(&s.to.second, "second-to", "", "file for the second half, instead of the terminal")
	needed(cmd, "tenant", "first", "second", "reason")
	return cmd
}

func (s *signingCode) make(cmd *cobra.Command) error {
	config, by, err := ownerOf(cmd, s.tenant)
	if err != nil {
		return err
	}
	s.plan.Lifetime = time.Duration(s.days) * 24 * time.Hour
	var code postgres.SigningCode
	err = s.to.handOut(cmd, s.plan.FirstHolder, s.plan.SecondHolder, func() (first, second string, err error) {
		code, err = postgres.MakeSigningCode(cmd.Context(), string(config.OwnerDatabaseURL), by, s.plan)
		return code.First, code.Second, err
	})
	if err != nil {
		return err
	}
	for _, h := range []struct {
		name  string
		known bool
	}{{s.plan.FirstHolder, code.FirstKnown}, {s.plan.SecondHolder, code.SecondKnown}} {
		if !h.known {
			cmd.PrintErrf("Nobody called %q has signed in to %s yet, so this holder is known by that name alone.\n", h.name, s.tenant)
		}
	}
	cmd.PrintErrf("Code %s is good for one time until %s.\n", code.ID, code.ExpiresAt.UTC().Format("2 Jan 2006 15:04 UTC"))
	return nil
}

func listSigningCodes() *cobra.Command {
	var tenant string
	cmd := &cobra.Command{
		Use:   "list --tenant CODE",
		Short: "List the sealed codes of a tenant, never their halves",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, by, err := ownerOf(cmd, tenant)
			if err != nil {
				return err
			}
			codes, err := postgres.SigningCodes(cmd.Context(), string(config.OwnerDatabaseURL), by)
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
			// What cannot be written is told by Flush.
			_, _ = fmt.Fprintln(w, "CODE\tSTATE\tFIRST\tSECOND\tMADE\tGOOD UNTIL\tREASON")
			for _, c := range codes {
				_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.CodeID, c.State, c.FirstHolder, c.SecondHolder,
					c.MadeAt.UTC().Format("2006-01-02 15:04 UTC"), c.ExpiresAt.UTC().Format("2006-01-02 15:04 UTC"), c.Reason)
			}
			return w.Flush()
		},
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "code of the tenant")
	needed(cmd, "tenant")
	return cmd
}

func revokeSigningCode() *cobra.Command {
	var tenant, reason string
	cmd := &cobra.Command{
		Use:   "revoke CODE --tenant CODE --reason TEXT",
		Short: "Make a sealed code worthless, as when an envelope is found open",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := uuid.Parse(args[0])
			if err != nil {
				return exitError{2, errors.New("a code is named by its id, as `gatehouse admin signing-code list` shows it")}
			}
			config, by, err := ownerOf(cmd, tenant)
			if err != nil {
				return err
			}
			if err := postgres.RevokeSigningCode(cmd.Context(), string(config.OwnerDatabaseURL), by, id, reason); err != nil {
				return refusedInput(err)
			}
			cmd.PrintErrf("Code %s is worthless from now on.\n", id)
			return nil
		},
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "code of the tenant")
	cmd.Flags().StringVar(&reason, "reason", "", "why, as it shall stand in the audit trail")
	needed(cmd, "tenant", "reason")
	return cmd
}

// ownerOf reads the configuration of the owner, and who the command is in that tenant.
func ownerOf(cmd *cobra.Command, tenant string) (app.Config, actor.Actor, error) {
	config, err := app.Load(os.Environ())
	if err != nil {
		return config, actor.Actor{}, exitError{2, err}
	}
	if config.OwnerDatabaseURL == "" {
		return config, actor.Actor{}, exitError{2, errors.New("GATEHOUSE_OWNER_DATABASE_URL is not set: only the owner makes such codes")}
	}
	tenants, err := postgres.TenantsAsOwner(cmd.Context(), string(config.OwnerDatabaseURL))
	if err != nil {
		return config, actor.Actor{}, err
	}
	by, err := tenantOf(tenants, tenant)
	return config, by, err
}
