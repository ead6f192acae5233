//go:build figures

package app_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestFiguresOfAWatchedRelease is row L1 of the bench: 50 people watch a release of 300 items with 2,000 entries in the trail
// through two processes, and one works. It says how long an update takes until each of them was told, and until each has the
// page of it; and what the page costs. It is built with the tag figures alone.
func TestFiguresOfAWatchedRelease(t *testing.T) {
	const watchers, acts, perSession = 50, 20, 4
	s := halfway(t, "0.0.18")
	s.trailOf(2000)
	s.sql(`INSERT INTO gatehouse.run_items (tenant_id, run_id, item_id, position, phase, gate, title, owner_role, required, offset_seconds, after_items, kind, check_name)
		SELECT i.tenant_id, i.run_id, 'X' || n, 1000 + n, i.phase, '', 'One more thing to look at, number ' || n, 'devops_engineer', false, 86400, '{}', 'text', ''
		  FROM (SELECT * FROM gatehouse.run_items ORDER BY position DESC LIMIT 1) i, generate_series(1, 300 - (SELECT count(*)::int FROM gatehouse.run_items)) n`)
	replicas := []*replica{s.replicate(), s.replicate()}
	release := s.fill("/releases/{release}")

	type arrival struct{ told, drawn time.Duration }
	// act is what the worker did last; words are on the page once it shows that.
	type act struct {
		number int
		began  time.Time
		words  string
	}
	var mu sync.Mutex
	var came []arrival
	var last act
	var drawn sync.WaitGroup
	ready := make(chan struct{}, watchers)
	names := []string{"devops.lead@rivermark", "qa.lead@rivermark", "backend.lead@rivermark", "devops.engineer@rivermark", "viewer@rivermark", "auditor@rivermark", "product.owner@rivermark"}
	var who *browser
	for n := range watchers {
		r := replicas[n%2]
		if n%(2*perSession) == 0 {
			who = s.as(names[(n/(2*perSession))%len(names)])
		}
		b := who
		come := b.stream(r, release+"/events")
		awaitEvent(t, come, "state listening")
		go func() {
			ready <- struct{}{}
			// Something else of the release may change meanwhile: what counts is the first look that shows the act.
			for seen, event := 0, ""; ; {
				if event = <-come; event == "" {
					return
				}
				mu.Lock()
				current, heard := last, time.Now()
				mu.Unlock()
				if event != "change look" || current.number == seen {
					continue
				}
				a := b.do(b.request(http.MethodGet, r.url+release, "", ""))
				if a.StatusCode != http.StatusOK || !strings.Contains(a.body, current.words) {
					continue
				}
				seen = current.number
				mu.Lock()
				came = append(came, arrival{heard.Sub(current.began), time.Since(current.began)})
				mu.Unlock()
				drawn.Done()
			}
		}()
		<-ready
	}
	engineer := s.as("devops.engineer@rivermark")
	for n := range acts {
		form, ok := formOf(t, engineer.get(replicas[n%2].url+release).body, release+"/schedule")
		if !ok {
			t.Fatal("T-0 cannot be moved")
		}
		tZero := time.Now().UTC().Add(time.Duration(n) * time.Hour)
		form.Set("t_zero", tZero.Format("2006-01-02T15:04"))
		form.Set("zone", "UTC")
		form.Set("reason", "round and round")
		drawn.Add(watchers)
		mu.Lock()
		last = act{n + 1, time.Now(), tZero.Format("2006-01-02 15:04:00 UTC") + " · "}
		mu.Unlock()
		if a := engineer.post(replicas[n%2].url+release+"/schedule", form); a.StatusCode != http.StatusSeeOther {
			t.Fatalf("moving T-0 = %d: %s", a.StatusCode, a.main())
		}
		drawn.Wait()
	}
	told, seen := make([]time.Duration, len(came)), make([]time.Duration, len(came))
	for i, a := range came {
		told[i], seen[i] = a.told, a.drawn
	}
	slices.Sort(told)
	slices.Sort(seen)
	at := func(d []time.Duration, p int) time.Duration { return d[(len(d)-1)*p/100].Round(100 * time.Microsecond) }
	t.Logf("L1: %d arrivals of %d updates at %d watchers on two processes: told p50 %s, p95 %s; page drawn anew p50 %s, p95 %s",
		len(came), acts, watchers, at(told, 50), at(told, 95), at(seen, 50), at(seen, 95))
	var alone []time.Duration
	lead := s.as("devops.lead@rivermark")
	for range 50 {
		start := time.Now()
		lead.do(lead.request(http.MethodGet, replicas[0].url+release, "", ""))
		alone = append(alone, time.Since(start))
	}
	slices.Sort(alone)
	line := s.line(lead.get(release))
	t.Logf("L1: the release page of 300 items alone: %d statements, %d trips; p50 %s, p95 %s", line.Statements, line.Trips, at(alone, 50), at(alone, 95))
	if len(came) != watchers*acts {
		t.Errorf("%d arrivals, want each of %d updates at each of %d watchers", len(came), acts, watchers)
	}
}
