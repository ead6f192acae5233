package sqlparse

import (
	"encoding/json"
	"slices"

	"github.com/agogsaas/gatehouse/internal/migration"
)

// readers fill our model from the nodes that somebody asks about. Every other statement is "other".
var readers = map[string]func(*migration.Parsed, json.RawMessage) error{
	"AlterTableStmt": alterTable, "RenameStmt": rename, "DropStmt": drop, "GrantStmt": grant,
	"CreateStmt": createTable, "CreateTableAsStmt": createAs, "ViewStmt": createView, "CreateSeqStmt": createSequence,
	"IndexStmt": createIndex, "CreateTrigStmt": createTrigger, "CreateFunctionStmt": createFunction, "DoStmt": do,
	"CreatePolicyStmt": onTable("policy"), "AlterPolicyStmt": onTable("policy"), "RuleStmt": onTable("rule"),
	"AlterEnumStmt": addValue, "UpdateStmt": rows(migration.KindUpdate), "DeleteStmt": rows(migration.KindDelete), "InsertStmt": rows(migration.KindInsert),
	"TruncateStmt": several(migration.KindTruncate), "LockStmt": several(migration.KindLock), "RefreshMatViewStmt": one(migration.KindRefresh),
	"ReindexStmt": one(migration.KindReindex), "ClusterStmt": one(migration.KindCluster), "VacuumStmt": vacuum, "CopyStmt": copyRows,
	"AlterSystemStmt": only(migration.KindAlterSystem), "TransactionStmt": transaction, "VariableSetStmt": set,
}

// objects are the parser's kinds of things in our words.
var objects = map[string]string{
	"OBJECT_TABLE": "table", "OBJECT_VIEW": "view", "OBJECT_MATVIEW": "matview", "OBJECT_INDEX": "index", "OBJECT_SEQUENCE": "sequence",
	"OBJECT_COLUMN": "column", "OBJECT_TABCONSTRAINT": "constraint", "OBJECT_DOMCONSTRAINT": "constraint", "OBJECT_TRIGGER": "trigger",
	"OBJECT_POLICY": "policy", "OBJECT_RULE": "rule", "OBJECT_TYPE": "type", "OBJECT_DOMAIN": "type", "OBJECT_FUNCTION": "function",
	"OBJECT_PROCEDURE": "function", "OBJECT_ROUTINE": "function", "OBJECT_AGGREGATE": "function", "OBJECT_SCHEMA": "schema", "OBJECT_EXTENSION": "extension",
	"OBJECT_FOREIGN_TABLE": "table", "OBJECT_ATTRIBUTE": "column", "OBJECT_ROLE": "role", "OBJECT_DATABASE": "database",
}

func only(kind migration.ParsedKind) func(*migration.Parsed, json.RawMessage) error {
	return func(p *migration.Parsed, _ json.RawMessage) error { p.Kind = kind; return nil }
}

func rename(p *migration.Parsed, body json.RawMessage) error {
	var n struct {
		Kind     string   `json:"renameType"`
		Relation rangeVar `json:"relation"`
		Old      string   `json:"subname"`
		New      string   `json:"newname"`
	}
	err := json.Unmarshal(body, &n)
	p.Kind, p.Object, p.Name, p.Value = migration.KindRename, objects[n.Kind], n.Old, n.New
	if r := n.Relation.String(); r != "" {
		p.Relations = []string{r}
	}
	return err
}

// relationKinds are those whose dropped names are relations themselves; onTableKinds are named behind their table.
var (
	relationKinds = []string{"table", "view", "matview", "index", "sequence"}
	onTableKinds  = []string{"trigger", "policy", "rule"}
)

