package pgdump

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/privatepg"
)

// Tools are pg_dump and pg_restore of one version.
type Tools struct {
	dir     string
	Version string // "15.8"
	major   int
}

// Find looks for the tools in the folder of the hint, or where there is none in the usual places and in PATH, and refuses
// tools older than the server: such a pg_dump does not know what a newer server has.
func Find(ctx context.Context, hint string, serverMajor int) (Tools, error) {
	var places []string
	if hint != "" {
		places = []string{hint}
	} else {
		if dir, err := privatepg.FindBinDir(""); err == nil {
			places = append(places, dir)
		}
		if path, err := exec.LookPath("pg_dump"); err == nil {
			places = append(places, filepath.Dir(path))
		}
	}
	newest := Tools{}
	for _, dir := range places {
		t, err := at(ctx, dir)
		if err == nil && t.major > newest.major {
			newest = t
		}
	}
	switch {
	case newest.major == 0:
		return Tools{}, fault.New(fault.Unavailable, "pg_dump and pg_restore were not found. Install PostgreSQL's client programs of version %d or later, or set PG_BINDIR to their folder.", serverMajor)
	case newest.major < serverMajor:
		return Tools{}, fault.New(fault.Conflict, "pg_dump here is version %s, and the server is version %d: an older pg_dump cannot dump a newer server. Install version %d, or set PG_BINDIR. Nothing was begun.",
			newest.Version, serverMajor, serverMajor)
	}
	return newest, nil
}

var versionWord = regexp.MustCompile(`\d+(\.\d+)?`)

func at(ctx context.Context, dir string) (Tools, error) {
	if _, err := os.Stat(filepath.Join(dir, "pg_restore")); err != nil {
		return Tools{}, err
	}
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "pg_dump"), "--version").Output()
	if err != nil {
		return Tools{}, fmt.Errorf("asking pg_dump for its version: %w", err)
	}
	version := versionWord.FindString(string(out))
	whole, _, _ := strings.Cut(version, ".")
	major, err := strconv.Atoi(whole)
	if err != nil {
		return Tools{}, fmt.Errorf("pg_dump says it is %q", out)
	}
	return Tools{dir: dir, Version: version, major: major}, nil
}

// command is one of the tools, with the database's address. The password goes through the environment: a command line
// can be read by everybody on the machine.
func (t Tools) command(ctx context.Context, name, address string, args ...string) (*exec.Cmd, *bytes.Buffer, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(t.dir, name), args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	if address != "" {
		u, err := url.Parse(address)
		if err != nil || u.Scheme == "" {
			return nil, nil, fault.New(fault.Invalid, "The owner's database address must be one like postgres://gatehouse_owner@host:5432/database.")
		}
		if password, has := u.User.Password(); has {
			cmd.Env = append(cmd.Env, "PGPASSWORD="+password)
			u.User = url.User(u.User.Username())
		}
		cmd.Args = append(cmd.Args, "--dbname="+u.String())
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	return cmd, &said, nil
}

// lastWords is the end of what a tool said, which is where the reason stands.
func lastWords(said *bytes.Buffer) string {
	const most = 500
	text := strings.TrimSpace(said.String())
	if len(text) > most {
		text = "…" + strings.ToValidUTF8(text[len(text)-most:], "")
	}
	return text
}
