package scan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/agogsaas/gatehouse/internal/fault"
)

func mm(text string) decimal.Decimal { return decimal.RequireFromString(text) }

func TestWhatAScanIs(t *testing.T) {
	for text, want := range map[string]Scan{
		"96385074":                              {Kind: TradeItem, GTIN: "00000096385074", Level: Each},
		"036000291452":                          {Kind: TradeItem, GTIN: "00036000291452", Level: Each},
		"4006381333931":                         {Kind: TradeItem, GTIN: "04006381333931", Level: Each},
		"10012345678902":                        {Kind: TradeItem, GTIN: "10012345678902", Level: Case},
		"90012345678908":                        {Kind: TradeItem, GTIN: "90012345678908", Level: Variable},
		" 4006381333931\r\n":                    {Kind: TradeItem, GTIN: "04006381333931", Level: Each},
		"]E04006381333931":                      {Kind: TradeItem, GTIN: "04006381333931", Level: Each},
		"]C10109506000134352":                   {Kind: Elements, GTIN: "09506000134352", Level: Each},
		"]C1\x1d0109506000134352":               {Kind: Elements, GTIN: "09506000134352", Level: Each},
		"]C1010950600013435210AB-1\x1d21S/9":    {Kind: Elements, GTIN: "09506000134352", Level: Each, Lot: "AB-1", Serial: "S/9"},
		"]d20110012345678902172712313102000750": {Kind: Elements, GTIN: "10012345678902", Level: Case},
		"0109506000134352":                      {Kind: Elements, GTIN: "09506000134352", Level: Each},
		"010950600013435210LOT7":                {Kind: Elements, GTIN: "09506000134352", Level: Each, Lot: "LOT7"},
		"(01)09506000134352(10)AB-1(21)7":       {Kind: Elements, GTIN: "09506000134352", Level: Each, Lot: "AB-1", Serial: "7"},
		"(10)A(1)B":                             {Kind: Elements, Lot: "A(1)B"},
		"10LOT\x1d0109506000134352":             {Kind: Elements, GTIN: "09506000134352", Level: Each, Lot: "LOT"},
		"PR-00021":                              {Kind: Own, Code: "PR-00021"},
		"RM1RES-B02-05-01":                      {Kind: Own, Code: "RM1RES-B02-05-01"},
		"123456789":                             {Kind: Own, Code: "123456789"},
		"Größe 7":                               {Kind: Own, Code: "Größe 7"},
		"ok":                                    {Kind: Order, Command: OK},
		"BACK":                                  {Kind: Order, Command: Back},
		"CANCEL":                                {Kind: Order, Command: Cancel},
		"D:120":                                 {Kind: Ruler, Side: Depth, Millimetres: mm("120")},
		"T:120":                                 {Kind: Ruler, Side: Depth, Millimetres: mm("120")},
		"W:99.5":                                {Kind: Ruler, Side: Width, Millimetres: mm("99.5")},
		"H:1":                                   {Kind: Ruler, Side: Height, Millimetres: mm("1")},
	} {
		got, err := Read(text)
		if err != nil {
			t.Errorf("Read(%q): %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Read(%q) (-want +got):\n%s", text, diff)
		}
	}
}

// X02: what cannot be read is said in a sentence, and never guessed.
func TestWhatAScanIsNot(t *testing.T) {
	for text, says := range map[string]string{
		"":                                "Nothing was scanned",
		" \r\n":                           "Nothing was scanned",
		"4006381333932":                   "would have to end in 1",
		"96385075":                        "would have to end in 4",
		"0360002914\x1d52":                "application identifier",
		"00000000":                        "nothing but zeros",
		"\uff14\uff10\uff10\uff16":        "digits 0 to 9 only",
		"٤٠٠٦٣٨١٣٣٣٩٣١":                   "digits 0 to 9 only",
		"PR-0۰021":                        "digits 0 to 9 only",
		"ＰＲ":                              "full-width",
		"PR\u202e00021":                   "invisible",
		"PR\x0000021":                     "control character",
		"PR-00021\nPR-00022":              "run into each other",
		"\xff\xfe":                        "no text",
		strings.Repeat("7", 201):          "longer than any barcode",
		"]C1":                             "neither a trade item number",
		"]E0":                             "no barcode",
		"]C1010950600013435":              "ends in the middle",
		"]C10109506000134353":             "check digit",
		"]C11727123":                      "ends in the middle",
		"]C117271231":                     "neither a trade item number",
		"]C18801":                         "no application identifier",
		"]C1010950600013435210":           "says nothing for it",
		"]C110" + strings.Repeat("A", 21): "FNC1",
		"]C110A\x1d10B":                   "twice",
		"]C10109506000A34352":             "has to be digits",
		"]C110A{B":                        "do not have",
		"(01)0950600013435":               "needs 14",
		"(99)X":                           "no application identifier",
		"(x)":                             "begins with a bracket",
		"D:12,5":                          "with a point",
		"D:-5":                            "with a point",
		"D:":                              "with a point",
		"H:0":                             "nothing is that long",
		"W:1e5":                           "with a point",
	} {
		got, err := Read(text)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("Read(%q) = %+v, %v; want a refusal that says %q", text, got, err, says)
		}
		if got != (Scan{}) {
			t.Errorf("Read(%q) is refused and gives %+v all the same", text, got)
		}
	}
}

// A single wrong digit, and two neighbours that changed places unless they differ by five, never pass.
func TestTheCheckDigitFindsWhatItIsFor(t *testing.T) {
	const good = "4006381333931"
	for i := range len(good) {
		for d := byte('0'); d <= '9'; d++ {
			wrong := good[:i] + string(d) + good[i+1:]
			if _, err := readGTIN(wrong); (err == nil) != (wrong == good) {
				t.Errorf("readGTIN(%s): %v", wrong, err)
			}
		}
		if i+1 == len(good) {
			continue
		}
		swapped := good[:i] + string(good[i+1]) + string(good[i]) + good[i+2:]
		differ := int(good[i]) - int(good[i+1])
		if _, err := readGTIN(swapped); (err == nil) != (differ == 0 || differ == 5 || differ == -5) {
			t.Errorf("readGTIN(%s), two digits in each other's place: %v", swapped, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{"]C1010950600013435210AB-1\x1d21S/9", "(01)09506000134352", "D:120", "96385074", "٤", "]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := Read(text)
		switch {
		case err != nil && (!fault.Is(err, fault.Invalid) || got != (Scan{})):
			t.Errorf("Read(%q) = %+v, %v", text, got, err)
		case err == nil && got.Kind == "":
			t.Errorf("Read(%q) is of no kind", text)
		case got.GTIN != "" && (len(got.GTIN) != 14 || checkDigit(got.GTIN[:13]) != got.GTIN[13]):
			t.Errorf("Read(%q) gives the number %q", text, got.GTIN)
		}
	})
}
