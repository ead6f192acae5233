package app

import (
	"fmt"
	"slices"
	"strings"
)

// Setting is one variable as it is now: what it is, and where that comes from. What is secret is never in it.
type Setting struct {
	Name string
	// Value is what it is; *** for a secret that is set, empty for what is not set.
	Value string
	// Source says where the value comes from: environment, a file, the default, or other variables.
	Source string
	// Problem says why the value cannot be used; empty where it can.
	Problem string
}

const (
	fromEnvironment = "environment"
	fromDefault     = "default"
	notSet          = "not set"
)

// Settings lists every variable that Gatehouse reads, in the order of the README's table, and then those that single
// commands read and that are set.
func Settings(environ []string) []Setting {
	set := settings(environ)
	var list []Setting
	for _, o := range Options {
		list = append(list, settingOf(set, o))
	}
	for _, name := range alsoKnown {
		if s := settingOf(set, Option{Name: name, Secret: true}); s.Source != notSet {
			s.Source += ", for single commands"
			list = append(list, s)
		}
	}
	if c, _ := Load(environ); c.fromPG != nil { // its problems are those of the settings
		for i := range list {
			if list[i].Name == "GATEHOUSE_DATABASE_URL" {
				list[i].Value, list[i].Source = "***", strings.Join(c.fromPG, ", ")
			}
		}
	}
	return list
}

func settingOf(set map[string]string, o Option) Setting {
	s := Setting{Name: o.Name, Source: notSet}
	value, err := lookUp(set, o)
	file, inFile := set[o.Name+"_FILE"]
	switch {
	case inFile:
		s.Source = "file " + file
	case set[o.Name] != "":
		s.Source = fromEnvironment
	case o.Default != "":
		s.Source = fromDefault
	}
	if err == nil && value != "" && o.read != nil {
		err = o.read(&Config{}, value)
	}
	if err != nil {
		s.Problem = err.Error()
	}
	if s.Value = value; o.Secret && value != "" {
		s.Value = Secret(value).String()
	}
	return s
}

// pgVariables are those of PostgreSQL's own programs that say where a database is, with what each is called in an address.
var pgVariables = [][2]string{
	{"PGSERVICE", "service"},
	{"PGHOST", "host"},
	{"PGPORT", "port"},
	{"PGDATABASE", "dbname"},
	{"PGUSER", "user"},
	{"PGPASSWORD", "password"},
	{"PGSSLMODE", "sslmode"},
	{"PGSSLROOTCERT", "sslrootcert"},
	{"PGPASSFILE", "passfile"},
}

// databaseOfPG makes the application's address of PG* variables, where they name a server. The owner's is another role's, with
// another password, and is never made of them.
func databaseOfPG(set map[string]string) (Secret, []string) {
	if set["PGHOST"] == "" && set["PGSERVICE"] == "" {
		return "", nil
	}
	var parts, used []string
	for _, v := range pgVariables {
		if value := set[v[0]]; value != "" {
			parts = append(parts, v[1]+"="+quotedForPG(value))
			used = append(used, v[0])
		}
	}
	if set["PGUSER"] == "" && set["PGSERVICE"] == "" {
		parts = append(parts, "user=gatehouse_app")
	}
	return Secret(strings.Join(parts, " ")), used
}

func quotedForPG(value string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value) + "'"
}

// meant suggests the variable whose name is nearest, where one is near.
func meant(name string) string {
	base := strings.TrimSuffix(name, "_FILE")
	best, distance := "", 1+len(base)/4
	known := slices.Clone(alsoKnown)
	for _, o := range Options {
		known = append(known, o.Name)
	}
	for _, k := range known {
		if d := editDistance(base, k); d < distance {
			best, distance = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %s?)", best+strings.TrimPrefix(name, base))
}

// editDistance is how many letters have to be changed, added or taken away to make one text of the other.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
