package dimension

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/fault"
)

// What a file of measurements may be at most.
const (
	ImportBytes = 32 << 20
	ImportLines = 100_000

	// recordBytes and recordFields bound one line, so that a file without an end of line, or with a quote that is never closed,
	// costs no more memory than any other.
	recordBytes  = 64 << 10
	recordFields = 50
	codeMost     = 100
)

// The columns of a file, in the order of the example.
const (
	ColumnFacility   = "facility"
	ColumnMaterial   = "material"
	ColumnLengthUnit = "length_unit"
	ColumnWeightUnit = "weight_unit"
	ColumnNotes      = "notes"
)

// ImportColumns are the columns that are known. Only the first two and the weight with its unit have to be there.
var ImportColumns = []string{
	ColumnFacility, ColumnMaterial, string(Height), string(Width), string(Thickness), ColumnLengthUnit, string(Volume), string(Weight), ColumnWeightUnit, ColumnNotes,
}

var columnsNeeded = []string{ColumnFacility, ColumnMaterial, string(Weight), ColumnWeightUnit}

// ImportExample is a file that is read without a complaint where the codes exist.
const ImportExample = "facility,material,height,width,thickness,length_unit,volume,weight,weight_unit,notes\r\n" +
	"NORTH-01,CASE-1001,12.5,20,31.75,cm,,4.2,kg,measured by the machine at dock 2\r\n" +
	"NORTH-01,CASE-1002,,,,,0.75,9.5,lb,the volume alone\r\n" +
	"NORTH-01,CASE-1003,10,8,6,in,,3.1,lb,\"a note, with a comma\"\r\n"

// ImportLine is one line of a file, as it is measured by it.
type ImportLine struct {
	Number             int // in the file; the header is 1
	FacilityCode, Code string
	Box                Box
	Notes              string

	// What the check found to it.
	Facility, Material uuid.UUID
	Seen               int // the version of the material then
	Asked              []string
}

// ImportProblem is why a line of a file cannot be taken: a sentence, and where it is.
type ImportProblem struct {
	Line         int
	Column, Text string // no column: the whole line
}

// ImportFile reads a file line by line. It never holds more than one of them.
type ImportFile struct {
	in        *bufio.Reader
	separator byte
	columns   []string // of each field; empty for one that is not known
	at        int      // the line that is read next
	ended     bool
}

// OpenImport reads what a file begins with. Where it is none of measurements, the problems say so.
func OpenImport(from io.Reader) (*ImportFile, []ImportProblem, error) {
	f := &ImportFile{in: bufio.NewReaderSize(from, recordBytes), at: 1}
	start, err := f.in.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	if problem := kindOf(start); problem != "" {
		return nil, []ImportProblem{{Line: 1, Text: problem}}, nil
	}
	if bytes.HasPrefix(start, []byte("\xef\xbb\xbf")) {
		_, _ = f.in.Discard(3)
	}
	f.separator = f.guess()
	fields, number, problem, err := f.record()
	switch {
	case errors.Is(err, io.EOF):
		return nil, []ImportProblem{{Line: 1, Text: "The file is empty. Its first line names the columns: see the example."}}, nil
	case err != nil:
		return nil, nil, err
	case problem != "":
		return nil, []ImportProblem{{Line: number, Text: problem}}, nil
	}
	return f, f.header(fields), nil
}

// kindOf says what a file is that is no CSV in UTF-8; empty where it may be one.
func kindOf(start []byte) string {
	switch {
	case bytes.HasPrefix(start, []byte{0xff, 0xfe}), bytes.HasPrefix(start, []byte{0xfe, 0xff}), bytes.IndexByte(start, 0) >= 0:
		return "The file is written as UTF-16, which spreadsheets call Unicode text. Save it as CSV UTF-8 and send it again."
	case bytes.HasPrefix(start, []byte("PK\x03\x04")), bytes.HasPrefix(start, []byte{0xd0, 0xcf, 0x11, 0xe0}):
		return "This is a spreadsheet's own file. Save it as CSV UTF-8 and send that."
	}
	return ""
}

// guess is what the first line is separated by.
func (f *ImportFile) guess() byte {
	start, _ := f.in.Peek(4096)
	first, _, _ := bytes.Cut(start, []byte("\n"))
	best, most := byte(','), 0
	for _, s := range []byte{',', ';', '\t'} {
		if n := bytes.Count(first, []byte{s}); n > most {
			best, most = s, n
		}
	}
	return best
}

func (f *ImportFile) header(fields []string) (problems []ImportProblem) {
	add := func(format string, args ...any) {
		problems = append(problems, ImportProblem{Line: 1, Text: fmt.Sprintf(format, args...)})
	}
	for _, name := range fields {
		column := strings.ToLower(strings.TrimSpace(name))
		if column == "depth" {
			column = string(Thickness)
		}
		switch {
		case column == "":
		case !utf8.ValidString(column) || !slices.Contains(ImportColumns, column):
			add("The column “%s” is none that is known. Known are %s.", shorten(name), strings.Join(ImportColumns, ", "))
		case slices.Contains(f.columns, column):
			add("The column %s is there twice.", column)
		}
		f.columns = append(f.columns, column)
	}
	for _, needed := range columnsNeeded {
		if !slices.Contains(f.columns, needed) {
			add("The column %s is missing.", needed)
		}
	}
	if len(problems) > 5 {
		problems = append(problems[:5], ImportProblem{Line: 1, Text: "And more of them: the first line does not name the columns. See the example."})
	}
	return problems
}

