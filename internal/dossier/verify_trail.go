package dossier

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/audit"
)

// said is what the trail says of the release, as far as it was read.
type said struct {
	begun      *audit.Entry
	template   string
	items      map[string]itemSaid
	evidence   map[string]string // item and number -> hash; empty where the entry has none
	signatures map[uuid.UUID]signatureSaid
	withdrawn  map[uuid.UUID]withdrawalSaid
	reviewed   map[uuid.UUID]reviewSaid
	used       map[uuid.UUID]uuid.UUID // sealed codes by the signature that they were used up for
	told       map[string]told
}

type itemSaid struct {
	seq             int64
	issuer, subject string // whose act brought it where it is
	State           string `json:"state"`
	Reason          string `json:"reason"`
	Evidence        int    `json:"evidence"`
	SHA256          string `json:"evidence_sha256"`
}

// listed is the size of a file as the manifest says it.
func (v *verifier) listed(name string) int64 {
	for _, f := range v.manifest.Files {
		if f.Name == name {
			return max(f.Bytes, 0)
		}
	}
	return 0
}

func key(item string, number int) string { return fmt.Sprintf("%s %d", item, number) }

func (v *verifier) trail() {
	f := v.files[auditFile]
	if f == nil {
		return // that it is missing was said
	}
	r, err := f.Open()
	if err != nil {
		v.complain(auditFile, "", "it cannot be unpacked: %s", err)
		return
	}
	defer func() { _ = r.Close() }() // it was read to its end, and its hash was checked
	s := said{items: map[string]itemSaid{}, evidence: map[string]string{}, signatures: map[uuid.UUID]signatureSaid{}, withdrawn: map[uuid.UUID]withdrawalSaid{}, reviewed: map[uuid.UUID]reviewSaid{}, used: map[uuid.UUID]uuid.UUID{}, told: map[string]told{}}
	ring := audit.Keyring{}
	if v.found.Origin {
		ring = v.ring
	}
	// One that was changed may unpack to anything.
	v.found.Trail, err = audit.ReadJSONL(io.LimitReader(r, v.listed(auditFile)+mostLists), ring, func(e audit.Entry) error { s.hear(v.record.Release, e); return nil })
	if err != nil {
		v.complain(auditFile, "", "%s", err)
		return
	}
	if v.found.Trail.TenantID != v.record.Release.Tenant || len(v.found.Trail.Filter) > 0 {
		v.complain(auditFile, "", "it is not the trail that belongs to %s", recordFile)
	}
	v.compare(s)
}

// hear takes in an entry. Only what was done counts, and only up to where the record was read.
func (s *said) hear(r Release, e audit.Entry) {
	if e.Outcome != string(audit.Done) || e.Seq > r.ReadAt || e.After == nil {
		return
	}
	run := r.ID.String()
	if row, says := tells(run, e); row != "" {
		s.told[row] = told{e.Seq, says}
	}
	switch part, isPart := strings.CutPrefix(e.ObjectID, run+"/"); {
	case e.Action == "release:start" && e.ObjectID == run:
		var after struct{ Template struct{ SHA256 string } }
		if json.Unmarshal([]byte(*e.After), &after) == nil {
			s.begun, s.template = &e, after.Template.SHA256
		}
	case e.ObjectKind == "item" && isPart:
		after := itemSaid{seq: e.Seq, issuer: e.Issuer, subject: e.Subject}
		if json.Unmarshal([]byte(*e.After), &after) == nil && after.State != "" {
			s.items[part] = after
			if after.Evidence != 0 {
				if _, known := s.evidence[key(part, after.Evidence)]; !known || after.SHA256 != "" {
					s.evidence[key(part, after.Evidence)] = after.SHA256
				}
			}
		}
	default:
		s.hearSignature(run, e)
	}
}

// compare lays the record beside the trail.
func (v *verifier) compare(s said) {
	switch {
	case s.begun == nil:
		v.complain(auditFile, "", "no entry says that the release was started")
	case s.template != v.record.Release.TemplateSHA256:
		v.complain(recordFile, "the runbook", "entry %d of the trail says that the release was started from another one", s.begun.Seq)
	}
	for _, i := range v.record.Items {
		v.compareItem(i, s)
	}
	stored := map[string]bool{}
	for _, e := range v.record.Evidence {
		stored[key(e.Item, e.Number)] = true
		switch sum, heard := s.evidence[key(e.Item, e.Number)]; {
		case !heard:
			v.complain(recordFile, e.row(), "no entry of the trail knows of it")
		case sum != "" && sum != e.SHA256:
			v.complain(recordFile, e.row(), "it was exchanged: the trail knows it by another hash")
		}
	}
	for _, name := range sortedKeys(s.evidence) {
		if !stored[name] {
			item, number, _ := strings.Cut(name, " ")
			v.complain(recordFile, "evidence "+number+" of item "+item, "it is missing: the trail knows of it")
		}
	}
	v.compareSignatures(s)
	v.compareTold(s.told)
}

func (v *verifier) compareItem(i Item, s said) {
	heard, ok := s.items[i.ID]
	number := 0
	if i.Evidence != nil {
		number = *i.Evidence
	}
	switch {
	case !ok && i.State != "open":
		v.complain(recordFile, i.row(), "it is %s, and no entry of the trail says so", i.State)
	case ok && heard.State != i.State:
		v.complain(recordFile, i.row(), "it is %s, and entry %d of the trail says that it is %s", i.State, heard.seq, heard.State)
	case ok && heard.Evidence != number:
		v.complain(recordFile, i.row(), "its evidence is number %d, and entry %d of the trail says number %d", number, heard.seq, heard.Evidence)
	case ok && heard.Reason != i.Reason:
		v.complain(recordFile, i.row(), "its reason is not the one that entry %d of the trail says", heard.seq)
	case ok && i.SettledAt != nil && (heard.issuer != i.SettledIssuer || heard.subject != i.SettledSubject):
		v.complain(recordFile, i.row(), "it was settled by somebody else, says entry %d of the trail", heard.seq)
	}
}

// orNobody is what a pointer leads to, or nothing.
func orNobody[T any](p *T) T {
	if p == nil {
		var none T
		return none
	}
	return *p
}

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
