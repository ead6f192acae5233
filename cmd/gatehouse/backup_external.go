package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/app"
	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/clock"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// withExternals does work with the stories of backups that other tools took.
func withExternals(cmd *cobra.Command, work func(s *backup.Externals) error) error {
	config, err := app.Load(os.Environ())
	if err != nil {
		return exitError{2, err}
	}
	db, err := openDatabase(cmd)
	if err != nil {
		return err
	}
	defer db.Close()
	s, err := app.Externals(config, db)
	if err != nil {
		return exitError{2, err}
	}
	return work(s)
}

func listExternals(cmd *cobra.Command, ctx context.Context, by actor.Actor) error {
	return withExternals(cmd, func(s *backup.Externals) error { //nolint:contextcheck // the command carries the same context
		list, err := s.List(ctx, by)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
		for _, x := range list {
			worth, why := x.Worth(time.Now(), s.Within())
			_, _ = fmt.Fprintf(table, "%s\t%s\texternal: %s %s\t%s\t%s %s\n", // Flush reports what went wrong
				x.ID, x.TakenAt.UTC().Format("2006-01-02 15:04:05Z"), x.Provider, x.Identifier, x.By, worth, why)
		}
		return table.Flush()
	})
}

// drillExternal restores the file of an external backup; unknown is what is said where there is no such one either.
func drillExternal(cmd *cobra.Command, ctx context.Context, by actor.Actor, id uuid.UUID, unknown error) error {
	return withExternals(cmd, func(s *backup.Externals) error { //nolint:contextcheck // the command carries the same context
		x, drill, err := s.Drill(ctx, by, id)
		switch {
		case fault.Is(err, fault.NotFound):
			return unknown
		case err != nil:
			return err
		case !drill.Passed:
			return fmt.Errorf("%s %s does not restore: %s", x.Provider, x.Identifier, drill.Findings[0])
		case drill.Unproven != "":
			cmd.PrintErrf("It restores, and opens no gate: %s.\n", drill.Unproven)
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s %s restored after %s.\n", x.Provider, x.Identifier, clock.Duration(drill.Took))
			return err
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s %s passed after %s and counts as backup %s.\n", x.Provider, x.Identifier, clock.Duration(drill.Took), drill.Backup)
		return err
	})
}

// at reads a moment from a flag.
func at(name, text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, exitError{2, fmt.Errorf("--%s must be a moment like 2026-11-30T02:00:00Z", name)}
	}
	return t, nil
}

func backupRegister() *cobra.Command {
	var r backup.Registration
	var taken string
	cmd := &cobra.Command{
		Use: "register --provider NAME --id ID --taken TIME --covers TEXT --evidence TEXT", Short: "Write down a backup that another tool took", Args: cobra.NoArgs,
		Long: `Writes down that your provider or another tool took a backup: whose, under which name there, when, what it covers and how
somebody else can see it. It is worth nothing until it was restored: by "gatehouse backup drill" where --file names a
dump of it that lies where backups are kept, or elsewhere, which "gatehouse backup attest" writes down.

Exit codes: 0 written down, 1 it failed, 2 called or configured wrongly, 3 it is not allowed.`,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if r.TakenAt, err = at("taken", taken); err != nil {
				return err
			}
			return withBackups(cmd, func(ctx context.Context, _ *backup.Service, by actor.Actor) error {
				return withExternals(cmd, func(s *backup.Externals) error { //nolint:contextcheck // the command carries the same context
					x, err := s.Register(ctx, by, r)
					if err != nil {
						return err
					}
					cmd.PrintErrf("It is worth nothing until it was restored once, within %d days: gatehouse backup drill %s\n", int(s.Within().Hours())/24, x.ID)
					_, err = fmt.Fprintln(cmd.OutOrStdout(), x.ID)
					return err
				})
			})
		},
	}
	cmd.Flags().StringVar(&r.Provider, "provider", "", "which provider or tool took it")
	cmd.Flags().StringVar(&r.Identifier, "id", "", "under which identifier the provider keeps it")
	cmd.Flags().StringVar(&taken, "taken", "", "when it was taken, like 2026-11-30T02:00:00Z")
	cmd.Flags().StringVar(&r.Covers, "covers", "", "which database or cluster, and what of it")
	cmd.Flags().StringVar(&r.Evidence, "evidence", "", "a link or words: how somebody else sees that it exists")
	cmd.Flags().StringVar(&r.SHA256, "sha256", "", "the SHA-256 of the file, where it is known")
	cmd.Flags().StringVar(&r.File, "file", "", "the name of a dump of it, in pg_dump's custom format, that lies where backups are kept")
	needed(cmd, "provider", "id", "taken", "covers", "evidence")
	return cmd
}

func backupAttest() *cobra.Command {
	var a backup.Attestation
	var restored string
	cmd := &cobra.Command{
		Use: "attest ID --restored TIME --evidence TEXT", Short: "Write down that somebody restored an external backup elsewhere", Args: cobra.ExactArgs(1),
		Long: `Writes down that a backup of another tool was restored outside of Gatehouse: when, and how somebody else can see what was
looked at. It is a person's word and opens no gate; a drill of our own does.

Exit codes: 0 written down, 1 it failed, 2 called or configured wrongly, 3 it is not allowed.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := uuid.Parse(args[0])
			if err != nil {
				return exitError{2, errors.New("ID must be the id of an external backup, as \"gatehouse backup list\" shows it")}
			}
			if a.RestoredAt, err = at("restored", restored); err != nil {
				return err
			}
			return withBackups(cmd, func(ctx context.Context, _ *backup.Service, by actor.Actor) error {
				return withExternals(cmd, func(s *backup.Externals) error { //nolint:contextcheck // the command carries the same context
					if err := s.Attest(ctx, by, id, a); err != nil {
						return err
					}
					cmd.PrintErrln("It is written down as your word, and opens no gate by itself. Two people may override that on the release's page Window.")
					return nil
				})
			})
		},
	}
	cmd.Flags().StringVar(&restored, "restored", "", "when it was restored, like 2026-11-30T05:00:00Z")
	cmd.Flags().StringVar(&a.Evidence, "evidence", "", "what was looked at, and where somebody else can see it")
	needed(cmd, "restored", "evidence")
	return cmd
}

func backupMark() *cobra.Command {
	return &cobra.Command{
		Use: "mark", Short: "Write down where the log stands, for a dump that another tool is about to take", Args: cobra.NoArgs,
		Long: `Writes a mark into the database: which cluster it is, and where its write-ahead log stands. A dump that is taken after
that holds the mark, and "gatehouse backup drill" of it can prove from it that it is of this database, and from when at
the earliest. Run it at the head of the script that dumps. Then register the dump.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withBackups(cmd, func(ctx context.Context, _ *backup.Service, by actor.Actor) error {
				return withExternals(cmd, func(s *backup.Externals) error { //nolint:contextcheck // the command carries the same context
					id, err := s.SetMark(ctx, by)
					if err == nil {
						_, err = fmt.Fprintln(cmd.OutOrStdout(), id)
					}
					return err
				})
			})
		},
	}
}
