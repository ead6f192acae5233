package app_test

import (
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/demoidp"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/web"
)

func keys(routes []web.Route) []string {
	var list []string
	for _, r := range routes {
		list = append(list, r.Method+" "+r.Path)
	}
	slices.Sort(list)
	return list
}

// TestTheRoofMountsTheReviewedTable: what handlers/testdata/routes.golden lists is what the product answers to.
func TestTheRoofMountsTheReviewedTable(t *testing.T) {
	raw, err := os.ReadFile("../../handlers/testdata/routes.golden")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for line := range strings.Lines(string(raw)) {
		if words := strings.Fields(line); !strings.HasPrefix(line, "#") {
			want = append(want, words[0]+" "+words[1])
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, keys(open(t, "").app.Routes())); diff != "" {
		t.Errorf("(-reviewed +mounted)\n%s", diff)
	}
}

// notOfPeople are changes that no person presses: package web tests them, with a provider that lies.
var notOfPeople = []string{"POST /oidc/backchannel"}

// TestEveryChangeIsGuardedAndWrittenDown walks the whole story of a release, and before each step knocks at its door in
// every way that must not open it.
func TestEveryChangeIsGuardedAndWrittenDown(t *testing.T) {
	s := &story{open(t, "0.0.18"), map[string]string{}}
	s.stock()
	routes := map[string]web.Route{}
	told := slices.Clone(notOfPeople)
	for _, a := range acts() {
		told = append(told, a.route)
	}
	for _, r := range s.app.Routes() {
		routes[r.Method+" "+r.Path] = r
		if r.Method != http.MethodGet && !slices.Contains(told, r.Method+" "+r.Path) {
			t.Errorf("%s %s is in the route table and in no story: add an act for it", r.Method, r.Path)
		}
	}
	for _, a := range acts() {
		route, ok := routes[a.route]
		if !ok {
			t.Fatalf("the story tells of %s, which is no route", a.route)
		}
		if s.ids["release"] != "" && s.ids["optional"] == "" {
			s.ids["optional"] = s.text(`SELECT item_id FROM gatehouse.run_items WHERE NOT required AND state = 'open' ORDER BY after_items = '{}' DESC, position LIMIT 1`)
			s.ids["optional_owner"] = strings.ReplaceAll(s.text(`SELECT owner_role FROM gatehouse.run_items WHERE item_id = $1`, s.ids["optional"]), "_", ".")
		}
		if route.Fresh > 0 {
			delete(s.people, a.who+"@rivermark") // who signs in afresh here, as a person does, however long the story has taken
		}
		if a.before != nil {
			a.before(s)
		}
		k := knocking{story: s, act: a, route: route, path: s.fill(a.path), kind: "application/json", body: a.raw}
		switch {
		case a.file != nil:
			k.kind, k.body = partsType, a.file.body()
		case a.raw == "":
			k.kind, k.fields = formType, s.fields(a)
			k.body = k.fields.Encode()
		}
		k.everyWrongWay()
		k.theRightWay()
		if t.Failed() {
			t.Fatalf("%s: the story ends here", a.route)
		}
	}
}

// knocking is one act with the request that would do it.
type knocking struct {
	*story
	act    act
	route  web.Route
	path   string
	kind   string
	body   string
	fields url.Values
}

// refused sends a request that must not do anything: neither to what is kept nor, as done, to the trail.
func (k knocking) refused(what string, by *browser, r *http.Request, entries int, statuses ...int) answer {
	k.t.Helper()
	facts, done, refusals := k.facts(), k.trail("done"), k.trail("refused")
	a := by.do(r)
	if !slices.Contains(statuses, a.StatusCode) {
		k.t.Errorf("%s, %s: %d, want %v\n%s", k.act.route, what, a.StatusCode, statuses, a.main())
	}
	if diff := cmp.Diff(facts, k.facts()); diff != "" {
		k.t.Errorf("%s, %s: refused, and something was done all the same:\n%s", k.act.route, what, diff)
	}
	if got := k.trail("done") - done; got != 0 {
		k.t.Errorf("%s, %s: %d entries of something done", k.act.route, what, got)
	}
	if got := k.trail("refused") - refusals; entries >= 0 && got != entries {
		k.t.Errorf("%s, %s: %d refusals in the trail, want %d", k.act.route, what, got, entries)
	}
	return a
}

const (
	anyNumber = -1 // strangers' refusals are written down up to a limit
	lead      = "devops.lead@saltway"
)

func (k knocking) everyWrongWay() {
	own := k.as(k.fill(k.act.who) + "@rivermark")
	post := func(b *browser, path, body string) *http.Request {
		return b.request(http.MethodPost, path, k.kind, body)
	}

	if k.route.Access == web.NeedsRight || k.route.Access == web.SignedIn {
		stranger := k.stranger()
		k.refused("signed out", stranger, post(stranger, k.path, k.body), anyNumber, http.StatusUnauthorized)
	}
	if without, ok := personWithout(k.route.Right); ok {
		b := k.as(without)
		a := k.refused("without the right", b, post(b, k.path, k.body), 1, http.StatusForbidden)
		if who := actor.RolesWith(k.route.Right)[0].Title(); !strings.Contains(a.body, who) {
			k.t.Errorf("%s: whoever lacks the right is not told of %s, who holds it", k.act.route, who)
		}
	}
	for header, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example.com"} {
		r := post(own, k.path, k.body)
		r.Header.Del("Sec-Fetch-Site")
		r.Header.Set(header, value)
		k.refused("with "+header+": "+value, own, r, anyNumber, http.StatusForbidden)
	}
	for _, method := range []string{http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete, http.MethodPatch} {
		k.refused(method, own, own.request(method, k.path, formType, k.body), 0,
			http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNoContent, http.StatusOK)
	}
	query := k.fields.Encode()
	if k.act.raw != "" {
		query = url.Values{"query": {"{ __typename }"}}.Encode()
	}
	r := own.request(http.MethodGet, k.path+"?_method=POST&"+query, "", "")
	r.Header.Set("X-HTTP-Method-Override", "POST")
	get := []int{http.StatusMethodNotAllowed}
	if slices.ContainsFunc(k.app.Routes(), func(r web.Route) bool { return r.Method == http.MethodGet && r.Path == k.route.Path }) {
		get = []int{http.StatusOK, http.StatusUnprocessableEntity}
	}
	k.refused("GET", own, r, 0, get...)

	if k.act.file != nil {
		k.theirs()
	}
	if k.act.raw != "" || k.act.file != nil || k.act.anyForm {
		return
	}
	k.refused("with a field nobody knows", own, post(own, k.path, k.body+"&tenant_id=x"), 1, http.StatusUnprocessableEntity)
	for name := range k.fields {
		twice := k.body + "&" + url.Values{name: k.fields[name]}.Encode()
		k.refused("with the field "+name+" twice", own, post(own, k.path, twice), 1, http.StatusUnprocessableEntity)
	}
	for _, kind := range []string{"text/plain", "application/json", "multipart/form-data; boundary=x"} {
		r := post(own, k.path, k.body)
		r.Header.Set("Content-Type", kind)
		if k.body != "" {
			k.refused("as "+kind, own, r, 1, http.StatusUnprocessableEntity)
		}
	}
	k.theirs()
}

