package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// did is one act of one person, as they saw it: it was acknowledged, refused, or nobody knows, because the answer never came.
type did struct {
	who, item, act string
	note           string // stands in what the act leaves; empty where the act takes no text
	status         int    // 0 for no answer
}

// fivePeople: five people work the same items of one release at once, through both processes; one process is killed in the
// middle. Afterwards the history says: what was acknowledged is there once, what was refused is not there, what nobody knows
// is there once or not at all; no version was passed twice; the chain is whole; and every page shows what the database holds.
func (b *besieged) fivePeople(t *testing.T) {
	people := []string{"devops_engineer", "devops_lead", "qa_lead", "backend_lead", "statistical_expert"}
	items := []string{"PRE-P2", "PRE-P3", "PRE-P7", "PRE-C2", "PRE-C3"}
	const each = 16
	for _, who := range people {
		b.as(who)
	}
	var mu sync.Mutex
	var history []did
	var acknowledged, dead atomic.Int32
	kill := make(chan struct{})
	var once sync.Once
	var all sync.WaitGroup
	for n, who := range people {
		all.Go(func() {
			chance := rand.New(rand.NewPCG(uint64(n), 4)) // what is tried is to be the same in every run
			for step := range each {
				through := (n + step) % 2
				if dead.Load() > 0 {
					through = 1 // as a balancer does once the process does not answer
				}
				one := b.someAct(b.as(who).at(b.via(through)), who, items[chance.IntN(len(items))], fmt.Sprintf("%s, step %d", who, step), chance)
				if one.status == 0 {
					dead.Store(1)
				}
				if one.status == http.StatusSeeOther && acknowledged.Add(1) == 20 {
					once.Do(func() { close(kill) })
				}
				mu.Lock()
				history = append(history, one)
				mu.Unlock()
			}
			once.Do(func() {}) // nobody waits for what cannot come any more
		})
	}
	go func() { all.Wait(); once.Do(func() { close(kill) }) }()
	<-kill
	b.kill(0)
	dead.Store(1)
	all.Wait()
	b.start(0)

	counts := map[string]int{}
	for _, one := range history {
		switch one.status {
		case http.StatusSeeOther:
			counts["done"]++
		case 0:
			counts["no answer"]++
		case http.StatusConflict:
			counts["overtaken"]++
		default:
			counts["not offered"]++
		}
	}
	t.Logf("%d acts of 5 people on %d items: %v", len(history), len(items), counts)
	if counts["done"] < 20 {
		t.Fatalf("only %d acts were done, so little was tried", counts["done"])
	}
	b.checkHistory(t, history)
	b.checkItems(t, items)
	b.verifyChain(t)

	// What follows begins with items that are open.
	for _, item := range items {
		page := b.release + "/items/" + item
		if body := b.as("devops_lead").get(page).body; !strings.Contains(body, `data-state="open"`) && strings.Contains(body, page+`/reopen"`) {
			form := fields(t, body, "/reopen")
			form.Set("reason", "for what follows")
			wantStatus(t, "reopening "+item, b.as("devops_lead").post(page+"/reopen", form), http.StatusSeeOther, "")
		}
	}
}

// someAct looks at the item and does one of the things that its page offers.
func (b *besieged) someAct(by *client, who, item, note string, chance *rand.Rand) did {
	page := b.release + "/items/" + item
	shown := by.get(page)
	one := did{who: who, item: item}
	if shown.err != nil {
		return one // it was not even asked for anything
	}
	var offered []string
	for _, act := range []string{"take", "done", "reopen"} {
		if strings.Contains(shown.body, page+"/"+act+`"`) {
			offered = append(offered, act)
		}
	}
	if len(offered) == 0 {
		one.status = -1
		return one
	}
	one.act = offered[chance.IntN(len(offered))]
	form := fields(b.t, shown.body, page+"/"+one.act)
	for name := range form {
		if name == "evidence_text" || name == "reason" || name == "note" && one.act == "done" {
			form.Set(name, note)
			one.note = note
		}
	}
	one.status = by.post(page+"/"+one.act, form).status
	return one
}

