package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/app"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/sqlparse"
)

func migrateLint() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "lint [VERSION...]", Short: "Say what each file locks, and what could be done with less",
		Long: `Reads the migrations that this program carries, or the versions named, with PostgreSQL's own parser, and says for each
statement which relation it locks, who waits for it, and how the same could be had with less.

With GATEHOUSE_OWNER_DATABASE_URL it asks that database how large the tables are and how often they are written to, and
what is in the database already is only told, not judged. Without, the sizes are unknown, and what depends on one is a
warning. A line on the plan card puts up with a finding:
  -- accepts: rewrite public.lots because the warehouse stands still at T-0

Exit codes: 0 nothing that must be put right, 1 a finding of level stop that the plan card does not accept, 2 called wrongly.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			reports, err := lint(cmd.Context(), args)
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
				if err == nil && r.Stops() && !r.Applied {
					err = fmt.Errorf("%s has to be put right, or its plan card to say why it may stay", r.Script)
				}
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the reports as JSON")
	return cmd
}

// lintReport is a report, and whether the version is in the database already.
type lintReport struct {
	migration.LintReport
	Applied bool `json:"applied"`
}

// lint looks at the versions named, or at all, lowest first.
func lint(ctx context.Context, named []string) ([]lintReport, error) {
	config, err := app.Load(os.Environ())
	if err != nil {
		return nil, exitError{2, err}
	}
	m, err := migrator.New(migrator.WMS(), string(config.OwnerDatabaseURL))
	if err != nil {
		return nil, err
	}
	versions, err := lintVersions(m.Files(), named)
	if err != nil {
		return nil, err
	}
	read := map[migration.Version][]migration.Parsed{}
	reports := make([]lintReport, 0, len(versions))
	parser := sqlparse.New()
	var asks []migration.Parsed
	for _, v := range versions {
		file, _ := m.Files().Up(v)
		statements, err := parser.Parse(file.SQL)
		var unread *migration.ParseError
		switch {
		case errors.As(err, &unread):
			reports = append(reports, lintReport{LintReport: migration.LintUnread(file.Script, unread)})
		case err != nil:
			return nil, err
		}
		read[v], asks = statements, append(asks, statements...)
	}
	var live migration.LintLive
	ladder := migration.Ladder{}
	if config.OwnerDatabaseURL != "" {
		if ladder, err = m.Status(ctx); err != nil {
			return nil, coded(err)
		}
		if live, err = postgres.LintLiveAsOwner(ctx, string(config.OwnerDatabaseURL), migration.LintAsks(asks)); err != nil {
			return nil, fmt.Errorf("asking the database for sizes: %w", err)
		}
	}
	for _, v := range versions {
		file, _ := m.Files().Up(v)
		rung, _ := ladder.Find(v)
		if statements := read[v]; statements != nil {
			reports = append(reports, lintReport{migration.Lint(file, statements, live), rung.InDatabase()})
		}
	}
	return reports, nil
}

// lintVersions are the versions named, or all, lowest first.
func lintVersions(files *migration.Files, named []string) ([]migration.Version, error) {
	if len(named) == 0 {
		return files.Versions(), nil
	}
	var versions []migration.Version
	for _, text := range named {
		v, err := migration.ParseVersion(text)
		if _, ok := files.Up(v); err != nil || !ok {
			return nil, exitError{2, fmt.Errorf("there is no migration %q", text)}
		}
		versions = append(versions, v)
	}
	return versions, nil
}

func printLint(out io.Writer, reports []lintReport) error {
	var b strings.Builder
	for _, r := range reports {
		fmt.Fprintf(&b, "%s: %d findings, %d locks on what was there\n", r.Script, len(r.Findings), len(r.Locks))
		if r.Applied {
			b.WriteString("  It is in the database already.\n")
		}
		fmt.Fprintf(&b, "  %s\n  %s\n", r.Summary(), r.Bounds)
		for _, f := range r.Findings {
			fmt.Fprintf(&b, "  %s, line %d, %s: %s\n", f.Level, f.Line, f.Rule, f.Statement)
			if f.Lock != "" {
				fmt.Fprintf(&b, "    %s: %s\n", f.Lock, f.Waits)
			}
			if f.Size != "" {
				fmt.Fprintf(&b, "    %s: %s\n", f.Relation, f.Size)
			}
			fmt.Fprintf(&b, "    %s\n    Instead: %s\n", f.Why, f.Instead)
			if f.Accepted != "" {
				fmt.Fprintf(&b, "    Accepted on the plan card: %s\n", f.Accepted)
			}
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}
