package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/clock"
	"github.com/agogsaas/gatehouse/internal/migration"
)

func migrateDrift() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "drift", Short: "Hold the live schema against what the applied versions left there", Args: cobra.NoArgs,
		Long: `Compares the warehouse's live schema with what the ledger's version leaves, object by object, and names each
difference with the statement that would repair it. Nothing is run and nothing is changed. Objects that no file
of ours makes do not count, but anything added to one of our tables does.

Exit codes: 0 no difference that nobody signed for, 4 there is one, 1 the database could not be read, 2 called wrongly.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := owner()
			if err != nil {
				return err
			}
			report, err := m.Drift(cmd.Context())
			if err != nil {
				return coded(err)
			}
			if asJSON {
				err = printDriftJSON(cmd.OutOrStdout(), report)
			} else {
				err = printDrift(cmd.OutOrStdout(), report)
			}
			if open := len(report.Open()); err == nil && open > 0 {
				return exitError{exitDisagree, fmt.Errorf("%d differences that nobody signed for", open)}
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

func printDriftJSON(out io.Writer, r migration.DriftReport) error {
	limits, _ := r.Limits()
	document := struct {
		Version     string                 `json:"version"`
		CheckedAt   time.Time              `json:"checked_at"`
		TookMs      int64                  `json:"took_ms"`
		Compared    int                    `json:"compared"`
		Differences []migration.Difference `json:"differences"`
		ServerMajor int                    `json:"server_major"`
		Limits      string                 `json:"limits"`
	}{r.Version.String(), r.CheckedAt.UTC(), r.Took.Milliseconds(), r.Compared, append([]migration.Difference{}, r.Differences...), r.ServerMajor, limits}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(document)
}

func printDrift(out io.Writer, r migration.DriftReport) error {
	if r.Version == 0 {
		_, err := fmt.Fprintln(out, "The ledger holds no version of the warehouse, so there is nothing to compare with.")
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d objects compared in %s, %d differences, %d of them not accepted.\n",
		r.Version.Title(), r.Compared, clock.Duration(r.Took), len(r.Differences), len(r.Open()))
	if limits, _ := r.Limits(); limits != "" {
		fmt.Fprintln(&b, limits)
	}
	for _, d := range r.Differences {
		fmt.Fprintf(&b, "\n%s\n", d.Sentence())
		if d.Accepted() {
			fmt.Fprintf(&b, "    accepted by %s: %s\n", d.AcceptedBy, d.AcceptedBecause)
		}
		if d.Destructive {
			fmt.Fprintf(&b, "    the repair throws away: %s\n", orNothing(d.Loses))
		}
		fmt.Fprintf(&b, "    %s\n", strings.ReplaceAll(d.Repair, "\n", "\n    "))
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func orNothing(counted string) string {
	if counted == "" {
		return "what does not fit the old definition"
	}
	return counted
}
