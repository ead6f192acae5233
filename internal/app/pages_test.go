package app_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/web"
)

// places are the addresses at which each parameter of the table stands; a parameter that is not here fails the test.
var places = map[string]string{
	":release": "{release}", ":item": "PRE-P2", ":gate": "go_no_go", ":signature": "{signature}", ":run": "{run}",
	":session": "{session}", ":operation": "{operation}", ":external": "{external}", ":rehearsal": "{rehearsal}", ":attempt": "1", ":snapshot": "{snapshot}", ":sha256": "{file}", "/runbooks/:sha256": "{template}", ":version": "V0.0.20", ":backup": "{backup}", ":material": "{material}", ":case": "{case}", ":failure": "{failure}", ":cancellation": "{cancellation}", ":group": "{group}", ":import": "{import}", "*": "x/console.css",
}

// apart are GET routes that are no pages of the product: steps of the sign-in, and files.
var apart = []string{"/login", "/oidc/callback", "/static/*"}

// halfway is a story whose release is signed by all and has one migration ordered, so that every page has something to show.
func halfway(t *testing.T, version string) *story {
	t.Helper()
	s := &story{open(t, version), map[string]string{}}
	s.stock()
	for _, a := range acts() {
		switch a.route {
		case "POST /releases", "POST /releases/:release/window", "POST /releases/:release/gates/:gate/reject", "POST /releases/:release/gates/:gate/attempts", "POST /releases/:release/gates/:gate/sign", "POST /migrations/:version/apply", "POST /migrations/backups", "POST /migrations/backups/external":
		default:
			continue
		}
		if a.before != nil {
			a.before(s)
		}
		if strings.HasPrefix(a.path, "/migrations/V") && version != "0.0.18" {
			continue // nothing is left to apply
		}
		answer := s.as(a.who+"@rivermark").post(s.fill(a.path), s.fields(a))
		if answer.StatusCode != http.StatusSeeOther {
			t.Fatalf("%s: %d %s", a.route, answer.StatusCode, answer.main())
		}
		if a.after != nil {
			a.after(s, answer)
		}
	}
	s.restorable()
	s.attached()
	s.measured()
	s.onTheFloor()
	s.ids["case"] = uuid.NewString()
	s.sql(`INSERT INTO gatehouse.dimension_cases (tenant_id, case_id, facility_id, material_id, material_code, state, measured_cubic_feet, measured_weight_lbs) SELECT tenant_id, $1, $2, $3, 'M', 'review', 12, 20 FROM gatehouse.tenants WHERE is_operator`,
		s.ids["case"], s.ids["facility"], s.ids["material"])
	s.overfilled()
	s.filed()
	s.atTheDock(version)
	return s
}

// filed is a file of measurements that waits for its confirmation, with something to say about its lines.
func (s *story) filed() {
	s.t.Helper()
	s.ids["import"] = uuid.NewString()
	s.sql(`INSERT INTO gatehouse.measurement_imports (tenant_id, import_id, file_name, state, lines, asked, found, preview, issuer, subject, name)
		VALUES ($1, $2, 'sheet.csv', 'checked', 200, 150, true, '{"VERIFIED": 50, "second_wanted": 150}', 'i', 's', 'Iris')`, housetest.Rivermark, s.ids["import"])
	s.sql(`INSERT INTO gatehouse.measurement_import_lines (tenant_id, import_id, line, facility_code, material_code, entered, verdict, asked)
		SELECT $1, $2, n, 'F', 'M' || n, '{}', 'second_wanted', 'Is it really 100 ft³? That is beside what this item has been, as by a slipped point.' FROM generate_series(2, 151) n`, housetest.Rivermark, s.ids["import"])
}

// atTheDock is a lot whose cross-dock was cancelled, where the warehouse has the table for it.
func (s *story) atTheDock(version string) {
	s.t.Helper()
	s.ids["cancellation"] = uuid.NewString()
	if version < dockSince {
		return
	}
	s.sql(`INSERT INTO public.lots (tenant_id, facility_id, lot_number, material_id, original_quantity, quantity_on_hand, quantity_available, received_date)
		SELECT f.tenant_id, f.facility_id, 'XD', m.material_id, 10, 10, 10, current_date FROM public.facilities f JOIN public.materials m USING (tenant_id) WHERE f.tenant_id = $1 LIMIT 1`, housetest.Rivermark)
	s.sql(`INSERT INTO public.users (tenant_id, user_id, username, email) VALUES ($1, gen_random_uuid(), 'dock', 'dock@example.com')`, housetest.Rivermark)
	s.sql(`INSERT INTO public.cross_dock_cancellations (tenant_id, cancellation_id, facility_id, material_id, lot_number, cancellation_reason, cancelled_by)
		SELECT o.tenant_id, $1, o.facility_id, o.material_id, o.lot_number, 'ORDER_CANCELLED', u.user_id FROM public.lots o JOIN public.users u USING (tenant_id)
		 WHERE o.tenant_id = $2 AND o.lot_number = 'XD' AND u.username = 'dock'`, s.ids["cancellation"], housetest.Rivermark)
}

