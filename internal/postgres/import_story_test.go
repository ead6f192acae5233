package postgres_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/dimension"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

const importHeader = "facility,material,height,width,thickness,length_unit,volume,weight,weight_unit,notes\n"

// filed is a floor with files of measurements, and more materials of both tenants: B1 to B5 of 10 ft³ and 20 lb.
type filed struct {
	*floor
	i *dimension.Imports
	// facility and material are the codes of what newFloor made.
	facility, material string
}

func newFiled(t *testing.T) *filed {
	t.Helper()
	f := &filed{floor: newFloor(t, "0.0.22")}
	f.i = dimension.NewImports(postgres.Imports{DB: housetest.Open(t, f.d)}, time.Now)
	f.facility = f.text(`SELECT facility_code FROM facilities WHERE facility_id = $1`, mill)
	f.material = f.text(`SELECT material_code FROM materials WHERE material_id = $1`, paper)
	for _, tenant := range []uuid.UUID{housetest.Rivermark, housetest.Saltway} {
		f.exec(`INSERT INTO materials (tenant_id, material_code, material_name, material_type, cubic_feet, weight_lbs_per_unit)
			SELECT $1, 'B' || n, 'Box ' || n, (SELECT material_type FROM materials WHERE material_id = $2), 10, 20 FROM generate_series(1, 5) n`, tenant, paper)
	}
	f.exec(`INSERT INTO materials (tenant_id, material_code, material_name, material_type) SELECT $1, 'THEIRS', 'Theirs', material_type FROM materials WHERE material_id = $2`, housetest.Saltway, paper)
	return f
}

// line is a line of the file with a volume and a weight.
func (f *filed) line(code, volume, weight, notes string) string {
	return fmt.Sprintf("%s,%s,,,,,%s,%s,lb,%s\n", f.facility, code, volume, weight, notes)
}

func (f *filed) receive(by actor.Actor, text string) dimension.ImportPage {
	f.t.Helper()
	id, err := f.i.Receive(f.t.Context(), by, "sheet.csv", strings.NewReader(text))
	if err != nil {
		f.t.Fatalf("Receive: %v", err)
	}
	f.work(by, id)
	return f.shown(by, id)
}

func (f *filed) work(by actor.Actor, id uuid.UUID) {
	f.t.Helper()
	if err := f.i.Work(f.t.Context(), dimension.ImportRef{Tenant: by.Tenant, ID: id}); err != nil {
		f.t.Fatalf("Work: %v", err)
	}
}

func (f *filed) shown(by actor.Actor, id uuid.UUID) dimension.ImportPage {
	f.t.Helper()
	p, err := f.i.Show(f.t.Context(), by, id, 0)
	if err != nil {
		f.t.Fatalf("Show: %v", err)
	}
	return p
}

const measuredRows = `SELECT concat_ws(' ', (SELECT count(*) FROM material_dimension_verifications), (SELECT count(*) FROM gatehouse.dimension_readings),
	(SELECT count(*) FROM gatehouse.dimension_changes), (SELECT count(*) FROM gatehouse.audit_events WHERE action = 'dimension:measure'))`

