package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// slowStatement is from where on a statement is printed even if it locks and rewrites nothing that was there.
const slowStatement = 20 * time.Millisecond

func migrateRehearse() *cobra.Command {
	var copied, dumped string
	var sampled bool
	rows := backup.UsualSampleRows
	var asJSON bool
	cmd := &cobra.Command{
		Use: "rehearse [--backup ID | --on URL | --sample]", Short: "Run every pending file up, down and up again on a copy, and measure it", Args: cobra.NoArgs,
		Long: `Runs every pending file up, down and up again on a copy of the database, and measures each statement: its time,
the rows it touched, the log it wrote, the locks it took on what was there, the tables it rewrote. Then it holds
the copy's schema against what it was, and the plan card against what is there. The first error ends it. The real
database is only looked at. The report is kept with its SHA-256, whether it passed or not; from then on the pages
show the rehearsed times.

Without a flag the newest backup that restores is restored and rehearsed on. Where there is none yet, or with --sample,
the schema and a sample of the rows are cloned into a scratch database, and dropped afterwards: tables of up to --rows
rows whole, of larger ones about that many, and every row that a copied one points at, so that all foreign keys hold.
Such a rehearsal is marked "on a sample". It finds what does not work, but that it passed proves nothing: it opens no
gate, and its times are not shown as an estimate.

With --backup the copy is made by restoring a backup (see "gatehouse backup"), and dropped afterwards: what a release
applies is then rehearsed on what a restore would bring back.

With --on the copy is a database whose name begins with gatehouse_scratch_, owned by the role of
GATEHOUSE_OWNER_DATABASE_URL, with the same schema as the real one. It is left changed: make a new one for the
next rehearsal. Nobody here saw of what it is a copy, so that it passed opens no gate, unless two people override the
age of the backup on the release's page Window. As a role that may create databases:

  createdb --owner=gatehouse_owner gatehouse_scratch_1
  pg_dump --format=custom --dbname=gatehouse | pg_restore --exit-on-error --dbname=gatehouse_scratch_1
  gatehouse migrate rehearse --on postgres://gatehouse_owner@host/gatehouse_scratch_1
  dropdb gatehouse_scratch_1

Needs GATEHOUSE_TOKEN with the right migration:apply, GATEHOUSE_DATABASE_URL and GATEHOUSE_OWNER_DATABASE_URL.

Exit codes: 0 it passed, 1 it did not pass or could not be held, 2 called wrongly, 3 it is not allowed,
4 files, database and copy disagree.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var hold func() (migration.Rehearsal, error)
			switch {
			case copied != "" && dumped != "" || sampled && copied+dumped != "":
				return exitError{2, errors.New("say one of --backup, the id of a backup, --on, the address of a copy, and --sample")}
			case copied != "":
				hold = func() (migration.Rehearsal, error) { return rehearse(cmd, copied) }
			case dumped != "":
				hold = func() (migration.Rehearsal, error) { return rehearseBackup(cmd, dumped) }
			default:
				hold = func() (migration.Rehearsal, error) { return rehearseWhatThereIs(cmd, sampled, rows) }
			}
			kept, err := hold()
			if err != nil {
				return coded(err)
			}
			if asJSON {
				encoder := json.NewEncoder(cmd.OutOrStdout())
				encoder.SetIndent("", "  ")
				err = encoder.Encode(kept.Report)
			} else {
				err = printRehearsal(cmd.OutOrStdout(), kept)
			}
			if err == nil && !kept.Report.Passed() {
				return errors.New(kept.Report.Verdict())
			}
			return err
		},
	}
	cmd.Flags().StringVar(&dumped, "backup", "", "id of the backup to restore and rehearse on")
	cmd.Flags().StringVar(&copied, "on", "", "address of the copy, as the owner")
	cmd.Flags().BoolVar(&sampled, "sample", false, "clone the schema and a sample of the rows, though there may be a backup")
	cmd.Flags().IntVar(&rows, "rows", rows, "how many rows a table may have to be in the sample whole")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	return cmd
}

// rehearseBackup restores the backup beside the database and rehearses on that.
func rehearseBackup(cmd *cobra.Command, dumped string) (kept migration.Rehearsal, err error) {
	id, err := uuid.Parse(dumped)
	if err != nil {
		return kept, exitError{2, errors.New("--backup must be the id of a backup, as \"gatehouse backup list\" shows it")}
	}
	m, err := owner()
	if err != nil {
		return kept, err
	}
	db, err := openDatabase(cmd)
	if err != nil {
		return kept, err
	}
	defer db.Close()
	err = withBackups(cmd, func(ctx context.Context, s *backup.Service, by actor.Actor) error {
		return s.OnCopy(ctx, by, id, func(ctx context.Context, address string) error {
			kept, err = hold(ctx, cmd, m, db, by, address, migration.RehearsalData{Kind: "backup", Backup: id})
			return err
		})
	})
	return kept, err
}

// rehearse is ordered by the machine of GATEHOUSE_TOKEN.
func rehearse(cmd *cobra.Command, copied string) (migration.Rehearsal, error) {
	m, err := owner()
	if err != nil {
		return migration.Rehearsal{}, err
	}
	db, err := openDatabase(cmd)
	if err != nil {
		return migration.Rehearsal{}, err
	}
	defer db.Close()
	by, err := machineOf(cmd.Context(), db)
	if err != nil {
		return migration.Rehearsal{}, err
	}
	return hold(cmd.Context(), cmd, m, db, by, copied, migration.RehearsalData{Kind: migration.OnCopy})
}

// hold rehearses on the copy and keeps the report.
func hold(ctx context.Context, cmd *cobra.Command, m *migrator.Migrator, db *postgres.DB, by actor.Actor, copied string, data migration.RehearsalData) (migration.Rehearsal, error) {
	return migration.NewRehearsals(postgres.Rehearsals{DB: db}).Hold(ctx, by, func(ctx context.Context) (migration.RehearsalReport, error) {
		return m.Rehearse(ctx, migrator.RehearseRequest{
			URL: copied, Data: data, Facts: postgres.CatalogFacts,
			Say: func(line string) { cmd.PrintErrln(line) },
		})
	})
}

// printRehearsal shows the statements that somebody could notice, and counts the others.
func printRehearsal(out io.Writer, kept migration.Rehearsal) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { _, _ = fmt.Fprintln(table, strings.Join(cells, "\t")) } // Flush reports what went wrong
	row("FILE", "LINE", "TIME", "ROWS", "LOG", "LOCKS WHAT WAS THERE", "REWRITES", "STATEMENT")
	for _, v := range kept.Report.Versions {
		for _, p := range v.Passes {
			quiet := 0
			for _, s := range p.Statements {
				if len(s.Locks)+len(s.Rewrites) == 0 && s.Took < slowStatement {
					quiet++
					continue
				}
				row(p.Script, fmt.Sprint(s.Line), s.Took.Round(100*time.Microsecond).String(), fmt.Sprint(s.Rows), fmt.Sprintf("%.1f kB", float64(s.WALBytes)/1000),
					lockWords(s.Locks), strings.Join(s.Rewrites, ", "), s.SQL)
			}
			row(p.Script, "", p.Took.Round(100*time.Microsecond).String(), "", "", "", "", fmt.Sprintf("all %d statements; %d of them quick and without a lock on what was there", len(p.Statements), quiet))
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, v := range kept.Report.Versions {
		for _, wrong := range v.Wrong() {
			if _, err := fmt.Fprintf(out, "V%s: %s\n", v.Version, wrong); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintf(out, "%s\nReport %s, SHA-256 %s\n", kept.Report.Verdict(), kept.ID, kept.SHA256)
	return err
}

// lockWords leaves out the lock of reading, which keeps nobody but a rewrite waiting.
func lockWords(locks []migration.HeldLock) string {
	var words []string
	for _, l := range locks {
		if l.Mode != "AccessShareLock" {
			words = append(words, l.Relation+" "+l.Mode)
		}
	}
	return strings.Join(words, ", ")
}
