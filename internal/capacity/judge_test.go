package capacity

import (
	"testing"

	"github.com/shopspring/decimal"
)

func dec(s string) Decimal { return decimal.RequireFromString(s) }

func load(cubicFeet, pounds string) Load { return Load{dec(cubicFeet), dec(pounds)} }

// The vectors of the domain, section 22.9, and the edges of each band.
func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name           string
		needed, free   Load
		kind           Type // empty: fits
		severity       Severity
		volume, weight string
	}{
		{"double the volume", load("100", "200"), load("50", "500"), VolumeExceeded, Critical, "100", "0"},
		{"4 percent", load("52", "1"), load("50", "500"), VolumeExceeded, Info, "4", "0"},
		{"a hair under 5 percent", load("52.4999", "1"), load("50", "500"), VolumeExceeded, Info, "4.9998", "0"},
		{"5 percent", load("52.5", "1"), load("50", "500"), VolumeExceeded, Warning, "5", "0"},
		{"20 percent", load("60", "1"), load("50", "500"), VolumeExceeded, Warning, "20", "0"},
		{"20.02 percent", load("60.01", "1"), load("50", "500"), VolumeExceeded, Critical, "20.02", "0"},
		{"20 percent that no binary fraction holds", load("0.12", "1"), load("0.1", "500"), VolumeExceeded, Warning, "20", "0"},
		{"weight alone", load("1", "600"), load("50", "500"), WeightExceeded, Warning, "0", "20"},
		{"both", load("60", "505"), load("50", "500"), BothExceeded, Warning, "20", "1"},
		{"the larger one counts", load("51", "1000"), load("50", "500"), BothExceeded, Critical, "2", "100"},
		{"equal", load("50", "500"), load("50", "500"), "", "", "", ""},
		{"neither", load("1", "1"), load("50", "500"), "", "", "", ""},
		{"nothing into a full bin", load("0", "0"), load("0", "0"), "", "", "", ""},
		{"nothing into an overfull bin", load("0", "0"), load("-5", "-5"), "", "", "", ""},
		{"no room", load("1", "1"), load("0", "500"), VolumeExceeded, Critical, "none", "0"},
		{"less than no room", load("1", "1"), load("-3", "500"), VolumeExceeded, Critical, "none", "0"},
		{"no volume is needed of an overfull bin", load("0", "1"), load("-3", "0.5"), WeightExceeded, Critical, "0", "100"},
	} {
		v, exceeded := Judge(c.needed, c.free)
		if exceeded != (c.kind != "") || c.needed.Fits(c.free) == exceeded {
			t.Errorf("%s: exceeded %v, fits %v", c.name, exceeded, c.needed.Fits(c.free))
			continue
		}
		if !exceeded {
			continue
		}
		if v.Type != c.kind || v.Severity != c.severity {
			t.Errorf("%s: %s %s, want %s %s", c.name, v.Type, v.Severity, c.kind, c.severity)
		}
		for _, side := range []struct {
			name string
			got  Overflow
			want string
		}{{"volume", v.Volume, c.volume}, {"weight", v.Weight, c.weight}} {
			if side.want == "none" {
				if !side.got.NoRoom || side.got.Stored() != nil {
					t.Errorf("%s: %s overflow is %+v, want no room and NULL", c.name, side.name, side.got)
				}
				continue
			}
			if side.got.NoRoom || !side.got.Pct.Equal(dec(side.want)) || side.got.Pct.IsNegative() {
				t.Errorf("%s: %s overflow is %s, want %s", c.name, side.name, side.got.Pct, side.want)
			}
		}
	}
}

func TestOverflowIsKeptWithinTheColumnAndInOrder(t *testing.T) {
	huge, _ := Judge(load("100000", "0"), load("0.0001", "0"))
	if got := huge.Volume.Stored(); got == nil || !got.Equal(dec("9999.99")) {
		t.Errorf("stored %v, want 9999.99", got)
	}
	none, _ := Judge(load("1", "0"), load("0", "0"))
	small, _ := Judge(load("51", "0"), load("50", "0"))
	if !none.Worst().Sort().GreaterThan(huge.Worst().Sort()) || !huge.Worst().Sort().GreaterThan(small.Worst().Sort()) {
		t.Errorf("no room %s, huge %s, small %s are not in order", none.Worst().Sort(), huge.Worst().Sort(), small.Worst().Sort())
	}
}

// The vectors of the domain, section 22.5.
func TestInto(t *testing.T) {
	box := func(l, w, h string) Box { return Box{dec(l), dec(w), dec(h)} }
	for _, c := range []struct {
		item, bin    Box
		fits, turned bool
	}{
		{box("10", "8", "6"), box("12", "10", "8"), true, false},
		{box("60", "24", "12"), box("48", "48", "48"), false, false},
		{box("60", "24", "12"), box("72", "48", "36"), true, false},
		{box("48", "48", "48"), box("48", "48", "48"), true, false},
		{box("49", "48", "48"), box("48", "48", "48"), false, false},
		{box("60", "60", "40"), box("48", "48", "72"), false, false},
		{box("36", "36", "40"), box("48", "48", "72"), true, false},
		{box("40", "28", "0.5"), box("48", "36", "12"), true, false},
		{box("48", "40", "60"), box("48", "48", "48"), false, false},
		{box("12", "8", "6"), box("10", "10", "10"), false, false},
		{box("20", "10", "5"), box("12", "15", "25"), true, true},
		{box("40", "30", "20"), box("36", "24", "48"), true, true},
		{box("60", "60", "40"), box("48", "48", "96"), false, false},
		{box("40", "40", "40"), box("48", "48", "96"), true, false},
	} {
		f := c.item.Into(c.bin)
		if !f.Known || f.Fits != c.fits || f.Turned != c.turned {
			t.Errorf("%v into %v: %+v, want fits %v, turned %v", c.item, c.bin, f, c.fits, c.turned)
		}
		if f.Fits && !inside(f.Placed, c.bin) {
			t.Errorf("%v into %v is drawn as %v, which stands out", c.item, c.bin, f.Placed)
		}
	}
	if f := box("1", "1", "1").Into(Box{}); f.Known || !f.Fits {
		t.Errorf("into a bin that nobody measured: %+v, want the volume to decide", f)
	}
}

func TestADrawingIsToScale(t *testing.T) {
	d := Draw(Box{dec("10"), dec("24"), dec("60")}, Box{dec("48"), dec("48"), dec("48")})
	if !d.Known || d.UnitTall != 1000 || d.BinHeight != 800 || d.BinWidth != 800 || d.UnitWidth != 400 || !d.OverHeight || d.OverWidth {
		t.Errorf("a unit of 24 × 60 in a bin of 48 × 48 is drawn as %+v", d)
	}
	if d := Draw(Box{}, Box{dec("1"), dec("1"), dec("1")}); d.Known {
		t.Errorf("what nobody measured is drawn: %+v", d)
	}
}
