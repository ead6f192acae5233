package signoff

import (
	"strings"
	"testing"
)

func TestParseScore(t *testing.T) {
	for in, want := range map[string]string{"0": "0.0", "9.5": "9.5", "10": "10.0", "10.0": "10.0", "07": "7.0"} {
		got, err := ParseScore(in)
		if err != nil || got.String() != want {
			t.Errorf("ParseScore(%q) = %s, %v; want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"", ".", "9.", ".5", "9.55", "10.1", "11", "100", "-1", "9,5", "NaN", "1e1", " 9", "٩"} {
		if got, err := ParseScore(in); err == nil {
			t.Errorf("ParseScore(%q) = %s, want a complaint", in, got)
		}
	}
}

const content = `{"form":"gatehouse-gate-1","release":{"run":"r","tenant":"t","code":"REQ","title":"T","environment":"demo","t0":"2026-03-01","time_zone":"UTC"},
"template":{"name":"n","version":"1.0.0","sha256":"s"},"gate":{"id":"final","name":"Final","judges":"j","not_before":"gate time"},
"slots":[{"slot":"qa","role":"qa_lead","required":true,"statement":"Tested."}],"migrations":[{"version":"0.0.20","title":"x","sha256":"f"}],
"items":[{"id":"A1","title":"First","owner":"qa_lead","required":true,"state":"done","by":"Wim","issuer":"i","subject":"u","at":"then","not_before":"item time",
"evidence":{"number":1,"kind":"text","value":"v","note":"n","summary":"","query":"","passed":true,"sha256":"e","by":"Wim","at":"then"}}],
"applied":[{"version":"0.0.20","direction":"up","success":true,"sha256":"f","finished_at":"then","entry":7}],
"health":{"item":"A1","passed":true,"summary":"HEALTHY","sha256":"h","at":"then"}}`

// Every single value of a content has a name in the comparison: what is changed anywhere is said.
func TestCompareNamesWhateverChanged(t *testing.T) {
	for old, want := range map[string]string{
		`"2026-03-01"`: "T-0", `"demo"`: "Environment", `"UTC"`: "Time zone", `"1.0.0"`: "Runbook template", `"Tested."`: "Place qa", `"sha256":"f"}],`: "File of migration 0.0.20",
		`"state":"done"`: "A1 state", `"by":"Wim","issuer"`: "A1 by", `"subject":"u"`: "A1 by", `"value":"v"`: "A1 evidence", `"note":"n"`: "A1 evidence note",
		`"passed":true,"sha256":"e"`: "A1 evidence passed", `"sha256":"e"`: "A1 evidence hash", `"direction":"up"`: "Migration 0.0.20 in the ledger", `"entry":7`: "Migration 0.0.20 in the ledger",
		`"HEALTHY"`: "Health", `"judges":"j"`: "Gate", `"title":"T"`: "Title of the release", `"title":"First"`: "A1 title", `"owner":"qa_lead"`: "A1 owner",
		`"gate time"`: "The gate opens", `"item time"`: "A1 not before",
	} {
		changes, err := Compare(content, alter(t, content, old))
		if err != nil || len(changes) != 1 || changes[0].What != want || changes[0].Then == changes[0].Now {
			t.Errorf("after a change of %s, Compare says %+v, %v; want only %q", old, changes, err, want)
		}
	}
	if changes, err := Compare(content, content); err != nil || changes != nil {
		t.Errorf("Compare of the same = %+v, %v; want nothing", changes, err)
	}
	if changes, err := Compare(content, content+" "); err != nil || len(changes) != 1 {
		t.Errorf("Compare of another spelling = %+v, %v; want one change that says so", changes, err)
	}
	if _, err := Compare(content, "nonsense"); err == nil {
		t.Error("Compare with what is no content gives no error")
	}
}

// alter changes the last value inside old: a text gets a letter more, a number a digit, true becomes false.
func alter(t *testing.T, text, old string) string {
	t.Helper()
	before, after, ok := strings.Cut(text, old)
	if !ok {
		t.Fatalf("the content holds no %s", old)
	}
	var changed string
	switch {
	case strings.Contains(old, "true"):
		changed = strings.Replace(old, "true", "false", 1)
	case strings.Contains(old, "7"):
		changed = strings.Replace(old, "7", "8", 1)
	default:
		at := strings.LastIndex(old, `"`)
		if strings.HasSuffix(old, `,"issuer"`) {
			at = strings.Index(old, `","issuer"`)
		}
		changed = old[:at] + "x" + old[at:]
	}
	return before + changed + after
}
