package oidc

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/agogsaas/gatehouse/internal/actor"
)

// mostRoles bounds how many entries of a role claim are looked at; who has more has other problems.
const mostRoles = 20000

// identity reads who somebody is from claims that are proven. What has an unexpected shape gives the least rights.
func (p *Provider) identity(t *proven, raw string) actor.Identity {
	id := actor.Identity{
		Issuer: t.token.Issuer, Subject: t.token.Subject, Name: text(t.claims["name"], 200), Email: text(t.claims["email"], 320),
		Tenant: text(at(t.claims, p.config.TenantClaim), 100), ACR: text(t.claims["acr"], 200),
		ProviderSession: text(t.claims["sid"], 255), IDToken: raw,
	}
	if p.config.FixedTenant != "" {
		id.Tenant = p.config.FixedTenant
	}
	if when, ok := seconds(t.claims["auth_time"]); ok {
		id.AuthTime = when
	}
	if !p.strongEnough(id.ACR) {
		id.AuthTime = time.Time{} // whatever asks for a fresh sign-in asks for one of the right class then
	}
	for _, entry := range entries(at(t.claims, p.config.RoleClaim)) {
		switch {
		case entry.role != "" && !slices.Contains(id.Roles, entry.role):
			id.Roles = append(id.Roles, entry.role)
		case entry.role == "" && entry.text != "" && len(id.UnknownRoles) < 50:
			id.UnknownRoles = append(id.UnknownRoles, entry.text)
		}
	}
	return id
}

// strongEnough says whether a sign-in of that class proves who somebody is for a signature.
func (p *Provider) strongEnough(acr string) bool {
	return len(p.config.ACR) == 0 || slices.Contains(p.config.ACR, acr)
}

// at follows a dotted path. A claim whose very name holds dots, as namespaced claims do, is found first.
func at(claims map[string]any, path string) any {
	if v, ok := claims[path]; ok {
		return v
	}
	first, rest, nested := strings.Cut(path, ".")
	if !nested {
		return nil
	}
	inner, ok := claims[first].(map[string]any)
	if !ok {
		return nil
	}
	return at(inner, rest)
}

// entry is one entry of a role claim: its text, the role it names, and where it names none, why not.
type entry struct {
	text string
	role actor.Role
	why  string
}

// entries reads a list of strings, or of objects with a name or an id. A single string is one entry, as providers send
// for a single group; it is never split, so "admin viewer" is one group with a space in it, and no admin.
func entries(claim any) []entry {
	switch v := claim.(type) {
	case string:
		if v != "" {
			return []entry{judge(v)}
		}
	case []any:
		list := make([]entry, 0, min(len(v), mostRoles))
		for _, one := range v {
			if len(list) == mostRoles {
				break
			}
			list = append(list, judgeAny(one))
		}
		return list
	}
	return nil
}

func judgeAny(one any) entry {
	switch e := one.(type) {
	case string:
		return judge(e)
	case map[string]any:
		for _, key := range []string{"name", "id"} {
			if name, ok := e[key].(string); ok && name != "" {
				return judge(name)
			}
		}
		return entry{why: "an object without a text under name or id"}
	case nil:
		return entry{why: "null, and no text"}
	case bool:
		return entry{why: "true or false, and no text"}
	case []any:
		return entry{why: "a list within the list, and no text"}
	}
	return entry{why: "a number, and no text"}
}

// judge compares an entry with the roles, letter by letter. What is almost a role is none: nobody gets in by a slip.
func judge(s string) entry {
	if role, known := actor.ParseRole(s); known {
		return entry{text: s, role: role}
	}
	e := entry{text: s, why: "no role of Gatehouse has this name"}
	plain := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '-' || r == '.' {
			return '_'
		}
		return unicode.ToLower(r)
	}, strings.TrimSpace(s))
	role, close := actor.ParseRole(plain)
	switch {
	case close && strings.TrimSpace(s) == string(role):
		e.why = "almost " + string(role) + ": there is a space before or after it"
	case close:
		e.why = "almost " + string(role) + ", which has to be written exactly so"
	case len(strings.Fields(s)) > 1 && slices.ContainsFunc(strings.Fields(s), func(word string) bool { _, ok := actor.ParseRole(word); return ok }):
		e.why = "several words in one text, which is never taken apart; send a list"
	}
	return e
}

// text is a claim that is a string; control characters and what is past the limit are dropped.
func text(v any, most int) string {
	s, ok := v.(string)
	if !ok {
		return ""
	}
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most])
	}
	return s
}