// checkHistory holds what people were told against the trail.
func (b *besieged) checkHistory(t *testing.T, history []did) {
	t.Helper()
	run := strings.TrimPrefix(b.release, "/releases/")
	evidence := func(one did) int {
		return ask[int](b, "SELECT count(*) FROM gatehouse.run_evidence WHERE run_id = $1::uuid AND item_id = $2 AND value = $3", run, one.item, one.note)
	}
	reasons := func(one did) int {
		return ask[int](b, "SELECT count(*) FROM gatehouse.audit_events WHERE outcome = 'done' AND object_id = $1 AND action = 'item:reopen' AND reason = $2", run+"/"+one.item, one.note)
	}
	type taker struct{ who, item string }
	took, mayHave := map[taker]int{}, map[taker]int{}
	for _, one := range history {
		var found int
		switch one.act {
		case "done":
			found = evidence(one)
		case "reopen":
			found = reasons(one)
		case "take":
			k := taker{one.who, one.item}
			switch one.status {
			case http.StatusSeeOther:
				took[k]++
			case 0:
				mayHave[k]++
			}
			continue
		default:
			continue
		}
		switch {
		case one.status == http.StatusSeeOther && found != 1:
			t.Errorf("%s did %s of %s (%q) and was told so; it is there %d times", one.who, one.act, one.item, one.note, found)
		case one.status == 0 && found > 1:
			t.Errorf("%s did %s of %s and got no answer; it is there %d times", one.who, one.act, one.item, found)
		case one.status > 0 && one.status != http.StatusSeeOther && found != 0:
			t.Errorf("%s was refused %s of %s (%d), and it is there %d times", one.who, one.act, one.item, one.status, found)
		}
	}
	for _, one := range history {
		k := taker{one.who, one.item}
		name := strings.ReplaceAll(one.who, "_", ".") + "@rivermark"
		found := ask[int](b, `SELECT count(*) FROM gatehouse.audit_events e JOIN gatehouse.people p ON p.tenant_id = e.tenant_id AND p.issuer = e.issuer AND p.subject = e.subject
			WHERE e.outcome = 'done' AND e.action = 'item:take' AND e.object_id = $1 AND p.email LIKE $2`, run+"/"+one.item, strings.Split(name, "@")[0]+"@%")
		if one.act == "take" && (found < took[k] || found > took[k]+mayHave[k]) {
			t.Errorf("%s took %s %d times, and %d times without an answer; the trail has %d", one.who, one.item, took[k], mayHave[k], found)
		}
	}
}

// checkItems: each change made one version and one entry, and both processes show what the database holds.
func (b *besieged) checkItems(t *testing.T, items []string) {
	t.Helper()
	run := strings.TrimPrefix(b.release, "/releases/")
	for _, item := range items {
		version := ask[int](b, "SELECT version FROM gatehouse.run_items WHERE run_id = $1::uuid AND item_id = $2", run, item)
		entries := ask[int](b, "SELECT count(*) FROM gatehouse.audit_events WHERE outcome = 'done' AND object_id = $1 AND action ~ '^item:(take|done|reopen)$'", run+"/"+item)
		if version != entries+1 {
			t.Errorf("%s has version %d after %d entries", item, version, entries)
		}
		state := ask[string](b, "SELECT state FROM gatehouse.run_items WHERE run_id = $1::uuid AND item_id = $2", run, item)
		for n := range b.processes {
			if body := b.as("qa_lead").at(b.via(n)).get(b.release + "/items/" + item).body; !strings.Contains(body, fmt.Sprintf(`data-item="%s" data-state="%s"`, item, state)) {
				t.Errorf("process %d does not show %s as %s", n, item, state)
			}
		}
	}
	done := ask[int](b, "SELECT items_done FROM gatehouse.runs WHERE run_id = $1::uuid", run)
	if counted := ask[int](b, "SELECT count(*) FROM gatehouse.run_items WHERE run_id = $1::uuid AND state = 'done'", run); counted != done {
		t.Errorf("the release says that %d items are done, and %d are", done, counted)
	}
	if seqs := ask[[]int64](b, `SELECT coalesce(array_agg(seq), '{}') FROM (SELECT seq, lag(seq) OVER (PARTITION BY tenant_id ORDER BY seq) AS before FROM gatehouse.audit_events) s WHERE seq <> before + 1`); len(seqs) != 0 {
		t.Errorf("the trail has gaps or doubles before %v", slices.Compact(seqs))
	}
}

// verifyChain walks the chain through the page, as an auditor does.
func (b *besieged) verifyChain(t *testing.T) {
	t.Helper()
	auditor := b.as("auditor")
	wantStatus(t, "walking the chain", auditor.post("/audit/verify", fields(t, auditor.get("/audit").body, "/audit/verify")), http.StatusSeeOther, "")
}