// theirs: another tenant's things answer like things that do not exist, to the byte.
func (k knocking) theirs() {
	known := k.path + "?" + k.body
	if k.unknown(known) == known {
		return // nothing of ours is named
	}
	status := http.StatusNotFound
	if k.route.Right == actor.MigrationApply || k.route.Right == actor.MigrationDown {
		status = http.StatusForbidden // the schema is one for all: only people of the operator may at all
	}
	them := k.theirPerson(k.route.Right)
	var answers [2]answer
	for n, text := range []func(string) string{func(s string) string { return s }, k.unknown} {
		answers[n] = k.refused("by another tenant", them, them.request(http.MethodPost, text(k.path), k.kind, text(k.body)), 1, status)
	}
	k.alike(answers[0], answers[1])
}

// theirPerson is somebody of the other tenant who may do what a route asks for: their lead, where that one may.
func (s *story) theirPerson(right actor.Right) *browser {
	with := actor.RolesWith(right)
	if right == "" || slices.Contains(with, actor.DevOpsLead) {
		return s.as(lead)
	}
	for _, p := range demoidp.DemoPeople() {
		if p.Tenant == "saltway" && slices.Contains(with, actor.Role(p.Groups[0])) {
			return s.as(p.Username)
		}
	}
	return s.as(lead)
}

// alike compares two answers but for the reference and the ids of the address.
func (s *story) alike(known, unknown answer) {
	s.t.Helper()
	plain := func(a answer) string {
		return s.unknown(strings.ReplaceAll(a.body, a.Header.Get("X-Request-Id"), "REF"))
	}
	if diff := cmp.Diff(plain(unknown), plain(known)); diff != "" {
		s.t.Errorf("%s %s tells another tenant that it exists (-unknown +theirs):\n%s", known.Request.Method, known.Request.URL.Path, diff)
	}
}

func (k knocking) theRightWay() {
	own := k.as(k.fill(k.act.who) + "@rivermark")
	done, refusals, newest := k.trail("done"), k.trail("refused"), k.newest()
	a := own.do(own.request(http.MethodPost, k.path, k.kind, k.body))
	want := k.act.status
	if want == 0 {
		want = http.StatusSeeOther
	}
	if a.StatusCode != want {
		k.t.Fatalf("%s by %s: %d, want %d\n%s", k.act.route, k.fill(k.act.who), a.StatusCode, want, a.main())
	}
	if got := k.trail("done") - done; got != k.act.entries {
		k.t.Errorf("%s: %d entries in the trail, want %d", k.act.route, got, k.act.entries)
	}
	if got := k.trail("refused") - refusals; got != 0 {
		k.t.Errorf("%s: done, with %d refusals in the trail", k.act.route, got)
	}
	k.wholeEntries(newest)
	if k.act.after != nil {
		k.act.after(k.story, a)
	}
}

