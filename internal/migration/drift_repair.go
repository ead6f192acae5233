package migration

import (
	"fmt"
	"strings"
)

// makeStatement brings a missing item back.
func makeStatement(i Item, source func(Item) string) string {
	switch i.Kind {
	case "column":
		text := fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s %s", i.On, i.Name, i.Facts["type"])
		if v := i.Facts["default"]; v != "" {
			text += " DEFAULT " + v
		}
		if i.Facts["null"] == "not allowed" {
			text += " NOT NULL"
		}
		return text + ";"
	case "constraint":
		return fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT %s %s;", i.On, i.Name, i.Facts["definition"])
	case "index", "trigger", "rule":
		return strings.TrimSuffix(i.Facts["definition"], ";") + ";"
	case "policy":
		return policyStatement(i)
	case "grant":
		privilege, grantee, _ := strings.Cut(i.Name, " TO ")
		return fmt.Sprintf("GRANT %s ON %s TO %s;", privilege, grantObject(i), grantee)
	case "extension":
		return fmt.Sprintf("CREATE EXTENSION %s WITH SCHEMA public;", i.Name)
	}
	return source(i)
}

func policyStatement(i Item) string {
	text := fmt.Sprintf("CREATE POLICY %s ON %s AS %s FOR %s TO %s", i.Name, i.On, i.Facts["mode"], i.Facts["command"], i.Facts["roles"])
	if v := i.Facts["using"]; v != "" {
		text += " USING (" + v + ")"
	}
	if v := i.Facts["check"]; v != "" {
		text += " WITH CHECK (" + v + ")"
	}
	return text + ";"
}

func grantObject(i Item) string {
	if strings.Contains(i.On, "(") {
		return "FUNCTION " + i.On
	}
	return i.On
}

// dropStatement takes away what no file of ours makes.
func dropStatement(i Item) string {
	switch i.Kind {
	case "column", "constraint":
		return fmt.Sprintf("ALTER TABLE %s DROP %s %s;", i.On, strings.ToUpper(i.Kind), i.Name)
	case "trigger", "policy", "rule":
		return fmt.Sprintf("DROP %s %s ON %s;", strings.ToUpper(i.Kind), i.Name, i.On)
	case "grant":
		privilege, grantee, _ := strings.Cut(i.Name, " TO ")
		return fmt.Sprintf("REVOKE %s ON %s FROM %s;", privilege, grantObject(i), grantee)
	case "matview":
		return fmt.Sprintf("DROP MATERIALIZED VIEW %s;", i.Name)
	}
	return fmt.Sprintf("DROP %s %s;", strings.ToUpper(i.Kind), i.Name)
}

// changeStatement makes the found item the expected one again.
func changeStatement(want, have Item, changed map[string]bool, source func(Item) string) (statement string, destructive bool) {
	switch want.Kind {
	case "table":
		return tableStatements(want, changed), false
	case "column":
		return columnStatements(want, changed), changed["type"]
	case "index":
		if changed["valid"] && !changed["definition"] {
			return "REINDEX INDEX " + want.Name + ";", false
		}
	case "constraint":
		if !changed["definition"] {
			return constraintStatements(want, changed), false
		}
	case "trigger":
		if !changed["definition"] {
			return fmt.Sprintf("ALTER TABLE %s ENABLE TRIGGER %s;", want.On, want.Name), false
		}
	case "view", "function":
		return source(want), false
	}
	return dropStatement(have) + "\n" + makeStatement(want, source), false
}

func tableStatements(want Item, changed map[string]bool) string {
	var list []string
	if changed["row level security"] {
		verb := "DISABLE"
		if want.Facts["row level security"] == "on" {
			verb = "ENABLE"
		}
		list = append(list, fmt.Sprintf("ALTER TABLE %s %s ROW LEVEL SECURITY;", want.Name, verb))
	}
	if changed["forced for the owner"] {
		list = append(list, fmt.Sprintf("ALTER TABLE %s NO FORCE ROW LEVEL SECURITY;", want.Name))
	}
	if changed["persistence"] {
		list = append(list, fmt.Sprintf("ALTER TABLE %s SET LOGGED;", want.Name))
	}
	return strings.Join(list, "\n")
}

func columnStatements(want Item, changed map[string]bool) string {
	alter := fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s ", want.On, want.Name)
	var list []string
	if changed["type"] {
		list = append(list, alter+"TYPE "+want.Facts["type"]+";")
	}
	if changed["null"] {
		verb := "DROP NOT NULL;"
		if want.Facts["null"] == "not allowed" {
			verb = "SET NOT NULL;"
		}
		list = append(list, alter+verb)
	}
	if changed["default"] {
		value := "DROP DEFAULT;"
		if want.Facts["default"] != "" {
			value = "SET DEFAULT " + want.Facts["default"] + ";"
		}
		list = append(list, alter+value)
	}
	if changed["identity"] || changed["generated"] {
		list = append(list, fmt.Sprintf("-- %s.%s: generated or identity columns cannot be changed in place; make the column anew.", want.On, want.Name))
	}
	return strings.Join(list, "\n")
}

func constraintStatements(want Item, changed map[string]bool) string {
	var list []string
	if changed["validated"] {
		list = append(list, fmt.Sprintf("ALTER TABLE %s VALIDATE CONSTRAINT %s;", want.On, want.Name))
	}
	if changed["enforced"] {
		list = append(list, fmt.Sprintf("ALTER TABLE %s ENABLE TRIGGER ALL; -- as a superuser; then look for rows that break %s", want.On, want.Name))
	}
	return strings.Join(list, "\n")
}