// dockSince is the version that brings the table of cancellations. Before it there is none to open.
const dockSince = "0.0.20"

// overfilled is a capacity failure, as it is kept whatever the warehouse stands at.
func (s *story) overfilled() {
	s.t.Helper()
	s.ids["failure"], s.ids["group"] = uuid.NewString(), uuid.NewString()
	s.sql(`INSERT INTO gatehouse.capacity_groups (tenant_id, group_id, facility_id, cause, subject, label)
		SELECT tenant_id, $1, facility_id, 'dimension', 'material ' || material_id, material_code FROM public.facilities JOIN public.materials USING (tenant_id) WHERE tenant_id = $2`, s.ids["group"], housetest.Rivermark)
	s.sql(`INSERT INTO gatehouse.capacity_cases (tenant_id, failure_id, group_id, facility_id, facility_code, location_id, location_code, location_type, zone_code, material_id, material_code, lot_number, quantity,
		       required_cubic_feet, available_cubic_feet, required_weight_lbs, available_weight_lbs, failure_type, severity, overflow, cause_reason, state, first_seen_at, last_seen_at, opened_at, source)
		SELECT l.tenant_id, $1, $2, l.facility_id, 'F', l.location_id, l.location_code, l.location_type, 'Z', m.material_id, m.material_code, 'L1', 10, 60, 50, 1, 2, 'CUBIC_FEET_EXCEEDED', 'WARNING', 20,
		       'Nobody has measured it.', 'new', now(), now(), now(), 'wms'
		  FROM public.inventory_locations l JOIN public.materials m USING (tenant_id) WHERE l.tenant_id = $3`, s.ids["failure"], s.ids["group"], housetest.Rivermark)
}

// attached is a file beside an item that no gate judges.
func (s *story) attached() {
	s.t.Helper()
	by := s.as("devops.lead@rivermark")
	a := by.do(by.request(http.MethodPost, s.fill("/releases/{release}/items/PRE-P2/files"), partsType, proof.body()))
	if a.StatusCode != http.StatusSeeOther {
		s.t.Fatalf("attaching a file = %d: %s", a.StatusCode, a.main())
	}
	s.ids["file"] = s.text(`SELECT sha256 FROM gatehouse.evidence_files`)
	s.ids["template"] = s.text(`SELECT template_sha256 FROM gatehouse.runs`)
}

// measured is a snapshot that was taken before T-0.
func (s *story) measured() {
	s.ids["snapshot"] = uuid.NewString()
	s.sql(`INSERT INTO gatehouse.run_snapshots (tenant_id, run_id, snapshot_id, point, t0, due_at, taken_at, content, sha256)
		SELECT tenant_id, run_id, $1, 'before', now() + interval '1 day', now() - interval '1 minute', now(), '{}', encode(sha256('{}'), 'hex') FROM gatehouse.runs`, s.ids["snapshot"])
}

// reader is who may open the page: that person, unless it is one for administrators alone.
func (s *story) reader(r web.Route, by *browser) *browser {
	if r.Right == actor.IdentityExplain {
		return s.as("admin@rivermark")
	}
	if r.Right == actor.CrossDockCancel {
		return s.as("warehouse.supervisor@rivermark")
	}
	if r.Right == actor.DimensionMeasure {
		return s.as("warehouse.staff@rivermark")
	}
	return by
}

// address is a route with ids in the place of its parameters.
func (s *story) address(r web.Route) string {
	s.t.Helper()
	parts := strings.Split(r.Path, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, ":") || part == "*" {
			place, ok := places[part]
			if own, is := places[r.Path]; is {
				place = own
			}
			if !ok {
				s.t.Fatalf("%s has the parameter %s, and no test knows what stands there", r.Path, part)
			}
			parts[i] = s.fill(place)
		}
	}
	return strings.Join(parts, "/")
}

// opens asks for a page, or for the first answer of one that goes on.
func (b *browser) opens(r web.Route, where string) answer {
	b.t.Helper()
	if !r.Streams {
		return b.get(where)
	}
	ctx, leave := context.WithCancel(b.t.Context())
	defer leave()
	res, err := b.client.Do(b.request(http.MethodGet, where, "", "").WithContext(ctx))
	if err != nil {
		b.t.Fatalf("GET %s: %v", where, err)
	}
	defer func() { _ = res.Body.Close() }()
	return answer{Response: res}
}

