package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"
	"github.com/shopspring/decimal"

	"github.com/agogsaas/gatehouse/internal/fault"
)

func posted(body, contentType string) echo.Context {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return echo.New().NewContext(r, httptest.NewRecorder())
}

const urlencoded = "application/x-www-form-urlencoded"

func TestFormRefuses(t *testing.T) {
	for _, c := range []struct {
		name, body, contentType string
		want                    fault.Kind
	}{
		{"a duplicate", "a=1&a=2", urlencoded, fault.Invalid},
		{"NUL", "a=%00", urlencoded, fault.Invalid},
		{"no UTF-8", "a=%ff", urlencoded, fault.Invalid},
		{"a bad escape", "a=%zz", urlencoded, fault.Invalid},
		{"a semicolon", "a=1;b=2", urlencoded, fault.Invalid},
		{"JSON", `{"a":1}`, "application/json", fault.Invalid},
		{"plain text", "a=1", "text/plain", fault.Invalid},
		{"no type", "a=1", "", fault.Invalid},
		{"1 MiB and a byte", "a=" + strings.Repeat("x", 1<<20), urlencoded, fault.TooLarge},
		{"501 fields", strings.Repeat("a=1&", 501), urlencoded, fault.Invalid},
	} {
		if _, err := Form(posted(c.body, c.contentType)); !fault.Is(err, c.want) {
			t.Errorf("%s: Form = %v, want %v", c.name, err, c.want)
		}
	}
}

func TestAFormTakesOverNothingItDoesNotKnow(t *testing.T) {
	form, err := Form(posted("reason=because&tenant_id=x&role=admin", urlencoded))
	if err != nil {
		t.Fatalf("Form: %v", err)
	}
	form.Text("reason", 1, 100)
	if err := form.Err(); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "role, tenant_id") {
		t.Errorf("Err = %v, want Invalid that names role and tenant_id", err)
	}
	form.Allow("tenant_id", "role")
	if err := form.Err(); err != nil {
		t.Errorf("Err after Allow = %v, want nil", err)
	}
}

// When summer time begins, an hour is skipped, and when it ends, one comes twice: neither is read as something else.
func TestATimeThatTheClocksSkipOrShowTwiceIsAComplaint(t *testing.T) {
	for _, c := range []struct{ zone, typed, read, complaint string }{
		{"America/New_York", "2027-03-14T01:59", "2027-03-14T06:59:00Z", ""},
		{"America/New_York", "2027-03-14T02:00", "", "The clocks of America/New_York skip this time"},
		{"America/New_York", "2027-03-14T02:59:59", "", "skip this time"},
		{"America/New_York", "2027-03-14T03:00", "2027-03-14T07:00:00Z", ""},
		{"America/New_York", "2026-11-01T00:59", "2026-11-01T04:59:00Z", ""},
		{"America/New_York", "2026-11-01 01:30", "", "The clocks of America/New_York show this time twice"},
		{"America/New_York", "2026-11-01T02:00", "2026-11-01T07:00:00Z", ""},
		{"Europe/Berlin", "2027-03-28T02:30", "", "skip this time"},
		{"Europe/Berlin", "2026-10-25T02:30", "", "show this time twice"},
		{"Australia/Lord_Howe", "2026-10-04T02:15", "", "skip this time"}, // by half an hour
		{"UTC", "2026-11-01T01:30", "2026-11-01T01:30:00Z", ""},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		v := unread(map[string][]string{"f": {c.typed}})
		got, complaint := v.Time("f", zone), v.Problems()["f"]
		if c.complaint != "" && (!strings.Contains(complaint, c.complaint) || !got.IsZero()) || c.complaint == "" && (complaint != "" || got.UTC().Format(time.RFC3339) != c.read) {
			t.Errorf("%s in %s is read as %s, complaint %q; want %q, complaint %q", c.typed, c.zone, got.UTC().Format(time.RFC3339), complaint, c.read, c.complaint)
		}
	}
}

