package dossier

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/audit"
)

// signatureSaid is what the entry of a signature says of it. What entries of before did not say is nil.
type signatureSaid struct {
	seq                               int64
	gate, note, issuer, subject, name string
	ID                                uuid.UUID  `json:"signature"`
	Slot                              string     `json:"slot"`
	Role                              string     `json:"role"`
	Meaning                           string     `json:"meaning"`
	Statement                         string     `json:"statement"`
	Score                             *string    `json:"score"`
	ContentSHA256                     string     `json:"content_sha256"`
	AuthTime                          string     `json:"auth_time"`
	ACR                               *string    `json:"acr"`
	SignedAt                          *time.Time `json:"signed_at"`
	Deputy                            uuid.UUID  `json:"deputy"`
	DeputyNamedBy                     string     `json:"deputy_named_by"`
	DeputyFrom                        *string    `json:"deputy_from"`
	DeputyUntil                       *string    `json:"deputy_until"`
	DeputyReason                      *string    `json:"deputy_reason"`
	Glass                             *glassSaid `json:"break_glass"`
}

// glassSaid is what the same entry says that it rests on, where no fresh sign-in proves it.
type glassSaid struct {
	Code          uuid.UUID `json:"code"`
	FirstHolder   string    `json:"first_holder"`
	SecondHolder  string    `json:"second_holder"`
	Outage        uuid.UUID `json:"outage"`
	OutageSince   string    `json:"outage_since"`
	OutageFailure string    `json:"outage_failure"`
	ReviewDue     string    `json:"review_due"`
}

type withdrawalSaid struct {
	seq          int64
	reason, name string
}

type reviewSaid struct{ verdict, reason, issuer, subject, name string }

// refusedInReview begins the reason of a signature that a review took back; the statement ReviewGlass writes it.
const refusedInReview = "Refused in the review of break-glass: "

// mostOfReason is how much of the review's reason such a withdrawal repeats.
const mostOfReason = 1900

// hearSignature takes in an entry about a signature: that it was given, taken back, reviewed, or used a code up.
func (s *said) hearSignature(run string, e audit.Entry) {
	part, isPart := strings.CutPrefix(e.ObjectID, run+"/")
	after := signatureSaid{seq: e.Seq, gate: part, note: e.Reason, issuer: e.Issuer, subject: e.Subject, name: e.Name}
	var verdict struct {
		Verdict string `json:"verdict"`
	}
	if !isPart && e.Action != "signing_code:use" || json.Unmarshal([]byte(*e.After), &after) != nil || after.ID == uuid.Nil {
		return
	}
	switch e.Action {
	case "gate:sign":
		s.signatures[after.ID] = after
	case "gate:withdraw":
		s.withdrawn[after.ID] = withdrawalSaid{e.Seq, e.Reason, e.Name}
	case "gate:review":
		if json.Unmarshal([]byte(*e.After), &verdict) != nil {
			return
		}
		s.reviewed[after.ID] = reviewSaid{verdict.Verdict, e.Reason, e.Issuer, e.Subject, e.Name}
		if _, already := s.withdrawn[after.ID]; verdict.Verdict == "refused" && !already { // the same act took it back
			reason := []rune(e.Reason)
			s.withdrawn[after.ID] = withdrawalSaid{e.Seq, refusedInReview + string(reason[:min(len(reason), mostOfReason)]), e.Name}
		}
	case "signing_code:use":
		if code, err := uuid.Parse(e.ObjectID); err == nil {
			s.used[after.ID] = code
		}
	}
}

