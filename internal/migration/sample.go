package migration

import "fmt"

// OnSample is the kind of data of a rehearsal that was held where there was no backup to restore: the schema, and a sample of
// the rows. That it passed proves nothing about applying, because the rows that were left out may be the ones that do not
// fit; that it did not pass is proof enough.
const OnSample = "sample"

// OnCopy is the kind of data of a rehearsal on a copy that somebody made by hand. Nobody here saw of what it is a copy, so
// that it passed opens no gate, but where two people override the age of the backup: they may have no other.
const OnCopy = "copy"

// SampleSize is how many rows of how many a rehearsal had.
type SampleSize struct{ Rows, Of int64 }

// Words is the size in words.
func (s SampleSize) Words() string {
	return fmt.Sprintf("a sample of %s of %s rows", grouped(s.Rows), grouped(s.Of))
}

// RehearsalSample is what was copied of each table.
type RehearsalSample struct {
	// RowsPerTable is how many rows a table may have to be copied whole.
	RowsPerTable int            `json:"rows_per_table"`
	Tables       []SampledTable `json:"tables"`
}

// SampledTable is one table: Rows of its Of rows were copied.
type SampledTable struct {
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
	Of    int64  `json:"of"`
}

// Size adds the tables up.
func (s RehearsalSample) Size() (size SampleSize) {
	for _, t := range s.Tables {
		size.Rows, size.Of = size.Rows+t.Rows, size.Of+t.Of
	}
	return size
}

// Words is the sample in words.
func (s RehearsalSample) Words() string { return s.Size().Words() }

// Cut are the tables of which not every row was copied.
func (s RehearsalSample) Cut() (cut []SampledTable) {
	for _, t := range s.Tables {
		if t.Rows < t.Of {
			cut = append(cut, t)
		}
	}
	return cut
}

// grouped is a number with its thousands set apart: 1,204,331.
func grouped(n int64) string {
	text := fmt.Sprint(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