func (s *story) gets() []web.Route {
	var list []web.Route
	for _, r := range s.app.Routes() {
		if r.Method == http.MethodGet && !slices.Contains(apart, r.Path) {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b web.Route) int { return strings.Compare(a.Path, b.Path) })
	return list
}

func TestEveryPageIsGuarded(t *testing.T) {
	s := halfway(t, "0.0.18")
	s.guarded(slices.DeleteFunc(s.gets(), ofOneAtTheDock))
}

// TestEveryPageOfTheDockIsGuarded is the same for pages of what there is none of before V0.0.20.
func TestEveryPageOfTheDockIsGuarded(t *testing.T) {
	s := halfway(t, "0.0.22")
	s.guarded(slices.DeleteFunc(s.gets(), func(r web.Route) bool { return !ofOneAtTheDock(r) }))
}

func ofOneAtTheDock(r web.Route) bool { return strings.Contains(r.Path, "/:cancellation") }

func (s *story) guarded(routes []web.Route) {
	t := s.t
	for _, r := range routes {
		theirs := s.theirPerson(r.Right)
		ours, where := s.reader(r, s.as("devops.lead@rivermark")), s.address(r)
		k := knocking{story: s, route: r, act: act{route: "GET " + r.Path}}
		if r.Access == web.NeedsRight || r.Access == web.SignedIn {
			a := k.refused("signed out", s.stranger(), ours.request(http.MethodGet, where, "", ""), 0, http.StatusUnauthorized)
			if !web.IsAPI(where) && !strings.Contains(a.body, "/login?") {
				t.Errorf("GET %s leads a stranger to no sign-in", where)
			}
		}
		if without, ok := personWithout(r.Right); ok {
			a := k.refused("without the right", s.as(without), ours.request(http.MethodGet, where, "", ""), 1, http.StatusForbidden)
			if who := actor.RolesWith(r.Right)[0].Title(); !strings.Contains(a.body, who) {
				t.Errorf("GET %s names nobody who may (%s)", where, who)
			}
		}
		if a := ours.opens(r, where); a.StatusCode >= 400 && where != "/api/wms/optimization/health" && a.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("GET %s with the right = %d: %s", where, a.StatusCode, a.main())
		}
		if s.unknown(where) != where {
			known := k.refused("by another tenant", theirs, ours.request(http.MethodGet, where, "", ""), 0, http.StatusNotFound)
			none := k.refused("of nothing", theirs, ours.request(http.MethodGet, s.unknown(where), "", ""), 0, http.StatusNotFound)
			s.alike(known, none)
		}
		if r.Access != web.Bare {
			for _, query := range []string{"?nobody_knows=1", "?before=1&before=2"} {
				if a := ours.get(where + query); a.StatusCode != http.StatusUnprocessableEntity && !slices.Contains(lenient, r.Path) {
					t.Errorf("GET %s = %d, want 422", where+query, a.StatusCode)
				}
			}
		}
		for _, method := range []string{http.MethodHead, http.MethodOptions, http.MethodTrace} {
			k.refused(method, ours, ours.request(method, where, "", ""), 0, http.StatusOK, http.StatusNoContent, http.StatusNotFound, http.StatusMethodNotAllowed)
		}
	}
}

// lenient are steps on the way to other pages: the first leads on, the other is where the provider sends people, with
// parameters of its own.
var lenient = []string{"/", "/signed-out"}

func TestPathsThatNoRouteHasTellNothing(t *testing.T) {
	s := &story{open(t, ""), map[string]string{}}
	for _, who := range []*browser{s.stranger(), s.as(lead)} {
		for _, path := range []string{
			"/nothing", "/releases/%00", "/releases/..%2f..%2fetc%2fpasswd", "/releases/" + strings.ToUpper(uuid.NewString()), "/releases/{}",
			"/migrations/V0.0.20;drop", "/migrations/0.0.20", "/static/../go.mod", "/releases/%ff", "/releases/x/items/'%20OR%201=1",
		} {
			if a := who.get(path); a.StatusCode != http.StatusNotFound && a.StatusCode != http.StatusUnauthorized && a.StatusCode != http.StatusBadRequest {
				t.Errorf("GET %s = %d, want 404 or 401", path, a.StatusCode)
			}
		}
	}
}

// TestFilteringByOneFieldFiltersByNoOther: what the form of the audit page sends as it stands is everything.
func TestFilteringByOneFieldFiltersByNoOther(t *testing.T) {
	page := open(t, "").as("auditor@rivermark").get("/audit")
	sent, ok := formOf(t, strings.Replace(page.body, `method="get"`, `method="post"`, 1), "/audit")
	if !ok {
		t.Fatalf("no filter: %s", page.main())
	}
	for name, values := range sent {
		if values[0] != "" {
			t.Errorf("the empty filter sends %s=%s", name, values[0])
		}
	}
}
