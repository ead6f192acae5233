package migration

import (
	"regexp"
	"strconv"
	"strings"
)

// sqlType is a type's name and its numbers, whichever of its names it was given.
type sqlType struct {
	name string
	mods []int
}

var (
	typeNumbers = regexp.MustCompile(`\(\s*-?\d+(?:\s*,\s*-?\d+)*\s*\)`)
	typeNames   = map[string]string{
		"varchar": "character varying", "decimal": "numeric", "int4": "integer", "int": "integer", "int8": "bigint", "int2": "smallint",
		"bpchar": "character", "bool": "boolean", "float8": "double precision", "float4": "real", "varbit": "bit varying",
		"timestamptz": "timestamp with time zone", "timestamp": "timestamp without time zone", "timetz": "time with time zone", "time": "time without time zone",
	}
)

func readType(s string) sqlType {
	t := sqlType{}
	if numbers := typeNumbers.FindString(s); numbers != "" {
		for n := range strings.SplitSeq(strings.Trim(numbers, "()"), ",") {
			if number, err := strconv.Atoi(strings.TrimSpace(n)); err == nil {
				t.mods = append(t.mods, number)
			}
		}
		s = strings.Replace(s, numbers, "", 1)
	}
	t.name = strings.Join(strings.Fields(strings.ToLower(s)), " ")
	if full, ok := typeNames[t.name]; ok {
		t.name = full
	}
	if t.name == "numeric" && len(t.mods) == 1 {
		t.mods = append(t.mods, 0)
	}
	return t
}

// rewrites says whether PostgreSQL has to write every row again to turn one type into the other. What it need not is
// what it can prove from the types alone: room that grows.
func rewrites(from, to string) bool {
	old, want := readType(from), readType(to)
	if old.name != want.name {
		return !binaryCoercible(old, want)
	}
	switch {
	case len(want.mods) == 0:
		return old.name == "character" && len(old.mods) > 0
	case len(old.mods) == 0:
		return !isTime(old.name) || want.mods[0] != 6
	case old.name == "numeric":
		return len(old.mods) != 2 || len(want.mods) != 2 || old.mods[1] != want.mods[1] || want.mods[0] < old.mods[0]
	case old.name == "character varying", old.name == "bit varying", isTime(old.name):
		return want.mods[0] < old.mods[0]
	}
	return len(old.mods) != len(want.mods) || old.mods[0] != want.mods[0]
}

func isTime(name string) bool { return strings.HasPrefix(name, "time") }

// binaryCoercible knows the pairs of different names whose values are stored alike.
func binaryCoercible(from, to sqlType) bool {
	switch {
	case from.name == "character varying" && to.name == "text":
		return true
	case from.name == "text" && to.name == "character varying":
		return len(to.mods) == 0
	case from.name == "xml" && (to.name == "text" || to.name == "character varying" && len(to.mods) == 0):
		return true
	case from.name == "cidr" && to.name == "inet", from.name == "integer" && to.name == "oid", from.name == "oid" && to.name == "integer":
		return true
	}
	return false
}

// steady are functions that a new column's default may call without a rewrite: their answer is the same for every row of
// one statement. What is not listed is taken for volatile, and said to be.
var steady = map[string]bool{
	"now": true, "transaction_timestamp": true, "statement_timestamp": true, "current_setting": true, "lower": true, "upper": true,
	"to_char": true, "to_date": true, "to_timestamp": true, "date_trunc": true, "make_interval": true, "make_date": true, "coalesce": true,
	"jsonb_build_object": true, "jsonb_build_array": true, "current_schema": true, "current_database": true, "timezone": true,
}

func volatileCall(calls []string) string {
	for _, name := range calls {
		if !steady[strings.TrimPrefix(name, "pg_catalog.")] {
			return name
		}
	}
	return ""
}
