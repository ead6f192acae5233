package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/app"
)

func auditCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "Check the audit trail"}
	var only string
	verify := &cobra.Command{
		Use:   "verify",
		Short: "Walk every tenant's chain from its first entry to its head",
		Long: `Walks the audit trail of every tenant, and the system's own, from the first entry to the head, and
names the first entry that does not fit: changed, missing, out of order, or cut off at the end.
It is held against the farthest walk that was stored, and against the heads in the file of
GATEHOUSE_AUDIT_HEADS: who rewrites a chain and its end in the database is found by these. Heads of a
state that is gone, which somebody acknowledged on the page Audit, hold nothing any more.
The result is stored and shown on the audit page, and a whole chain's head is added to the file.

Exit codes: 0 every chain holds, 1 one does not (or the database could not be read), 2 called wrongly.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			db, err := openDatabase(cmd)
			if err != nil {
				return err
			}
			defer db.Close()
			config, err := app.Load(os.Environ())
			if err != nil {
				return exitError{2, err}
			}
			trail := config.Trail(db)
			tenants, err := db.Tenants(cmd.Context())
			if err != nil {
				return err
			}
			actors := []actor.Actor{actor.System(actor.CLI, "verify")}
			for _, t := range tenants {
				actors = append(actors, t.Actor(actor.CLI, "verify"))
			}
			if only != "" {
				actors = slices.DeleteFunc(actors, func(a actor.Actor) bool { return a.TenantCode != only })
				if len(actors) == 0 {
					return exitError{2, fmt.Errorf("there is no tenant %q", only)}
				}
			}
			broken := false
			var failed []error // one chain that cannot be walked hides no other
			for _, by := range actors {
				check, err := trail.Verify(cmd.Context(), by)
				switch {
				case err != nil:
					failed = append(failed, fmt.Errorf("walking the chain of %s: %w", by.TenantCode, err))
					_, err = fmt.Fprintf(cmd.OutOrStdout(), "%-20s UNKNOWN it could not be walked\n", by.TenantCode)
				case check.Whole():
					_, err = fmt.Fprintf(cmd.OutOrStdout(), "%-20s whole   %d entries, head %s\n", by.TenantCode, check.Entries, hex.EncodeToString(check.Head))
				default:
					broken = true
					_, err = fmt.Fprintf(cmd.OutOrStdout(), "%-20s BROKEN  %s\n", by.TenantCode, check.Break)
				}
				if err == nil && check.HeadsBegin {
					_, err = fmt.Fprintf(cmd.OutOrStdout(), "%-20s         no head of it was published before; if some was, the file of GATEHOUSE_AUDIT_HEADS was emptied or exchanged\n", "")
				}
				if err != nil {
					return err
				}
			}
			if broken {
				failed = append(failed, errors.New("an audit chain does not hold; keep the newest backup and find out who changed the database"))
			}
			return errors.Join(failed...)
		},
	}
	verify.Flags().StringVar(&only, "tenant", "", "only this tenant's chain (\"system\" for the system's own)")
	cmd.AddCommand(verify)
	return cmd
}
