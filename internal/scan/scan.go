package scan

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/agogsaas/gatehouse/internal/fault"
)

// Kind is what a scan is.
type Kind string

// The kinds.
const (
	TradeItem Kind = "gtin"    // a GTIN alone
	Elements  Kind = "gs1"     // GS1 application identifiers
	Own       Kind = "code"    // a code of the company's own: of a material, a location or a lot
	Order     Kind = "command" // a command barcode
	Ruler     Kind = "ruler"   // a mark of the barcode ruler: a side and its length
)

// Command is what a command barcode tells the page to do.
type Command string

// The commands.
const (
	OK     Command = "OK"
	Back   Command = "BACK"
	Cancel Command = "CANCEL"
)

// Side is a side of an item, as it stands in front of whoever measures it.
type Side string

// The sides.
const (
	Height Side = "height"
	Width  Side = "width"
	Depth  Side = "depth"
)

// Level is how much of an item carries the barcode.
type Level string

// The levels of packaging.
const (
	Each     Level = "each"     // one unit
	Case     Level = "case"     // a packed quantity of it
	Variable Level = "variable" // a packed quantity that varies
)

// Scan is what was read.
type Scan struct {
	Kind Kind
	// GTIN is the trade item number in its form of fourteen digits, and Level what its indicator says.
	GTIN  string
	Level Level
	// Lot and Serial are those of the element string, where it has them.
	Lot, Serial string
	// Code is a code of the company's own.
	Code    string
	Command Command
	// Side and Millimetres are what a mark of the ruler says.
	Side        Side
	Millimetres decimal.Decimal
}

// longest is more than any barcode on a package holds.
const longest = 200

var (
	// separator is FNC1 as scanners send it: the control character GS.
	separator = "\x1d"
	ruler     = regexp.MustCompile(`^([HWDT]):(.*)$`)
	length    = regexp.MustCompile(`^[0-9]{1,5}(\.[0-9]{1,3})?$`)
	digits    = regexp.MustCompile(`^[0-9]+$`)
	sides     = map[string]Side{"H": Height, "W": Width, "D": Depth, "T": Depth}
	commands  = []Command{OK, Back, Cancel}
	// prefixes are the symbology identifiers of barcodes that hold element strings.
	prefixes = []string{"]C1", "]e0", "]d2", "]Q3", "]J1"}
)

// Read says what was scanned. What it refuses is Invalid, with a sentence for whoever holds the scanner.
func Read(text string) (Scan, error) {
	text = strings.TrimSpace(text) // GS is no white space, so it stays
	switch {
	case text == "":
		return Scan{}, refuse("Nothing was scanned. Scan the barcode of the material, or type its code.")
	case !utf8.ValidString(text):
		return Scan{}, refuse("The scanner sent something that is no text. Check how it is set, and scan again.")
	case utf8.RuneCountInString(text) > longest:
		return Scan{}, refuse("This is longer than any barcode: more than %d characters. Two scans may have run into each other; scan again.", longest)
	}
	if err := plain(text); err != nil {
		return Scan{}, err
	}
	if c := Command(strings.ToUpper(text)); slices.Contains(commands, c) {
		return Scan{Kind: Order, Command: c}, nil
	}
	if m := ruler.FindStringSubmatch(text); m != nil {
		return readRuler(m[1], m[2])
	}
	for _, prefix := range prefixes {
		if rest, ok := strings.CutPrefix(text, prefix); ok {
			return readElements(strings.TrimPrefix(rest, separator))
		}
	}
	switch {
	case strings.HasPrefix(text, "]"):
		return readOther(text)
	case strings.HasPrefix(text, "("):
		return readBrackets(text)
	case strings.Contains(text, separator):
		return readElements(strings.TrimPrefix(text, separator))
	case looksLikeElements(text):
		return readElements(text)
	case digits.MatchString(text) && isLengthOfGTIN(len(text)):
		return readGTIN(text)
	}
	return Scan{Kind: Own, Code: text}, nil
}

// plain refuses characters that no barcode of ours holds, and names the first of them.
func plain(text string) error {
	for _, r := range text {
		switch {
		case r == '\x1d':
		case r < ' ' || r == 0x7f:
			return refuse("The scan holds a control character (number %d) in its middle. Two scans may have run into each other, or the scanner is set to add something; scan again.", r)
		case r > unicode.MaxASCII && unicode.IsDigit(r):
			return refuse("The scan holds the digit %q. Barcodes have the digits 0 to 9 only: switch the scanner or the keyboard to those, and scan again.", r)
		case r >= '\uff01' && r <= '\uff5e':
			return refuse("The scan holds the full-width character %q. Switch the keyboard or the scanner to plain letters and digits, and scan again.", r)
		case r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', r == '\u200e', r == '\u200f', r == '\u200b', r == '\ufeff':
			return refuse("The scan holds an invisible character (U+%04X). Type the code by hand, or scan again.", r)
		}
	}
	return nil
}

// readOther takes the symbology identifier off a barcode that holds no element string.
func readOther(text string) (Scan, error) {
	if len(text) < 4 {
		return Scan{}, refuse("The scanner sent %q and no barcode. Scan again.", text)
	}
	return Read(text[3:])
}

func readRuler(side, value string) (Scan, error) {
	if !length.MatchString(value) {
		return Scan{}, refuse("This mark of the ruler cannot be read: %q. It has a letter, a colon and millimetres with a point, as %s:120 or %s:120.5.", clip(side+":"+value), side, side)
	}
	mm, err := decimal.NewFromString(value)
	if err != nil || !mm.IsPositive() {
		return Scan{}, refuse("This mark of the ruler says %s mm, and nothing is that long. Scan the mark at the other end.", value)
	}
	return Scan{Kind: Ruler, Side: sides[side], Millimetres: mm}, nil
}

func refuse(form string, args ...any) error { return fault.New(fault.Invalid, form, args...) }

// clip keeps a sentence readable whatever was scanned.
func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:39]) + "…"
	}
	return s
}
