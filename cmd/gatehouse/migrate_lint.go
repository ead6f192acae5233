package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/sqlparse"
)

func migrateLint() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "lint [VERSION...]", Short: "Say what each file locks, and what could be done with less; reads no database",
		Long: `Reads the migrations that this program carries, or the versions named, with PostgreSQL's own parser, and says for each
statement which relation it locks, who waits for it, and how the same could be had with less. Without a database the
sizes are unknown, and what depends on one is a warning.

Exit codes: 0 nothing that must be put right, 1 a finding of level stop, 2 called wrongly.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			reports, err := lint(args)
			if err != nil {
				return err
			}
			if asJSON {
				encoder := json.NewEncoder(cmd.OutOrStdout())
				encoder.SetIndent("", "  ")
				err = encoder.Encode(reports)
			} else {
				err = printLint(cmd.OutOrStdout(), reports)
			}
			for _, r := range reports {
				if err == nil && r.Stops() {
					err = fmt.Errorf("%s has to be put right", r.Script)
				}
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the reports as JSON")
	return cmd
}

// lint looks at the versions named, or at all, lowest first.
func lint(named []string) ([]migration.LintReport, error) {
	m, err := migrator.New(migrator.WMS(), "")
	if err != nil {
		return nil, err
	}
	versions := m.Files().Versions()
	if len(named) > 0 {
		versions = nil
		for _, text := range named {
			v, err := migration.ParseVersion(text)
			if _, ok := m.Files().Up(v); err != nil || !ok {
				return nil, exitError{2, fmt.Errorf("there is no migration %q", text)}
			}
			versions = append(versions, v)
		}
	}
	parser := sqlparse.New()
	reports := make([]migration.LintReport, 0, len(versions))
	for _, v := range versions {
		file, _ := m.Files().Up(v)
		statements, err := parser.Parse(file.SQL)
		var unread *migration.ParseError
		switch {
		case errors.As(err, &unread):
			reports = append(reports, migration.LintUnread(file.Script, unread))
		case err != nil:
			return nil, err
		default:
			reports = append(reports, migration.Lint(file, statements, migration.LintLive{}))
		}
	}
	return reports, nil
}

func printLint(out io.Writer, reports []migration.LintReport) error {
	var b strings.Builder
	for _, r := range reports {
		fmt.Fprintf(&b, "%s: %d findings, %d locks on what was there\n", r.Script, len(r.Findings), len(r.Locks))
		for _, f := range r.Findings {
			fmt.Fprintf(&b, "  %s, line %d, %s: %s\n    %s\n", f.Level, f.Line, f.Rule, f.Why, f.Instead)
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}
