package migration

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Version is a schema version: major, minor and patch as one number, each below 1000, so that versions compare as
// numbers and fit the integer that golang-migrate keeps.
type Version int64

const part = 1000

var versionForm = regexp.MustCompile(`^(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})$`)

// ParseVersion reads "0.0.20" or "V0.0.20".
func ParseVersion(s string) (Version, error) {
	m := versionForm.FindStringSubmatch(strings.TrimPrefix(s, "V"))
	if m == nil {
		return 0, fmt.Errorf("%q is not a version like 0.0.20", s)
	}
	var v Version
	for _, digits := range m[1:] {
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%q is not a version like 0.0.20: %w", s, err)
		}
		v = v*part + Version(n)
	}
	return v, nil
}

// String is the version as the ledger and schema_version hold it: "0.0.20".
func (v Version) String() string {
	return fmt.Sprintf("%d.%d.%d", v/(part*part), v/part%part, v%part)
}

// Title is the version as files and people write it: "V0.0.20".
func (v Version) Title() string { return "V" + v.String() }

// Direction says what a file does to the schema.
type Direction string

// The directions. A baseline records a schema that was found, and runs nothing; a restore of an older backup took the
// version out of the database, and no undo file ran.
const (
	Up       Direction = "up"
	Down     Direction = "down"
	Baseline Direction = "baseline"
	Restored Direction = "restore"
)

// Leaves says whether the version is in the database after it.
func (d Direction) Leaves() bool { return d == Up || d == Baseline }
