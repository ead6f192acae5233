package migration

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"sync"
)

// Reading is what PostgreSQL's parser made of one file. Readings are written down beside the files by `make readings`, so
// that who serves pages need not load the parser.
type Reading struct {
	Script     string   `json:"script"`
	SHA256     string   `json:"sha256"`
	Statements []Parsed `json:"statements"`
}

// ReadingOf is a file's reading.
func ReadingOf(f File, statements []Parsed) Reading {
	return Reading{Script: f.Script, SHA256: f.SHA256, Statements: statements}
}

// Encode writes a reading, one statement a line, so that a change of it can be read.
func (r Reading) Encode() ([]byte, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "{\"script\": %q, \"sha256\": %q, \"statements\": [\n", r.Script, r.SHA256)
	for n, s := range r.Statements {
		line, err := json.Marshal(s)
		if err != nil {
			return nil, err
		}
		b.Write(line)
		if n < len(r.Statements)-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	b.WriteString("]}\n")
	return []byte(b.String()), nil
}

// ReadingName is the name of the file that holds a script's reading.
func ReadingName(script string) string { return strings.TrimSuffix(script, ".sql") + ".json" }

// UseReadings gives the set the readings of its files, which are read when somebody first asks.
func (s *Files) UseReadings(fsys fs.FS) {
	s.readings = sync.OnceValues(func() (map[string]Reading, error) { return s.readReadings(fsys) })
}

func (s *Files) readReadings(fsys fs.FS) (map[string]Reading, error) {
	all := map[string]Reading{}
	for _, side := range []map[Version]File{s.up, s.down} {
		for _, f := range side {
			text, err := fs.ReadFile(fsys, ReadingName(f.Script))
			if err != nil {
				return nil, fmt.Errorf("what PostgreSQL's parser reads in %s is not written down; `make readings` does: %w", f.Script, err)
			}
			var r Reading
			if err := json.Unmarshal(text, &r); err != nil {
				return nil, fmt.Errorf("reading what PostgreSQL's parser read in %s: %w", f.Script, err)
			}
			if r.SHA256 != f.SHA256 {
				return nil, fmt.Errorf("what PostgreSQL's parser read in %s is of another text; `make readings` writes it anew", f.Script)
			}
			for i, one := range r.Statements {
				if one.From < 0 || one.Bytes < 0 || one.From+one.Bytes > len(f.SQL) {
					return nil, fmt.Errorf("statement %d of the reading of %s lies outside the file", i+1, f.Script)
				}
				r.Statements[i].SQL = f.SQL[one.From : one.From+one.Bytes]
			}
			all[f.Script] = r
		}
	}
	return all, nil
}

// Reading is what the parser made of a file of the set; false where the set was made without readings.
func (s *Files) Reading(f File) (Reading, bool, error) {
	if s.readings == nil {
		return Reading{}, false, nil
	}
	all, err := s.readings()
	r, ok := all[f.Script]
	return r, ok, err
}

// LintAsks is what the lint would like to know of the database for these versions.
func (s *Files) LintAsks(versions ...Version) LintQuestion {
	var all []Parsed
	for _, v := range versions {
		file, _ := s.Up(v)
		if r, ok, err := s.Reading(file); ok && err == nil {
			all = append(all, r.Statements...)
		}
	}
	return LintAsks(all)
}

// Lint holds a file of the set against the rules by its reading, weighed by what is known of the database; false where the
// set was made without readings.
func (s *Files) Lint(f File, live LintLive) (LintReport, bool) {
	r, ok, err := s.Reading(f)
	if err != nil {
		return LintReport{Script: f.Script, Live: live.Known, Bounds: f.bounds(), Locks: []LintLock{}, Findings: []LintFinding{{
			Rule: "not-read", Level: LintStop, Line: 1, Why: "What this file locks is not known: " + err.Error() + ".",
			Instead: "Use a build whose readings were written down anew.",
		}}}, true
	}
	if !ok {
		return LintReport{}, false
	}
	return Lint(f, r.Statements, live), true
}

// Weigh lints every file by what was seen of the database; where nothing was asked, nothing is said.
func (l *Ladder) Weigh(files *Files, live LintLive) {
	if !live.Known {
		return
	}
	for i := range l.Rungs {
		if r, ok := files.Lint(l.Rungs[i].File, live); ok && l.Rungs[i].HasFile {
			l.Rungs[i].Lint = &r
		}
	}
}
