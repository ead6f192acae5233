package handlers

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"github.com/shopspring/decimal"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/dimension"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/web"
)

// tape is a floor in memory that answers what it is told to.
type tape struct {
	DimensionStories
	sheet    dimension.Sheet
	found    []dimension.Found
	refuses  error
	asked    dimension.WorkQuery
	measured dimension.Measurement
	ruled    dimension.Ruling
}

func (f *tape) Sheet(context.Context, actor.Actor, uuid.UUID, uuid.UUID) (dimension.Sheet, error) {
	return f.sheet, nil
}

func (f *tape) Work(_ context.Context, _ actor.Actor, q dimension.WorkQuery) (dimension.Work, error) {
	f.asked = q
	return dimension.Work{Facilities: []dimension.Facility{{ID: north, Code: "N"}}, Facility: dimension.Facility{ID: north, Code: "N"}, Found: f.found, At: t0}, nil
}

func (f *tape) Measure(_ context.Context, _ actor.Actor, m dimension.Measurement) (dimension.Reading, error) {
	f.measured = m
	return dimension.Reading{Facility: m.Facility, Outcome: dimension.SecondWanted, Tolerance: dimension.Binding}, f.refuses
}

func (f *tape) Decide(_ context.Context, _ actor.Actor, r dimension.Ruling) error {
	f.ruled = r
	return f.refuses
}

func (f *tape) Case(context.Context, actor.Actor, uuid.UUID) (dimension.Review, error) {
	return dimension.Review{
		Case: dimension.Case{ID: roll, State: dimension.InReview, Version: 3, Measured: dimension.Box{
			Volume: dimension.Amount{Value: decimal.New(12, 0), Unit: dimension.CubicFoot}, Weight: dimension.Amount{Value: decimal.New(20, 0), Unit: dimension.Pound},
		}},
		Material: dimension.Material{ID: roll, Code: "PR-1", Version: 7, Master: dimension.Master{CubicFeet: decimal.NewNullDecimal(decimal.New(10, 0))}}, At: t0,
	}, nil
}

var (
	north = uuid.MustParse("00000000-0000-7000-8000-0000000000a1")
	roll  = uuid.MustParse("00000000-0000-7000-8000-0000000000c1")
	staff = actor.Actor{Issuer: "i", Subject: "iris", Name: "Iris", Roles: []actor.Role{actor.WarehouseStaff}}
	chief = actor.Actor{Issuer: "i", Subject: "wes", Name: "Wes", Roles: []actor.Role{actor.WarehouseSupervisor}}
)

func (f *tape) ask(t *testing.T, by actor.Actor, method, path string, fields ...string) (int, string, string) {
	t.Helper()
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) { _ = c.String(web.Status(err), err.Error()) }
	for _, route := range Dimensions(f, func() time.Time { return t0 }) {
		e.Add(route.Method, route.Path, echo.HandlerFunc(route.Handler))
	}
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	request := httptest.NewRequestWithContext(actor.Into(t.Context(), by), method, path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		request.Header.Set(echo.HeaderContentType, echo.MIMEApplicationForm)
	}
	recorder := httptest.NewRecorder()
	e.ServeHTTP(recorder, request)
	return recorder.Code, recorder.Body.String(), recorder.Header().Get("Location")
}

func aSheet() dimension.Sheet {
	return dimension.Sheet{Facility: dimension.Facility{ID: north, Code: "N"}, Material: roll, Code: "PR-1", Name: "Paper roll", Version: 7}
}

var measureAt = "/dimensions/materials/" + roll.String() + "/measure"