// Nothing is written before somebody confirms; then each line is what the form would have made of it.
func TestAFileIsMeasuredAsByHandOnceItIsConfirmed(t *testing.T) {
	t.Parallel()
	f := newFiled(t)
	p := f.receive(iris, importHeader+f.line("B1", "10", "20", "")+f.line("B2", "10.8", "20.5", "=1+1")+f.line("B3", "12", "20", "")+f.line(f.material, "100", "20", "")+
		f.facility+",B4,30,60,10,cm,,3,kg,\"two\nlines, 12\"\" wide\"\n")
	if p.State != dimension.Checked || p.Lines != 5 || p.Problems != 0 || p.Asked != 1 {
		t.Fatalf("the checked file is %+v, problems %v", p.Import, p.Bad)
	}
	want := dimension.Tally{"VERIFIED": 1, "MASTER_DATA_UPDATED": 1, "second_wanted": 3}
	if fmt.Sprint(p.Preview) != fmt.Sprint(want) {
		t.Errorf("the preview is %v, want %v", p.Preview, want)
	}
	if len(p.Asks) != 1 || !strings.Contains(p.Asks[0].Asked[0], "slipped point") || strings.Contains(fmt.Sprint(p.Asks), "10 ft³ is recorded") {
		t.Errorf("what is asked back: %v", p.Asks)
	}
	f.is("rows before it is confirmed", "0 0 0 0", measuredRows)
	if err := f.i.Confirm(t.Context(), iris, p.ID, p.Version, false); !fault.Is(err, fault.Invalid) {
		t.Errorf("confirming without an answer: %v, want invalid", err)
	}
	if err := f.i.Confirm(t.Context(), iris, p.ID, p.Version, true); err != nil {
		t.Fatal(err)
	}
	f.is("rows before the work", "0 0 0 0", measuredRows)
	f.work(iris, p.ID)
	got := f.shown(iris, p.ID)
	if got.State != dimension.Taken || fmt.Sprint(got.Result) != fmt.Sprint(want) {
		t.Errorf("the taken file is %+v", got.Import)
	}
	f.is("rows", "5 5 1 5", measuredRows)
	f.is("by hand it would be the same", "MASTER_DATA_UPDATED 10.8000 20.5000 8.00 2.50 f t f", `SELECT concat_ws(' ', verification_status, measured_cubic_feet, measured_weight_lbs, cubic_feet_variance_pct,
		weight_variance_pct, variance_threshold_exceeded, auto_updated_master_data, first_measurement) FROM material_dimension_verifications v JOIN materials m USING (tenant_id, material_id) WHERE m.material_code = 'B2'`)
	f.is("as it was entered", `{"width": {"unit": "cm", "value": "60"}, "height": {"unit": "cm", "value": "30"}, "weight": {"unit": "kg", "value": "3"}, "thickness": {"unit": "cm", "value": "10"}}`,
		`SELECT entered::text FROM gatehouse.dimension_readings r JOIN materials m USING (tenant_id, material_id) WHERE m.material_code = 'B4'`)
	f.is("who measured", "Iris 5", `SELECT concat_ws(' ', min(name), count(*)) FROM gatehouse.dimension_readings WHERE subject = 'Iris'`)
	f.is("a formula in a note stays a text", "=1+1", `SELECT notes FROM gatehouse.dimension_readings WHERE notes LIKE '=%'`)
	f.is("a second person is wanted", "3", `SELECT count(*)::text FROM gatehouse.measure_tasks WHERE reason = 'reading'`)
	f.is("the trail", "import:receive import:confirm", `SELECT string_agg(action, ' ' ORDER BY seq) FROM gatehouse.audit_events WHERE action LIKE 'import:%'`)
}

// Twice pressed, by two, and worked by several programs at once: each line is one reading.
func TestAConfirmedFileIsTakenExactlyOnce(t *testing.T) {
	t.Parallel()
	f := newFiled(t)
	f.exec(`INSERT INTO materials (tenant_id, material_code, material_name, material_type, cubic_feet, weight_lbs_per_unit)
		SELECT $1, 'M' || n, 'Many ' || n, (SELECT material_type FROM materials WHERE material_id = $2), 10, 20 FROM generate_series(1, 900) n`, housetest.Rivermark, paper)
	var text strings.Builder
	text.WriteString(importHeader)
	for n := range 900 {
		text.WriteString(f.line(fmt.Sprint("M", n+1), "10.1", "20", ""))
	}
	p := f.receive(iris, text.String())
	if p.State != dimension.Checked {
		t.Fatalf("the file is %+v, %v", p.Import, p.Bad)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := f.i.Confirm(t.Context(), iris, p.ID, p.Version, false); err != nil {
				t.Errorf("a second press of the same person: %v", err)
			}
			if err := f.i.Work(t.Context(), dimension.ImportRef{Tenant: housetest.Rivermark, ID: p.ID}); err != nil {
				t.Errorf("Work: %v", err)
			}
		})
	}
	all.Wait()
	f.is("rows", "900 900 900 900", measuredRows)
	f.is("confirmed in the trail", "1", `SELECT count(*)::text FROM gatehouse.audit_events WHERE action = 'import:confirm'`)
	if err := f.i.Confirm(t.Context(), ivan, p.ID, p.Version, false); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "Iris has confirmed") {
		t.Errorf("somebody else confirms: %v", err)
	}
	if got := f.shown(ivan, p.ID); got.Done != 900 || got.Result["MASTER_DATA_UPDATED"] != 900 {
		t.Errorf("the taken file is %+v", got.Import)
	}
}

