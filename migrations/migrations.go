// Package migrations carries the SQL of both schemas inside the binary: the warehouse (wms), which changes only
// through the release gate, and Gatehouse's own tables (console), which `gatehouse setup` keeps up to date.
//
// Files are named V0.0.20__what_it_does.sql, and U0.0.20__what_it_does.sql takes it back. README.md in this folder
// documents the plan card that every V file opens with.
package migrations

import (
	"embed"
	"io/fs"
)

//go:embed wms/*.sql console/*.sql
var files embed.FS

//go:embed wms/expected/*.json
var expected embed.FS

// Expected is what each version of the warehouse leaves in the database, as it was found on a real one.
var Expected = sub(expected, "wms/expected")

//go:embed wms/readings/*.json
var readings embed.FS

// Readings is what PostgreSQL's own parser makes of each file of the warehouse.
var Readings = sub(readings, "wms/readings")

// WMS holds the warehouse schema's files, at its root.
var WMS = sub(files, "wms")

// Console holds the files of Gatehouse's own schema, at its root.
var Console = sub(files, "console")

func sub(files embed.FS, dir string) fs.FS {
	s, err := fs.Sub(files, dir)
	if err != nil {
		panic(err) // only for a folder name that is not a valid path, so at start-up or never
	}
	return s
}
