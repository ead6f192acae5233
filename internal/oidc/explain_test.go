package oidc_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/demoidp"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/oidc"
)

// I2, I19: what claims come to, and why each entry counts or does not.
func TestExplainSaysWhyEachEntryCounts(t *testing.T) {
	t.Parallel()
	p, err := oidc.New(oidc.Config{Issuer: "https://id.example", ClientID: "gatehouse", RedirectURL: callback, RoleClaim: "realm_access.roles"})
	if err != nil {
		t.Fatal(err)
	}
	with := func(roles string) string {
		return `{"iss":"https://id.example","sub":"ann","name":"Ann","tenant":"rivermark","realm_access":{"roles":` + roles + `}}`
	}
	many := make([]string, 10_000)
	for i := range many {
		many[i] = fmt.Sprintf("g-%d", i)
	}
	many[9_999] = "viewer"
	list, err := json.Marshal(many)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		claims string
		roles  []actor.Role
		whys   []string // of the first entries
		shape  string
		more   int
	}{
		"texts":           {with(`["qa_lead","canteen"]`), []actor.Role{actor.QALead}, []string{"", "no role of Gatehouse"}, "", 0},
		"objects":         {with(`[{"name":"qa_lead"},{"id":"viewer"},{"path":"/x"}]`), []actor.Role{actor.QALead, actor.Viewer}, []string{"", "", "an object without a text under name or id"}, "", 0},
		"one text":        {with(`"viewer"`), []actor.Role{actor.Viewer}, []string{""}, "", 0},
		"admin, a space":  {with(`["admin "," admin"]`), nil, []string{"there is a space before or after it", "there is a space"}, "", 0},
		"other letters":   {with(`["Admin","qa-lead","QA Lead"]`), nil, []string{"almost admin", "almost qa_lead", "almost qa_lead"}, "", 0},
		"words":           {with(`"admin viewer"`), nil, []string{"never taken apart"}, "", 0},
		"no texts":        {with(`[1,true,null,["viewer"]]`), nil, []string{"a number", "true or false", "null", "a list within the list"}, "", 0},
		"missing":         {`{"sub":"ann"}`, nil, nil, "not among these claims", 0},
		"an object":       {with(`{"admin":true}`), nil, nil, "It is an object", 0},
		"a number":        {with(`7`), nil, nil, "neither a text nor a list", 0},
		"empty":           {with(`[]`), nil, nil, "an empty list", 0},
		"ten thousand":    {with(string(list)), []actor.Role{actor.Viewer}, []string{"no role of Gatehouse"}, "", 9_800},
		"twice the same":  {with(`["viewer","viewer"]`), []actor.Role{actor.Viewer}, []string{"", ""}, "", 0},
		"a name too long": {with(`["` + strings.Repeat("x", 5000) + `"]`), nil, []string{"no role of Gatehouse"}, "", 0},
	} {
		said, err := p.Explain(c.claims)
		if err != nil {
			t.Errorf("%s: Explain: %v", name, err)
			continue
		}
		if diff := cmp.Diff(c.roles, said.Identity.Roles); diff != "" || said.More != c.more || !strings.Contains(said.Shape, c.shape) || (c.shape == "") != (said.Shape == "") {
			t.Errorf("%s: %d more, shape %q, roles (-want +got):\n%s", name, said.More, said.Shape, diff)
		}
		for i, why := range c.whys {
			if i >= len(said.Entries) {
				t.Errorf("%s: %d entries, want %d", name, len(said.Entries), len(c.whys))
				break
			}
			if e := said.Entries[i]; e.Counts != (why == "") || !strings.Contains(e.Why, why) || len(e.Text) > 200 {
				t.Errorf("%s: entry %d is %+v, want why %q", name, i, e, why)
			}
		}
	}
	for name, c := range map[string]struct{ claims, says string }{
		"a token":         {"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2ln", "Never paste a token"},
		"a bearer header": {"Bearer abc", "Never paste a token"},
		"broken off":      {`{"sub": "hunter2`, "breaks off"},
		"a list":          {`["hunter2"]`, "of another kind (array)"},
		"two objects":     {`{"sub":"a"} {"sub":"hunter2"}`, "Something follows"},
		"no JSON":         {`sub: hunter2`, "from character 1 on"},
	} {
		_, err := p.Explain(c.claims)
		refused, ok := fault.As(err)
		if !ok || refused.Kind != fault.Invalid || !strings.Contains(refused.Fields["claims"], c.says) || strings.Contains(err.Error()+refused.Fields["claims"], "hunter2") {
			t.Errorf("%s: Explain = %v, %v; want a refusal that says %q and repeats nothing", name, err, refused, c.says)
		}
	}
	said, err := p.Explain(`{"iss":"https://evil.example","aud":["other"],"groups":["admin"]}`)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"no subject", "https://evil.example", "does not name this application", "no auth_time", "no session id"} {
		if !strings.Contains(strings.Join(append(said.Refusals, said.Notes...), " "), want) {
			t.Errorf("the refusals %q and notes %q do not say %q", said.Refusals, said.Notes, want)
		}
	}
}

// What the page says and what a sign-in does come from the same code: here both are asked.
func TestExplainAgreesWithTheSignIn(t *testing.T) {
	t.Parallel()
	p := start(t, nil)
	for _, groups := range []any{[]any{"qa_lead", "x", map[string]any{"name": "viewer"}, 3, nil, "admin "}, "devops_lead", "admin viewer", map[string]any{"a": 1}, []any{}, nil} {
		p.provider.Behave(demoidp.Behaviour{Claims: func(c map[string]any) { c["groups"] = groups }})
		signedIn, err := p.finish(attempt(), "viewer@rivermark")
		if err != nil {
			t.Fatalf("Finish: %v", err)
		}
		raw, err := json.Marshal(map[string]any{"sub": "x", "groups": groups})
		if err != nil {
			t.Fatal(err)
		}
		said, err := p.adapter.Explain(string(raw))
		if err != nil {
			t.Fatalf("Explain(%s): %v", raw, err)
		}
		if diff := cmp.Diff([]any{signedIn.Roles, signedIn.UnknownRoles}, []any{said.Identity.Roles, said.Identity.UnknownRoles}); diff != "" {
			t.Errorf("%s: the page and the sign-in differ (-sign-in +page):\n%s", raw, diff)
		}
	}
}
