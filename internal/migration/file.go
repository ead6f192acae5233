package migration

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// File is one migration file.
type File struct {
	Version   Version
	Direction Direction // Up or Down
	Name      string    // fix_bin_optimization_data_quality
	Script    string    // V0.0.20__fix_bin_optimization_data_quality.sql
	SQL       string    // with LF line ends
	// SHA256 is of the normal text; TokensSHA256 of what the text says to the database.
	SHA256, TokensSHA256 string
	// NoTransaction is a file whose statements cannot run inside one, as CREATE INDEX CONCURRENTLY.
	NoTransaction bool
	Card          Card // of an Up file
}

// Description is the file's name in words.
func (f File) Description() string { return strings.ReplaceAll(f.Name, "_", " ") }

// Files is a set of migration files, checked and in order.
type Files struct {
	versions []Version
	up, down map[Version]File
	readings func() (map[string]Reading, error) // nil for a set whose files nobody read beforehand
}

// FilesError lists everything that is wrong with a folder of files.
type FilesError struct{ Problems []string }

// Error is one problem a line.
func (e *FilesError) Error() string { return strings.Join(e.Problems, "\n") }

// Rules says what a set asks of its files beyond their form.
type Rules struct {
	// Undo refuses an up file without its undo file.
	Undo bool
}

var fileForm = regexp.MustCompile(`^([VU])(\d+\.\d+\.\d+)__([a-z0-9]+(?:_[a-z0-9]+)*)\.sql$`)

// ReadFiles reads a folder's root. Every other name, two files of one version, and whatever cannot be run safely is
// refused, all of it at once.
func ReadFiles(fsys fs.FS, rules Rules) (*Files, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("reading the folder of migrations: %w", err)
	}
	set := &Files{up: map[Version]File{}, down: map[Version]File{}}
	var problems []string
	for _, entry := range entries {
		file, err := readFile(fsys, entry)
		if err == nil {
			err = set.add(file)
		}
		if err != nil {
			problems = append(problems, complaints(entry.Name(), err)...)
		}
	}
	problems = append(problems, set.pairs(rules)...)
	if problems != nil {
		return nil, &FilesError{problems}
	}
	slices.Sort(set.versions)
	return set, nil
}

func complaints(name string, err error) []string {
	var several *FilesError
	if !errors.As(err, &several) {
		return []string{name + ": " + err.Error()}
	}
	var list []string
	for _, p := range several.Problems {
		list = append(list, name+": "+p)
	}
	return list
}

func readFile(fsys fs.FS, entry fs.DirEntry) (File, error) {
	m := fileForm.FindStringSubmatch(entry.Name())
	if m == nil || entry.IsDir() {
		return File{}, errors.New("not a name like V0.0.20__what_it_does.sql or U0.0.20__what_it_does.sql, in lower case after the version")
	}
	version, err := ParseVersion(m[2])
	if err != nil {
		return File{}, err
	}
	content, err := fs.ReadFile(fsys, entry.Name())
	if err != nil {
		return File{}, fmt.Errorf("cannot be read: %w", err)
	}
	if !utf8.Valid(content) || slices.Contains(content, 0) {
		return File{}, errors.New("not UTF-8 text")
	}
	return parseFile(File{Version: version, Direction: direction(m[1]), Name: m[3], Script: entry.Name(), SQL: Normal(string(content))})
}

func direction(letter string) Direction {
	if letter == "U" {
		return Down
	}
	return Up
}

func parseFile(f File) (File, error) {
	first, _, _ := strings.Cut(f.SQL, "\n")
	f.NoTransaction = strings.TrimSpace(first) == noTransaction
	f.SHA256, f.TokensSHA256 = Hash(f.SQL), TokenHash(f.SQL)
	statements := Split(f.SQL)
	if len(statements) == 0 {
		return File{}, errors.New("holds no statement")
	}
	for _, s := range statements {
		if why := s.refusal(); why != "" {
			return File{}, fmt.Errorf("line %d: %s", s.Line, why)
		}
	}
	if f.Direction == Down {
		return f, nil
	}
	var err error
	f.Card, err = ParseCard(f.SQL)
	return f, err
}

func (s *Files) add(f File) error {
	side := s.up
	if f.Direction == Down {
		side = s.down
	}
	if other, twice := side[f.Version]; twice {
		return fmt.Errorf("the same version as %s", other.Script)
	}
	side[f.Version] = f
	if f.Direction == Up {
		s.versions = append(s.versions, f.Version)
	}
	return nil
}

// pairs holds up and undo files against each other.
func (s *Files) pairs(rules Rules) []string {
	var problems []string
	for _, down := range s.down {
		up, ok := s.up[down.Version]
		switch {
		case !ok:
			problems = append(problems, down.Script+": there is no V file that it could undo")
		case up.Name != down.Name:
			problems = append(problems, fmt.Sprintf("%s: %s has another name", down.Script, up.Script))
		default:
			// An undo file has no card. Without bounds it would wait for a lock for ever, and everybody behind it.
			down.Card.LockTimeout, down.Card.StatementTimeout = up.Card.LockTimeout, up.Card.StatementTimeout
			s.down[down.Version] = down
		}
	}
	for _, up := range s.up {
		if _, ok := s.down[up.Version]; !ok && rules.Undo {
			problems = append(problems, fmt.Sprintf("%s: there is no U%s__%s.sql to undo it", up.Script, up.Version, up.Name))
		}
	}
	slices.Sort(problems)
	return problems
}

// Versions are those that have an up file, lowest first.
func (s *Files) Versions() []Version { return slices.Clone(s.versions) }

// Hashes are those of the up files.
func (s *Files) Hashes() []string {
	hashes := make([]string, 0, len(s.up))
	for _, f := range s.up {
		hashes = append(hashes, f.SHA256)
	}
	slices.Sort(hashes)
	return hashes
}

// Last is the highest version; zero where there is no file.
func (s *Files) Last() Version {
	if len(s.versions) == 0 {
		return 0
	}
	return s.versions[len(s.versions)-1]
}

// Up is the file that brings a version.
func (s *Files) Up(v Version) (File, bool) { f, ok := s.up[v]; return f, ok }

// Down is the file that takes a version back.
func (s *Files) Down(v Version) (File, bool) { f, ok := s.down[v]; return f, ok }

// In is the file of a version in a direction.
func (s *Files) In(d Direction, v Version) (File, bool) {
	if d == Down {
		return s.Down(v)
	}
	return s.Up(v)
}