// A program that is gone in the middle leaves nothing undone and nothing done twice.
func TestAFileGoesOnWhereAProgramWasKilled(t *testing.T) {
	t.Parallel()
	f := newFiled(t)
	p := f.receive(iris, importHeader+f.line("B1", "10", "20", "")+f.line("B2", "10", "20", "")+f.line("B3", "10", "20", ""))
	if err := f.i.Confirm(t.Context(), iris, p.ID, p.Version, false); err != nil {
		t.Fatal(err)
	}
	store := &dying{Imports: postgres.Imports{DB: housetest.Open(t, f.d)}, after: 1}
	dies := dimension.NewImports(store, time.Now)
	if err := dies.Work(t.Context(), dimension.ImportRef{Tenant: housetest.Rivermark, ID: p.ID}); err == nil {
		t.Fatal("the program that dies did not die")
	}
	f.is("rows of the broken turn", "1 1 0 1", measuredRows)
	f.exec(`UPDATE gatehouse.measurement_imports SET heard_at = now() - interval '1 minute'`)
	if n, err := f.i.Silent(t.Context(), iris); err != nil || n != 1 {
		t.Errorf("Silent: %d, %v", n, err)
	}
	f.work(iris, p.ID)
	f.is("rows", "3 3 0 3", measuredRows)
}

// dying does one line a turn, and is gone in the midst of one.
type dying struct {
	postgres.Imports
	after int
}

func (d *dying) Turn(ctx context.Context, ref dimension.ImportRef, _ int, work dimension.ImportWork) (dimension.Import, bool, error) {
	return d.Imports.Turn(ctx, ref, 1, func(ctx context.Context, tx dimension.Tx, i dimension.Import, line dimension.ImportLine) (dimension.ImportVerdict, error) {
		v, err := work(ctx, tx, i, line)
		if d.after--; d.after < 0 {
			return v, io.ErrUnexpectedEOF
		}
		return v, err
	})
}

// What changed between the check and the confirmation is told line by line; the others are taken.
func TestWhatChangedSinceTheCheckIsNotTaken(t *testing.T) {
	t.Parallel()
	f := newFiled(t)
	p := f.receive(iris, importHeader+f.line("B1", "10.1", "20", "")+f.line("B2", "10.1", "20", "")+f.line("B3", "10.1", "20", ""))
	f.exec(`UPDATE materials SET version = version + 1, cubic_feet = 11 WHERE material_code = 'B1' AND tenant_id = $1`, housetest.Rivermark)
	f.exec(`UPDATE materials SET deleted_at = now() WHERE material_code = 'B3' AND tenant_id = $1`, housetest.Rivermark)
	if err := f.i.Confirm(t.Context(), iris, p.ID, p.Version, false); err != nil {
		t.Fatal(err)
	}
	f.work(iris, p.ID)
	got := f.shown(iris, p.ID)
	if got.Result["MASTER_DATA_UPDATED"] != 1 || got.Result[dimension.NotTaken] != 2 || len(got.Left) != 2 || !strings.Contains(got.Left[0].Reason, "changed while you measured") {
		t.Errorf("the taken file is %+v, left %v", got.Result, got.Left)
	}
	f.is("rows", "1 1 1 1", measuredRows)
}

