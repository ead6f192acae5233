package dossier

import (
	"encoding/json"
	"slices"
	"time"
)

// Rules are what a gate asks for besides its places, as they were frozen with the release.
type Rules struct {
	AfterPhase      string   `json:"after_phase"`
	AfterMigrations bool     `json:"after_migrations"`
	Offset          int      `json:"offset_seconds"`
	NotBefore       *int     `json:"not_before_seconds"`
	Expires         *int     `json:"expires_seconds"`
	Items           int      `json:"least_items"`
	Files           int      `json:"least_files"`
	Checks          int      `json:"least_checks"`
	RequiredChecks  []string `json:"required_checks"`
	AuthorsBarred   bool     `json:"authors_barred"`
}

// Frozen are the times and the order of an item, as they were frozen with the release.
type Frozen struct {
	Offset    int      `json:"offset_seconds"`
	NotBefore *int     `json:"not_before_seconds"`
	Fresh     *int     `json:"fresh_seconds"`
	After     []string `json:"after_items"`
}

// planned is what the frozen runbook says of gates and items, as far as somebody could bend a rule by changing it.
type planned struct {
	Phases []struct {
		ID        string  `json:"id"`
		Offset    offset  `json:"offset"`
		NotBefore *offset `json:"not_before"`
		Gate      string  `json:"gate"`
		Items     []struct {
			ID        string   `json:"id"`
			Title     string   `json:"title"`
			Owner     string   `json:"owner"`
			Required  bool     `json:"required"`
			Offset    *offset  `json:"offset"`
			NotBefore *offset  `json:"not_before"`
			FreshFor  *offset  `json:"fresh_for"`
			After     []string `json:"after"`
			Evidence  struct {
				Kind  string `json:"kind"`
				Check string `json:"check"`
			} `json:"evidence"`
		} `json:"items"`
	} `json:"phases"`
	Gates []struct {
		ID              string  `json:"id"`
		Name            string  `json:"name"`
		Judges          string  `json:"judges"`
		AfterPhase      string  `json:"after_phase"`
		Offset          offset  `json:"offset"`
		NotBefore       *offset `json:"not_before"`
		ExpiresAfter    *offset `json:"expires_after"`
		AfterMigrations bool    `json:"after_migrations"`
		MinimumEvidence struct {
			Items  int `json:"items"`
			Files  int `json:"files"`
			Checks int `json:"checks"`
		} `json:"minimum_evidence"`
		RequiredChecks           []string `json:"required_checks"`
		EvidenceAuthorMayNotSign bool     `json:"evidence_author_may_not_sign"`
		Slots                    []struct {
			ID            string   `json:"id"`
			Role          string   `json:"role"`
			Required      bool     `json:"required"`
			SignsLast     bool     `json:"signs_last"`
			AsksScore     bool     `json:"asks_score"`
			Meanings      []string `json:"meanings"`
			Statement     string   `json:"statement"`
			DeputiesAfter *offset  `json:"deputies_after"`
		} `json:"slots"`
	} `json:"gates"`
}

// offset is a distance from T-0 in seconds, written "-24h" or "0".
type offset int

// UnmarshalJSON reads the written form.
func (o *offset) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	d, err := time.ParseDuration(s)
	*o = offset(d / time.Second)
	return err
}

func seconds0(o *offset) *int { return (*int)(o) }

// placeSaid is a place at a gate as the record has it.
type placeSaid struct {
	Slot      string   `json:"slot"`
	Role      string   `json:"role"`
	Required  bool     `json:"required"`
	SignsLast bool     `json:"signs_last"`
	AsksScore bool     `json:"asks_score"`
	Meanings  []string `json:"meanings"`
	Statement string   `json:"statement"`
	Deputies  *int     `json:"deputies_seconds"`
}

func gateRow(id string) string        { return "gate " + id }
func placeRow(gate, id string) string { return "place " + id + " of gate " + gate }

// rules lays the gates with their places, and the items, beside the runbook that was frozen. Neither changes after the
// start, so whatever differs was changed past the program.
func (v *verifier) rules() {
	text, err := v.read(templateFile, mostText)
	if err != nil {
		return // that it is missing was said
	}
	if len(v.record.Gates) > 0 && v.record.Gates[0].Rules == nil {
		return // written before rules stood in it
	}
	var p planned
	if err := json.Unmarshal(text, &p); err != nil {
		v.complain(templateFile, "", "it cannot be read: %s", err)
		return
	}
	frozen, stands := p.claims(), v.record.stands()
	for _, row := range sortedKeys(frozen) {
		switch says, ok := stands[row]; {
		case !ok:
			v.complain(recordFile, row, "it is missing: the runbook that was frozen has it")
		case says != frozen[row]:
			v.complain(recordFile, row, "it is not what the runbook says that was frozen")
		}
	}
	for _, row := range sortedKeys(stands) {
		if _, ok := frozen[row]; !ok {
			v.complain(recordFile, row, "the runbook that was frozen knows of none")
		}
	}
}

// claims is what the runbook says, row by row.
func (p planned) claims() map[string]string {
	rows := map[string]string{}
	for i, g := range p.Gates {
		least := g.MinimumEvidence
		rows[gateRow(g.ID)] = claims(i, g.Name, g.Judges, &Rules{
			g.AfterPhase, g.AfterMigrations, int(g.Offset), seconds0(g.NotBefore), seconds0(g.ExpiresAfter),
			least.Items, least.Files, least.Checks, some(g.RequiredChecks), g.EvidenceAuthorMayNotSign,
		})
		for _, s := range g.Slots {
			rows[placeRow(g.ID, s.ID)] = claims(s.Role, s.Required, s.SignsLast, s.AsksScore, some(s.Meanings), s.Statement, seconds0(s.DeputiesAfter))
		}
	}
	place := 0
	for _, phase := range p.Phases {
		gate := phase.Gate
		if gate == "none" {
			gate = ""
		}
		for _, i := range phase.Items {
			place++
			due, notBefore := phase.Offset, phase.NotBefore
			if i.Offset != nil {
				due = *i.Offset
			}
			if i.NotBefore != nil {
				notBefore = i.NotBefore
			}
			rows[Item{ID: i.ID}.row()] = claims(place, phase.ID, gate, i.Title, i.Owner, i.Required, i.Evidence.Kind, i.Evidence.Check,
				&Frozen{int(due), seconds0(notBefore), seconds0(i.FreshFor), some(i.After)})
		}
	}
	return rows
}

// stands is what the record says of the same rows.
func (r Record) stands() map[string]string {
	rows := map[string]string{}
	for i, g := range r.Gates {
		if g.Rules != nil {
			g.Rules.RequiredChecks = some(g.Rules.RequiredChecks)
		}
		rows[gateRow(g.ID)] = claims(i, g.Name, g.Judges, g.Rules)
		for _, slot := range g.Slots {
			var s placeSaid
			if text, err := json.Marshal(slot); err != nil || json.Unmarshal(text, &s) != nil {
				continue // then it is missing
			}
			rows[placeRow(g.ID, s.Slot)] = claims(s.Role, s.Required, s.SignsLast, s.AsksScore, some(s.Meanings), s.Statement, s.Deputies)
		}
	}
	for _, i := range r.Items {
		if i.Frozen != nil {
			i.Frozen.After = some(i.Frozen.After)
		}
		rows[i.row()] = claims(i.Position, i.Phase, i.Gate, i.Title, i.Owner, i.Required, i.Kind, i.Check, i.Frozen)
	}
	return rows
}

// some is a list that says the same whether it is empty or there is none.
func some(list []string) []string { return slices.Concat([]string{}, list) }
