package audit

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Entries is a sequence of entries, in order of Seq, that is read once and may fail under way.
type Entries func(yield func(Entry) error) error

// Export is what was asked for, and what the trail said at that moment.
type Export struct {
	TenantID   uuid.UUID
	TenantCode string
	At         time.Time
	By         string
	// Filter is what of the trail is in the file, by name of the filter; empty is all of it.
	Filter map[string]string
	// From is the first entry where the file begins later than the trail; zero begins with the trail.
	From int64
	// UpTo is the newest entry of the trail that could be in the file, the export's own included.
	UpTo int64
	// Seal is over UpTo; nil where nothing is sealed. Key signs the file; nil where there is none.
	Seal *Seal
	Key  *SealKey
	// Read gives the entries.
	Read Entries
}

const exportName = "gatehouse-audit-export-1"

// exportHead is the first line of a JSONL export, exportFoot the last: a file without it was cut.
type exportHead struct {
	Form       string            `json:"form"`
	TenantID   uuid.UUID         `json:"tenant_id"`
	Tenant     string            `json:"tenant"`
	ExportedAt time.Time         `json:"exported_at"`
	ExportedBy string            `json:"exported_by"`
	Filter     map[string]string `json:"filter"`
	From       int64             `json:"from,omitempty"`
	UpTo       int64             `json:"up_to"`
}

// exportFoot signs every byte before it.
type exportFoot struct {
	Entries   *int64 `json:"entries"`
	SHA256    string `json:"sha256"` // of all lines before
	KeyID     string `json:"key_id,omitempty"`
	Signature []byte `json:"signature,omitempty"`
	Seal      *Seal  `json:"seal,omitempty"`
	PublicKey string `json:"public_key,omitempty"`
}

// signed is the text that the signature of an export is over.
func (f exportFoot) signed() []byte { return []byte(exportName + " " + f.SHA256) }

// exportEntry is an entry as a line: every field that is hashed, and what was hashed to what.
type exportEntry struct {
	Seq        int64   `json:"seq"`
	At         string  `json:"at"`
	Origin     string  `json:"origin"`
	Issuer     string  `json:"issuer"`
	Subject    string  `json:"subject"`
	Name       string  `json:"name"`
	Roles      string  `json:"roles"`
	IP         string  `json:"ip"`
	Action     string  `json:"action"`
	ObjectKind string  `json:"object_kind"`
	ObjectID   string  `json:"object_id"`
	Outcome    string  `json:"outcome"`
	Reason     string  `json:"reason"`
	Before     *string `json:"before"`
	After      *string `json:"after"`
	PrevHash   string  `json:"prev_hash"`
	Hash       string  `json:"hash"`
}

