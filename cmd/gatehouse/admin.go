package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/postgres"
)

func adminCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "admin", Short: "For the day on which the identity provider lets nobody in: sealed codes of two halves"}
	cmd.AddCommand(breakglassCommand(), signingCodeCommand())
	return cmd
}

// wayBack is what the flags of the command say.
type wayBack struct {
	tenant string
	plan   postgres.WayBackPlan
	to     halfFiles
}

func breakglassCommand() *cobra.Command {
	var w wayBack
	cmd := &cobra.Command{
		Use:   "breakglass --tenant CODE --first NAME --second NAME --reason TEXT",
		Short: "Make a one-time code of two sealed halves, for two people",
		Long: `Makes a one-time code of two halves, one for each of two people. Both together, typed at /way-back, open one short session
that can read releases, migrations, health and the audit trail, and test what claims come to. It can change nothing and sign
nothing. A code is good for one time; only the hashes of its halves are kept.

It is made on this machine alone, as the owner (GATEHOUSE_OWNER_DATABASE_URL): the server itself cannot make one. That it
was made, for whom and why, stands in the tenant's audit trail, and so does its use.

On a terminal the first half is shown, then hidden before the second is shown, so that each person reads their own. Anywhere
else --first-to and --second-to name the files that the halves are written to; they must not exist, and only you may read
them.

Exit codes: 0 made, 1 failed, 2 called wrongly.`,
		Example: `  gatehouse admin breakglass --tenant rivermark --first "Ada Morrow" --second "Omar Fitch" --reason "the provider sends no groups since 09:40"`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return w.make(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&w.tenant, "tenant", "", "code of the tenant to look into")
	flags.StringVar(&w.plan.FirstHolder, "first", "", "who gets the first half")
	flags.StringVar(&w.plan.SecondHolder, "second", "", "who gets the second half: somebody else")
	flags.StringVar(&w.plan.Reason, "reason", "", "why, as it shall stand in the audit trail")
	flags.DurationVar(&w.plan.Lifetime, "lifetime", 30*time.Minute, "how long the code waits to be used: 5m to 4h")
	flags.DurationVar(&w.plan.Session, "session", 30*time.Minute, "how long the session lasts that it opens: 5m to 1h")
	flags.StringVar(&w.to.first, "first-to", "", "file for the first half, instead of the terminal")
	flags.StringVar(&w.to.second, "second-to", "", "file for the second half, instead of the terminal")
	needed(cmd, "tenant", "first", "second", "reason")
	return cmd
}

func (w *wayBack) make(cmd *cobra.Command) error {
	config, by, err := ownerOf(cmd, w.tenant)
	if err != nil {
		return err
	}
	var code postgres.WayBackCode
	err = w.to.handOut(cmd, w.plan.FirstHolder, w.plan.SecondHolder, func() (first, second string, err error) {
		code, err = postgres.MakeWayBack(cmd.Context(), string(config.OwnerDatabaseURL), by, w.plan)
		return code.First, code.Second, err
	})
	if err != nil {
		return err
	}
	cmd.PrintErrf("The code is good for one time until %s, at %s/way-back.\n", code.ExpiresAt.UTC().Format("15:04:05 UTC"), config.PublicURL)
	return nil
}

// halfFiles are the files for the two halves of a code; empty for the terminal.
type halfFiles struct{ first, second string }

// handOut makes a code and gives each half to its holder alone: into two files, or one after the other on the terminal.
// Where there is no place for them, none is made.
func (h halfFiles) handOut(cmd *cobra.Command, firstHolder, secondHolder string, make func() (first, second string, err error)) error {
	if (h.first == "") != (h.second == "") || (h.first != "" && h.first == h.second) {
		return exitError{2, errors.New("--first-to and --second-to go together, and name two files")}
	}
	if h.first == "" && !isTerminal(os.Stdin) {
		return exitError{2, errors.New("this is no terminal on which the halves could be shown one after the other; --first-to and --second-to name files for them")}
	}
	files, err := h.open()
	if err != nil {
		return err
	}
	screen := newScreen(cmd.OutOrStdout(), os.Stdin)
	if files == nil {
		if err := screen.ask(firstHolder); err != nil {
			return exitError{2, err}
		}
	}
	first, second, err := make()
	if err != nil {
		for _, f := range files {
			err = errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
		return refusedInput(err)
	}
	halves := []half{{firstHolder, first}, {secondHolder, second}}
	if files != nil {
		return writeHalves(files, halves)
	}
	return screen.show(halves)
}

// open makes the two files before there is a code, so that none is lost for want of a place.
func (h halfFiles) open() ([]*os.File, error) {
	if h.first == "" {
		return nil, nil
	}
	var files []*os.File
	for _, name := range []string{h.first, h.second} {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			for _, made := range files {
				err = errors.Join(err, made.Close(), os.Remove(made.Name()))
			}
			return nil, exitError{2, fmt.Errorf("the file for a half must not exist and has to be made: %w", err)}
		}
		files = append(files, f)
	}
	return files, nil
}

type half struct{ holder, text string }

func (h half) String() string {
	var groups []string
	for i := 0; i < len(h.text); i += 5 {
		groups = append(groups, h.text[i:min(i+5, len(h.text))])
	}
	return strings.Join(groups, "-")
}

func writeHalves(files []*os.File, halves []half) error {
	var failed error
	for i, h := range halves {
		_, err := fmt.Fprintln(files[i], h)
		failed = errors.Join(failed, err, files[i].Close())
	}
	if failed != nil {
		return fmt.Errorf("writing the halves: %w; the code is lost, make another", failed)
	}
	return nil
}

// screen shows each half to its holder alone: it is wiped before what follows.
type screen struct {
	out io.Writer
	in  *bufio.Reader
}

func newScreen(out io.Writer, in io.Reader) *screen { return &screen{out, bufio.NewReader(in)} }

const wipe = "\x1b[3J\x1b[2J\x1b[H"

// ask waits until the holder stands before the screen.
func (s *screen) ask(holder string) error {
	return s.wait(fmt.Sprintf("%sThe next half is for %s. Everybody else looks away; press Enter to see it.", wipe, holder))
}

func (s *screen) wait(words string) error {
	if _, err := fmt.Fprint(s.out, words); err != nil {
		return err
	}
	if _, err := s.in.ReadString('\n'); err != nil {
		return errors.New("nobody pressed Enter; where nobody sits, --first-to and --second-to name files for the halves")
	}
	return nil
}

func (s *screen) show(halves []half) error {
	for i, h := range halves {
		if i > 0 {
			if err := s.ask(h.holder); err != nil {
				return fmt.Errorf("%w. The code is lost; make another", err)
			}
		}
		if err := s.wait(fmt.Sprintf("\n  %s\n\nPress Enter when you have it; it is then wiped from the screen.", h)); err != nil {
			return fmt.Errorf("%w. The code is lost; make another", err)
		}
	}
	_, err := fmt.Fprint(s.out, wipe)
	return err
}
