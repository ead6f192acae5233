package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/agogsaas/gatehouse/internal/app"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/setup"
)

func setupCommand() *cobra.Command {
	var tenant postgres.Tenant
	var id string
	var printSQL bool
	cmd := &cobra.Command{
		Use:   "setup",
		Short: "Make a database ready: roles, schemas, Gatehouse's own tables, the first tenant",
		Long: `Makes the database of GATEHOUSE_OWNER_DATABASE_URL ready for Gatehouse. Running it again brings
Gatehouse's own tables up to date and changes nothing else.

The roles gatehouse_owner, gatehouse_app and wms_application_role are made where
GATEHOUSE_ADMIN_DATABASE_URL names a role that may create roles (in the same database). Without it
they must be there: --print-sql prints what a database administrator has to run.

One tenant operates the environment: only its people may change the schema. Without --operator that is the
first tenant that is added, and a later run changes nothing about it. What changes a tenant stands in the
system's audit trail.

The warehouse schema is not touched: see "gatehouse migrate baseline".

Exit codes: 0 ready, 1 failed, 2 called wrongly.`,
		Example: `  gatehouse setup --print-sql | psql -U postgres erp
  gatehouse setup --tenant rivermark --tenant-name "Rivermark Print" --tenant-id 11111111-1111-7111-8111-111111111111`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if printSQL {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), postgres.SetUpRolesSQL())
				return err
			}
			config, err := app.Load(os.Environ())
			if err != nil {
				return exitError{2, err}
			}
			if config.OwnerDatabaseURL == "" {
				return exitError{2, errors.New("GATEHOUSE_OWNER_DATABASE_URL is not set")}
			}
			adminURL, err := variable("GATEHOUSE_ADMIN_DATABASE_URL")
			if err != nil {
				return err
			}
			plan := setup.Plan{
				AdminURL: adminURL, OwnerURL: string(config.OwnerDatabaseURL),
				Say: func(line string) { cmd.Println("==> " + line) },
			}
			for _, flag := range []string{"tenant-id", "tenant-name", "operator"} {
				if tenant.Code == "" && cmd.Flags().Changed(flag) {
					return exitError{2, fmt.Errorf("--%s says something of a tenant, and --tenant does not say of which", flag)}
				}
			}
			if tenant.Code != "" {
				if tenant.ID, err = uuid.Parse(id); err != nil {
					return exitError{2, errors.New("--tenant-id must be the UUID that the warehouse's tenants table uses")}
				}
				if tenant.Name == "" {
					tenant.Name = tenant.Code
				}
				tenant.OperatorUndecided = !cmd.Flags().Changed("operator")
				plan.Tenants = []postgres.Tenant{tenant}
			}
			if err := setup.Run(cmd.Context(), plan); err != nil {
				return refusedInput(err)
			}
			cmd.Println("The database is ready. Next: gatehouse doctor")
			return nil
		},
	}
	cmd.Flags().StringVar(&tenant.Code, "tenant", "", "code of a tenant to add, as the identity provider's tenant claim has it")
	cmd.Flags().StringVar(&tenant.Name, "tenant-name", "", "the tenant's name as people say it")
	cmd.Flags().StringVar(&id, "tenant-id", "", "the tenant's UUID in the warehouse's tenants table")
	cmd.Flags().BoolVar(&tenant.Operator, "operator", false, "whether this tenant operates the environment: its people may apply migrations (default: a new tenant does where none does yet)")
	cmd.Flags().BoolVar(&printSQL, "print-sql", false, "print the statements that make the roles, and do nothing")
	return cmd
}
