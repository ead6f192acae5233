package handlers

import (
	"fmt"
	"time"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/signoff"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

// earlierViews puts signatures of the same content together, in the order in which that content was first signed.
func earlierViews(g signoff.Gate, zone *time.Location) ([]pages.SignedTogether, error) {
	var groups []pages.SignedTogether
	place := map[string]int{}
	for _, s := range g.Signatures {
		n, known := place[s.ContentSHA256]
		if !known {
			changes, err := signoff.Compare(s.Content, g.Content)
			if err != nil {
				return nil, err
			}
			n = len(groups)
			place[s.ContentSHA256] = n
			groups = append(groups, pages.SignedTogether{Changed: differences(changes)})
		}
		groups[n].Signatures = append(groups[n].Signatures, earlierView(g, s, zone))
	}
	return groups, nil
}

func earlierView(g signoff.Gate, s signoff.Signature, zone *time.Location) pages.EarlierSignature {
	v := pages.EarlierSignature{
		Deputy: asDeputy(s), Identity: identityWords(s.Subject, s.Issuer),
		Role: s.Role.Title(), By: s.Name, Meaning: string(s.Meaning), Note: s.Note, At: moment(s.SignedAt, g.At, zone), State: signatureStates[s.State(g.SHA256)], Href: signatureHref(s.ID),
	}
	if s.Score != nil {
		v.Score = s.Score.String() + " of 10"
	}
	if s.Glass != nil {
		v.Glass = s.Glass.Says(g.At, zone)
	}
	if s.Withdrawn != nil {
		v.Note = "Withdrawn: " + s.Withdrawn.Reason
	}
	return v
}

func signatureView(shell layouts.Shell, s signoff.Signature, g signoff.Gate, changes []signoff.Change) pages.SignatureShowView {
	zone, state := gateZone(g), s.State(g.SHA256)
	v := pages.SignatureShowView{
		Deputy: asDeputy(s),
		Shell:  shell, ID: s.ID.String(), Name: s.Name, Role: s.Role.Title(), Meaning: string(s.Meaning), Note: s.Note,
		At: moment(s.SignedAt, g.At, zone), Proven: moment(s.AuthTime, g.At, zone), Issuer: s.Issuer, Subject: s.Subject, ACR: s.ACR,
		Gate: components.Link{Label: g.Name, Href: gateHref(g.Release.ID, g.ID)}, Release: components.Link{Label: g.Release.Code, Href: runPath(g.Release.ID)},
		Statement: s.Statement, SHA256: s.ContentSHA256, Content: indented(s.Content), ContentHref: signatureHref(s.ID) + contentPath, State: signatureStates[state], Changed: differences(changes), HashHolds: s.Intact,
	}
	if s.Score != nil {
		v.Score = s.Score.String() + " of 10"
	}
	if s.Glass != nil {
		v.Glass, v.GlassFacts = s.Glass.Says(g.At, zone), glassFacts(*s.Glass, g.At, zone)
	}
	switch {
	case state == signoff.Denied:
		v.Why = "Refused in its review, so this signature does not count."
	case s.Withdrawn != nil:
		v.Why = fmt.Sprintf("Withdrawn by %s on %s: %s", s.Withdrawn.By, s.Withdrawn.At.In(zone).Format("2 Jan 2006 at 15:04 MST"), s.Withdrawn.Reason)
	case state == signoff.Void:
		v.Why = "What was signed is no longer what is there, so this signature does not count."
		if ended := endedSince(s, g, zone); ended != "" {
			v.Why = ended + " So this signature does not count any more."
		}
	default:
		v.Why = "The content is still exactly what was signed."
	}
	return v
}

// endedSince says how the attempt that a signature belongs to ended; empty where it has not.
func endedSince(s signoff.Signature, g signoff.Gate, zone *time.Location) string {
	then, wrongThen := signoff.ParseContent(s.Content)
	now, wrongNow := signoff.ParseContent(g.Content)
	if wrongThen != nil || wrongNow != nil || len(now.Stops) <= len(then.Stops) {
		return ""
	}
	stop := now.Stops[len(then.Stops)]
	if signoff.StopKind(stop.Kind) == signoff.Expired {
		return "The time of the gate ran out afterwards. " + stop.Reason
	}
	return fmt.Sprintf("%s rejected the gate as %s on %s: %s", stop.By, actor.Role(stop.Role).Title(), contentTime(stop.At, zone), stop.Reason) + fullStop(stop.Reason)
}
