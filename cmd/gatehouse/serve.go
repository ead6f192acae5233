package main

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/app"
)

func serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Long: `Runs the server until it is told to stop. It is configured by environment variables alone; each
may stand as NAME_FILE instead, which names a file that holds the value.

` + optionTable() + `
Before the first start: gatehouse setup, then gatehouse doctor.

It refuses to start as a database role that could look past row-level security, and on tables of
its own that are older than it. It starts without the identity provider and says so on the sign-in page.

Exit codes: 0 stopped in order, 1 could not start or failed, 2 configuration is wrong.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := app.LoadServe(os.Environ())
			if err != nil {
				return exitError{2, fmt.Errorf("the configuration is not complete:\n%w", err)}
			}
			log := newLog(config)
			a, err := app.New(cmd.Context(), config, log, time.Minute)
			if err != nil {
				return err
			}
			defer a.Close()
			return a.Serve(cmd.Context(), func(addr net.Addr) { log.Info("listening", "addr", addr.String(), "public", config.PublicURL.String()) })
		},
	}
}

func newLog(config app.Config) *slog.Logger {
	if config.LogJSON {
		return slog.New(slog.NewJSONHandler(os.Stderr, nil))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, nil))
}

// quietLog keeps errors alone, so that nothing buries the address and the people.
func quietLog(config app.Config) *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.LevelError}
	if config.LogJSON {
		return slog.New(slog.NewJSONHandler(os.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, options))
}

// optionTable is the list of variables for the help text.
func optionTable() string {
	var b strings.Builder
	for _, o := range app.Options {
		fmt.Fprintf(&b, "  %s\n      %s", o.Name, o.Help)
		if o.Default != "" {
			fmt.Fprintf(&b, " Default: %s.", o.Default)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
