package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/app"
)

func doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check the configuration and everything Gatehouse depends on, and say what to do",
		Long: `Looks at the configuration, the database as both roles, the schemas, the clocks, the place for backups and the identity
provider, and says what is wrong and what to do about it. It walks every audit chain: on a host that was restored it says
whether what came back is the state whose head was published last (GATEHOUSE_AUDIT_HEADS), or an older one.

Exit codes: 0 nothing keeps Gatehouse from serving, 1 something does.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			bad := 0
			for _, f := range app.Doctor(cmd.Context(), os.Environ()) {
				mark := "ok  "
				switch {
				case f.Warn:
					mark = "note"
				case !f.OK:
					mark = "BAD "
					bad++
				}
				if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s  %-28s %s\n", mark, f.What, strings.ReplaceAll(f.Say, "\n", "\n"+strings.Repeat(" ", 35))); err != nil {
					return err
				}
			}
			if bad > 0 {
				return exitError{1, fmt.Errorf("%d of these keep Gatehouse from serving", bad)}
			}
			return nil
		},
	}
}
