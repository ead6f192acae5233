package main

import (
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/runbook"
)

func runbookCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "runbook", Short: "Check, show and import runbooks",
		Long: `A runbook is one JSON file: phases, items, gates, ways back. Gatehouse brings its own, and a company
may import others. A release freezes the one it is started from.`,
	}
	cmd.AddCommand(runbookCheckCommand(), runbookShowCommand(), runbookSchemaCommand(), runbookImportCommand())
	return cmd
}

func runbookCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use: "check FILE...", Short: "Say all that is wrong with runbook files, by line",
		Long: `Reads each file as JSON, against the schema, and for whether it holds together, and prints every
complaint with its line and its place. It needs no database and no configuration.

Exit codes: 0 no errors (there may be warnings), 1 errors, or a file cannot be read, 2 called wrongly.`,
		Example: `  gatehouse runbook check our-runbook.v2.json`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			wrong := false
			for _, file := range files {
				t, problems, err := lintFile(file)
				if err != nil {
					return err
				}
				for _, p := range problems {
					if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", file, p); err != nil {
						return err
					}
				}
				if t.SHA256 == "" {
					wrong = true
					continue
				}
				if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %s %s is good, SHA-256 %s\n", file, t.Name, t.Version, t.SHA256); err != nil {
					return err
				}
			}
			if wrong {
				return exitError{code: 1}
			}
			return nil
		},
	}
}

func lintFile(file string) (runbook.Template, []runbook.Problem, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return runbook.Template{}, nil, fmt.Errorf("reading the runbook: %w", err)
	}
	t, problems := runbook.Lint(text)
	return t, problems, nil
}

func runbookShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show [FILE | NAME VERSION]", Short: "List the runbooks of this program, or the items of one",
		Long: `Without arguments, lists the runbooks that this program brings. With a file, or the name and version of
one of them, lists its items and gates in order.

Exit codes: 0 shown, 1 it cannot be read or has errors, 2 called wrongly.`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			own, err := runbook.Embedded()
			if err != nil {
				return err
			}
			out := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
			defer func() { _ = out.Flush() }()
			switch len(args) {
			case 0:
				for _, t := range own {
					_, _ = fmt.Fprintf(out, "%s\t%s\t%d items\t%s\t%s\n", t.Name, t.Version, len(t.Items()), t.SHA256, t.News())
				}
				return nil
			case 1:
				t, problems, err := lintFile(args[0])
				if err != nil {
					return err
				}
				if t.SHA256 == "" {
					return fmt.Errorf("%s has errors, the first of %d: %s", args[0], len(problems), problems[0])
				}
				printRunbook(out, t)
				return nil
			}
			for _, t := range own {
				if t.Name == args[0] && t.Version == args[1] {
					printRunbook(out, t)
					return nil
				}
			}
			return exitError{2, fmt.Errorf("this program brings no runbook %s %s", args[0], args[1])}
		},
	}
}

func printRunbook(out *tabwriter.Writer, t runbook.Template) {
	_, _ = fmt.Fprintf(out, "%s %s: %s\nSHA-256 %s\n", t.Name, t.Version, t.Title, t.SHA256)
	for _, p := range t.Phases {
		_, _ = fmt.Fprintf(out, "\n%s, %s\n", p.Name, p.Offset)
		for _, i := range p.Items {
			required := "optional"
			if i.Required {
				required = "required"
			}
			_, _ = fmt.Fprintf(out, "  %s\t%s\t%s\t%s\t%s\n", i.ID, i.Title, i.Owner.Title(), i.Evidence.Kind, required)
		}
		for _, g := range t.Gates {
			if g.AfterPhase == p.ID {
				_, _ = fmt.Fprintf(out, "  gate %s, %s\n", g.Name, g.Offset)
			}
		}
	}
}

func runbookSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of runbook files", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(runbook.Schema)
			return err
		},
	}
}

func runbookImportCommand() *cobra.Command {
	var tenant string
	cmd := &cobra.Command{
		Use: "import --tenant CODE FILE", Short: "Keep a company's own runbook, so that releases can be started from it",
		Long: `Checks the file as "check" does and keeps it for one tenant, with its hash and its time, in the audit
trail too. A version that is there is never replaced: what changes gets a new version. A name that a runbook of
this program has cannot be taken.

Exit codes: 0 imported (there may be warnings), 1 refused or failed, 2 called wrongly, or the file has errors.`,
		Example: `  gatehouse runbook import --tenant rivermark our-runbook.v2.json`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := os.ReadFile(args[0])
			if err != nil {
				return fmt.Errorf("reading the runbook: %w", err)
			}
			own, err := runbook.Embedded()
			if err != nil {
				return err
			}
			return inTenant(cmd, tenant, func(db *postgres.DB, by actor.Actor) error {
				by.Rights = []actor.Right{actor.RunbookImport}
				t, problems, err := runbook.NewService(postgres.Runbook{DB: db}, "", own, nil, nil).Import(cmd.Context(), by, text)
				for _, p := range problems {
					cmd.PrintErrf("%s: %s\n", args[0], p)
				}
				if err != nil {
					return refusedInput(withField(err, runbook.TemplateField))
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s %s is imported, SHA-256 %s\n", t.Name, t.Version, t.SHA256)
				return err
			})
		},
	}
	needTenant(cmd, &tenant)
	return cmd
}

// withField says the refusal's complaint about the one field that a command has.
func withField(err error, field string) error {
	refused, ok := fault.As(err)
	if !ok || refused.Fields[field] == "" {
		return err
	}
	return fault.New(refused.Kind, "%s %s", refused.Message, refused.Fields[field])
}