func drop(p *migration.Parsed, body json.RawMessage) error {
	var n struct {
		Objects []struct {
			List struct {
				Items []name `json:"items"`
			}
			TypeName       typeName
			ObjectWithArgs struct {
				Name []name `json:"objname"`
			}
			String struct {
				Text string `json:"sval"`
			}
		} `json:"objects"`
		Kind       string `json:"removeType"`
		Concurrent bool   `json:"concurrent"`
	}
	err := json.Unmarshal(body, &n)
	p.Kind, p.Object, p.Concurrently = migration.KindDrop, objects[n.Kind], n.Concurrent
	for _, o := range n.Objects {
		list := parts(o.List.Items)
		switch {
		case slices.Contains(relationKinds, p.Object):
			p.Relations = append(p.Relations, qualified(list))
		case slices.Contains(onTableKinds, p.Object) && len(list) > 1:
			p.Relations, p.Name = append(p.Relations, qualified(list[:len(list)-1])), list[len(list)-1]
		default:
			p.Name = first(o.String.Text, qualified(parts(o.TypeName.Names)), qualified(parts(o.ObjectWithArgs.Name)), qualified(list))
		}
	}
	return err
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func grant(p *migration.Parsed, body json.RawMessage) error {
	var n struct {
		Grants   bool       `json:"is_grant"`
		Grantees []roleSpec `json:"grantees"`
	}
	err := json.Unmarshal(body, &n)
	p.Kind = migration.KindGrant
	for _, g := range n.Grantees {
		if g.RoleSpec.Kind == "ROLESPEC_CSTRING" {
			p.Roles = append(p.Roles, g.RoleSpec.Name)
		}
	}
	return err
}

func createTable(p *migration.Parsed, body json.RawMessage) error {
	var n struct {
		Relation rangeVar `json:"relation"`
		Elements []node   `json:"tableElts"`
	}
	err := json.Unmarshal(body, &n)
	p.Kind, p.Object, p.Name = migration.KindCreate, "table", n.Relation.String()
	for _, element := range n.Elements {
		var a migration.ParsedAction
		if wrong := define(&a, element); wrong != nil {
			return wrong
		}
		if a.References != "" {
			p.References = append(p.References, a.References)
		}
	}
	return err
}

func createAs(p *migration.Parsed, body json.RawMessage) error {
	var n struct {
		Into struct {
			Relation rangeVar `json:"rel"`
		} `json:"into"`
		Object string `json:"objtype"`
	}
	err := json.Unmarshal(body, &n)
	p.Kind, p.Object, p.Name = migration.KindCreate, objects[n.Object], n.Into.Relation.String()
	return err
}

func createView(p *migration.Parsed, body json.RawMessage) error {
	var n struct {
		View rangeVar `json:"view"`
	}
	err := json.Unmarshal(body, &n)
	p.Kind, p.Object, p.Name = migration.KindCreate, "view", n.View.String()
	return err
}

func createSequence(p *migration.Parsed, body json.RawMessage) error {
	var n struct {
		Sequence rangeVar `json:"sequence"`
	}
	err := json.Unmarshal(body, &n)
	p.Kind, p.Object, p.Name = migration.KindCreate, "sequence", n.Sequence.String()
	return err
}

func createIndex(p *migration.Parsed, body json.RawMessage) error {
	var n struct {
		Name       string   `json:"idxname"`
		Relation   rangeVar `json:"relation"`
		Concurrent bool     `json:"concurrent"`
		Unique     bool     `json:"unique"`
		Where      any      `json:"whereClause"`
		Params     []struct {
			Elem struct {
				Name string `json:"name"`
			} `json:"IndexElem"`
		} `json:"indexParams"`
	}
	err := json.Unmarshal(body, &n)
	p.Unique = n.Unique && n.Where == nil
	for _, param := range n.Params {
		p.Unique = p.Unique && param.Elem.Name != "" // an expression has no name
	}
	p.Kind, p.Object, p.Name, p.Concurrently = migration.KindCreate, "index", n.Name, n.Concurrent
	p.Relations = []string{n.Relation.String()}
	return err
}

func createTrigger(p *migration.Parsed, body json.RawMessage) error {
	var n struct {
		Name     string   `json:"trigname"`
		Relation rangeVar `json:"relation"`
		Routine  []name   `json:"funcname"`
		Row      bool     `json:"row"`
		When     any      `json:"whenClause"`
	}
	err := json.Unmarshal(body, &n)
	p.Kind, p.Object, p.Name, p.Relations = migration.KindCreate, "trigger", n.Name, []string{n.Relation.String()}
	p.Routine, p.EachRow, p.TagInWhen = qualified(parts(n.Routine)), n.Row, names(n.When, "tg_op")
	return err
}

func createFunction(p *migration.Parsed, body json.RawMessage) error {
	var n struct {
		Name    []name    `json:"funcname"`
		Options []defElem `json:"options"`
	}
	err := json.Unmarshal(body, &n)
	p.Kind, p.Object, p.Name = migration.KindCreate, "function", qualified(parts(n.Name))
	p.ReadBody(source(n.Options))
	return err
}

func do(p *migration.Parsed, body json.RawMessage) error {
	var n struct {
		Args []defElem `json:"args"`
	}
	err := json.Unmarshal(body, &n)
	p.Kind = migration.KindDo
	p.ReadBody(source(n.Args))
	return err
}

// source is the text behind AS: of a function a list, of a DO block a text.
func source(options []defElem) string {
	for _, o := range options {
		if o.DefElem.Name != "as" {
			continue
		}
		var list struct {
			Items []name `json:"items"`
		}
		var text struct {
			Text string `json:"sval"`
		}
		if json.Unmarshal(o.DefElem.Arg["List"], &list) == nil && len(list.Items) > 0 {
			return list.Items[0].String.Text
		}
		if json.Unmarshal(o.DefElem.Arg["String"], &text) == nil {
			return text.Text
		}
	}
	return ""
}

func onTable(object string) func(*migration.Parsed, json.RawMessage) error {
	return func(p *migration.Parsed, body json.RawMessage) error {
		var n struct {
			Table    rangeVar `json:"table"`
			Relation rangeVar `json:"relation"`
		}
		err := json.Unmarshal(body, &n)
		p.Kind, p.Object, p.Relations = migration.KindCreate, object, []string{first(n.Table.String(), n.Relation.String())}
		return err
	}
}

func addValue(p *migration.Parsed, body json.RawMessage) error {
	var n struct {
		Type []name `json:"typeName"`
		Old  string `json:"oldVal"`
		New  string `json:"newVal"`
	}
	err := json.Unmarshal(body, &n)
	if n.Old == "" {
		p.Kind = migration.KindAddValue
	}
	p.Object, p.Name, p.Value = "type", qualified(parts(n.Type)), n.New
	return err
}

func rows(kind migration.ParsedKind) func(*migration.Parsed, json.RawMessage) error {
	return func(p *migration.Parsed, body json.RawMessage) error {
		var n struct {
			Relation rangeVar `json:"relation"`
			Where    any      `json:"whereClause"`
		}
		err := json.Unmarshal(body, &n)
		p.Kind, p.Relations, p.Where = kind, []string{n.Relation.String()}, n.Where != nil
		return err
	}
}

func one(kind migration.ParsedKind) func(*migration.Parsed, json.RawMessage) error {
	return func(p *migration.Parsed, body json.RawMessage) error {
		var n struct {
			Relation   rangeVar  `json:"relation"`
			Concurrent bool      `json:"concurrent"`
			Params     []defElem `json:"params"`
		}
		err := json.Unmarshal(body, &n)
		p.Kind, p.Concurrently = kind, n.Concurrent || has(n.Params, "concurrently")
		if r := n.Relation.String(); r != "" {
			p.Relations = []string{r}
		}
		return err
	}
}

func has(options []defElem, name string) bool {
	return slices.ContainsFunc(options, func(o defElem) bool { return o.DefElem.Name == name })
}

func several(kind migration.ParsedKind) func(*migration.Parsed, json.RawMessage) error {
	return func(p *migration.Parsed, body json.RawMessage) error {
		var n struct {
			Relations []rangeNode `json:"relations"`
			Mode      int         `json:"mode"`
		}
		err := json.Unmarshal(body, &n)
		p.Kind, p.Relations, p.Mode = kind, relations(n.Relations), migration.LockMode(n.Mode)
		return err
	}
}

func vacuum(p *migration.Parsed, body json.RawMessage) error {
	var n struct {
		Options []defElem `json:"options"`
		Vacuum  bool      `json:"is_vacuumcmd"`
		Rels    []struct {
			VacuumRelation struct {
				Relation rangeVar `json:"relation"`
			}
		} `json:"rels"`
	}
	err := json.Unmarshal(body, &n)
	if !n.Vacuum { // ANALYZE, which may stand in a transaction and keeps nobody waiting
		return err
	}
	p.Kind, p.Full = migration.KindVacuum, has(n.Options, "full")
	for _, r := range n.Rels {
		p.Relations = append(p.Relations, r.VacuumRelation.Relation.String())
	}
	return err
}

func copyRows(p *migration.Parsed, body json.RawMessage) error {
	var n struct {
		Relation rangeVar `json:"relation"`
		From     bool     `json:"is_from"`
		Program  bool     `json:"is_program"`
	}
	err := json.Unmarshal(body, &n)
	p.Kind, p.Program, p.Value = migration.KindCopy, n.Program, "to"
	if n.From {
		p.Value = "from"
	}
	if r := n.Relation.String(); r != "" {
		p.Relations = []string{r}
	}
	return err
}

func transaction(p *migration.Parsed, body json.RawMessage) error {
	var n struct {
		Kind string `json:"kind"`
	}
	err := json.Unmarshal(body, &n)
	switch n.Kind {
	case "TRANS_STMT_SAVEPOINT", "TRANS_STMT_RELEASE", "TRANS_STMT_ROLLBACK_TO":
	default:
		p.Kind = migration.KindTransaction
	}
	return err
}

func set(p *migration.Parsed, body json.RawMessage) error {
	var n struct {
		Name string `json:"name"`
	}
	err := json.Unmarshal(body, &n)
	p.Kind, p.Name = migration.KindSet, n.Name
	return err
}
