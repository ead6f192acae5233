package app

import (
	"fmt"
	"os"
	"strings"
)

// EnvironFile is the file with the demo's configuration for other commands of this program, to be read by a shell. It
// lies beside the state folder, and only who started the demo may read it.
func (d *Demo) EnvironFile() string { return d.dir + ".env" }

// Sourcing is the shell command that reads EnvironFile.
func (d *Demo) Sourcing() string {
	if file := d.EnvironFile(); strings.ContainsAny(file, " '\"$`\\;&|<>()*?[#~!\t\n") {
		return ". " + shellQuoted(file)
	}
	return ". " + d.EnvironFile()
}

// writeEnviron writes EnvironFile anew: the addresses differ from start to start.
func (d *Demo) writeEnviron() error {
	c := d.Config
	var b strings.Builder
	for _, v := range [][2]string{
		{"GATEHOUSE_ADDR", c.Addr},
		{"GATEHOUSE_PUBLIC_URL", c.PublicURL.String()},
		{"GATEHOUSE_ENVIRONMENT", c.Environment},
		{"GATEHOUSE_DATABASE_URL", string(c.DatabaseURL)},
		{"GATEHOUSE_OWNER_DATABASE_URL", string(c.OwnerDatabaseURL)},
		{"GATEHOUSE_SCRATCH_DATABASE_URL", string(c.ScratchDatabaseURL)},
		{"GATEHOUSE_OIDC_ISSUER", c.OIDCIssuer},
		{"GATEHOUSE_OIDC_CLIENT_ID", c.OIDCClientID},
		{"GATEHOUSE_OIDC_CLIENT_SECRET", string(c.OIDCClientSecret)},
		{"GATEHOUSE_BACKUP_DIR", c.BackupDir},
		{"GATEHOUSE_AUDIT_HEADS", c.AuditHeads},
		{"GATEHOUSE_SEAL_KEY", c.sealPEM()},
	} {
		fmt.Fprintf(&b, "export %s=%s\n", v[0], shellQuoted(v[1]))
	}
	if err := os.WriteFile(d.EnvironFile(), []byte(b.String()), 0o600); err != nil {
		return fmt.Errorf("writing the configuration for other commands: %w", err)
	}
	return nil
}

// shellQuoted is s as one word of a POSIX shell.
func shellQuoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
