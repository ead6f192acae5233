package dimension

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/agogsaas/gatehouse/internal/fault"
)

func num(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// recorded is a master whose volume and weight are these; empty: not recorded.
func recorded(volume, weight string) Master {
	return Master{CubicFeet: null(volume), Pounds: null(weight)}
}

func null(s string) decimal.NullDecimal {
	if s == "" {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(num(s))
}

func measured(volume, weight string) Box {
	return Box{Volume: Amount{num(volume), CubicFoot}, Weight: Amount{num(weight), Pound}}
}

func sided(height, width, thickness, weight string, unit Unit) Box {
	return Box{Height: Amount{num(height), unit}, Width: Amount{num(width), unit}, Thickness: Amount{num(thickness), unit}, Weight: Amount{num(weight), Pound}}
}

func inches(height, width, thickness, volume, weight string) Master {
	return Master{Height: null(height), Width: null(width), Thickness: null(thickness), CubicFeet: null(volume), Pounds: null(weight)}
}

// TestTheVectorsOfTheRequirement are those of section 22.8, and the boundaries of Q08.
func TestTheVectorsOfTheRequirement(t *testing.T) {
	for _, c := range []struct {
		volume, weight, is, weighs string
		pct, weightPct             string // at six digits; empty: none
		status                     Status
	}{
		{"10.5", "25", "10.5", "25", "0", "0", Verified},
		{"10.5", "25", "10.8", "25.5", "2.857143", "2", MasterDataUpdated},
		{"10.5", "25", "12.0", "28", "14.285714", "12", VarianceDetected},
		{"10", "20", "11", "20", "10", "0", MasterDataUpdated},
		{"10", "20", "11.0001", "20", "10.001", "0", VarianceDetected},
		{"10", "20", "8.9", "20", "-11", "0", VarianceDetected},
		{"10", "20", "9", "20", "-10", "0", MasterDataUpdated},
		{"10", "20", "11.0004", "20", "10.004", "0", VarianceDetected},
		{"10", "20", "11.001", "20", "10.01", "0", VarianceDetected},
		{"10", "20", "10", "22", "0", "10", MasterDataUpdated},
		{"10", "20", "10", "22.000001", "0", "10.000005", VarianceDetected},
		{"", "", "5", "3", "", "", MasterDataUpdated},
		{"0", "0", "5", "3", "", "", MasterDataUpdated},
		{"0.0000", "20", "5", "20", "", "0", MasterDataUpdated},
		{"", "20", "5", "30", "", "50", VarianceDetected},
		{"10", "", "10", "3", "0", "", MasterDataUpdated},
		{"0.0001", "1", "10000", "1", "9999999900", "0", VarianceDetected},
	} {
		m := recorded(c.volume, c.weight)
		j := m.Judge(measured(c.is, c.weighs), Master{}, Binding)
		show := func(d decimal.NullDecimal) string {
			if !d.Valid {
				return ""
			}
			return d.Decimal.Round(6).String()
		}
		if j.Status != c.status || show(j.VolumePct) != c.pct || show(j.WeightPct) != c.weightPct {
			t.Errorf("(%s, %s) measured (%s, %s): %s, %s, %s; want %s, %s, %s", c.volume, c.weight, c.is, c.weighs, j.Status, show(j.VolumePct), show(j.WeightPct), c.status, c.pct, c.weightPct)
		}
		if want := c.pct == "" || c.weightPct == ""; j.First != want {
			t.Errorf("(%s, %s) measured (%s, %s): first is %v, want %v", c.volume, c.weight, c.is, c.weighs, j.First, want)
		}
		if want := j.Updates(); m.Equal(j.New) == want {
			t.Errorf("(%s, %s) measured (%s, %s): %s, and the record is %+v", c.volume, c.weight, c.is, c.weighs, j.Status, j.New)
		}
	}
}

func TestAVarianceIsStoredAsFarAsItFits(t *testing.T) {
	for in, want := range map[string]string{"10.004": "10", "10.005": "10.01", "-9999.994": "-9999.99", "9999.995": "9999.99!", "-12345": "-9999.99!", "": ""} {
		stored, beyond := Capped(null(in))
		got := ""
		if stored.Valid {
			got = stored.Decimal.String()
		}
		if beyond {
			got += "!"
		}
		if got != want {
			t.Errorf("Capped(%s) = %s, want %s", in, got, want)
		}
	}
}

// Q10: what was not measured stays (D-56).
func TestOnlyWhatWasMeasuredIsWritten(t *testing.T) {
	m := inches("8", "10", "12", "0.5556", "20")
	j := m.Judge(measured("0.56", "20.5"), Master{}, Binding)
	if diff := cmp.Diff(inches("8", "10", "12", "0.56", "20.5"), j.New); diff != "" {
		t.Errorf("volume and weight measured (-want +got):\n%s", diff)
	}
	part := measured("0.56", "20")
	part.Width = Amount{num("25.5"), Centimetre}
	if diff := cmp.Diff(inches("8", "10.0394", "12", "0.56", "20"), m.Judge(part, Master{}, Binding).New); diff != "" {
		t.Errorf("the width measured too (-want +got):\n%s", diff)
	}
}

// One volume rule (D-07): a record without cubic feet is the volume of its sides, and a measurement is, too.
func TestTheVolumeIsThatOfTheSidesWhereNothingElseIsKnown(t *testing.T) {
	m := inches("12", "12", "12", "", "20")
	if got := m.TheVolume().CubicFeet(); !got.Equal(num("1")) {
		t.Errorf("12 x 12 x 12 inches are %s cubic feet", got)
	}
	for _, c := range []struct {
		box  Box
		want Status
	}{
		{sided("12", "12", "12", "20", Inch), Verified},
		{sided("30.48", "30.48", "30.48", "20", Centimetre), Verified},
		{sided("304.8", "304.8", "304.8", "20", Millimetre), Verified},
		{sided("12", "12", "13.2", "20", Inch), MasterDataUpdated},
		{sided("12", "12", "13.200001", "20", Inch), VarianceDetected},
		{sided("335.28", "304.8", "304.8", "20", Millimetre), MasterDataUpdated},
		{sided("335.280001", "304.8", "304.8", "20", Millimetre), VarianceDetected},
	} {
		if j := m.Judge(c.box, Master{}, Binding); j.Status != c.want {
			t.Errorf("%v x %v x %v: %s (%v), want %s", c.box.Height, c.box.Width, c.box.Thickness, j.Status, j.VolumePct.Decimal, c.want)
		}
	}
	// Both given: the volume counts.
	both := sided("24", "24", "24", "20", Inch)
	both.Volume = Amount{num("1"), CubicFoot}
	if j := m.Judge(both, Master{}, Binding); !j.VolumePct.Decimal.IsZero() {
		t.Errorf("the volume counts, and is said to be %s %% off", j.VolumePct.Decimal)
	}
}

// What is stored after a measurement in centimetres is the same when it is measured again.
func TestARoundedRecordIsNoVariance(t *testing.T) {
	box := sided("10.1", "20.3", "7.7", "3", Centimetre)
	box.Weight = Amount{num("1.25"), Kilogram}
	m := Master{}.Judge(box, Master{}, Binding).New
	if j := m.Judge(box, Master{}, Binding); j.Status != Verified {
		t.Errorf("measured again: %s, %+v", j.Status, m.Changed(j.New))
	}
}

// D-59, Q09: five steps of nine percent; the second is beyond ten percent of what was approved.
func TestSmallStepsDoNotAddUp(t *testing.T) {
	approved := recorded("10", "20")
	m, volume, taken := approved, num("10"), 0
	for range 5 {
		volume = volume.Mul(num("1.09")).Round(4)
		j := m.Judge(measured(volume.String(), "20"), approved, Binding)
		if pct := j.VolumePct.Decimal; taken == 0 && pct.Abs().GreaterThan(num("10")) {
			t.Fatalf("a step of %s %%", pct)
		}
		if j.Updates() {
			taken++
			m = j.New
		} else if diff := cmp.Diff([]Cause{VolumeDrift}, j.Causes[:1]); taken == 1 && len(j.Causes) == 1 && diff != "" {
			t.Errorf("the second step is refused for (-want +got):\n%s", diff)
		}
	}
	if taken != 1 {
		t.Errorf("%d steps were taken over by themselves, want 1", taken)
	}
	back := m.Judge(measured("10.5", "20"), approved, Binding)
	if !back.Updates() {
		t.Errorf("a step back towards what was approved: %s, %v", back.Status, back.Causes)
	}
}

func TestWhatIsAskedBack(t *testing.T) {
	m := inches("10", "20", "30", "3.4722", "44")
	for name, c := range map[string]struct {
		m    Master
		box  Box
		says []string
	}{
		"as recorded":           {m, sided("10", "20", "30", "44", Inch), nil},
		"more, and no factor":   {m, sided("10", "20", "45", "44", Inch), nil},
		"nothing recorded":      {Master{}, sided("10", "20", "30", "44", Inch), nil},
		"inches for cm":         {m, sided("25.4", "20", "30", "44", Inch), []string{"height: inches and centimetres"}},
		"cm for inches":         {m, sided("10", "7.87", "30", "44", Inch), []string{"width: inches and centimetres"}},
		"a slipped point":       {m, sided("10", "20", "3", "44", Inch), []string{"thickness: slipped point"}},
		"mm for inches":         {m, sided("254", "508", "762", "44", Inch), []string{"height: inches and millimetres", "width: inches and millimetres", "thickness: inches and millimetres"}},
		"kilograms":             {m, sided("10", "20", "30", "20", Inch), []string{"weight: pounds and kilograms"}},
		"grams":                 {m, sided("10", "20", "30", "19958", Inch), []string{"weight: pounds and grams"}},
		"thousand":              {m, sided("10", "20", "30", "44000", Inch), []string{"weight: kilograms and grams"}},
		"sides that changed":    {m, sided("20", "10", "30", "44", Inch), []string{": another order"}},
		"turned round":          {m, sided("30", "10", "20", "44", Inch), []string{": another order"}},
		"a cube has no order":   {inches("10", "10", "10", "", "44"), sided("10", "10", "10", "44", Inch), nil},
		"the volume, slipped":   {m, measured("34.7", "44"), []string{"volume: slipped point"}},
		"the volume, otherwise": {m, measured("3.9", "44"), nil},
	} {
		var got []string
		for _, q := range c.m.Questions(c.box) {
			for _, words := range c.says {
				if field, part, _ := strings.Cut(words, ": "); field == string(q.Quantity) && strings.Contains(q.Text, part) {
					got = append(got, words)
				}
			}
			if strings.Contains(q.Text, "3.4722") {
				t.Errorf("%s: the question tells what is recorded: %s", name, q.Text)
			}
		}
		if diff := cmp.Diff(c.says, got); diff != "" || len(c.m.Questions(c.box)) != len(c.says) {
			t.Errorf("%s: asked %v (-want +got):\n%s", name, c.m.Questions(c.box), diff)
		}
	}
	both := sided("12", "12", "12", "44", Inch)
	for volume, want := range map[string]int{"1": 0, "1.1": 0, "1.1001": 1, "0.9": 0, "0.8999": 1} {
		both.Volume = Amount{num(volume), CubicFoot}
		if got := (Master{}).Questions(both); len(got) != want {
			t.Errorf("a volume of %s beside sides that make 1: %v, want %d questions", volume, got, want)
		}
	}
}

func TestWhatFollowsFromReadings(t *testing.T) {
	m := recorded("10", "20")
	at := func(volumes ...string) []Box {
		var all []Box
		for _, v := range volumes {
			all = append(all, measured(v, "20"))
		}
		return all
	}
	for name, c := range map[string]struct {
		readings []Box
		state    State
		status   Status // empty: no judgement
		volume   string // what was judged
	}{
		"within":                           {at("10.5"), Settled, MasterDataUpdated, "10.5"},
		"the same":                         {at("10"), Settled, Verified, "10"},
		"beyond":                           {at("12"), SecondWanted, VarianceDetected, "12"},
		"two that agree":                   {at("12", "12.4"), InReview, VarianceDetected, "12.2"},
		"two that agree within":            {at("11.1", "10.7"), Settled, MasterDataUpdated, "10.9"},
		"two that differ":                  {at("12", "10"), ThirdWanted, "", ""},
		"the third is with the first":      {at("12", "10", "12.2"), InReview, VarianceDetected, "12"},
		"the third is with the second":     {at("12", "10", "10.1"), Settled, MasterDataUpdated, "10.1"},
		"all three differ":                 {at("12", "10", "30"), InReview, VarianceDetected, "12"},
		"ten percent apart are the same":   {at("20", "22"), InReview, VarianceDetected, "21"},
		"more than ten percent apart, not": {at("20", "22.0001"), ThirdWanted, "", ""},
	} {
		got := m.Decide(c.readings, Master{}, Binding)
		volume := ""
		if got.Judged {
			volume = got.Measured.TheVolume().CubicFeet().String()
		}
		if got.State != c.state || got.Judgement.Status != c.status || volume != c.volume {
			t.Errorf("%s: %s, %q of %s; want %s, %q of %s", name, got.State, got.Judgement.Status, volume, c.state, c.status, c.volume)
		}
	}
	// Each side is the middle of those that have it.
	one, two, three := sided("10", "20", "30", "5", Inch), sided("11", "20", "30", "7", Inch), measured("3", "6")
	middle := Median(one, two, three)
	if got := middle.Height.Inches().String() + " " + middle.Weight.Pounds().String() + " " + middle.Volume.CubicFeet().String(); got != "10.5 6 3.4722" {
		t.Errorf("the middle of three is %s", got)
	}
}

// Bad input by name: each is refused with a sentence, and where a number can be meant, with how it would be right.
func TestWhatIsNoAmount(t *testing.T) {
	for text, says := range map[string]string{
		"": "needed", " ": "needed", "0": "more than 0", "0.0": "more than 0", "-5": "more than 0", "-0.1": "more than 0", "NaN": "no number", "Inf": "no number",
		"1e308": "exponent", "1E5": "exponent", "1e-3": "exponent", "12,5": "like 12.5", "1,234.5": "like 1234.5", "1.234,5": "like 1234.5", "1'234": "like 1234",
		"12 5": "without separators", "1.2.3": "like 12.3", "١٢٫٥": "like 12.5", "１２．５": "like 12.5", "۱۲": "like 12", "०.५": "like 0.5", "12in": "no number", "0x10": "no number",
		"+5": "no number", ".": "no number", "5.": "no number", ".5": "no number", "--5": "no number", "½": "no number", "1234567890": "digits before", "1.1234567": "after it",
		"10000.1": "at most 10 000 in", "0.00001": "smaller than can be kept", strings.Repeat("1", 4096): "longer than any number", "=1+1": "no number", "<b>1</b>": "no number",
		"\u202e12": "no number", ",": "without separators",
	} {
		a, problem := ParseAmount(Height, text, Inch)
		if !strings.Contains(problem, says) || a.Given() {
			t.Errorf("ParseAmount(%q) = %v, %q; want a complaint that says %q", text, a, problem, says)
		}
	}
	for text, want := range map[string]string{"12.5": "12.5 in", " 12 ": "12 in", "007": "7 in", "0.0001": "0.0001 in", "10000": "10000 in"} {
		if a, problem := ParseAmount(Height, text, Inch); problem != "" || a.String() != want {
			t.Errorf("ParseAmount(%q) = %v, %q; want %s", text, a, problem, want)
		}
	}
	for q, unit := range map[Quantity]Unit{Height: Pound, Weight: Inch, Volume: Centimetre, Width: "", Thickness: cubicMillimetre} {
		if _, problem := ParseAmount(q, "1", unit); problem != "Choose the unit." {
			t.Errorf("ParseAmount(%s in %s): %q", q, unit, problem)
		}
	}
}

func TestWhatNoItemCanBe(t *testing.T) {
	for name, c := range map[string]struct {
		box    Box
		fields []string
	}{
		"nothing":             {Box{}, []string{"height", "thickness", "weight", "width"}},
		"two sides":           {Box{Height: Amount{num("1"), Inch}, Width: Amount{num("1"), Inch}, Weight: Amount{num("1"), Pound}}, []string{"thickness"}},
		"too large by sides":  {sided("300", "300", "200", "5", Inch), []string{"thickness"}},
		"too small by sides":  {sided("0.01", "0.01", "0.01", "5", Inch), []string{"thickness"}},
		"too large":           {measured("10000.0001", "5"), []string{"volume"}},
		"too heavy":           {measured("1", "50000.01"), []string{"weight"}},
		"no weight":           {Box{Volume: Amount{num("1"), CubicFoot}}, []string{"weight"}},
		"nothing but a zero":  {measured("0", "0"), []string{"volume", "weight"}},
		"below zero":          {measured("-1", "-0.5"), []string{"volume", "weight"}},
		"as much as there is": {measured("10000", "50000"), nil},
		"as little":           {measured("0.0001", "0.0001"), nil},
		"sides":               {sided("120", "120", "120", "5", Inch), nil},
	} {
		var got []string
		if refused, ok := fault.As(c.box.Check()); ok {
			for _, name := range []string{"height", "thickness", "volume", "weight", "width"} {
				if refused.Fields[name] != "" {
					got = append(got, name)
				}
			}
		}
		if diff := cmp.Diff(c.fields, got); diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, c.box.Check(), diff)
		}
	}
}

// Every factor is exact: as many millimetres and grams as the definition says, and back to the last digit that is kept.
func TestUnitsAreExact(t *testing.T) {
	for _, c := range []struct{ a, b Amount }{
		{Amount{num("1"), Inch}, Amount{num("2.54"), Centimetre}},
		{Amount{num("1"), Inch}, Amount{num("25.4"), Millimetre}},
		{Amount{num("1"), Pound}, Amount{num("0.45359237"), Kilogram}},
		{Amount{num("1"), Pound}, Amount{num("453.59237"), Gram}},
	} {
		if !c.a.base().Equal(c.b.base()) {
			t.Errorf("%v and %v are not the same", c.a, c.b)
		}
	}
	cube := sided("12", "12", "12", "1", Inch)
	if foot := (Amount{num("1"), CubicFoot}); !cube.bySides().Equal(foot.base()) {
		t.Errorf("a cubic foot is %s mm³, and twelve inches each way %s", foot.base(), cube.bySides())
	}
	if got := (Amount{num("1"), Centimetre}).Inches().String(); got != "0.3937" {
		t.Errorf("a centimetre is %s inches", got)
	}
}
