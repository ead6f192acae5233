package scan

import (
	"regexp"
	"strings"
)

// element is what is known of an application identifier: how long its value is, and whether that is fixed.
type element struct {
	most  int
	fixed bool
	digit bool
}

// The application identifiers that are read, by their first two digits where the rest says only how a value is meant. What is
// not kept is known all the same: its length says where the next one begins.
var elements = map[string]element{
	"00": {18, true, true}, "01": {14, true, true}, "02": {14, true, true},
	"10": {20, false, false}, "21": {20, false, false}, "22": {20, false, false}, "240": {30, false, false}, "241": {30, false, false}, "250": {30, false, false},
	"11": {6, true, true}, "12": {6, true, true}, "13": {6, true, true}, "15": {6, true, true}, "16": {6, true, true}, "17": {6, true, true},
	"20": {2, true, true}, "30": {8, false, true}, "37": {8, false, true}, "400": {30, false, false},
}

// measures are identifiers of four digits with six digits of value: 3102 is a net weight with two decimals.
var measures = regexp.MustCompile(`^3[1-6][0-9][0-9]`)

// places are 410 to 417, with thirteen digits.
var places = regexp.MustCompile(`^41[0-7]`)

// identify finds the application identifier with which the text begins.
func identify(text string) (id string, e element, ok bool) {
	for n := 2; n <= 3 && n <= len(text); n++ {
		if e, known := elements[text[:n]]; known {
			return text[:n], e, true
		}
	}
	switch {
	case len(text) >= 4 && measures.MatchString(text):
		return text[:4], element{6, true, true}, true
	case len(text) >= 3 && places.MatchString(text):
		return text[:3], element{13, true, true}, true
	}
	return "", element{}, false
}

// looksLikeElements says whether digits that came without any mark of FNC1 are an element string all the same: a scanner may
// leave the mark out. Its number has to check.
func looksLikeElements(text string) bool {
	if len(text) < 16 || !strings.HasPrefix(text, "01") || !digits.MatchString(text[:16]) {
		return false
	}
	_, err := readGTIN(text[2:16])
	return err == nil
}

// readElements reads application identifiers with their values, one after the other; a value whose length is not fixed ends at
// FNC1.
func readElements(text string) (Scan, error) {
	found := map[string]string{}
	for text != "" {
		id, e, ok := identify(text)
		if !ok {
			return Scan{}, refuse("The barcode holds %q, which is no application identifier that is known here. Scan another barcode of the item, or type its code.", clip(shown(text)))
		}
		value := text[len(id):]
		if e.fixed {
			if len(value) < e.most {
				return Scan{}, refuse("The barcode ends in the middle of (%s): it has %d characters there and needs %d. Scan it again.", id, len(value), e.most)
			}
			value = value[:e.most]
		} else if end := strings.Index(value, separator); end >= 0 {
			value = value[:end]
		}
		text = strings.TrimPrefix(text[len(id)+len(value):], separator)
		if err := keep(found, id, e, value); err != nil {
			return Scan{}, err
		}
	}
	return fromElements(found)
}

var bracketed = regexp.MustCompile(`\(([0-9]{2,4})\)`)

// readBrackets reads an element string as it is printed for people: (01)09506000134352(10)AB-1.
func readBrackets(text string) (Scan, error) {
	marks := bracketed.FindAllStringSubmatchIndex(text, -1)
	if len(marks) == 0 || marks[0][0] != 0 {
		return Scan{}, refuse("%q begins with a bracket and no application identifier. Write it as it is printed, like (01)09506000134352(10)AB-1.", clip(text))
	}
	found := map[string]string{}
	for i, m := range marks {
		end := len(text)
		if i+1 < len(marks) {
			end = marks[i+1][0]
		}
		id, value := text[m[2]:m[3]], strings.Trim(text[m[1]:end], separator)
		known, e, ok := identify(id)
		if !ok || known != id {
			return Scan{}, refuse("(%s) is no application identifier that is known here. Scan another barcode of the item, or type its code.", id)
		}
		if e.fixed && len(value) != e.most {
			return Scan{}, refuse("(%s) has %d characters and needs %d. Scan it again.", id, len(value), e.most)
		}
		if err := keep(found, id, e, value); err != nil {
			return Scan{}, err
		}
	}
	return fromElements(found)
}

// allowed are the characters that GS1 allows in values that are not numbers.
const allowed = `!"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz`

func keep(found map[string]string, id string, e element, value string) error {
	if _, twice := found[id]; twice {
		return refuse("The barcode holds (%s) twice. Two scans may have run into each other; scan again.", id)
	}
	switch {
	case value == "":
		return refuse("The barcode names (%s) and says nothing for it. Scan it again.", id)
	case len(value) > e.most:
		return refuse("(%s) has %d characters and may have %d at most. The scanner may leave out FNC1, which ends it: set it to send that as GS (character 29).", id, len(value), e.most)
	case e.digit && !digits.MatchString(value):
		return refuse("(%s) has to be digits and is %q. Scan it again.", id, clip(shown(value)))
	}
	if at := strings.IndexFunc(value, func(r rune) bool { return !strings.ContainsRune(allowed, r) }); at >= 0 {
		return refuse("(%s) holds a character that barcodes of GS1 do not have: %q. Scan it again.", id, clip(shown(value[at:])))
	}
	found[id] = value
	return nil
}

// fromElements makes a scan of what was found. Without a trade item number, a lot or a serial number it says nothing of use here.
func fromElements(found map[string]string) (Scan, error) {
	s := Scan{Kind: Elements, Lot: found["10"], Serial: found["21"]}
	if number, ok := found["01"]; ok {
		item, err := readGTIN(number)
		if err != nil {
			return Scan{}, err
		}
		s.GTIN, s.Level = item.GTIN, item.Level
	}
	if s.GTIN == "" && s.Lot == "" && s.Serial == "" {
		return Scan{}, refuse("The barcode holds neither a trade item number (01) nor a lot (10) nor a serial number (21). Scan another barcode of the item, or type its code.")
	}
	return s, nil
}

// shown makes FNC1 visible.
func shown(text string) string { return strings.ReplaceAll(text, separator, "<GS>") }