// Each bad line is named, with its column and a sentence, and nothing of the file can be confirmed.
func TestEveryBadLineIsNamed(t *testing.T) {
	t.Parallel()
	f := newFiled(t)
	f.exec(`UPDATE materials SET deleted_at = now() WHERE material_code = 'B5' AND tenant_id = $1`, housetest.Rivermark)
	lines := []struct{ line, column, problem string }{
		{f.line("B1", "NaN", "20", ""), "volume", "This is no number."},
		{f.line("B1", "1e308", "20", ""), "volume", "without an exponent"},
		{f.line("B1", "\"10,5\"", "20", ""), "volume", "Write it with a point and without separators, like 10.5"},
		{f.line("B1", "١٠٫٥", "20", ""), "volume", "digits 0 to 9, like 10.5"},
		{f.line("B1", "0", "20", ""), "volume", "more than 0"},
		{f.line("B1", "-3", "20", ""), "volume", "more than 0"},
		{f.line("B1", "10001", "20", ""), "volume", "more than can be"},
		{f.line("B1", "10", "", ""), "weight", "This is needed."},
		{f.line("B1", "10", "50001", ""), "weight", "more than can be"},
		{f.line("B1", "10", "20", strings.Repeat("n", 4096)), "notes", "At most 2000 characters"},
		{f.line("THEIRS", "10", "20", ""), "material", "No material has the code THEIRS here."},
		{f.line("=1+1", "10", "20", ""), "material", "No material has the code =1+1 here."},
		{f.line("B5", "10", "20", ""), "material", "was deleted"},
		{strings.Replace(f.line("B2", "10", "20", ""), f.facility, "NOWHERE", 1), "facility", "No facility has the code NOWHERE here."},
		{f.line("B3", "10", "20", ""), "", ""},
		{f.line("B3", "10", "20", ""), "material", "stands in line 16 already"},
		{f.facility + ",B4,30,60,10,furlong,,3,kg,\n", "length_unit", "Say the unit: in, cm or mm."},
		{f.facility + ",B4,30,60,,cm,,3,kg,\n", "thickness", "This is needed, or the volume."},
		{f.facility + ",B4,,,,,10,3,stone,\n", "weight_unit", "Say the unit: lb, kg or g."},
		{f.line("B4", "10", "20", "a\x00b"), "notes", "cannot be kept"},
		{f.line("B4", "10", "20", "a\xffb"), "notes", "not written in UTF-8"},
		{f.line("B4", "10", "20", "right\u202eleft"), "notes", "cannot be kept"},
		{f.line("B4", "10", "20", "x,y,z"), "", "12 fields, and the first line names 10 columns"},
		{f.line("B4", "10", "20", `"a" b`), "", "After a closing quote"},
		{f.line("B4", "10", "20", strings.Repeat(",", 1_000_000)), "", "more than 50 columns"},
		{f.line(strings.Repeat("C", 101), "10", "20", ""), "material", "No code is longer than 100"},
		{f.line("B4", "10", "20", strings.Repeat("long ", 20_000)), "", "longer than 65536"},
		{f.line("B4", "10", "20", `"never closed`), "", "never closed"},
	}
	text := importHeader
	for _, l := range lines {
		text += l.line
	}
	p := f.receive(iris, "\xef\xbb\xbf"+text)
	if p.State != dimension.Refused {
		t.Fatalf("the file is %+v", p.Import)
	}
	for n, l := range lines {
		var said []string
		found := l.problem == ""
		for _, b := range p.Bad {
			if b.Line == n+2 {
				said = append(said, b.Column+": "+b.Text)
				found = found || b.Column == l.column && strings.Contains(b.Text, l.problem)
			}
		}
		if !found || l.problem == "" && len(said) > 0 {
			t.Errorf("line %d, %.60q: %v, want %s: %s", n+2, l.line, said, l.column, l.problem)
		}
	}
	if err := f.i.Confirm(t.Context(), iris, p.ID, p.Version, true); !fault.Is(err, fault.Conflict) {
		t.Errorf("confirming a file with wrong lines: %v, want a conflict", err)
	}
	f.is("rows", "0 0 0 0", measuredRows)
}

