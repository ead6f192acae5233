package backup

// Sample says what of each table was copied into a scratch database where there was no backup to restore.
type Sample struct {
	// RowsPerTable is how many rows a table may have to be copied whole; of a larger one about that many are copied, and
	// with them the rows that these point at.
	RowsPerTable int
	Tables       []SampledTable // by name
}

// SampledTable is one table: Rows of its Of rows were copied.
type SampledTable struct {
	Table    string // "public.lots"
	Rows, Of int64
}

// How many rows of a table a sample may have: at least one, at most the last, and the usual number where nobody says.
const (
	UsualSampleRows = 10_000
	MostSampleRows  = 1_000_000
)
