package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/app"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/clock"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

func backupCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup",
		Short: "Take backups of the database, and prove that they restore",
		Long: `Dumps the whole database with pg_dump into GATEHOUSE_BACKUP_DIR or the bucket of GATEHOUSE_S3_ENDPOINT, and writes down
what the dump holds: the rows of every table and the objects of the schema, counted in the snapshot that is dumped, with
the SHA-256 of the file. What was written is read again from end to end and compared before it counts.

A file proves nothing. "verify" reads it again and compares size, SHA-256 and table of contents; "drill" restores it
into a scratch database beside the real one, counts what is there, compares, and drops it. How long the drill took is
the real time to restore. Every look stays on record, passed or not. "restore" puts the real warehouse back, as two
people agreed.

A backup that your provider or another tool took is written down with "register". It is worth nothing until it was
restored: "drill" restores a dump of it that lies where backups are kept, and "attest" writes down that somebody restored
it elsewhere, which opens no gate. A dump of another tool counts like our own only where it shows of which database it
is: run "mark" before that tool dumps, and the drill finds the mark in it.

The commands act as the machine of GATEHOUSE_TOKEN (right migration:apply; for "list" migration:read) and need
GATEHOUSE_DATABASE_URL, GATEHOUSE_OWNER_DATABASE_URL and a place for backups. "drill" also needs a role that may create
databases on the same server: GATEHOUSE_SCRATCH_DATABASE_URL, or the owner where it may. pg_dump and pg_restore must be
at least as new as the server; they are looked for in the usual places and in PG_BINDIR.

Exit codes: 0 it worked and what was looked at is whole, 1 it failed or the backup is not whole, 2 called wrongly,
3 it is not allowed.`,
	}
	cmd.AddCommand(backupRegister(), backupAttest(), backupMark(), backupCreate(), backupList(), backupPrune(), backupLook(backup.Verify, "Read a backup's file again and compare it with what was written down"),
		backupLook(backup.Drill, "Restore a backup into a scratch database, compare, and drop it"), backupRestore())
	return cmd
}

// withBackups does work as the machine of GATEHOUSE_TOKEN. What it may not do stands in the audit trail.
func withBackups(cmd *cobra.Command, work func(ctx context.Context, s *backup.Service, by actor.Actor) error) error {
	config, err := app.Load(os.Environ())
	if err != nil {
		return exitError{2, err}
	}
	if config.OwnerDatabaseURL == "" || !config.KeepsBackups() {
		return exitError{2, errors.New("GATEHOUSE_OWNER_DATABASE_URL, and GATEHOUSE_BACKUP_DIR or GATEHOUSE_S3_ENDPOINT, must be set")}
	}
	db, err := openDatabase(cmd)
	if err != nil {
		return err
	}
	defer db.Close()
	by, err := machineOf(cmd.Context(), db)
	if err != nil {
		return coded(err)
	}
	log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
	warn := func(text string, err error) { log.Warn(text, "error", err) }
	backups, err := app.Backups(config, db, warn)
	if err != nil {
		return exitError{2, err}
	}
	err = work(cmd.Context(), backups, by)
	if fault.Is(err, fault.Forbidden) {
		refused := audit.Event{Action: "backup:" + cmd.Name(), ObjectKind: "backup", Outcome: audit.Refused, Reason: refusalText(err)}
		err = errors.Join(err, postgres.Audit{DB: db}.Record(cmd.Context(), by, refused))
	}
	return coded(err)
}

