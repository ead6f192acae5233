package handlers

import (
	"strings"
	"testing"
	"time"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/change"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

// An index that is not valid is rebuilt by who may, in its time; everybody else reads why they cannot.
func TestRebuildingAnIndexIsOfferedToWhoMayAndInItsTime(t *testing.T) {
	h := migrations{now: func() time.Time { return schemaNow }}
	for name, c := range map[string]struct {
		by      func(*actor.Actor)
		closed  string
		offered bool
		whyNot  string
		fresh   bool
	}{
		"who may":            {offered: true},
		"outside the window": {closed: "Nothing is applied outside the window.", whyNot: "Nothing is applied outside the window."},
		"without the right":  {by: func(a *actor.Actor) { a.Roles = []actor.Role{actor.Viewer} }, whyNot: "It can be rebuilt by: " + strings.Join(roleTitles(actor.RolesWith(actor.MigrationApply)), ", ") + "."},
		"of another tenant":  {by: func(a *actor.Actor) { a.Operator = false }, whyNot: "The database is looked after by the tenant that operates this environment."},
		"signed in long ago": {by: func(a *actor.Actor) { a.AuthTime = schemaNow.Add(-time.Hour) }, fresh: true},
		"no release at all":  {closed: "none", offered: true},
	} {
		by := devops
		if c.by != nil {
			c.by(&by)
		}
		o := migration.Overview{Release: &migration.Release{Moment: change.Moment{Refusal: c.closed}}}
		if c.closed == "none" {
			o.Release = nil
		}
		o.Ladder.Invalid = []migration.InvalidIndex{{Name: "public.i", Table: "public.t"}}
		v := h.listView(layouts.Shell{}, by, o, 0)
		row := v.Invalid[0]
		if offered := row.Rebuild.Action != ""; offered != c.offered || row.WhyNot != c.whyNot || (v.InvalidFresh != "") != c.fresh {
			t.Errorf("%s: offered %t, why not %q, sign in afresh %q; want %t, %q, %t", name, offered, row.WhyNot, v.InvalidFresh, c.offered, c.whyNot, c.fresh)
		}
	}
}
