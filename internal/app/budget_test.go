package app_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	mostTrips = 2
	// mostTripsRarely is for pages that a release asks for a few times in all; rarely names them by a part of their address.
	mostTripsRarely = 4
	mostBytes       = 60 << 10
	// mostAssets is what style sheet, script and icon take of it, once for a person and version.
	mostAssets = 12 << 10
	// mostFirst is what a first visit takes over the wire. The limit of the house is 60 kB; this one holds what was won.
	mostFirst = 24 << 10
)

var rarely = []string{"/releases/new$", "/report$", "/report/json$", "/runbook$", "/snapshots$", "/files/"}

// TestEveryPageKeepsItsBudget counts what a page costs, with a release of 90 items that is signed and applied and 2,000
// entries in the trail: round trips and bytes, never time.
func TestEveryPageKeepsItsBudget(t *testing.T) {
	s := halfway(t, "0.0.22")
	s.trailOf(2000)
	if items := s.text(`SELECT count(*)::text FROM gatehouse.run_items`); items != "90" {
		t.Fatalf("the release has %s items, want 90", items)
	}
	by := s.as("devops.lead@rivermark")
	for _, r := range s.gets() {
		where := s.address(r)
		if strings.Contains(where, "{run}") || r.Streams {
			continue // nothing is left to run at this version; the page is measured in the middle of a release below
		}
		s.measure(s.reader(r, by), where)
	}
	s.measure(by, "/audit?person=Eli+Brandt&outcome=refused")
	if rows := strings.Count(by.get("/audit").body, "data-audit="); rows != 45 {
		t.Errorf("the list of the trail shows %d entries, want 45", rows)
	}
	s.measure(by, "/releases?state=active")
	s.measure(s.as("warehouse.staff@rivermark"), s.fill("/dimensions/materials/{material}/measure?facility={facility}&step=check&by=volume&volume=12&weight=20"))
	s.measure(s.as("warehouse.supervisor@rivermark"), "/dimensions?scan=M")

	middle := halfway(t, "0.0.18")
	middle.measure(middle.as("devops.lead@rivermark"), middle.fill("/migration-runs/{run}"))
	middle.measure(middle.as("devops.lead@rivermark"), "/migrations")
	middle.measure(middle.as("devops.lead@rivermark"), "/migrations/V0.0.20")
}

func (s *site) measure(by *browser, where string) {
	s.t.Helper()
	by.get(where) // the first use of a connection prepares statements
	by.get(where) // and reading the trail is written down once, after which what waits is counted anew
	a := by.get(where)
	line := s.line(a)
	s.t.Logf("%-75s %d: %2d statements, %d trips, %6d bytes, %5.1f ms", where, a.StatusCode, line.Statements, line.Trips, len(a.body), line.Ms)
	if a.StatusCode >= 400 && a.StatusCode != http.StatusServiceUnavailable {
		s.t.Errorf("GET %s = %d: %s", where, a.StatusCode, a.main())
	}
	most := mostTrips
	if slices.ContainsFunc(rarely, func(part string) bool { return strings.Contains(where+"$", part) }) {
		most = mostTripsRarely
	}
	if line.Trips > most {
		s.t.Errorf("GET %s takes %d round trips, want at most %d", where, line.Trips, most)
	}
	if len(a.body) > mostBytes {
		s.t.Errorf("GET %s is %d bytes, want at most %d", where, len(a.body), mostBytes)
	}
}

// trailOf writes entries through the chain, as the application does, with texts of usual length.
func (s *story) trailOf(entries int) {
	s.t.Helper()
	s.sql(`INSERT INTO gatehouse.audit_events (tenant_id, seq, at, origin, issuer, subject, name, roles, ip, action, object_kind, object_id, outcome, reason, before, after, prev_hash, hash)
		SELECT tenant_id, 0, now(), 'web', 'https://id.example.com', 'subject-' || n % 7, 'Eli Brandt', 'devops_engineer', '127.0.0.1', 'item:done', 'item', run_id || '/PRE-P2',
		       CASE WHEN n % 5 = 0 THEN 'refused' ELSE 'done' END, 'The restore showed the same counts of lots and materials.',
		       '{"state": "open", "version": 1}', '{"state": "done", "version": 2}', '', ''
		  FROM gatehouse.runs, generate_series(1, $1::integer) n`, entries)
}

// TestTheFirstVisitIsSmall: the page a person meets first, with style sheet, script and icon, as a browser gets them
// with an empty cache.
func TestTheFirstVisitIsSmall(t *testing.T) {
	s := halfway(t, "0.0.18")
	by := s.as("devops.lead@rivermark")
	for _, where := range []string{"/signed-out", "/releases", s.fill("/releases/{release}")} {
		who := by
		if where == "/signed-out" {
			who = s.stranger()
		}
		sent := func(address string) int {
			r := who.request(http.MethodGet, address, "", "")
			r.Header.Set("Accept-Encoding", "gzip") // set by hand, so that the client leaves the body as it came
			a := who.do(r)
			if encoding := a.Header.Get("Content-Encoding"); encoding != "gzip" {
				t.Errorf("%s came with encoding %q, want gzip", address, encoding)
			}
			return len(a.body)
		}
		plain, page, assets := who.get(where).body, sent(where), 0
		for _, address := range asset.FindAllString(plain, -1) {
			assets += sent(address)
		}
		t.Logf("%s: %d bytes, %d of them sent, with its assets %d", where, len(plain), page, page+assets)
		if assets > mostAssets {
			t.Errorf("the assets of %s are %d bytes, want at most %d", where, assets, mostAssets)
		}
		if page+assets > mostFirst {
			t.Errorf("%s with its assets is %d bytes, want at most %d", where, page+assets, mostFirst)
		}
	}
}

var asset = regexp.MustCompile(`/static/[0-9a-f]+/[a-z]+\.(?:css|js|svg)`)
