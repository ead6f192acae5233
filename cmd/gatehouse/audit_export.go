package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/app"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

func exportCommand() *cobra.Command {
	var tenant, format, out, object, from, to, outcome string
	var q audit.Query
	cmd := &cobra.Command{
		Use:   "export --tenant CODE",
		Short: "Write a tenant's audit trail to a file or the terminal",
		Long: `Writes the entries of a tenant's trail, oldest first, as JSONL or CSV.

JSONL holds every field that is hashed, both hashes, and at its end the number of entries, the newest seal and a
signature over the file (where GATEHOUSE_SEAL_KEY is set): "gatehouse audit verify --file FILE" checks it on any
machine. CSV is for a spreadsheet: texts that it would calculate (=, +, -, @ in front) get an apostrophe, so
the hashes cannot be checked with it; numbers stay numbers.

The filters are those of the page Audit. The export stands in the trail itself, with its filter (audit:export).

Exit codes: 0 written whole, 1 not, 2 called or configured wrongly.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if format != "jsonl" && format != "csv" {
				return exitError{2, errors.New("--format must be jsonl or csv")}
			}
			if err := readQuery(&q, object, outcome, from, to); err != nil {
				return exitError{2, err}
			}
			config, err := app.Load(os.Environ())
			if err != nil {
				return exitError{2, err}
			}
			return inTenant(cmd, tenant, func(db *postgres.DB, by actor.Actor) error {
				x, err := config.Trail(db).Export(cmd.Context(), by, q, format)
				if err != nil {
					return err
				}
				write := x.WriteJSONL
				if format == "csv" {
					write = x.WriteCSV
				}
				var entries int64
				if err := toFile(cmd, out, func(w io.Writer) (err error) { entries, err = write(w); return err }); err != nil {
					return err
				}
				cmd.PrintErrf("%d entries up to entry %d. %s.\n", entries, x.UpTo, signedSentence(x))
				return nil
			})
		},
	}
	needTenant(cmd, &tenant)
	cmd.Flags().StringVar(&format, "format", "jsonl", "jsonl or csv")
	cmd.Flags().StringVar(&out, "out", "", "file to write; it must not exist. Default: the terminal")
	cmd.Flags().StringVar(&q.Person, "person", "", "only this subject or name")
	cmd.Flags().StringVar(&q.Action, "action", "", `only this act, as "gate:sign"`)
	cmd.Flags().StringVar(&object, "object", "", `only this object: kind and id, as "release 0b1e..."`)
	cmd.Flags().StringVar(&outcome, "outcome", "", "only done, refused or failed")
	cmd.Flags().StringVar(&from, "from", "", "only from this day on, UTC, as 2026-11-23")
	cmd.Flags().StringVar(&to, "to", "", "only up to and with this day, UTC")
	return cmd
}

func readQuery(q *audit.Query, object, outcome, from, to string) (err error) {
	q.ObjectKind, q.ObjectID, _ = strings.Cut(strings.TrimSpace(object), " ")
	switch q.Outcome = audit.Outcome(outcome); q.Outcome {
	case "", audit.Done, audit.Refused, audit.Failed:
	default:
		return errors.New("--outcome must be done, refused or failed")
	}
	if from != "" {
		if q.From, err = time.Parse(time.DateOnly, from); err != nil {
			return errors.New("--from must be a day, like 2026-11-23")
		}
	}
	if to != "" {
		if q.To, err = time.Parse(time.DateOnly, to); err != nil {
			return errors.New("--to must be a day, like 2026-11-23")
		}
		q.To = q.To.AddDate(0, 0, 1)
	}
	return nil
}

// toFile writes to a new file, or to the terminal where none is named. What could not be written whole is not left behind.
func toFile(cmd *cobra.Command, path string, write func(io.Writer) error) error {
	if path == "" {
		out := bufio.NewWriterSize(cmd.OutOrStdout(), 64<<10)
		if err := write(out); err != nil {
			return err
		}
		return out.Flush()
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	out := bufio.NewWriterSize(file, 64<<10)
	if err = write(out); err == nil {
		err = out.Flush()
	}
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

func signedSentence(x audit.Export) string {
	switch {
	case x.Key == nil:
		return "Not signed: no seal key is configured (GATEHOUSE_SEAL_KEY)"
	case x.Seal == nil:
		return "Signed with key " + x.Key.Public().ID() + ", but the chain does not hold, so its head is not sealed; `gatehouse audit verify` says where"
	}
	return "Signed with key " + x.Key.Public().ID()
}

// verifyExport checks an exported file, offline.
func verifyExport(cmd *cobra.Command, path, keyFile string) error {
	ring, err := trustedKeys(keyFile)
	if err != nil {
		return exitError{2, err}
	}
	file, err := os.Open(path)
	if err != nil {
		return exitError{2, fmt.Errorf("opening the exported file: %w", err)}
	}
	defer func() { _ = file.Close() }() // it was only read
	found, err := audit.ReadJSONL(file, ring, nil)
	if err != nil {
		return fmt.Errorf("%s does not fit: %w", path, err)
	}
	out := cmd.OutOrStdout()
	_, err = fmt.Fprintf(out, "whole: %d entries of %s (%s), exported %s by %s\n", found.Entries, found.Tenant, filterWords(found), found.At.UTC().Format("2006-01-02 15:04:05 UTC"), found.By)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, originWords(found))
	return err
}

func filterWords(f audit.Found) string {
	if len(f.Filter) == 0 {
		return fmt.Sprintf("the whole trail up to entry %d", f.UpTo)
	}
	var words []string
	for name, value := range f.Filter {
		words = append(words, name+" "+value)
	}
	sort.Strings(words)
	return "filtered by " + strings.Join(words, ", ")
}

func originWords(f audit.Found) string {
	switch {
	case f.KeyID == "":
		return "It is not signed: this proves that it fits itself, not where it comes from."
	case !f.Origin:
		return "It is signed with the key it brings along (" + f.KeyID + "): this proves that it fits itself, not where it comes from. --key checks that."
	case f.Seal == nil:
		return "It comes from whoever holds key " + f.KeyID + ". The head of the chain was not sealed."
	}
	return fmt.Sprintf("It comes from whoever holds key %s, and seal %d holds over entry %d.", f.KeyID, f.Seal.Number, f.Seal.Seq)
}

// trustedKeys are the keys of a file, or where none is named those that are configured.
func trustedKeys(keyFile string) (audit.Keyring, error) {
	if keyFile == "" {
		config, err := app.Load(os.Environ())
		if err != nil {
			return audit.Keyring{}, err
		}
		return config.Keyring(), nil
	}
	text, err := os.ReadFile(keyFile)
	if err != nil {
		return audit.Keyring{}, fmt.Errorf("reading the public key: %w", err)
	}
	keys, err := audit.ParsePublicKeys(string(text))
	if err != nil {
		return audit.Keyring{}, fmt.Errorf("%s %w", keyFile, err)
	}
	return audit.NewKeyring(nil, keys...), nil
}
