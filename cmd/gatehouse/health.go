package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/app"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/graph"
	"github.com/agogsaas/gatehouse/internal/health"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

func healthCommand() *cobra.Command {
	var asJSON bool
	var tenant string
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Check the bin optimization: eight checks, exit 0, 1 or 2",
		Long: `Makes the eight health checks of one tenant and prints a line for each, then the critical issues
and the warnings.

With a database address the checks are made here and now, and stored. It is taken from
GATEHOUSE_DATABASE_URL, or from DB_HOST, DB_PORT (5432), DB_NAME (agogsaas), DB_USER (gatehouse_app)
and DB_PASSWORD. The role must be the application's: one that sees every tenant is refused.

Without one, the newest results are fetched from a running server at API_URL (default: http:// and
GATEHOUSE_ADDR) with the machine credential in GATEHOUSE_TOKEN, which then names the tenant too.
GATEHOUSE_TOKEN is also what the GraphQL check signs in with; without it that check is unknown.

Colour is used on a terminal unless NO_COLOR is set.

Exit codes: 0 HEALTHY (warnings included), 1 DEGRADED or unknown, 2 UNHEALTHY, 3 called wrongly.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			getenv, err := healthEnvironment(os.Environ())
			if err != nil {
				return err
			}
			document, err := findHealth(cmd.Context(), getenv, cmp.Or(tenant, getenv("GATEHOUSE_TENANT")))
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if asJSON {
				encoder := json.NewEncoder(out)
				encoder.SetIndent("", "  ")
				err = encoder.Encode(document)
			} else {
				err = printHealth(out, document, os.Getenv("NO_COLOR") == "" && isTerminal(out))
			}
			if err != nil {
				return err
			}
			if code := document.Status.ExitCode(); code != 0 {
				return exitError{code, nil}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the results as JSON, as the server gives them")
	cmd.Flags().StringVar(&tenant, "tenant", "", "code of the tenant to check (GATEHOUSE_TENANT); not needed where there is one only")
	return cmd
}

// calledWrongly is apart from 1 and 2, which say how the warehouse is.
func calledWrongly(format string, args ...any) error {
	return exitError{3, fmt.Errorf(format, args...)}
}

// healthEnvironment is the environment with Gatehouse's own variables, of which each may stand in a file.
func healthEnvironment(environ []string) (func(name string) string, error) {
	read := map[string]string{}
	for _, name := range []string{"GATEHOUSE_ADDR", "GATEHOUSE_DATABASE_URL", "GATEHOUSE_GRAPHQL_URL", "GATEHOUSE_TENANT", "GATEHOUSE_TOKEN"} {
		value, err := app.Variable(environ, name)
		if err != nil {
			return nil, calledWrongly("%w", err)
		}
		read[name] = value
	}
	return func(name string) string { return cmp.Or(read[name], os.Getenv(name)) }, nil
}

func findHealth(ctx context.Context, getenv func(string) string, tenant string) (health.Document, error) {
	database := databaseAddress(getenv)
	server := serverAddress(getenv)
	switch {
	case database != "":
		return checkHere(ctx, database, cmp.Or(getenv("GATEHOUSE_GRAPHQL_URL"), server+"/graphql"), getenv("GATEHOUSE_TOKEN"), tenant)
	case getenv("GATEHOUSE_TOKEN") != "":
		return askServer(ctx, server, getenv("GATEHOUSE_TOKEN"))
	}
	return health.Document{}, calledWrongly("neither a database address (GATEHOUSE_DATABASE_URL or DB_HOST) nor GATEHOUSE_TOKEN is set; see gatehouse health --help")
}

func databaseAddress(getenv func(string) string) string {
	if address := getenv("GATEHOUSE_DATABASE_URL"); address != "" || getenv("DB_HOST") == "" {
		return address
	}
	u := url.URL{
		Scheme: "postgres", Host: net.JoinHostPort(getenv("DB_HOST"), cmp.Or(getenv("DB_PORT"), "5432")),
		Path: "/" + cmp.Or(getenv("DB_NAME"), "agogsaas"), User: url.User(cmp.Or(getenv("DB_USER"), "gatehouse_app")),
	}
	if password := getenv("DB_PASSWORD"); password != "" {
		u.User = url.UserPassword(u.User.Username(), password)
	}
	return u.String()
}

func serverAddress(getenv func(string) string) string {
	return strings.TrimRight(cmp.Or(getenv("API_URL"), "http://"+cmp.Or(getenv("GATEHOUSE_ADDR"), "127.0.0.1:8080")), "/")
}

// checkHere makes the checks itself. A database that is away is a result and no failure of this command.
func checkHere(ctx context.Context, database, endpoint, token, tenant string) (health.Document, error) {
	db, err := postgres.Open(ctx, database)
	if err != nil {
		return health.Document{}, exitError{3, err}
	}
	defer db.Close()
	by, err := whoseHealth(ctx, db, tenant)
	if err != nil && !fault.Is(err, fault.Unavailable) {
		return health.Document{}, err
	}
	adapter := postgres.Health{DB: db}
	probe := graph.Probe{URL: endpoint, Token: func(context.Context, actor.Actor) (string, error) { return token, nil }}
	service := health.NewService(adapter, time.Now, adapter, probe, slog.New(slog.DiscardHandler))
	report, err := service.Run(ctx, by)
	if err != nil {
		return health.Document{}, err
	}
	return report.Document(by.TenantCode), nil
}

// whoseHealth finds the tenant; where the database is away it gives Gatehouse itself, in no tenant, and the error.
func whoseHealth(ctx context.Context, db *postgres.DB, code string) (actor.Actor, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	nobody := actor.System(actor.CLI, "health")
	if err := db.CheckRole(ctx); err != nil {
		if !fault.Is(err, fault.Unavailable) {
			err = exitError{3, err}
		}
		return nobody, err
	}
	tenants, err := db.Tenants(ctx)
	if err != nil {
		return nobody, err
	}
	var codes []string
	for _, t := range tenants {
		if t.Code == code || code == "" && len(tenants) == 1 {
			return t.Actor(actor.CLI, "health"), nil
		}
		codes = append(codes, t.Code)
	}
	if code == "" {
		return nobody, calledWrongly("there are %d tenants: say which with --tenant (%s)", len(codes), strings.Join(codes, ", "))
	}
	return nobody, calledWrongly("there is no tenant %q", code)
}

// askServer fetches the newest results of the credential's tenant.
func askServer(ctx context.Context, server, token string) (health.Document, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server+"/api/wms/optimization/health", http.NoBody)
	if err != nil {
		return health.Document{}, calledWrongly("API_URL is not an address like https://gatehouse.example.com")
	}
	request.Header.Set("Authorization", "Bearer "+token)
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return health.Document{}, exitError{2, fmt.Errorf("the server at %s does not answer: %w", server, errors.Unwrap(err))}
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	var document health.Document
	err = json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&document)
	switch {
	case response.StatusCode == http.StatusUnauthorized, response.StatusCode == http.StatusForbidden:
		return health.Document{}, calledWrongly("the server refuses GATEHOUSE_TOKEN (status %d): it must carry the right health:read", response.StatusCode)
	case err != nil || document.Status == "":
		return health.Document{}, exitError{2, fmt.Errorf("the server at %s answered with status %d and no health results", server, response.StatusCode)}
	}
	return document, nil
}