// A file that is none is told what it is.
func TestWhatIsNoFileOfMeasurements(t *testing.T) {
	t.Parallel()
	f := newFiled(t)
	utf16 := "\xff\xfe"
	for _, r := range importHeader {
		utf16 += string([]byte{byte(r), 0})
	}
	for text, want := range map[string]string{
		"":                                  "The file is empty.",
		utf16:                               "UTF-16",
		utf16[2:]:                           "UTF-16",
		"PK\x03\x04xxxx":                    "spreadsheet's own file",
		"a,b,c\n1,2,3\n":                    "none that is known",
		"facility,material,volume,weight\n": "The column weight_unit is missing.",
		"facility,facility,material,weight,weight_unit\n": "there twice",
		importHeader:                    "holds no line",
		strings.Repeat("a,", 1_000_000): "more than 50 columns",
		`"facility,material`:            "never closed",
		strings.Repeat("x", 1_000_000):  "longer than 65536",
	} {
		p := f.receive(iris, text)
		if p.State != dimension.Refused || len(p.Bad) == 0 || !strings.Contains(fmt.Sprint(p.Bad), want) {
			t.Errorf("%.30q is %s with %v, want %q", text, p.State, p.Bad, want)
		}
	}
	// What other programs write: semicolons, tabs, and lines that end in CR LF.
	for _, by := range []string{";", "\t"} {
		text := strings.ReplaceAll(strings.ReplaceAll(importHeader+f.line("B1", "10", "20", "ok"), ",", by), "\n", "\r\n")
		if p := f.receive(iris, text); p.State != dimension.Checked || p.Lines != 1 {
			t.Errorf("separated by %q: %+v, %v", by, p.Import, p.Bad)
		}
	}
}

// Another tenant neither sees nor touches a file, nor does somebody without the right.
func TestAnothersFileIsNotThere(t *testing.T) {
	t.Parallel()
	f := newFiled(t)
	p := f.receive(iris, importHeader+f.line("B1", "10.1", "20", ""))
	if _, err := f.i.Show(t.Context(), cato, p.ID, 0); !fault.Is(err, fault.NotFound) {
		t.Errorf("theirs looks at ours: %v", err)
	}
	if list, _, err := f.i.List(t.Context(), cato); err != nil || len(list) != 0 {
		t.Errorf("theirs lists %v, %v", list, err)
	}
	if err := f.i.Confirm(t.Context(), cato, p.ID, p.Version, true); !fault.Is(err, fault.NotFound) {
		t.Errorf("theirs confirms ours: %v", err)
	}
	if err := f.i.Discard(t.Context(), cato, p.ID, p.Version); !fault.Is(err, fault.NotFound) {
		t.Errorf("theirs discards ours: %v", err)
	}
	if err := f.i.Work(t.Context(), dimension.ImportRef{Tenant: housetest.Saltway, ID: p.ID}); err != nil {
		t.Errorf("their worker on our file: %v", err)
	}
	viewer := housetest.Person(housetest.Rivermark, "Vera", actor.Viewer)
	if _, err := f.i.Receive(t.Context(), viewer, "x.csv", strings.NewReader(importHeader)); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a viewer sends a file: %v", err)
	}
	if err := f.i.Confirm(t.Context(), viewer, p.ID, p.Version, false); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a viewer confirms: %v", err)
	}
	if err := f.i.Discard(t.Context(), ivan, p.ID, p.Version); err != nil {
		t.Fatal(err)
	}
	if err := f.i.Confirm(t.Context(), iris, p.ID, p.Version, false); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "discarded") {
		t.Errorf("confirming what was discarded: %v", err)
	}
	f.is("rows", "0 0 0 0", measuredRows)
	f.is("its lines", "0", `SELECT count(*)::text FROM gatehouse.measurement_import_lines`)
}
