package oidc

import (
	"slices"
	"strings"

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
	for _, entry := range entries(at(t.claims, p.config.RoleClaim)) {
		if role, known := actor.ParseRole(entry); known {
			if !slices.Contains(id.Roles, role) {
				id.Roles = append(id.Roles, role)
			}
		} else if len(id.UnknownRoles) < 50 {
			id.UnknownRoles = append(id.UnknownRoles, entry)
		}
	}
	return id
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

// entries reads a list of strings, or of objects with a name or an id. A single string is one entry, as providers send
// for a single group; it is never split, so "admin viewer" is one group with a space in it, and no admin.
func entries(claim any) []string {
	switch v := claim.(type) {
	case string:
		if v != "" {
			return []string{v}
		}
	case []any:
		var list []string
		for _, one := range v {
			if len(list) == mostRoles {
				break
			}
			switch entry := one.(type) {
			case string:
				list = append(list, entry)
			case map[string]any:
				for _, key := range []string{"name", "id"} {
					if name, ok := entry[key].(string); ok && name != "" {
						list = append(list, name)
						break
					}
				}
			}
		}
		return list
	}
	return nil
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
