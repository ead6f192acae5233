package sqlparse

import (
	"encoding/json"

	"github.com/agogsaas/gatehouse/internal/migration"
)

var constraintKinds = map[string]string{
	"CONSTR_CHECK": "check", "CONSTR_FOREIGN": "foreign key", "CONSTR_UNIQUE": "unique", "CONSTR_PRIMARY": "primary key", "CONSTR_EXCLUSION": "exclude",
}

// actionKinds are the sub-commands that are told apart; every other is brief.
var actionKinds = map[string]migration.ActionKind{
	"AT_AddColumn": migration.ActionAddColumn, "AT_DropColumn": migration.ActionDropColumn, "AT_AlterColumnType": migration.ActionColumnType,
	"AT_SetNotNull": migration.ActionSetNotNull, "AT_AddConstraint": migration.ActionAddConstraint, "AT_DropConstraint": migration.ActionDropConstraint,
	"AT_ValidateConstraint": migration.ActionValidate, "AT_AttachPartition": migration.ActionAttach,
	"AT_SetLogged": migration.ActionRewrite, "AT_SetUnLogged": migration.ActionRewrite, "AT_SetAccessMethod": migration.ActionRewrite,
	"AT_SetStatistics": migration.ActionSetting, "AT_SetRelOptions": migration.ActionSetting, "AT_ResetRelOptions": migration.ActionSetting,
	"AT_SetOptions": migration.ActionSetting, "AT_ResetOptions": migration.ActionSetting, "AT_ClusterOn": migration.ActionSetting, "AT_DropCluster": migration.ActionSetting,
	"AT_EnableTrig": migration.ActionTrigger, "AT_DisableTrig": migration.ActionTrigger, "AT_EnableTrigAll": migration.ActionTrigger, "AT_DisableTrigAll": migration.ActionTrigger,
	"AT_EnableTrigUser": migration.ActionTrigger, "AT_DisableTrigUser": migration.ActionTrigger, "AT_EnableAlwaysTrig": migration.ActionTrigger, "AT_EnableReplicaTrig": migration.ActionTrigger,
}

func alterTable(p *migration.Parsed, body json.RawMessage) error {
	var n struct {
		Relation rangeVar `json:"relation"`
		Object   string   `json:"objtype"`
		Cmds     []struct {
			AlterTableCmd struct {
				Subtype string `json:"subtype"`
				Name    string `json:"name"`
				Def     node   `json:"def"`
			}
		} `json:"cmds"`
	}
	if err := json.Unmarshal(body, &n); err != nil {
		return err
	}
	p.Kind, p.Object, p.Relations = migration.KindAlterTable, objects[n.Object], []string{n.Relation.String()}
	for _, c := range n.Cmds {
		kind, ok := actionKinds[c.AlterTableCmd.Subtype]
		if !ok {
			kind = migration.ActionBrief
		}
		a := migration.ParsedAction{Kind: kind, Column: c.AlterTableCmd.Name, Name: c.AlterTableCmd.Name}
		if err := define(&a, c.AlterTableCmd.Def); err != nil {
			return err
		}
		p.Actions = append(p.Actions, a)
	}
	return nil
}

// define reads what a sub-command brings with it: a column, a constraint, a partition.
func define(a *migration.ParsedAction, def node) error {
	if body, ok := def["ColumnDef"]; ok {
		var column columnDef
		if err := json.Unmarshal(body, &column); err != nil {
			return err
		}
		column.into(a)
	}
	if body, ok := def["Constraint"]; ok {
		var c constraint
		if err := json.Unmarshal(body, &c); err != nil {
			return err
		}
		c.into(a)
	}
	if body, ok := def["PartitionCmd"]; ok {
		var partition struct {
			Name rangeVar `json:"name"`
		}
		if err := json.Unmarshal(body, &partition); err != nil {
			return err
		}
		a.References = partition.Name.String()
	}
	return nil
}

func (d columnDef) into(a *migration.ParsedAction) {
	if d.Name != "" {
		a.Column = d.Name
	}
	a.Type, a.Using = d.Type.String(), d.Using != nil
	switch a.Type {
	case "serial", "bigserial", "smallserial", "serial4", "serial8", "serial2":
		a.Identity = true
	}
	for _, c := range d.Constraints {
		c.Constraint.into(a)
	}
}

func (c constraint) into(a *migration.ParsedAction) {
	switch c.Kind {
	case "CONSTR_NOTNULL":
		a.NotNull = true
	case "CONSTR_DEFAULT":
		a.HasDefault, a.Calls = true, append(a.Calls, calls(c.Expression)...)
	case "CONSTR_GENERATED":
		a.Stored = true
	case "CONSTR_IDENTITY":
		a.Identity = true
	}
	if kind, ok := constraintKinds[c.Kind]; ok {
		a.Constraint, a.Name, a.NotValid, a.UsingIndex = kind, c.Name, c.Skip, c.Index != ""
		a.References = c.References.String()
	}
}
