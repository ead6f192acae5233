package e2e

import (
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/agogsaas/gatehouse/internal/privatepg"
)

// reference is what differs from one answer to the next.
var reference = regexp.MustCompile(`Reference to quote [0-9a-f]+`)

// T01: every page of the release, asked by the other tenant, is the page of something that does not exist.
func (b *besieged) otherTenant(t *testing.T) {
	stranger := b.as("devops.lead@saltway")
	signature := ask[string](b, "SELECT signature_id::text FROM gatehouse.signatures ORDER BY signed_at DESC LIMIT 1")
	nowhere := "00000000-0000-7000-8000-000000000000"
	id := strings.TrimPrefix(b.release, "/releases/")
	for _, path := range []string{
		b.release, b.release + "/gates/go_no_go", b.release + "/gates/final", b.release + "/items/PRE-P1", "/signatures/" + signature,
	} {
		theirs := stranger.get(path)
		unknown := stranger.get(strings.NewReplacer(id, nowhere, signature, nowhere).Replace(path))
		wantStatus(t, path, theirs, http.StatusNotFound, "")
		if got, want := reference.ReplaceAllString(words(theirs.body), ""), reference.ReplaceAllString(words(unknown.body), ""); unknown.status != theirs.status || got != want {
			t.Errorf("%s says %q, an unknown id says %q", path, got, want)
		}
	}
	const touched = "SELECT r.version + (SELECT sum(i.version) FROM gatehouse.run_items i WHERE i.run_id = r.run_id) FROM gatehouse.runs r WHERE r.state = 'active'"
	before := ask[int](b, touched)
	form := url.Values{"version": {"1"}, "reason": {"x"}, "evidence_text": {"x"}}
	for _, path := range []string{"/schedule", "/abort", "/items/PRE-C2/reopen", "/items/PRE-C2/take", "/items/PRE-P1/check", "/gates/go_no_go/sign", "/gates/go_no_go/withdraw"} {
		if a := stranger.post(b.release+path, form); a.status != http.StatusNotFound && a.status != http.StatusForbidden && a.status != http.StatusUnprocessableEntity {
			t.Errorf("POST %s by the other tenant: %d, %s", path, a.status, words(a.body))
		}
	}
	if got := ask[int](b, touched); got != before {
		t.Errorf("the other tenant's requests moved the release from version %d to %d", before, got)
	}
	for _, path := range []string{"/releases", "/migrations", "/audit", "/health-checks"} {
		if body := stranger.get(path).body; strings.Contains(body, "Rivermark") || strings.Contains(body, "@rivermark") {
			t.Errorf("%s shows the other tenant", path)
		}
	}
}

// I13 and I16: a session that ended on one process is dead on the other.
func (b *besieged) signedOut(t *testing.T) {
	viewer := b.as("viewer").at(b.via(0))
	cookies := viewer.held()
	form := fields(t, viewer.get("/releases").body, "/logout")
	if a := viewer.post("/logout", form); a.status != http.StatusOK && a.status != http.StatusSeeOther {
		t.Fatalf("sign-out: %d, %s", a.status, words(a.body))
	}
	thief := newClient(t, b.url, b.via(1), "viewer@rivermark")
	thief.cookies = cookies
	wantStatus(t, "the old cookie on the other process", thief.get("/releases"), http.StatusUnauthorized, "")

	auditor := b.as("auditor")
	wantStatus(t, "the auditor's page", auditor.get("/audit"), http.StatusOK, "")
	b.tell("UPDATE gatehouse.people SET disabled_at = now() WHERE name = 'Aurel Quist'")
	for n := range b.processes {
		wantStatus(t, "a disabled person", auditor.at(b.via(n)).get("/audit"), http.StatusUnauthorized, "")
	}
}

// load keeps four people reading through the balancer until stop is called, which gives all the answers.
func (b *besieged) load() (stop func() []answer) {
	var mu sync.Mutex
	var answers []answer
	var people sync.WaitGroup
	end := make(chan struct{})
	for _, role := range []string{"devops_engineer", "devops_lead", "qa_lead", "backend_lead"} {
		by := b.as(role)
		people.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
				}
				a := by.get(b.release)
				mu.Lock()
				answers = append(answers, a)
				mu.Unlock()
			}
		})
	}
	return func() []answer {
		close(end)
		people.Wait()
		return answers
	}
}