// V3: one quantity after the other in fixed order; what was typed goes along, and a wrong answer asks the same again.
func TestASheetAsksOneQuantityAfterTheOther(t *testing.T) {
	f := &tape{sheet: aSheet()}
	first := measureAt + "?facility=" + north.String()
	for _, c := range []struct {
		query  string
		status int
		step   string
		holds  []string
	}{
		{"", 200, "height", []string{`inputmode="decimal"`, "1 of 4"}},
		{"&at=height&height=12.5&height_unit=cm", 200, "width", []string{`name="height" value="12.5"`, `name="height_unit" value="cm"`, `value="cm" checked`}},
		{"&at=height&height=12,5&height_unit=cm", 422, "height", []string{"like 12.5", `value="12,5"`}},
		{"&at=height&height=&height_unit=cm", 422, "height", []string{"This is needed"}},
		{"&at=height&height=%D9%A1%D9%A2&height_unit=cm", 422, "height", []string{"digits 0 to 9, like 12"}},
		{"&at=height&height=H:120&height_unit=in", 200, "width", []string{`name="height" value="120"`, `name="height_unit" value="mm"`}},
		{"&at=height&height=W:120&height_unit=in", 422, "height", []string{"for the width"}},
		{"&height=1&width=2&at=thickness&thickness=3", 200, "weight", []string{"4 of 4"}},
		{"&height=1&width=2&thickness=3&at=weight&weight=4&weight_unit=kg", 200, "check", []string{`name="seen" value="7"`, `name="weight_unit" value="kg"`, `data-action="save"`}},
		{"&height=1&width=2&thickness=3&weight=4&step=width", 200, "width", []string{`value="2"`}},
		{"&by=volume", 200, "volume", []string{"cubic feet"}},
		{"&by=volume&at=volume&volume=3", 200, "weight", []string{"2 of 2"}},
		{"&height=1&at=width&width=2&width_unit=furlong", 422, "width", []string{"Choose the unit"}},
	} {
		status, body, _ := f.ask(t, staff, http.MethodGet, first+c.query)
		if status != c.status || !strings.Contains(body, `data-step="`+c.step+`"`) {
			t.Errorf("%s: %d, want %d at step %s: %s", c.query, status, c.status, c.step, body[:min(len(body), 300)])
		}
		for _, text := range c.holds {
			if !strings.Contains(body, text) {
				t.Errorf("%s: the page lacks %q", c.query, text)
			}
		}
	}
	for command, want := range map[string]string{"BACK": "step=height", "cancel": "/dimensions?facility="} {
		status, _, to := f.ask(t, staff, http.MethodGet, first+"&height=1&at=width&width="+command)
		if status != http.StatusSeeOther || !strings.Contains(to, want) {
			t.Errorf("%s scanned: %d to %q", command, status, to)
		}
	}
	if status, _, _ := f.ask(t, staff, http.MethodGet, first+"&nobody_knows=1"); status != http.StatusUnprocessableEntity {
		t.Errorf("a field nobody knows: %d", status)
	}
}

// What is typed is what the story gets, exactly; commands do without a button, and what is refused keeps everything.
func TestACheckedSheetIsSaved(t *testing.T) {
	fields := []string{
		"facility", north.String(), "seen", "7", "key", uuid.NewString(), "height", "12.50", "height_unit", "cm", "width", "2", "width_unit", "in", "thickness", "3", "thickness_unit", "mm",
		"weight", "4", "weight_unit", "kg", "notes", "A corner is crushed.",
	}
	f := &tape{sheet: aSheet()}
	status, _, to := f.ask(t, staff, http.MethodPost, measureAt, append(fields, "command", "OK")...)
	if status != http.StatusSeeOther || to != "/dimensions?facility="+north.String() {
		t.Errorf("saved: %d to %q", status, to)
	}
	if m := f.measured; m.Box.Height.String() != "12.5 cm" || m.Box.Weight.String() != "4 kg" || m.Box.Volume.Given() || m.Seen != 7 || m.Sure || m.Notes != "A corner is crushed." || m.Material != roll {
		t.Errorf("the story gets %+v", m)
	}
	f = &tape{sheet: aSheet()}
	if status, _, to := f.ask(t, staff, http.MethodPost, measureAt, append(fields, "command", "BACK")...); status != http.StatusSeeOther || !strings.Contains(to, "step=weight") || f.measured.Key != uuid.Nil {
		t.Errorf("BACK: %d to %q, measured %v", status, to, f.measured.Key)
	}
	f.refuses = fault.New(fault.Invalid, "Please look again.").WithField("height", "Is it really 12.5 cm?").WithField("sure", "Measure once more.")
	status, body, _ := f.ask(t, staff, http.MethodPost, measureAt, fields...)
	for _, text := range []string{"Is it really 12.5 cm?", `name="sure"`, `name="height" value="12.50"`, "A corner is crushed.", fields[5]} {
		if status != http.StatusUnprocessableEntity || !strings.Contains(body, text) {
			t.Errorf("asked back: %d, the page lacks %q", status, text)
		}
	}
	f.refuses = fault.New(fault.Conflict, "It was changed while you measured.").WithField("seen", "Ivan changed the volume.")
	f.sheet.Version = 8
	status, body, _ = f.ask(t, staff, http.MethodPost, measureAt, fields...)
	for _, text := range []string{"data-conflict", "Ivan changed the volume.", `name="seen" value="8"`, `name="height" value="12.50"`} {
		if status != http.StatusConflict || !strings.Contains(body, text) {
			t.Errorf("a conflict: %d, the page lacks %q", status, text)
		}
	}
	if strings.Contains(body, fields[5]) {
		t.Error("a form that met a conflict keeps its key: what is sent next would be another thing under it")
	}
}

