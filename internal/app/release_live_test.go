package app_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/housetest"
)

// act posts one of the forms of an item's page through a replica, as it stands there.
func (b *browser) act(r *replica, page, act string, typed ...string) {
	b.t.Helper()
	form, ok := formOf(b.t, b.get(r.url+page).body, page+"/"+act)
	if !ok {
		b.t.Fatalf("%s offers no form to %s", page, act)
	}
	for n := 0; n+1 < len(typed); n += 2 {
		form.Set(typed[n], typed[n+1])
	}
	if a := b.post(r.url+page+"/"+act, form); a.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("%s of %s = %d: %s", act, page, a.StatusCode, a.main())
	}
}

// drain takes what has come already.
func drain(come <-chan string) {
	for {
		select {
		case <-come:
		default:
			return
		}
	}
}

// TestAReleaseIsWatchedThroughEveryReplica: what one person does wakes the pages of everybody who has the release, the item
// or the list of what waits open, through whichever process; who has an item open is seen by the others and gone when they
// leave or their process dies; another company sees nothing of it.
func TestAReleaseIsWatchedThroughEveryReplica(t *testing.T) {
	s := halfway(t, "0.0.18")
	one, two := s.replicate(), s.replicate()
	release := s.fill("/releases/{release}")
	item := release + "/items/P1.2"
	lead, qa, engineer := s.as("devops.lead@rivermark"), s.as("qa.lead@rivermark"), s.as("devops.engineer@rivermark")

	page, wall, inbox := lead.stream(one, release+"/events"), qa.stream(two, release+"/events"), lead.stream(two, "/waiting/events")
	mine := lead.stream(one, item+"/events")
	for _, come := range []<-chan string{page, wall, inbox, mine} {
		awaitEvent(t, come, "state listening")
	}
	theirs, leave := qa.visit(two, item+"/events")
	awaitEvent(t, theirs, "state listening")
	if took := awaitEvent(t, mine, "change look"); took > time.Second {
		t.Errorf("that somebody came to the item was seen after %s", took)
	}
	name := s.text(`SELECT name FROM gatehouse.people WHERE email LIKE 'qa.lead@%' AND tenant_id = $1`, housetest.Rivermark)
	if body := lead.get(one.url + item).body; !strings.Contains(body, "Also here:") || !strings.Contains(body, name+" since") {
		t.Errorf("the item does not say that %s is here", name)
	}
	if body := qa.get(two.url + item).body; strings.Contains(body, name+" since") {
		t.Error("somebody is told that they are here themselves")
	}
	leave()
	if took := awaitEvent(t, mine, "change look"); took > 5*time.Second {
		t.Errorf("that somebody left was seen after %s", took)
	}
	if body := lead.get(one.url + item).body; strings.Contains(body, "Also here:") {
		t.Error("who left is still here")
	}

	// A process that died leaves nobody behind: it is not believed, and swept by the others.
	dead := uuid.NewString()
	s.sql(`INSERT INTO gatehouse.server_processes (process_id, heard_at) VALUES ($1, clock_timestamp() - interval '19 seconds')`, dead)
	s.sql(`INSERT INTO gatehouse.presence (tenant_id, page_id, process_id, place, issuer, subject, name)
		SELECT tenant_id, gen_random_uuid(), $1, $2, 'i', 's', 'Ghost' FROM gatehouse.tenants WHERE tenant_id = $3`, dead, uuid.NewSHA1(uuid.MustParse(strings.TrimPrefix(release, "/releases/")), []byte("item P1.2")), housetest.Rivermark)
	for strings.Contains(lead.get(one.url+item).body, "Ghost") {
		awaitEvent(t, mine, "change look") // that it came, and within seconds that it is gone
	}
	if n := s.text(`SELECT count(*)::text FROM gatehouse.server_processes WHERE process_id = $1`, dead); n != "0" {
		t.Error("the dead process was not swept")
	}

	gate := release + "/gates/go_no_go"
	_, seen, _ := strings.Cut(lead.get(one.url+gate).body, `data-live-version="`)
	seen, _, _ = strings.Cut(seen, `"`)
	for _, come := range []<-chan string{page, wall, inbox, mine} {
		drain(come)
	}
	engineer.act(two, item, "reopen", "reason", "the announcement was wrong")
	for what, come := range map[string]<-chan string{"the release": page, "the release on the other process": wall, "what waits": inbox, "the item": mine} {
		if took := awaitEvent(t, come, "change look"); took > time.Second {
			t.Errorf("a change of an item took %s to reach %s", took, what)
		}
	}
	if body := lead.get(one.url + item + "?since=1").body; !strings.Contains(body, "changed this item since you opened it") || !strings.Contains(body, "it is open now.") || !strings.Contains(body, item+"?since=1") {
		t.Errorf("who had the item open as it was is not told what became of it: %s", body)
	}
	version := s.text(`SELECT version::text FROM gatehouse.run_items WHERE item_id = 'P1.2'`)
	if body := lead.get(one.url + item + "?since=" + version).body; strings.Contains(body, "since you opened it") {
		t.Error("an item is said to have changed that has not")
	}
	since := "?since=" + url.QueryEscape(seen)
	if body := lead.get(one.url + gate + since).body; !strings.Contains(body, "What is signed here has changed since you opened it") || !strings.Contains(body, "P1.2 (item:reopen)") || !strings.Contains(body, "signs nothing any more") {
		t.Errorf("who had the gate open is not told what moved since %s", seen)
	}
	for _, wrong := range []string{item + "?since=x", item + "?since=0", gate + "?since=x.y", release + "?since=x", release + "?since=1.y"} {
		if a := lead.get(one.url + wrong); a.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("GET %s = %d, want 422", wrong, a.StatusCode)
		}
	}

	// T-0 moves under an open form.
	schedule, ok := formOf(t, lead.get(one.url+release).body, release+"/schedule")
	if !ok {
		t.Fatal("no form to move T-0")
	}
	before := s.text(`SELECT version || '.' || extract(epoch FROM t0)::bigint FROM gatehouse.runs WHERE state = 'active'`)
	schedule.Set("t_zero", time.Now().UTC().Add(26*time.Hour).Format("2006-01-02T15:04"))
	schedule.Set("zone", "UTC")
	schedule.Set("reason", "the truck is late")
	if a := lead.post(two.url+release+"/schedule", schedule); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("moving T-0: %d %s", a.StatusCode, a.main())
	}
	if body := lead.get(one.url + release + "?since=" + before).body; !strings.Contains(body, "T-0 was ") || !strings.Contains(body, "This release has changed since you opened it") {
		t.Error("who had the release open is not told that T-0 moved")
	}

	them := s.as("devops.lead@saltway")
	for _, where := range []string{release + "/events", item + "/events", release + "/gates/go_no_go/events", release + "/wall"} {
		if a := them.do(them.request(http.MethodGet, two.url+where, "", "")); a.StatusCode != http.StatusNotFound {
			t.Errorf("another company's GET %s = %d, want 404", where, a.StatusCode)
		}
	}
	if n := s.text(`SELECT count(*)::text FROM gatehouse.presence WHERE tenant_id = $1`, housetest.Saltway); n != "0" {
		t.Errorf("%s pages of another company are present", n)
	}
}
