package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// written is a trail of three entries as it is exported, and the key that signed it.
func written(t *testing.T, filter map[string]string, leaveOut int64) (string, *SealKey) {
	t.Helper()
	key, tenant := newKey(t), uuid.MustParse("11111111-1111-7111-8111-111111111111")
	var entries []Entry
	previous := make([]byte, 32)
	for n := int64(1); n <= 3; n++ {
		after := `{"state": "done"}`
		e := Entry{TenantID: tenant, Seq: n, At: time.Date(2026, 11, 30, 12, 0, int(n), 5000, time.UTC), Name: "Inès", Action: "item:done", Outcome: "done", Reason: "=1+1", After: &after, PrevHash: previous}
		sum := sha256.Sum256([]byte(e.Canonical()))
		e.Hash, previous = sum[:], sum[:]
		entries = append(entries, e)
	}
	seal := key.Seal(Head{TenantID: tenant, Seq: 3, Hash: lineOf(entries[2]).Hash, At: entries[2].At}, nil)
	x := Export{TenantID: tenant, TenantCode: "rivermark", At: entries[2].At, By: "Inès", Filter: filter, UpTo: 3, Seal: &seal, Key: key, Read: func(yield func(Entry) error) error {
		for _, e := range entries {
			if e.Seq == leaveOut {
				continue
			}
			if err := yield(e); err != nil {
				return err
			}
		}
		return nil
	}}
	var b bytes.Buffer
	if _, err := x.WriteJSONL(&b); err != nil {
		t.Fatal(err)
	}
	return b.String(), key
}

func TestAnExportedFileIsCheckedWithoutTheServer(t *testing.T) {
	text, key := written(t, nil, 0)
	for name, c := range map[string]struct {
		ring   Keyring
		origin bool
	}{"with the key": {NewKeyring(nil, key.Public()), true}, "without": {Keyring{}, false}} {
		found, err := ReadJSONL(strings.NewReader(text), c.ring, nil)
		if err != nil || found.Entries != 3 || found.Last != 3 || found.Origin != c.origin || found.KeyID != key.Public().ID() || found.Seal == nil || found.Tenant != "rivermark" {
			t.Errorf("ReadJSONL %s = %+v, %v; want three entries, origin proven: %v", name, found, err, c.origin)
		}
	}
	filtered, key := written(t, map[string]string{"person": "x"}, 2)
	if found, err := ReadJSONL(strings.NewReader(filtered), NewKeyring(key), nil); err != nil || found.Entries != 2 || !found.Origin {
		t.Errorf("ReadJSONL of a filtered file = %+v, %v; want two entries", found, err)
	}
}