func TestAScanLeadsToTheMaterial(t *testing.T) {
	f := &tape{found: []dimension.Found{{Material: roll, Code: "PR-1", Kind: dimension.ByBarcode}}}
	status, _, to := f.ask(t, staff, http.MethodGet, "/dimensions?scan=]C10104006381333931%1d10L7")
	if status != http.StatusSeeOther || !strings.HasPrefix(to, measureAt) || f.asked.GTIN != "04006381333931" {
		t.Errorf("a scan: %d to %q, asked %+v", status, to, f.asked)
	}
	f.found = []dimension.Found{{Material: roll, Code: "PR-1", Kind: dimension.ByLocation, Location: "A-1"}}
	if status, body, _ := f.ask(t, staff, http.MethodGet, "/dimensions?scan=A-1"); status != http.StatusOK || !strings.Contains(body, `data-found="PR-1"`) {
		t.Errorf("a bin: %d", status)
	}
	f.found = nil
	for scanned, c := range map[string]struct {
		status int
		says   string
	}{
		"4006381333932": {422, "would have to end in 1"}, "4006381333931": {200, "Nobody has said yet"}, "NOPE": {200, "Nothing here has the code NOPE"}, "OK": {200, "Scan a material first"},
		"H:120": {200, "Scan a material first"}, "%EF%BC%94": {422, "digits 0 to 9 only"}, "%3Cscript%3E": {200, "&lt;script&gt;"}, "10012345678902": {200, "barcode of a case"},
	} {
		status, body, _ := f.ask(t, staff, http.MethodGet, "/dimensions?scan="+scanned)
		if status != c.status || !strings.Contains(body, c.says) || strings.Contains(body, "<script>") {
			t.Errorf("scan %s: %d, want %d that says %q", scanned, status, c.status, c.says)
		}
	}
}

func TestADecisionCarriesWhatThePersonSaw(t *testing.T) {
	f := &tape{}
	page := "/dimensions/reviews/" + roll.String()
	status, body, _ := f.ask(t, chief, http.MethodGet, page)
	for _, text := range []string{`name="version" value="3"`, `name="material_version" value="7"`, "Take over 12 ft³ and 20 lb"} {
		if status != http.StatusOK || !strings.Contains(body, text) {
			t.Errorf("the page of a review: %d, lacks %q", status, text)
		}
	}
	if _, body, _ := f.ask(t, staff, http.MethodGet, page); strings.Contains(body, `data-action="approve"`) || !strings.Contains(body, "data-who-may") {
		t.Error("staff is offered the decision")
	}
	status, _, to := f.ask(t, chief, http.MethodPost, page, "version", "3", "material_version", "7", "note", "I looked.", "decision", "KEEP_MASTER")
	if status != http.StatusSeeOther || to != "/dimensions/reviews" || f.ruled.Decision != dimension.KeepMaster || f.ruled.Seen != 3 || f.ruled.Material != 7 || f.ruled.Note != "I looked." {
		t.Errorf("decided: %d to %q, %+v", status, to, f.ruled)
	}
	f.refuses = fault.New(fault.Conflict, "The master data changed.").WithField("seen", "Ivan changed the volume from 10 to 11.")
	status, body, _ = f.ask(t, chief, http.MethodPost, page, "version", "3", "material_version", "6", "note", "I looked.", "decision", "APPROVE_MEASURED")
	for _, text := range []string{"data-conflict", "from 10 to 11", "I looked."} {
		if status != http.StatusConflict || !strings.Contains(body, text) {
			t.Errorf("a conflict: %d, lacks %q", status, text)
		}
	}
}