// HashOf is the SHA-256 of texts in the length-prefixed form in which entries are hashed, too.
func HashOf(texts ...string) string {
	sum := sha256.New()
	for _, text := range texts {
		sum.Write([]byte(strconv.Itoa(len(text)) + ":" + text))
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func lineOf(e Entry) exportEntry {
	return exportEntry{
		e.Seq, e.At.UTC().Format(exactly), e.Origin, e.Issuer, e.Subject, e.Name, e.Roles, e.IP, e.Action, e.ObjectKind, e.ObjectID,
		e.Outcome, e.Reason, e.Before, e.After, hex.EncodeToString(e.PrevHash), hex.EncodeToString(e.Hash),
	}
}

func (l exportEntry) entry(tenant uuid.UUID) (Entry, error) {
	at, wrongTime := time.Parse(exactly, l.At)
	previous, wrongPrevious := hex.DecodeString(l.PrevHash)
	hash, wrongHash := hex.DecodeString(l.Hash)
	if err := errors.Join(wrongTime, wrongPrevious, wrongHash); err != nil {
		return Entry{}, Break{l.Seq, "cannot be read: " + strings.ReplaceAll(err.Error(), "\n", "; ")}
	}
	return Entry{
		tenant, l.Seq, at, l.Origin, l.Issuer, l.Subject, l.Name, l.Roles, l.IP, l.Action, l.ObjectKind, l.ObjectID,
		l.Outcome, l.Reason, l.Before, l.After, previous, hash,
	}, nil
}

// WriteJSONL writes the export such that ReadJSONL can check it without our server.
func (x Export) WriteJSONL(w io.Writer) (entries int64, err error) {
	sum := sha256.New()
	out := json.NewEncoder(io.MultiWriter(w, sum))
	out.SetEscapeHTML(false)
	filter := x.Filter
	if filter == nil {
		filter = map[string]string{}
	}
	if err := out.Encode(exportHead{exportName, x.TenantID, x.TenantCode, x.At.UTC(), x.By, filter, x.From, x.UpTo}); err != nil {
		return 0, err
	}
	err = x.Read(func(e Entry) error {
		entries++
		return out.Encode(lineOf(e))
	})
	if err != nil {
		return entries, err
	}
	foot := exportFoot{Entries: &entries, SHA256: hex.EncodeToString(sum.Sum(nil)), Seal: x.Seal}
	if x.Key != nil {
		foot.KeyID, foot.Signature, foot.PublicKey = x.Key.Public().ID(), x.Key.Sign(foot.signed()), x.Key.Public().PEM()
	}
	return entries, out.Encode(foot)
}

// csvColumns are the columns of a CSV export.
var csvColumns = []string{"seq", "at", "origin", "issuer", "subject", "name", "roles", "ip", "action", "object_kind", "object_id", "outcome", "reason", "before", "after", "prev_hash", "hash"}

// WriteCSV writes the export for a spreadsheet: to read, not to check, because a text that a spreadsheet would calculate
// gets an apostrophe before it.
func (x Export) WriteCSV(w io.Writer) (entries int64, err error) {
	out := csv.NewWriter(w)
	if err := out.Write(csvColumns); err != nil {
		return 0, err
	}
	err = x.Read(func(e Entry) error {
		entries++
		l := lineOf(e)
		row := []string{strconv.FormatInt(l.Seq, 10), l.At, l.Origin, l.Issuer, l.Subject, l.Name, l.Roles, l.IP, l.Action, l.ObjectKind, l.ObjectID, l.Outcome, l.Reason, orEmpty(l.Before), orEmpty(l.After), l.PrevHash, l.Hash}
		for i, cell := range row {
			row[i] = NotAFormula(cell)
		}
		return out.Write(row)
	})
	if err != nil {
		return entries, err
	}
	out.Flush()
	return entries, out.Error()
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

var number = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// NotAFormula is the text such that no spreadsheet calculates it: what begins as a formula does, in full width too, gets an
// apostrophe before it. Numbers stay numbers, negative ones too.
func NotAFormula(cell string) string {
	first, _ := utf8.DecodeRuneInString(cell)
	if cell != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) && !number.MatchString(cell) {
		return "'" + cell
	}
	return cell
}

// Found is what a check of an exported file found.
type Found struct {
	Tenant   string
	TenantID uuid.UUID
	At       time.Time
	By       string
	Filter   map[string]string
	From     int64 // the first entry; 1 unless the file says otherwise
	UpTo     int64
	Entries  int64
	// Last is the newest entry of the file and Hash its hash.
	Last int64
	Hash string
	Seal *Seal
	// KeyID is the fingerprint of the key that signed the file; empty where none did.
	KeyID string
	// Origin says that the key which signed the file is trusted by who checks. Otherwise the file fits itself, which whoever
	// changes it can bring about as well.
	Origin bool
}

// mostLine is the longest line of an export that is read.
const mostLine = 64 << 20

// ReadJSONL checks an exported file: that it is whole, that every entry has the hash it claims, and that each continues
// the one before it; where something was filtered out, that holds of neighbours alone. The error is a Break, or says what
// else is wrong. Seal and signature are checked with the ring, where it trusts anybody, and with the key in the file
// otherwise. visit, where it is given, is told each entry once it was checked.
func ReadJSONL(r io.Reader, ring Keyring, visit func(Entry) error) (Found, error) {
	lines := bufio.NewReaderSize(r, 1<<20)
	first, err := readLine(lines)
	if err != nil {
		return Found{}, fmt.Errorf("line 1: %w", err)
	}
	var head exportHead
	if strict(first, &head) != nil || head.Form != exportName {
		return Found{}, errors.New("line 1: this is no export of an audit trail (" + exportName + ")")
	}
	f := Found{Tenant: head.Tenant, TenantID: head.TenantID, At: head.ExportedAt, By: head.ExportedBy, Filter: head.Filter, From: max(1, head.From), UpTo: head.UpTo}
	f.Last = f.From - 1
	sum := sha256.New()
	hashed := func(line []byte) { sum.Write(line); sum.Write([]byte{'\n'}) }
	hashed(first)
	var before *Entry
	for n := int64(2); ; n++ {
		line, err := readLine(lines)
		if errors.Is(err, io.EOF) {
			return f, fmt.Errorf("line %d: the end is missing; the file was cut after entry %d", n, f.Last)
		}
		if err != nil {
			return f, fmt.Errorf("line %d: %w", n, err)
		}
		var foot exportFoot
		if bytes.HasPrefix(line, []byte(`{"entries":`)) {
			if strict(line, &foot) != nil || foot.Entries == nil {
				return f, fmt.Errorf("line %d: the end cannot be read", n)
			}
			if rest, err := io.ReadAll(io.LimitReader(lines, 100)); err != nil || strings.TrimSpace(string(rest)) != "" {
				return f, fmt.Errorf("line %d: something follows after the end", n+1)
			}
			return f.finish(foot, hex.EncodeToString(sum.Sum(nil)), ring)
		}
		var l exportEntry
		if err := strict(line, &l); err != nil {
			return f, fmt.Errorf("line %d: cannot be read as an entry: %w", n, err)
		}
		e, err := l.entry(f.TenantID)
		if err == nil {
			err = f.add(e, before)
		}
		if err == nil && visit != nil {
			err = visit(e)
		}
		if err != nil {
			return f, fmt.Errorf("line %d: %w", n, err)
		}
		before = &e
		hashed(line)
	}
}

// add checks an entry by itself and against the one before it in the file.
func (f *Found) add(e Entry, before *Entry) error {
	sum := sha256.Sum256([]byte(e.Canonical()))
	switch {
	case !bytes.Equal(sum[:], e.Hash):
		return Break{e.Seq, "was changed after it was written"}
	case before != nil && e.Seq <= before.Seq:
		return Break{e.Seq, "stands twice or out of order"}
	case before != nil && e.Seq == before.Seq+1 && !bytes.Equal(e.PrevHash, before.Hash),
		before == nil && e.Seq == 1 && !bytes.Equal(e.PrevHash, make([]byte, sha256.Size)):
		return Break{e.Seq, "does not continue the entry before it"}
	case len(f.Filter) == 0 && e.Seq != f.Last+1:
		return Break{f.Last + 1, fmt.Sprintf("missing: after entry %d comes entry %d", f.Last, e.Seq)}
	}
	f.Entries++
	f.Last, f.Hash = e.Seq, hex.EncodeToString(e.Hash)
	return nil
}

func (f Found) finish(foot exportFoot, sum string, ring Keyring) (Found, error) {
	f.Seal, f.KeyID = foot.Seal, foot.KeyID
	switch {
	case *foot.Entries != f.Entries:
		return f, fmt.Errorf("the end says that there are %d entries, and there are %d", *foot.Entries, f.Entries)
	case len(f.Filter) == 0 && f.Last != f.UpTo:
		return f, Break{f.Last + 1, fmt.Sprintf("missing: the file should reach entry %d", f.UpTo)}
	case foot.SHA256 != sum:
		return f, errors.New("the lines of the file do not have the SHA-256 that its end says; a line was changed, added or taken out")
	case foot.KeyID == "" && ring.Trusts():
		return f, errors.New("the file is not signed, so the key proves nothing about it")
	case foot.KeyID == "":
		return f, nil
	}
	f.Origin = ring.Trusts()
	if !f.Origin {
		keys, err := ParsePublicKeys(foot.PublicKey)
		if err != nil || len(keys) != 1 || keys[0].ID() != foot.KeyID {
			return f, errors.New("the public key in the file is not the one that the file says signed it")
		}
		ring = NewKeyring(nil, keys[0])
	}
	key, ok := ring.Key(foot.KeyID)
	switch {
	case !ok:
		return f, fmt.Errorf("the file was signed with key %s, and that is not the key it is checked with", foot.KeyID)
	case !key.Verifies(foot.signed(), foot.Signature):
		return f, fmt.Errorf("the file does not carry the signature of key %s", foot.KeyID)
	case f.Seal == nil:
		return f, nil
	case f.Seal.TenantID != f.TenantID:
		return f, sealBreak(f.Seal.Number, "is of another tenant")
	case f.Seal.Seq != f.UpTo, f.Last == f.UpTo && f.Seal.Hash != f.Hash:
		return f, sealBreak(f.Seal.Number, "is not over entry %d as it stands here", f.UpTo)
	}
	return f, ring.Check(*f.Seal)
}

// readLine gives a line without its end; io.EOF where there is none.
func readLine(r *bufio.Reader) ([]byte, error) {
	var whole []byte
	for {
		part, err := r.ReadSlice('\n')
		whole = append(whole, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull) && len(whole) > mostLine:
			return nil, fmt.Errorf("is longer than %d bytes", mostLine)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(whole) > 0:
			return whole, nil
		case err != nil:
			return nil, err
		}
		return bytes.TrimSuffix(whole, []byte("\n")), nil
	}
}

// strict reads one JSON object that has no field we do not know, so that nothing in a file goes unchecked.
func strict(line []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows after it")
	}
	return nil
}