// Whatever is changed in the file is found without any key, but for what whoever changes it can compute anew; and that is
// found with the key.
func TestWhateverIsChangedInAnExportedFileIsFound(t *testing.T) {
	text, key := written(t, nil, 0)
	filtered, _ := written(t, map[string]string{"person": "x"}, 0)
	lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	join := func(l ...string) string { return strings.Join(l, "") }
	for name, c := range map[string]struct{ text, want string }{
		"a byte":              {strings.Replace(text, `"reason":"=1+1"`, `"reason":"=1+2"`, 1), "line 2: entry 1: was changed"},
		"a name":              {strings.Replace(text, `"name":"Inès"`, `"name":"Ines"`, 1), "line 2: entry 1: was changed"},
		"an entry out":        {join(lines[0], lines[1], lines[3], lines[4]), "line 3: entry 2: missing"},
		"the first out":       {join(lines[0], lines[2], lines[3], lines[4]), "line 2: entry 1: missing"},
		"the last out":        {join(lines[0], lines[1], lines[2], lines[4]), "the end says that there are 3 entries, and there are 2"},
		"two swapped":         {join(lines[0], lines[2], lines[1], lines[3], lines[4]), "entry 1: missing"},
		"one twice":           {join(lines[0], lines[1], lines[1], lines[2], lines[3], lines[4]), "line 3: entry 1: stands twice"},
		"cut":                 {join(lines[0], lines[1], lines[2]), "the file was cut after entry 2"},
		"half a line":         {text[:len(text)-40], "the end cannot be read"},
		"something after":     {text + "\n" + lines[1], "something follows after the end"},
		"an unknown field":    {strings.Replace(text, `"seq":2,`, `"seq":2,"note":"x",`, 1), "line 3: cannot be read as an entry"},
		"the tenant":          {strings.Replace(text, "11111111-1111-7111", "22222222-1111-7111", 1), "line 2: entry 1: was changed"},
		"the tenant's name":   {strings.Replace(text, `"tenant":"rivermark"`, `"tenant":"saltway"`, 1), "do not have the SHA-256"},
		"the filter":          {strings.Replace(filtered, `"person":"x"`, `"person":"y"`, 1), "do not have the SHA-256"},
		"out of the filtered": {strings.Replace(filtered, strings.SplitAfter(filtered, "\n")[2], "", 1), "the end says that there are 3 entries, and there are 2"},
		"the signature":       {strings.Replace(text, `"signature":"`, `"signature":"AAAA`, 1), "does not carry the signature"},
		"the sealed entry":    {strings.Replace(text, `"seal":{"tenant_id":"11111111-1111-7111-8111-111111111111","number":1,"seq":3`, `"seal":{"tenant_id":"11111111-1111-7111-8111-111111111111","number":1,"seq":2`, 1), "seal 1: is not over entry 3"},
		"no export":           {"{}\n", "line 1: this is no export"},
		"nothing":             {"", "line 1: "},
	} {
		if c.text == text || c.text == filtered {
			t.Fatalf("%s: nothing was changed", name)
		}
		if found, err := ReadJSONL(strings.NewReader(c.text), Keyring{}, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("ReadJSONL with %s changed = %+v, %v; want %q", name, found, err, c.want)
		}
	}
	forged, other := written(t, nil, 0)
	if _, err := ReadJSONL(strings.NewReader(forged), Keyring{}, nil); err != nil {
		t.Fatalf("a forgery fits itself, but ReadJSONL = %v", err)
	}
	if _, err := ReadJSONL(strings.NewReader(forged), NewKeyring(nil, key.Public()), nil); err == nil || !strings.Contains(err.Error(), "was signed with key "+other.Public().ID()) {
		t.Errorf("ReadJSONL of a file by another key = %v; want that key named", err)
	}
}

// W17.
func TestNoCellOfACSVIsAFormula(t *testing.T) {
	for cell, want := range map[string]string{
		"=cmd|' /C calc'!A0": "'=cmd|' /C calc'!A0", "+1": "'+1", "@SUM(A1)": "'@SUM(A1)", "\tx": "'\tx", "\rx": "'\rx", "\nx": "'\nx", "-1+2": "'-1+2", "-": "'-", "--5": "'--5", "-5.25e3": "'-5.25e3", "＝1+1": "'＝1+1", "－1": "'－1", "＠SUM": "'＠SUM",
		"-5.25": "-5.25", "-5": "-5", "5": "5", "": "", "plain": "plain", "a=b": "a=b",
	} {
		if got := NotAFormula(cell); got != want {
			t.Errorf("NotAFormula(%q) = %q, want %q", cell, got, want)
		}
	}
	x := Export{Read: func(yield func(Entry) error) error {
		minus := "-5.25"
		return yield(Entry{Seq: 7, Name: "@Inès,\n\"x\"", Reason: "=1+1", After: &minus})
	}}
	var b bytes.Buffer
	if n, err := x.WriteCSV(&b); err != nil || n != 1 {
		t.Fatalf("WriteCSV = %d, %v", n, err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][0] != "7" || rows[1][5] != "'@Inès,\n\"x\"" || rows[1][12] != "'=1+1" || rows[1][14] != "-5.25" {
		t.Errorf("the CSV reads as %q, %v", rows, err)
	}
}