// nothingBefore are the acts that make something, or only look at it: there is no state before to be written down.
var nothingBefore = []string{
	"POST /api/v1/cross-dock-cancellations", "POST /cross-dock",
	"POST /api/v1/capacity-failures", "POST /capacity-failures/:failure/measure",
	"POST /releases", "POST /releases/:release/window/freeze", "POST /releases/:release/window/overrides", "POST /releases/:release/window/tokens",
	"POST /releases/:release/items/:item/comment", "POST /releases/:release/lessons", "POST /releases/:release/dossier", "POST /runbooks",
	"POST /migrations/rehearsals", "POST /migrations/:version/probe", "POST /migrations/:version/repair", "POST /migrations/:version/losses",
	"POST /migrations/drift/check", "POST /migrations/indexes/rebuild", "POST /migrations/backups", "POST /migrations/backups/:backup/drill",
	"POST /migrations/backups/:backup/rehearse", "POST /migrations/backups/external", "POST /migrations/backups/external/:external/drill",
	"POST /migrations/backups/:backup/restore/look", "POST /migrations/backups/:backup/restore", "POST /migrations/backups/:backup/restore/:request/start",
	"POST /deputies", "POST /dimensions/tasks", "POST /dimensions/imports",
	"POST /health-checks/run", "POST /audit/export", "POST /audit/verify",
}

func (k knocking) newest() (seq int64) {
	k.t.Helper()
	err := k.super.QueryRow(k.t.Context(), `SELECT coalesce(max(seq), 0) FROM gatehouse.audit_events WHERE tenant_id = $1`, housetest.Rivermark).Scan(&seq)
	if err != nil {
		k.t.Fatal(err)
	}
	return seq
}

// wholeEntries: A06, an entry says who, in which role, of which tenant, from where, and what was before and after it.
func (k knocking) wholeEntries(since int64) {
	k.t.Helper()
	person := k.person()
	rows, err := k.super.Query(k.t.Context(), `SELECT action, issuer, subject, name, roles, origin, ip, coalesce(before::text, ''), coalesce(after::text, '')
		FROM gatehouse.audit_events WHERE tenant_id = $1 AND seq > $2 AND outcome = 'done' ORDER BY seq`, housetest.Rivermark, since)
	if err != nil {
		k.t.Fatal(err)
	}
	said, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct{ Action, Issuer, Subject, Name, Roles, Origin, IP, Before, After string }])
	if err != nil {
		k.t.Fatal(err)
	}
	if len(said) != k.act.entries {
		k.t.Errorf("%s: %d entries of its person's tenant, want %d", k.act.route, len(said), k.act.entries)
	}
	for _, e := range said {
		if e.Issuer == "" || e.Subject == "" || e.Origin != string(actor.Web) || e.IP == "" {
			k.t.Errorf("%s: the entry %s does not say who did it from where: %+v", k.act.route, e.Action, e)
		}
		// Who comes in by the way back is not signed in yet: the code names two holders, and no role.
		if k.act.route != "POST /way-back" && (e.Subject != person.Subject() || e.Name != person.Name || e.Roles != strings.Join(person.Groups, ",")) {
			k.t.Errorf("%s: the entry %s names %s as %q, want %s as %q", k.act.route, e.Action, e.Name, e.Roles, person.Name, person.Groups)
		}
		if e.After == "" || e.After == "{}" {
			k.t.Errorf("%s: the entry %s does not say what is after it", k.act.route, e.Action)
		}
		if none := e.Before == "" || e.Before == "{}"; none != slices.Contains(nothingBefore, k.act.route) {
			k.t.Errorf("%s: the entry %s says of before %q; is its route in nothingBefore: %v", k.act.route, e.Action, e.Before, !none)
		}
	}
}

// person is who does the act.
func (k knocking) person() demoidp.Person {
	who := k.fill(k.act.who) + "@rivermark"
	people := demoidp.DemoPeople()
	i := slices.IndexFunc(people, func(p demoidp.Person) bool { return p.Username == who })
	if i < 0 {
		k.t.Fatalf("%s: there is no %s", k.act.route, who)
	}
	return people[i]
}

// personWithout is somebody of Rivermark whose role does not carry the right.
func personWithout(right actor.Right) (string, bool) {
	if right == "" {
		return "", false
	}
	with := actor.RolesWith(right)
	for _, p := range demoidp.DemoPeople() {
		if p.Tenant == "rivermark" && !slices.Contains(with, actor.Role(p.Groups[0])) {
			return p.Username, true
		}
	}
	return "", false
}