func backupCreate() *cobra.Command {
	return &cobra.Command{
		Use: "create", Short: "Dump the database, and write down what the dump holds", Args: cobra.NoArgs,
		Long: `Dumps the whole database with pg_dump, counts in the very snapshot that is dumped what it holds, reads the file again and
compares it, and prints the id of the backup. It is worth nothing until "gatehouse backup drill ID" has restored it once.

It needs what "gatehouse backup --help" names.

Exit codes: 0 stored, 1 it failed and no backup is left, 2 called or configured wrongly, 3 it is not allowed.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withBackups(cmd, func(ctx context.Context, s *backup.Service, by actor.Actor) error {
				b, err := s.Create(ctx, by)
				if err != nil {
					return err
				}
				cmd.PrintErrf("%s: %d bytes in %s, warehouse at %s, WAL %s, SHA-256 %s\nIt is worth nothing until it was restored once: gatehouse backup drill %s\n",
					b.Name, b.Bytes, clock.Duration(b.Took), b.Manifest.Standing, b.Manifest.WAL, b.SHA256, b.ID)
				_, err = fmt.Fprintln(cmd.OutOrStdout(), b.ID)
				return err
			})
		},
	}
}

func backupList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the newest 50 backups, and what each is worth", Args: cobra.NoArgs,
		Long: `Lists the newest 50 backups, and those of other tools, with their ids: when each was taken, how large it is, where the
warehouse stood, and whether it was read again and restored. One that was never restored proves nothing.

The credential of GATEHOUSE_TOKEN needs the right migration:read.

Exit codes: 0 listed, 1 they cannot be read, 2 called or configured wrongly, 3 it is not allowed.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withBackups(cmd, func(ctx context.Context, s *backup.Service, by actor.Actor) error {
				list, err := s.List(ctx, by)
				if err != nil {
					return err
				}
				table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				for _, b := range list {
					worth, why := b.Worth()
					if !b.KeptUntil.IsZero() {
						why += "; safety dump of a restore, kept until " + b.KeptUntil.UTC().Format(time.DateOnly)
					}
					_, _ = fmt.Fprintf(table, "%s\t%s\t%.1f MB\t%s\t%s\t%s\n", // Flush reports what went wrong
						b.ID, b.Manifest.TakenAt.UTC().Format("2006-01-02 15:04:05Z"), float64(b.Bytes)/1e6, b.Manifest.Standing, b.By, strings.TrimSpace(string(worth)+" "+why))
				}
				if err := table.Flush(); err != nil {
					return err
				}
				return listExternals(cmd, ctx, by)
			})
		},
	}
}

func backupPrune() *cobra.Command {
	var keep time.Duration
	cmd := &cobra.Command{
		Use: "prune", Short: "Remove the files of old backups, never the newest nor the newest that restores", Args: cobra.NoArgs,
		Long: `Removes the files of backups older than --older-than and prints their names. The newest backup stays, the newest that was
restored stays, and so does what was saved before a restore for as long as it is to be kept. What was known of a removed
backup stays on record, with who removed it.

Exit codes: 0 removed, or nothing to remove, 1 it failed on the way; what is printed is gone, 2 called or configured
wrongly, 3 it is not allowed.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withBackups(cmd, func(ctx context.Context, s *backup.Service, by actor.Actor) error {
				removed, err := s.Prune(ctx, by, keep)
				for _, b := range removed {
					if _, err := fmt.Fprintln(cmd.OutOrStdout(), b.Name); err != nil {
						return err
					}
				}
				if err == nil || len(removed) > 0 {
					cmd.PrintErrf("%d removed.\n", len(removed))
				}
				return err
			})
		},
	}
	cmd.Flags().DurationVar(&keep, "older-than", 30*24*time.Hour, "how old a backup must be; at least 24h")
	return cmd
}

var lookHelp = map[backup.Kind]string{
	backup.Verify: `Reads the file of a backup from end to end and compares its size, its SHA-256 and its table of contents with what was
written down as it was taken. That it can be read does not prove that it restores: "gatehouse backup drill" does.

Exit codes: 0 it is whole, 1 it is not, or cannot be read; what is wrong is printed, 2 called or configured wrongly,
3 it is not allowed.`,
	backup.Drill: `Restores a backup into a scratch database of its own, counts every table and object, compares with what was written down,
and drops the scratch database. The real one is not touched. ID is of a backup, or of one of another tool with a file
where backups are kept. How long it took is the real time to restore.

It needs a role that may create databases on the same server: GATEHOUSE_SCRATCH_DATABASE_URL, or the owner where it may.

Exit codes: 0 it restores and is whole, 1 it does not; what is wrong is printed, 2 called or configured wrongly, 3 it is
not allowed.`,
}

func backupLook(kind backup.Kind, short string) *cobra.Command {
	return &cobra.Command{
		Use: string(kind) + " ID", Short: short, Long: lookHelp[kind], Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := uuid.Parse(args[0])
			if err != nil {
				return exitError{2, errors.New("ID must be the id of a backup, as \"gatehouse backup list\" shows it")}
			}
			return withBackups(cmd, func(ctx context.Context, s *backup.Service, by actor.Actor) error {
				look := s.Verify
				if kind == backup.Drill {
					look = s.Drill
				}
				b, check, err := look(ctx, by, id)
				if kind == backup.Drill && fault.Is(err, fault.NotFound) {
					return drillExternal(cmd, ctx, by, id, err)
				}
				if err != nil {
					return err
				}
				if !check.Passed {
					return fmt.Errorf("%s is not whole: %s", b.Name, strings.Join(check.Findings, "; "))
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s passed after %s: %d tables, warehouse at %s.\n",
					b.Name, clock.Duration(check.Took), len(b.Manifest.Rows), b.Manifest.Standing)
				return err
			})
		},
	}
}
