package handlers

import "testing"

// Each kind of thing that the trail names, as the services write it, and the page that shows it.
func TestWhatAnEntryIsAboutLeadsToItsPage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ kind, id, name, href string }{
		{"item", "r1/PRE-P1", "item PRE-P1", "/releases/r1/items/PRE-P1"},
		{"gate", "r1/go_no_go", "gate go_no_go", "/releases/r1/gates/go_no_go"},
		{"release", "r1", "release r1", "/releases/r1"},
		{"migration", "0.0.20", "migration V0.0.20", "/migrations/V0.0.20"},
		{"migration_run", "m1", "migration run m1", "/migration-runs/m1"},
		{"operation", "o1", "operation o1", "/operations/o1"},
		{"person", "p1", "person p1", ""},
		{"item", "PRE-P1", "item PRE-P1", ""},
		{"page", "/releases/r1/items/PRE-P1/done", "page /releases/r1/items/PRE-P1/done", ""},
		{"item", "r1/../../logout?x", "item ../../logout?x", "/releases/r1/items/..%2F..%2Flogout%3Fx"},
		{"", "", "", ""},
	} {
		if name, href := auditObject(c.kind, c.id); name != c.name || href != c.href {
			t.Errorf("auditObject(%q, %q) = %q, %q; want %q, %q", c.kind, c.id, name, href, c.name, c.href)
		}
	}
}
