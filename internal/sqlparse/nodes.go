package sqlparse

import (
	"encoding/json"
	"fmt"
	"strings"
)

// The nodes of the parser's tree, as far as somebody reads them. A node of many kinds is an object with one key, its kind.
type (
	name struct {
		String struct {
			Text string `json:"sval"`
		}
	}
	rangeVar struct {
		Schema string `json:"schemaname"`
		Name   string `json:"relname"`
	}
	rangeNode struct{ RangeVar rangeVar }
	typeName  struct {
		Names  []name `json:"names"`
		Mods   []node `json:"typmods"`
		Bounds []any  `json:"arrayBounds"`
	}
	node       map[string]json.RawMessage
	constraint struct {
		Kind       string   `json:"contype"`
		Name       string   `json:"conname"`
		Skip       bool     `json:"skip_validation"`
		Index      string   `json:"indexname"`
		References rangeVar `json:"pktable"`
		Expression any      `json:"raw_expr"`
	}
	columnDef struct {
		Name        string                            `json:"colname"`
		Type        typeName                          `json:"typeName"`
		Using       any                               `json:"raw_default"`
		Constraints []struct{ Constraint constraint } `json:"constraints"`
	}
	defElem struct {
		DefElem struct {
			Name string `json:"defname"`
			Arg  node   `json:"arg"`
		}
	}
	roleSpec struct {
		RoleSpec struct {
			Kind string `json:"roletype"`
			Name string `json:"rolename"`
		}
	}
)

// String is the relation with its schema; without one it is what a new object's would be.
func (r rangeVar) String() string {
	if r.Name == "" {
		return ""
	}
	if r.Schema == "" {
		return "public." + r.Name
	}
	return r.Schema + "." + r.Name
}

func relations(list []rangeNode) []string {
	var names []string
	for _, r := range list {
		names = append(names, r.RangeVar.String())
	}
	return names
}

// parts are the texts of a list of names.
func parts(list []name) []string {
	var texts []string
	for _, n := range list {
		texts = append(texts, n.String.Text)
	}
	return texts
}

// qualified is a name with its schema.
func qualified(texts []string) string {
	switch len(texts) {
	case 0:
		return ""
	case 1:
		return "public." + texts[0]
	}
	return strings.Join(texts[len(texts)-2:], ".")
}

// String is the type as it would be written.
func (t typeName) String() string {
	texts := parts(t.Names)
	if len(texts) > 1 && texts[0] == "pg_catalog" {
		texts = texts[1:]
	}
	text := strings.Join(texts, ".")
	var mods []string
	for _, m := range t.Mods {
		var c struct {
			Ival *struct {
				Ival int `json:"ival"`
			} `json:"ival"`
		}
		if json.Unmarshal(m["A_Const"], &c) == nil && c.Ival != nil {
			mods = append(mods, fmt.Sprint(c.Ival.Ival))
		}
	}
	if len(mods) > 0 && text != "interval" {
		text += "(" + strings.Join(mods, ",") + ")"
	}
	return text + strings.Repeat("[]", len(t.Bounds))
}

// walk visits every object of a tree.
func walk(tree any, visit func(key string, value any)) {
	switch t := tree.(type) {
	case map[string]any:
		for key, value := range t {
			visit(key, value)
			walk(value, visit)
		}
	case []any:
		for _, value := range t {
			walk(value, visit)
		}
	}
}

// calls are the functions that an expression calls.
func calls(expression any) []string {
	var list []string
	walk(expression, func(key string, value any) {
		call, ok := value.(map[string]any)
		if key == "FuncCall" && ok {
			var texts []string
			walk(call["funcname"], func(key string, value any) {
				if text, ok := value.(string); ok && key == "sval" {
					texts = append(texts, text)
				}
			})
			list = append(list, strings.Join(texts, "."))
		}
	})
	return list
}

// names says whether an expression names a column so.
func names(expression any, column string) bool {
	found := false
	walk(expression, func(key string, value any) { found = found || key == "sval" && value == column })
	return found
}