// D01, D02: while the database restarts people are told so, stay signed in, and go on by themselves.
func (b *besieged) databaseRestarts(t *testing.T) {
	for mode, name := range []string{privatepg.Fast: "fast", privatepg.Immediate: "immediate"} {
		stop := b.load()
		if err := b.demo.RestartDatabase(t.Context(), privatepg.Mode(mode)); err != nil {
			t.Fatalf("restarting the database: %v", err)
		}
		b.until(10*time.Second, "both processes' return after a restart", func() bool {
			return b.as("qa_lead").at(b.via(0)).get(b.release).status == http.StatusOK && b.as("qa_lead").at(b.via(1)).get(b.release).status == http.StatusOK
		})
		counts := map[int]int{}
		for _, a := range stop() {
			counts[a.status]++
			switch {
			case a.err != nil:
				t.Errorf("%s: no answer: %v", name, a.err)
			case a.status == http.StatusServiceUnavailable && a.header.Get("Retry-After") == "":
				t.Errorf("%s: a 503 without Retry-After", name)
			case a.status != http.StatusOK && a.status != http.StatusServiceUnavailable:
				t.Errorf("%s: %d, %s", name, a.status, words(a.body))
			}
		}
		t.Logf("%s: answers by status %v", name, counts)
		if counts[http.StatusOK] == 0 || counts[http.StatusServiceUnavailable] == 0 {
			t.Errorf("%s: the restart was not seen under load: %v", name, counts)
		}
	}
}

// D10: a process that is told to end finishes what it has begun, and exits 0.
func (b *besieged) toldToEnd(t *testing.T) {
	started := make(chan answer, 1)
	b.withLocked(t, func(release func()) {
		slow := b.as("qa_lead").at(b.via(0))
		go func() { started <- slow.get(b.release) }()
		b.until(5*time.Second, "a request that waits", func() bool {
			return ask[int](b, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = 'gatehouse_app'") > 0
		})
		stop := b.load()
		ended := make(chan int, 1)
		go func() { ended <- b.terminate(0, 15*time.Second) }()
		b.until(5*time.Second, "a closed door", func() bool {
			return newClient(t, b.url, b.via(0), "").get("/healthz").err != nil
		})
		release()
		if code := <-ended; code != 0 {
			t.Errorf("the process exited with %d after SIGTERM, want 0", code)
		}
		for _, a := range stop() {
			if a.err == nil && !slices.Contains([]int{http.StatusOK, http.StatusBadGateway}, a.status) {
				t.Errorf("under load: %d, %s", a.status, words(a.body))
			}
		}
	})
	wantStatus(t, "the request that was under way", <-started, http.StatusOK, "")
	b.start(0)
}

// T03, O02: a server that could look past row-level security does not start, nor does one that is configured wrongly.
func (b *besieged) startedWrongly(t *testing.T) {
	super, err := url.Parse(string(b.demo.Config.DatabaseURL))
	if err != nil {
		t.Fatal(err)
	}
	super.User = url.User(privatepg.Superuser)
	for name, address := range map[string]string{"owner": string(b.demo.Config.OwnerDatabaseURL), "superuser": super.String()} {
		code, said := b.attempt(t, "GATEHOUSE_DATABASE_URL="+address)
		if code != 1 || !strings.Contains(said, "would see every tenant's rows") {
			t.Errorf("serve as %s: exit %d, %s; want 1 and why", name, code, said)
		}
	}
	code, said := b.attempt(t, "GATEHOUSE_ENVIRONMENT=moon", "GATEHOUSE_LOG=xml", "GATEHOUSE_TYPO=1", "GATEHOUSE_DATABASE_URL=hunter2")
	for _, name := range []string{"GATEHOUSE_ENVIRONMENT", "GATEHOUSE_LOG", "GATEHOUSE_TYPO", "GATEHOUSE_DATABASE_URL"} {
		if code != 2 || !strings.Contains(said, name) {
			t.Errorf("a wrong configuration: exit %d, want 2 with %s: %s", code, name, said)
		}
	}
	if strings.Contains(said, "hunter2") {
		t.Errorf("a secret was printed: %s", said)
	}
}

// attempt runs a server that ought not to start.
func (b *besieged) attempt(t *testing.T, env ...string) (int, string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), b.binary, "serve")
	cmd.Env = append(b.environ(freeAddr(t)), env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	timer := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() }) // a server that did start ends here
	defer timer.Stop()
	said, _ := cmd.CombinedOutput() // its exit code says more than the error
	return cmd.ProcessState.ExitCode(), string(said)
}