func (v *verifier) compareSignatures(s said) {
	stored := map[uuid.UUID]bool{}
	for _, g := range v.record.Signatures {
		stored[g.ID] = true
		heard, ok := s.signatures[g.ID]
		if !ok {
			v.complain(recordFile, g.row(), "no entry of the trail knows of it")
			continue
		}
		if wrong := heard.differs(g); len(wrong) > 0 {
			v.complain(recordFile, g.row(), "it is not the signature that entry %d of the trail knows: %s", heard.seq, strings.Join(wrong, ", "))
		}
		if wrong := glassDiffers(g, heard, s); len(wrong) > 0 {
			v.complain(recordFile, g.row(), "record and trail differ on whether it was signed by break-glass, or on its review: %s", strings.Join(wrong, ", "))
		}
		switch taken, was := s.withdrawn[g.ID]; {
		case was != (g.WithdrawnAt != nil):
			v.complain(recordFile, g.row(), "record and trail differ on whether it was withdrawn")
		case was && (taken.reason != orNobody(g.WithdrawnReason) || taken.name != orNobody(g.WithdrawnBy)):
			v.complain(recordFile, g.row(), "it was withdrawn by somebody else, or for another reason, says entry %d of the trail", taken.seq)
		}
	}
	for id, heard := range s.signatures {
		if !stored[id] {
			v.complain(recordFile, "signature "+id.String(), "it is missing: entry %d of the trail knows of it", heard.seq)
		}
	}
}

// fact is something that record and trail both say.
type fact struct {
	what string
	same bool
}

func wrongOf(facts []fact) []string {
	var wrong []string
	for _, f := range facts {
		if !f.same {
			wrong = append(wrong, f.what)
		}
	}
	return wrong
}

// differs lists what the entry says otherwise of a signature.
func (h signatureSaid) differs(g Signature) []string {
	return wrongOf([]fact{
		{"gate", h.gate == g.Gate},
		{"place", h.Slot == g.Slot},
		{"role", h.Role == g.Role},
		{"meaning", h.Meaning == g.Meaning},
		{"statement", h.Statement == g.Statement},
		{"score", orNobody(h.Score) == orNobody(g.Score)},
		{"note", h.note == g.Note},
		{"content", h.ContentSHA256 == g.ContentSHA256},
		{"person", h.issuer == g.Issuer && h.subject == g.Subject},
		{"name", h.name == g.Name},
		{"sign-in", h.AuthTime == g.AuthTime.UTC().Format(time.RFC3339)},
		{"strength of the sign-in", unless(h.ACR, g.ACR)},
		{"time", h.SignedAt == nil || h.SignedAt.Equal(g.SignedAt)},
		{"deputy", h.Deputy == orNobody(g.Deputy) && h.DeputyNamedBy == orNobody(g.DeputyNamedBy)},
		{"the deputy's days", unless(h.DeputyFrom, orNobody(g.DeputyFrom)) && unless(h.DeputyUntil, orNobody(g.DeputyUntil))},
		{"why there was a deputy", unless(h.DeputyReason, orNobody(g.DeputyReason))},
	})
}

// unless says that an entry says the same, or nothing.
func unless(said *string, is string) bool { return said == nil || *said == is }

// glassDiffers lists what the trail says otherwise of how a signature was given without a fresh sign-in, and of its review.
func glassDiffers(g Signature, heard signatureSaid, s said) []string {
	found, was := s.reviewed[g.ID]
	code, used := s.used[g.ID]
	if g.Glass == nil || heard.Glass == nil {
		return wrongOf([]fact{{"whether it was", g.Glass == nil && heard.Glass == nil}, {"the code", !used}, {"the review", !was}})
	}
	r, h := *g.Glass, *heard.Glass
	return wrongOf([]fact{
		{"the code", r.Code == h.Code && used && code == r.Code},
		{"the holders", r.FirstHolder == h.FirstHolder && r.SecondHolder == h.SecondHolder},
		{"the outage", r.Outage == h.Outage && r.OutageSince.UTC().Format(time.RFC3339) == h.OutageSince && r.OutageFailure == h.OutageFailure},
		{"by when to review it", r.ReviewDueAt.UTC().Format(time.RFC3339) == h.ReviewDue},
		{"the verdict", orNobody(r.Verdict) == found.verdict},
		{"the reason of the review", orNobody(r.ReviewReason) == found.reason},
		{"who reviewed it", orNobody(r.Reviewer) == found.name && orNobody(r.ReviewerIssuer) == found.issuer && orNobody(r.ReviewerSubject) == found.subject},
	})
}
