package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/app"
	"github.com/agogsaas/gatehouse/internal/audit"
)

func auditCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "Check and seal the audit trail"}
	var only, file, keyFile string
	verify := &cobra.Command{
		Use:   "verify",
		Short: "Walk every tenant's chain from its first entry to its head",
		Long: `Walks the audit trail of every tenant, and the system's own, from the first entry to the head, and
names the first entry that does not fit: changed, missing, out of order, or cut off at the end.
It is held against the farthest walk that was stored, and against the heads in the file of
GATEHOUSE_AUDIT_HEADS: who rewrites a chain and its end in the database is found by these. Heads of a
state that is gone, which somebody acknowledged on the page Audit, hold nothing any more.
Every seal is checked, in the database and in the file of heads, with the key of GATEHOUSE_SEAL_KEY and
the public keys of GATEHOUSE_SEAL_TRUSTED: one that was changed, exchanged or taken out is named, and the
chain has to hold what was sealed.
The result is stored and shown on the audit page; a whole chain's head is sealed where GATEHOUSE_SEAL_KEY
is set, and added to the file.

With --file it checks an exported JSONL file instead, without database and configuration: that it is whole,
that every entry has the hash it claims and continues the one before (in a filtered file: its neighbours), and
its signature. With --key, or where GATEHOUSE_SEAL_KEY or GATEHOUSE_SEAL_TRUSTED is set, that proves where it
comes from; without, only that it fits itself.

Exit codes: 0 every chain holds, 1 one does not (or the database could not be read), 2 called wrongly.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file != "" {
				return verifyExport(cmd, file, keyFile)
			}
			if keyFile != "" {
				return exitError{2, errors.New("--key goes with --file; the database is checked with GATEHOUSE_SEAL_KEY and GATEHOUSE_SEAL_TRUSTED")}
			}
			db, err := openDatabase(cmd)
			if err != nil {
				return err
			}
			defer db.Close()
			config, err := app.Load(os.Environ())
			if err != nil {
				return exitError{2, err}
			}
			trail := config.Trail(db)
			tenants, err := db.Tenants(cmd.Context())
			if err != nil {
				return err
			}
			actors := []actor.Actor{actor.System(actor.CLI, "verify")}
			for _, t := range tenants {
				actors = append(actors, t.Actor(actor.CLI, "verify"))
			}
			if only != "" {
				actors = slices.DeleteFunc(actors, func(a actor.Actor) bool { return a.TenantCode != only })
				if len(actors) == 0 {
					return exitError{2, fmt.Errorf("there is no tenant %q", only)}
				}
			}
			broken := false
			var failed []error // one chain that cannot be walked hides no other
			for _, by := range actors {
				check, err := trail.Verify(cmd.Context(), by)
				switch {
				case err != nil:
					failed = append(failed, fmt.Errorf("walking the chain of %s: %w", by.TenantCode, err))
					_, err = fmt.Fprintf(cmd.OutOrStdout(), "%-20s UNKNOWN it could not be walked\n", by.TenantCode)
				case check.Whole():
					_, err = fmt.Fprintf(cmd.OutOrStdout(), "%-20s whole   %d entries, head %s\n", by.TenantCode, check.Entries, hex.EncodeToString(check.Head))
				default:
					broken = true
					_, err = fmt.Fprintf(cmd.OutOrStdout(), "%-20s BROKEN  %s\n", by.TenantCode, check.Break)
				}
				if err == nil && check.Whole() {
					_, err = fmt.Fprintf(cmd.OutOrStdout(), "%-20s         %s\n", "", sealSentence(check))
				}
				if err == nil && check.HeadsBegin {
					_, err = fmt.Fprintf(cmd.OutOrStdout(), "%-20s         no head of it was published before; if some was, the file of GATEHOUSE_AUDIT_HEADS was emptied or exchanged\n", "")
				}
				if err != nil {
					return err
				}
			}
			if broken {
				failed = append(failed, errors.New("an audit chain does not hold; keep the newest backup and find out who changed the database"))
			}
			return errors.Join(failed...)
		},
	}
	verify.Flags().StringVar(&only, "tenant", "", "only this tenant's chain (\"system\" for the system's own)")
	verify.Flags().StringVar(&file, "file", "", "check this exported JSONL file, offline")
	verify.Flags().StringVar(&keyFile, "key", "", "with --file: the public key in PEM that it has to be signed with")
	cmd.AddCommand(verify, exportCommand(), keygenCommand(), publicKeyCommand())
	return cmd
}

// sealSentence says what the seals prove of a chain that is whole.
func sealSentence(check audit.Check) string {
	switch {
	case check.Seal == nil && check.Seq == 0:
		return "nothing to seal yet"
	case check.Seal == nil:
		return "not sealed: no seal key is configured (GATEHOUSE_SEAL_KEY)"
	case check.Unproven:
		return fmt.Sprintf("seal %d is over entry %d, but no key is configured to check it with (GATEHOUSE_SEAL_KEY or GATEHOUSE_SEAL_TRUSTED)", check.Seal.Number, check.Seal.Seq)
	}
	return fmt.Sprintf("%d seals hold, the newest over entry %d of %s with key %s", check.Seal.Number, check.Seal.Seq, check.Seal.At.UTC().Format("2006-01-02 15:04:05 UTC"), check.Seal.KeyID)
}

func keygenCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "keygen FILE",
		Short: "Make a key that seals the heads of the audit trail and the dossiers",
		Long: `Makes an Ed25519 key. The private half is written to FILE, for its owner alone, in PEM (PKCS#8); the public
half to FILE.pub and to the terminal. Nothing is ever written over.

Set GATEHOUSE_SEAL_KEY_FILE to FILE where the server and its commands run, keep FILE where whoever runs the
database cannot read it, and give FILE.pub and its fingerprint to everybody who is to check a dossier.
To change keys: make a new one, and add the public half of the old one to GATEHOUSE_SEAL_TRUSTED, so that
what it sealed still holds.

Exit codes: 0 made, 1 not made, 2 called wrongly.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := app.WriteSealKey(args[0])
			if err != nil {
				return err
			}
			cmd.PrintErrf("The private key is in %s, the public one in %s.pub.\n", args[0], args[0])
			return printPublic(cmd, key.Public())
		},
	}
}

func publicKeyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "public-key",
		Short: "Print the public half of the seal key, for whoever is to check seals and dossiers",
		Long: `Prints the public half of GATEHOUSE_SEAL_KEY and its fingerprint, the SHA-256 of its DER form.

Exit codes: 0 printed, 1 no seal key is configured, 2 called or configured wrongly.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := app.Load(os.Environ())
			if err != nil {
				return exitError{2, err}
			}
			if config.SealKey == nil {
				return errors.New("no seal key is configured (GATEHOUSE_SEAL_KEY)")
			}
			return printPublic(cmd, config.SealKey.Public())
		},
	}
}

func printPublic(cmd *cobra.Command, key audit.PublicKey) error {
	cmd.PrintErrf("Fingerprint (SHA-256): %s\n", key.ID())
	_, err := fmt.Fprint(cmd.OutOrStdout(), key.PEM())
	return err
}