// Next reads the next line; io.EOF after the last. A line with problems is read to its end, and those after it are read too,
// unless nobody can tell where it ends.
func (f *ImportFile) Next() (ImportLine, []ImportProblem, error) {
	for {
		fields, number, problem, err := f.record()
		switch {
		case err != nil:
			return ImportLine{}, nil, err
		case problem != "":
			return ImportLine{Number: number}, []ImportProblem{{Line: number, Text: problem}}, nil
		case len(fields) == 1 && strings.TrimSpace(fields[0]) == "":
			continue // an empty line
		case len(fields) > len(f.columns):
			return ImportLine{Number: number}, []ImportProblem{{Line: number, Text: fmt.Sprintf("The line has %d fields, and the first line names %d columns. A text with a separator in it stands in quotes.", len(fields), len(f.columns))}}, nil
		}
		line, problems := f.line(number, fields)
		return line, problems, nil
	}
}

func (f *ImportFile) line(number int, fields []string) (ImportLine, []ImportProblem) {
	text := map[string]string{}
	l := ImportLine{Number: number}
	var problems []ImportProblem
	said := map[string]bool{}
	add := func(column, sentence string) {
		if !said[column] {
			said[column], problems = true, append(problems, ImportProblem{number, column, sentence})
		}
	}
	for i, field := range fields {
		switch column := f.columns[i]; {
		case !utf8.ValidString(field):
			add(column, "This is not written in UTF-8. Save the file as CSV UTF-8 and send it again.")
		case strings.ContainsFunc(field, unkept):
			add(column, "This holds a character that cannot be kept. Remove it.")
		case column == "" && strings.TrimSpace(field) != "":
			add("", fmt.Sprintf("Field %d has no column in the first line.", i+1))
		default:
			text[column] = strings.TrimSpace(field)
		}
	}
	code := func(column string) string {
		value := text[column]
		switch {
		case value == "":
			add(column, "This is needed.")
		case utf8.RuneCountInString(value) > codeMost:
			add(column, fmt.Sprintf("No code is longer than %d characters.", codeMost))
		}
		return value
	}
	l.FacilityCode, l.Code, l.Notes = code(ColumnFacility), code(ColumnMaterial), text[ColumnNotes]
	for _, q := range Quantities {
		value := text[string(q)]
		if value == "" {
			continue
		}
		unit, column := unitOf(q, text)
		if !slices.Contains(q.Units(), unit) {
			add(column, fmt.Sprintf("Say the unit: %s.", unitNames(q)))
			said[string(q)] = true
			continue
		}
		a, problem := ParseAmount(q, value, unit)
		if problem != "" {
			add(string(q), problem)
			continue
		}
		l.Box.Set(q, a)
	}
	// What a form is refused for, a line is refused for.
	if refused, ok := fault.As(Measurement{Box: l.Box, Notes: l.Notes, Key: uuid.Max}.check()); ok {
		for _, column := range ImportColumns {
			if sentence := refused.Fields[column]; sentence != "" {
				add(column, sentence)
			}
		}
	}
	return l, problems
}

func unitOf(q Quantity, text map[string]string) (Unit, string) {
	switch q {
	case Volume:
		return CubicFoot, string(Volume)
	case Weight:
		return Unit(strings.ToLower(text[ColumnWeightUnit])), ColumnWeightUnit
	case Height, Width, Thickness:
	}
	return Unit(strings.ToLower(text[ColumnLengthUnit])), ColumnLengthUnit
}

func unitNames(q Quantity) string {
	var words []string
	for _, u := range q.Units() {
		words = append(words, u.Word())
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// unkept are characters that no text of a form may hold either: control characters, and those that turn the writing around.
func unkept(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

func shorten(s string) string {
	s = strings.ToValidUTF8(s, "�")
	if runes := []rune(s); len(runes) > 40 {
		return string(runes[:40]) + "…"
	}
	return s
}

// record reads the fields of a line. A problem is a sentence about it; the reader then stands after its end.
func (f *ImportFile) record() (fields []string, number int, problem string, err error) {
	if f.ended {
		return nil, f.at, "", io.EOF
	}
	number = f.at
	var field []byte
	size, quoted, closed, opened := 0, false, false, 0
	for {
		b, err := f.in.ReadByte()
		if errors.Is(err, io.EOF) {
			f.ended = true
			switch {
			case quoted && !closed:
				return nil, opened, "The quote that opens in this line is never closed, so what comes after it was not read.", nil
			case size == 0:
				return nil, number, "", io.EOF
			}
			return append(fields, string(field)), number, problem, nil
		}
		if err != nil {
			return nil, number, "", err
		}
		if size++; size > recordBytes && problem == "" {
			if quoted && !closed {
				f.ended = true
				return nil, opened, "The quote that opens in this line is never closed, so what comes after it was not read.", nil
			}
			problem = fmt.Sprintf("The line is longer than %d characters. No line of measurements is.", recordBytes)
		}
		switch {
		case b == '\n' && (!quoted || closed):
			f.at++
			return append(fields, strings.TrimSuffix(string(field), "\r")), number, problem, nil
		case problem != "":
			// Read on to the end of the line.
		case quoted && !closed && b == '"':
			closed = true
		case quoted && closed && b == '"':
			field, closed = append(field, b), false
		case quoted && !closed:
			if b == '\n' {
				f.at++
			}
			field = append(field, b)
		case b == f.separator:
			fields, field, quoted, closed = append(fields, string(field)), field[:0], false, false
			if len(fields) > recordFields {
				problem = fmt.Sprintf("The line has more than %d columns. No file of measurements has.", recordFields)
			}
		case closed && b != '\r' && b != ' ':
			problem = "After a closing quote there is more text. A quote within a quoted text is written twice."
		case closed:
		case b == '"' && len(bytes.TrimSpace(field)) == 0:
			quoted, opened, field = true, f.at, field[:0]
		default:
			field = append(field, b)
		}
	}
}
