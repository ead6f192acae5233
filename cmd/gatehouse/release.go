package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/app"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/dossier"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

func releaseCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "release", Short: "Put a release into an archive that proves itself"}
	cmd.AddCommand(releaseExportCommand())
	return cmd
}

func releaseExportCommand() *cobra.Command {
	var tenant, out string
	cmd := &cobra.Command{
		Use:   "export RELEASE --tenant CODE",
		Short: "Write a release's dossier: one archive, signed",
		Long: `Writes the dossier of a release (its code or its id) as a zip: a page to read and print, the record as JSON,
evidence files, reports, the audit trail from its start to a sealed head, and a manifest with the SHA-256 of every
file. Signed skippings, rejected and expired gates, rollbacks with their reviews, snapshots with what they were compared
with, and lessons are in it. The manifest is signed with the key of GATEHOUSE_SEAL_KEY. "gatehouse verify-bundle" checks it on any machine.

Without a seal key the dossier is written all the same, and says that it is not signed.
It stands in the audit trail (release:export).

Exit codes: 0 written whole, 1 not, 2 called or configured wrongly.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			config, err := app.Load(os.Environ())
			if err != nil {
				return exitError{2, err}
			}
			return inTenant(cmd, tenant, func(db *postgres.DB, by actor.Actor) error {
				d, err := app.Dossiers(config, db).ExportNamed(cmd.Context(), by, args[0])
				if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Conflict) {
					return exitError{2, err}
				}
				if err != nil {
					return err
				}
				if out == "" {
					out = d.Name()
				}
				if err := toFile(cmd, out, func(w io.Writer) error { return d.Write(cmd.Context(), w) }); err != nil {
					return err
				}
				said := "Not signed: no seal key is configured (GATEHOUSE_SEAL_KEY)."
				if d.Key != nil {
					said = "Signed with key " + d.Key.Public().ID() + "."
				}
				cmd.PrintErrf("%s: release %s, %s. %s\n", out, d.Record.Release.Code, d.Record.Release.State, said)
				return nil
			})
		},
	}
	needTenant(cmd, &tenant)
	cmd.Flags().StringVar(&out, "out", "", "file to write; it must not exist. Default: a name with the release's code and the time")
	return cmd
}

func verifyBundleCommand() *cobra.Command {
	var keyPath, fingerprint string
	cmd := &cobra.Command{
		Use:   "verify-bundle FILE",
		Short: "Check a release's dossier, offline and without configuration",
		Long: `Checks a dossier that "gatehouse release export" or the page of a release has written: that nothing of it was
changed, added or taken out; that evidence, files, signatures, signed skippings, rejections, snapshots, runbook and
reports have the hashes they claim; that the audit trail continues from entry to entry up to its seal; and that what
the record says of all these, of items, rollbacks and lessons is what the trail says. What does not fit is named: the file, and the row in it.

With --key (a public key in PEM, from whoever runs Gatehouse) it proves who made it. With --fingerprint, the same
for the key in the archive, if it has that SHA-256. Without either it proves only that the archive fits itself,
which whoever changes all of it can bring about as well.

It needs no server, no database and no environment variable.

Exit codes: 0 whole, 1 something does not fit, 2 called wrongly or the file cannot be opened.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if keyPath != "" && fingerprint != "" {
				return exitError{2, errors.New("--key and --fingerprint say the same thing; give one")}
			}
			file, err := os.Open(args[0])
			if err != nil {
				return exitError{2, fmt.Errorf("opening the dossier: %w", err)}
			}
			defer func() { _ = file.Close() }() // it was only read
			info, err := file.Stat()
			if err != nil || !info.Mode().IsRegular() {
				return exitError{2, fmt.Errorf("%s is no file", args[0])}
			}
			ring, err := bundleKeys(file, info.Size(), keyPath, fingerprint)
			if err != nil {
				return err
			}
			found, err := dossier.Verify(file, info.Size(), ring)
			if err != nil {
				return fmt.Errorf("%s does not fit:\n%w", args[0], err)
			}
			return printFound(cmd.OutOrStdout(), found)
		},
	}
	cmd.Flags().StringVar(&keyPath, "key", "", "file with the public key in PEM that it has to be signed with")
	cmd.Flags().StringVar(&fingerprint, "fingerprint", "", "SHA-256 of the key that it has to be signed with, as \"gatehouse audit public-key\" prints it")
	return cmd
}

// bundleKeys are the keys that who checks trusts: those of a file, or the one in the archive where it has that fingerprint.
func bundleKeys(file io.ReaderAt, size int64, path, fingerprint string) (audit.Keyring, error) {
	switch {
	case path != "":
		ring, err := trustedKeys(path)
		if err != nil {
			return ring, exitError{2, err}
		}
		return ring, nil
	case fingerprint == "":
		return audit.Keyring{}, nil
	}
	key, err := dossier.KeyIn(file, size)
	if err != nil {
		return audit.Keyring{}, err
	}
	if key.ID() != strings.ToLower(strings.TrimSpace(fingerprint)) {
		return audit.Keyring{}, fmt.Errorf("the key in the archive has the fingerprint %s, and that is not the one you gave: somebody else signed it", key.ID())
	}
	return audit.NewKeyring(nil, key), nil
}

func printFound(out io.Writer, f dossier.Found) error {
	said := func(format string, args ...any) error { _, err := fmt.Fprintf(out, format+"\n", args...); return err }
	err := errors.Join(
		said("whole: release %s (%s) of %s, read on %s by %s", f.Code, f.Title, f.Tenant, f.At.UTC().Format("2006-01-02 15:04:05 UTC"), f.By),
		said("%d files, %d items, %d pieces of evidence, %d signatures, %d entries of the audit trail up to entry %d", f.Files, f.Items, f.Evidence, f.Signatures, f.Trail.Entries, f.Trail.UpTo),
		said("attached files: %d; signed skippings: %d; gates stopped: %d; rollbacks: %d; snapshots: %d, missed: %d; lessons: %d",
			f.Attached, f.Waivers, f.Stops, f.Rollbacks, f.Snapshots, f.Misses, f.Lessons),
	)
	switch {
	case f.KeyID == "":
		return errors.Join(err, said("It is not signed: this proves that it fits itself, not where it comes from."))
	case !f.Origin:
		return errors.Join(err, said("It is signed with the key it brings along (%s): this proves that it fits itself, not where it comes from. --key checks that.", f.KeyID))
	case f.Trail.Seal == nil:
		return errors.Join(err, said("It comes from whoever holds key %s. The head of the trail is not sealed.", f.KeyID))
	}
	return errors.Join(err, said("It comes from whoever holds key %s. The trail is sealed up to entry %d, on %s.", f.KeyID, f.Trail.Seal.Seq, f.Trail.Seal.At.UTC().Format("2006-01-02 15:04:05 UTC")))
}
