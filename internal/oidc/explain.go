package oidc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// explainedEntries is how many entries of the role claim are explained one by one.
const explainedEntries = 200

// Explain says what a sign-in with these claims would come to. It keeps nothing and asks nobody.
func (p *Provider) Explain(raw string) (actor.Explanation, error) {
	claims, err := readClaims(raw)
	if err != nil {
		return actor.Explanation{}, err
	}
	t := &proven{token: &oidc.IDToken{Issuer: text(claims["iss"], 500), Subject: text(claims["sub"], 500)}, claims: claims}
	said := actor.Explanation{Identity: p.identity(t, ""), RoleClaim: p.config.RoleClaim, TenantClaim: p.config.TenantClaim}
	if p.config.FixedTenant != "" {
		said.TenantClaim = ""
	}
	claim := at(claims, p.config.RoleClaim)
	list := entries(claim)
	said.Shape = shape(claim, list)
	for n, e := range list {
		if n == explainedEntries {
			said.More = len(list) - n
			break
		}
		said.Entries = append(said.Entries, actor.ExplainedEntry{Text: text(e.text, 200), Counts: e.role != "", Role: e.role, Why: e.why})
	}
	said.Refusals, said.Notes = p.refusals(claims), p.notes(claims)
	return said, nil
}

func readClaims(raw string) (map[string]any, error) {
	refusal := fault.New(fault.Invalid, "These claims cannot be read.")
	raw = strings.TrimSpace(raw)
	if strings.HasPrefix(raw, "eyJ") || strings.HasPrefix(strings.ToLower(raw), "bearer ") {
		return nil, refusal.WithField("claims", "This is a token itself. Never paste a token: whoever has it may act with it. Paste the claims that are in it, as JSON.")
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(raw)))
	claims := map[string]any{}
	if err := decoder.Decode(&claims); err != nil {
		return nil, refusal.WithField("claims", "This is no JSON object: "+where(err)+" Claims look like {\"sub\": \"...\", \"groups\": [\"viewer\"]}.")
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, refusal.WithField("claims", "Something follows after the JSON object. Paste one object alone.")
	}
	return claims, nil
}

// where says where JSON breaks off, without repeating what was pasted.
func where(err error) string {
	switch e := err.(type) { //nolint:errorlint // json gives the very values
	case *json.SyntaxError:
		return fmt.Sprintf("it cannot be read from character %d on.", e.Offset)
	case *json.UnmarshalTypeError:
		return "it is of another kind (" + e.Value + ")."
	}
	return "it breaks off."
}

// shape says what is wrong with the role claim as a whole.
func shape(claim any, list []entry) string {
	switch v := claim.(type) {
	case nil:
		return "It is not among these claims."
	case string:
		if v == "" {
			return "It is an empty text."
		}
	case []any:
		if len(v) == 0 {
			return "It is an empty list."
		}
		if len(v) > len(list) {
			return fmt.Sprintf("It holds %d entries; those after the first %d are not looked at.", len(v), len(list))
		}
	case map[string]any:
		return "It is an object. Roles are a list of texts or of objects; a dotted path in GATEHOUSE_OIDC_ROLE_CLAIM reaches into an object."
	default:
		return "It is neither a text nor a list."
	}
	return ""
}

// refusals say what a real sign-in would be refused for, as far as claims alone can tell. Times are not judged: what is pasted
// is old by now.
func (p *Provider) refusals(claims map[string]any) []string {
	var list []string
	if sub, isText := claims["sub"].(string); !isText || strings.TrimSpace(sub) == "" {
		list = append(list, "There is no subject (sub): nobody can sign in without one.")
	}
	if iss, said := claims["iss"]; said && iss != p.config.Issuer {
		list = append(list, fmt.Sprintf("The issuer (iss) is %q, and Gatehouse takes sign-ins of %q alone.", text(iss, 200), p.config.Issuer))
	}
	if audience, said := claims["aud"]; said && !slices.Contains(audiences(audience), p.config.ClientID) {
		list = append(list, fmt.Sprintf("The audience (aud) does not name this application (%s).", p.config.ClientID))
	}
	return list
}

func audiences(claim any) []string {
	switch v := claim.(type) {
	case string:
		return []string{v}
	case []any:
		var list []string
		for _, one := range v {
			list = append(list, text(one, 500))
		}
		return list
	}
	return nil
}

// notes say what is missing without keeping anybody out.
func (p *Provider) notes(claims map[string]any) []string {
	var notes []string
	if claims["iss"] == nil {
		notes = append(notes, fmt.Sprintf("There is no issuer (iss) among these claims; a real sign-in has to come from %q.", p.config.Issuer))
	}
	if claims["auth_time"] == nil {
		notes = append(notes, "There is no auth_time. Signing in works without; a fresh sign-in has to bring it, or nobody can sign at gates.")
	}
	if claims["sid"] == nil {
		notes = append(notes, "There is no session id (sid): signing out at the provider cannot end the session here.")
	}
	return notes
}