func TestTypedReads(t *testing.T) {
	ten, places := decimal.NewFromInt(10), int32(1)
	for _, c := range []struct {
		name, raw string
		read      func(*Values) any
		want      any
		complains bool
	}{
		{"text", " a\r\nb ", func(v *Values) any { return v.Text("f", 1, 10) }, "a\nb", false},
		{"text missing", "", func(v *Values) any { return v.Text("f", 1, 10) }, "", true},
		{"text blank", "  ", func(v *Values) any { return v.Text("f", 1, 10) }, "", true},
		{"text optional", "", func(v *Values) any { return v.Text("f", 0, 10) }, "", false},
		{"text by characters", "ééééé", func(v *Values) any { return v.Text("f", 5, 5) }, "ééééé", false},
		{"text too long", "123456", func(v *Values) any { return v.Text("f", 0, 5) }, "", true},
		{"text with bell", "a\x07", func(v *Values) any { return v.Text("f", 0, 5) }, "", true},
		{"int", "42", func(v *Values) any { return v.Int("f", 0, 100) }, 42, false},
		{"int over", "101", func(v *Values) any { return v.Int("f", 0, 100) }, 0, true},
		{"int huge", "99999999999999999999", func(v *Values) any { return v.Int("f", 0, 100) }, 0, true},
		{"decimal", "9.5", func(v *Values) any { return v.Decimal("f", decimal.Zero, ten, places).String() }, "9.5", false},
		{"decimal comma", "9,5", func(v *Values) any { return v.Decimal("f", decimal.Zero, ten, places).String() }, "9.5", false},
		{"decimal end", "10.0", func(v *Values) any { return v.Decimal("f", decimal.Zero, ten, places).String() }, "10", false},
		{"decimal over", "10.1", func(v *Values) any { return v.Decimal("f", decimal.Zero, ten, places).String() }, "0", true},
		{"decimal fine", "9.55", func(v *Values) any { return v.Decimal("f", decimal.Zero, ten, places).String() }, "0", true},
		{"decimal exponent", "1e1", func(v *Values) any { return v.Decimal("f", decimal.Zero, ten, places).String() }, "0", true},
		{"decimal NaN", "NaN", func(v *Values) any { return v.Decimal("f", decimal.Zero, ten, places).String() }, "0", true},
		{"decimal thousands", "1,000.0", func(v *Values) any { return v.Decimal("f", decimal.Zero, ten, places).String() }, "0", true},
		{"decimal minus", "-1", func(v *Values) any { return v.Decimal("f", decimal.Zero, ten, places).String() }, "0", true},
		{"time", "2026-03-01T14:00", func(v *Values) any { return v.Time("f", time.UTC).Unix() }, int64(1772373600), false},
		{"text that turns", "a\u202eb", func(v *Values) any { return v.Text("f", 1, 9) }, "", true},
		{"text that isolates", "\u2066a\u2069", func(v *Values) any { return v.Text("f", 1, 9) }, "", true},
		{"text from right to left", "\u062a\u0633\u0644", func(v *Values) any { return v.Text("f", 1, 9) }, "\u062a\u0633\u0644", false},
		{"time of another century", "1999-01-01T10:00", func(v *Values) any { v.Time("f", time.UTC); return v.Problems()["f"] }, "A moment of the years 2000 to 2099, please.", true},
		{"time words", "tomorrow", func(v *Values) any { return v.Time("f", time.UTC).IsZero() }, true, true},
		{"choice", "a", func(v *Values) any { return v.Choice("f", "a", "b") }, "a", false},
		{"choice none", "c", func(v *Values) any { return v.Choice("f", "a", "b") }, "", true},
		{"uuid", "11111111-1111-7111-8111-111111111111", func(v *Values) any { return v.UUID("f").String() }, "11111111-1111-7111-8111-111111111111", false},
		{"uuid braces", "{11111111-1111-7111-8111-111111111111}", func(v *Values) any { return v.UUID("f").ID() }, uint32(0), true},
		{"ticked", "on", func(v *Values) any { return v.Ticked("f") }, true, false},
		{"not ticked", "", func(v *Values) any { return v.Ticked("f") }, false, false},
		{"half ticked", "maybe", func(v *Values) any { return v.Ticked("f") }, false, true},
	} {
		v := unread(map[string][]string{"f": {c.raw}})
		got := c.read(v)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: reading %q (-want +got):\n%s", c.name, c.raw, diff)
		}
		err := v.Err()
		if (err != nil) != c.complains {
			t.Errorf("%s: reading %q: Err = %v, want a complaint: %v", c.name, c.raw, err, c.complains)
		}
		if f, ok := fault.As(err); ok && f.Fields["f"] == "" {
			t.Errorf("%s: the complaint is not beside the field: %v", c.name, err)
		}
	}
}
