package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/agogsaas/gatehouse/internal/app"
	"github.com/agogsaas/gatehouse/internal/demoidp"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/pgtest"
)

// providerKind is one implementation of OpenID Connect: ours over zitadel's library, and the certified npm oidc-provider.
type providerKind struct {
	name  string
	start func(t *testing.T, public string) running
}

// running is a provider at work.
type running struct {
	issuer     string
	endSession string
	rotate     func(t *testing.T)
	// endsAtChange says that the provider ends a session where another person signs in in the same browser.
	endsAtChange bool
}

const secretOfTheTest = "secret of the test"

var providerKinds = []providerKind{{"demo", startDemoProvider}, {"oidc-provider", startCertifiedProvider}}

func startDemoProvider(t *testing.T, public string) running {
	t.Helper()
	p, err := demoidp.Start(t.Context(), demoidp.Config{
		ClientID: "gatehouse", ClientSecret: secretOfTheTest, RedirectURIs: []string{public + "/oidc/callback"},
		PostLogoutURIs: []string{public + "/signed-out"}, BackChannelLogoutURI: public + "/oidc/backchannel", Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatalf("starting the demo provider: %v", err)
	}
	t.Cleanup(p.Close)
	return running{issuer: p.Issuer(), endSession: p.Issuer() + "/end_session", rotate: func(t *testing.T) {
		t.Helper()
		if err := p.Rotate(); err != nil {
			t.Fatal(err)
		}
	}}
}

func startCertifiedProvider(t *testing.T, public string) running {
	t.Helper()
	if _, err := os.Stat("node_modules/oidc-provider"); err != nil {
		t.Fatal("the certified provider is not installed: `make node-modules` does it")
	}
	type person struct {
		Sub      string   `json:"sub"`
		Username string   `json:"username"`
		Password string   `json:"password"`
		Name     string   `json:"name"`
		Email    string   `json:"email"`
		Tenant   string   `json:"tenant"`
		Groups   []string `json:"groups"`
	}
	var people []person
	for _, p := range demoidp.DemoPeople() {
		people = append(people, person{p.Subject(), p.Username, p.Password, p.Name, p.Email, p.Tenant, p.Groups})
	}
	list, err := json.Marshal(people)
	if err != nil {
		t.Fatal(err)
	}
	issuer := "http://" + freeAddr(t)
	cmd := exec.CommandContext(t.Context(), "node", "oidc-provider.mjs")
	cmd.Env = append(withoutOurs(os.Environ()), "ISSUER="+issuer, "CLIENT_ID=gatehouse", "CLIENT_SECRET="+secretOfTheTest, "PUBLIC_URL="+public, "PEOPLE="+string(list))
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting node: %v", err)
	}
	lines := bufio.NewScanner(out)
	heard := func(t *testing.T, want string) {
		t.Helper()
		for lines.Scan() {
			if lines.Text() == want {
				return
			}
			t.Logf("the certified provider: %s", lines.Text())
		}
		t.Fatalf("the certified provider ended before it said %q", want)
	}
	t.Cleanup(func() {
		_ = in.Close() // which ends it
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the certified provider said: %s", complaints.String())
		}
	})
	heard(t, "ready")
	return running{issuer: issuer, endSession: issuer + "/session/end", endsAtChange: true, rotate: func(t *testing.T) {
		t.Helper()
		if _, err := io.WriteString(in, "rotate\n"); err != nil {
			t.Fatal(err)
		}
		heard(t, "rotate done")
	}}
}

// inHouse is two servers on one database, and a provider.
type inHouse struct {
	url      string
	via      [2]string
	super    *pgxpool.Pool
	provider running
}

func housesWith(t *testing.T, kind providerKind) *inHouse {
	t.Helper()
	d := housetest.At(t, "")
	h := &inHouse{super: pgtest.Pool(t, d.SuperURL)}
	var servers [2]*httptest.Server
	for n := range servers {
		servers[n] = httptest.NewUnstartedServer(nil)
		h.via[n] = "http://" + servers[n].Listener.Addr().String()
	}
	h.url = h.via[0]
	h.provider = kind.start(t, h.url)
	config, err := app.Load([]string{
		"GATEHOUSE_PUBLIC_URL=" + h.url, "GATEHOUSE_ENVIRONMENT=demo", "GATEHOUSE_DATABASE_URL=" + d.AppURL, "GATEHOUSE_OWNER_DATABASE_URL=" + d.OwnerURL,
		"GATEHOUSE_OIDC_ISSUER=" + h.provider.issuer, "GATEHOUSE_OIDC_CLIENT_ID=gatehouse", "GATEHOUSE_OIDC_CLIENT_SECRET=" + secretOfTheTest,
	})
	if err != nil {
		t.Fatal(err)
	}
	for n := range servers {
		a, err := app.New(t.Context(), config, slog.New(slog.DiscardHandler), time.Second)
		if err != nil {
			t.Fatalf("app.New: %v", err)
		}
		t.Cleanup(a.Close)
		servers[n].Config.Handler = a.Handler()
		servers[n].Start()
		t.Cleanup(servers[n].Close)
	}
	return h
}

func (h *inHouse) person(t *testing.T, role string) *client {
	t.Helper()
	return newClient(t, h.url, h.via[0], strings.ReplaceAll(role, "_", ".")+"@rivermark")
}

func (h *inHouse) rows(t *testing.T, query string, args ...any) []string {
	t.Helper()
	rows, err := h.super.Query(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return list
}

// leave goes to where the provider ends its session, confirms where it asks, and follows until a page.
func (c *client) leave(address string) answer {
	c.t.Helper()
	here, a := address, c.get(address)
	for range 8 {
		switch {
		case a.err != nil:
			c.t.Fatalf("signing out at the provider: %v", a.err)
		case a.header.Get("Location") != "":
			here = c.from(here, a.header.Get("Location"))
			a = c.get(here)
		case strings.Contains(a.body, `data-page="confirm"`):
			action, form := formOf(c.t, a.body, "")
			form.Set("logout", "yes")
			here = c.from(here, action)
			a = c.post(here, form)
		case strings.Contains(a.body, submitsItself):
			here, a = c.submit(here, a)
		default:
			return a
		}
	}
	c.t.Fatalf("signing out at the provider never ended: %s", words(a.body))
	return a
}

func goesOnTo(t *testing.T, a answer) string {
	t.Helper()
	to, ok := strings.CutPrefix(a.header.Get("Refresh"), "0; url=")
	if !ok {
		t.Fatalf("the page does not go on by itself: %d %s", a.status, words(a.body))
	}
	return to
}

var atProvider = regexp.MustCompile(`href="(http[^"]*id_token_hint=[^"]*)"`)

// TestTwoProviders holds everything that a person does with a provider against two of them that share no code.
func TestTwoProviders(t *testing.T) {
	for _, kind := range providerKinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			h := housesWith(t, kind)
			lead := h.person(t, "devops_lead")

			// Sign-in, with name, tenant and roles from the claims; groups are texts at the one, objects at the other.
			wantStatus(t, "the first sign-in", lead.signIn("/login?return=%2Fme"), http.StatusOK, `data-role="devops_lead"`)
			wantStatus(t, "who that is", lead.get("/me"), http.StatusOK, "Dana Okafor")
			wantStatus(t, "the same at the other server", lead.at(h.via[1]).get("/me"), http.StatusOK, "Rivermark Print")
			wantStatus(t, "a sign-in that the provider remembers", lead.signIn("/login?return=%2Fme"), http.StatusOK, "Dana Okafor")
			if lead.asked != 1 {
				t.Errorf("the password was asked for %d times, want once", lead.asked)
			}

			// Step-up: prompt=login and max_age bring a new auth_time, for the same person alone.
			wantStatus(t, "a fresh sign-in", lead.signIn("/login?fresh=1&return=%2Fme"), http.StatusOK, "sign without a fresh sign-in until")
			if lead.asked != 2 {
				t.Errorf("a fresh sign-in did not ask for the password: %d times in all, want 2", lead.asked)
			}
			proven := h.rows(t, `SELECT ((after ->> 'auth_time')::timestamptz BETWEEN at - interval '1 minute' AND at + interval '2 seconds')::text FROM gatehouse.audit_events WHERE action = 'session:sign_in' AND outcome = 'done' ORDER BY seq DESC LIMIT 1`)
			if len(proven) != 1 || proven[0] != "true" {
				t.Errorf("the trail says %v of the fresh sign-in, want an auth_time of now", proven)
			}
			h.anotherPersonComesBack(t, lead)

			// Keys are changed while people work.
			h.provider.rotate(t)
			wantStatus(t, "a sign-in after the keys were changed", h.person(t, "viewer").signIn("/login?return=%2Fme"), http.StatusOK, "Vera Lund")

			h.signOutHereThenThere(t)
			h.signOutThere(t)
			h.endedInTheMiddleOfAStepUp(t)
			h.nextPerson(t)
		})
	}
}

// anotherPersonComesBack: nobody signs with somebody else's proof. The certified provider ends the first person's session as
// soon as another takes over the browser there, and says so by the back channel; the demo one does not.
func (h *inHouse) anotherPersonComesBack(t *testing.T, lead *client) {
	t.Helper()
	other := lead.at(h.via[0])
	other.username = "backend.lead@rivermark"
	a := other.signIn("/login?fresh=1&return=%2Fme")
	if h.provider.endsAtChange {
		wantStatus(t, "a fresh sign-in from which another person comes back", a, http.StatusBadRequest, "has ended meanwhile")
		wantStatus(t, "the first person's session", lead.get("/me"), http.StatusUnauthorized, "")
	} else {
		wantStatus(t, "a fresh sign-in from which another person comes back", a, http.StatusForbidden, "Another person came back")
		wantStatus(t, "the first person's session", lead.get("/me"), http.StatusOK, "Dana Okafor")
	}
	if in := h.rows(t, `SELECT p.name FROM gatehouse.sessions JOIN gatehouse.people p USING (person_id) WHERE p.name = 'Bela Novak'`); len(in) != 0 {
		t.Error("the other person has a session")
	}
}

// signOutHereThenThere: the link on our page ends the provider's session too, and leads back.
func (h *inHouse) signOutHereThenThere(t *testing.T) {
	t.Helper()
	by := h.person(t, "qa_lead")
	by.signIn("/login?return=%2Fme")
	page := by.post("/logout", url.Values{})
	wantStatus(t, "signing out here", page, http.StatusOK, `data-page="signed_out"`)
	wantStatus(t, "afterwards at the other server", by.at(h.via[1]).get("/me"), http.StatusUnauthorized, "")
	link := atProvider.FindStringSubmatch(page.body)
	if link == nil {
		t.Fatalf("the page has no link to the provider's sign-out: %s", words(page.body))
	}
	wantStatus(t, "signing out there", by.leave(html.UnescapeString(link[1])), http.StatusOK, `data-page="signed_out"`)
	by.asked = 0
	wantStatus(t, "signing in again", by.signIn("/login?return=%2Fme"), http.StatusOK, "Quinn Harper")
	if by.asked != 1 {
		t.Errorf("after signing out at the provider the password was asked for %d times, want once", by.asked)
	}
}

// signOutThere: who signs out at the provider is signed out of both servers by the back channel, and nobody else is.
func (h *inHouse) signOutThere(t *testing.T) {
	t.Helper()
	by, colleague := h.person(t, "product_owner"), h.person(t, "product_owner")
	by.signIn("/login?return=%2Fme")
	colleague.signIn("/login?return=%2Fme")
	started := time.Now()
	by.leave(h.provider.endSession + "?client_id=gatehouse&post_logout_redirect_uri=" + url.QueryEscape(h.url+"/signed-out"))
	for n, via := range h.via {
		wantStatus(t, fmt.Sprintf("server %d after signing out at the provider", n), by.at(via).get("/me"), http.StatusUnauthorized, "")
		wantStatus(t, fmt.Sprintf("another session of the same person at server %d", n), colleague.at(via).get("/me"), http.StatusOK, "Paula Renn")
	}
	if took := time.Since(started); took > 5*time.Second {
		t.Errorf("the sessions ended after %v, want at most 5 s", took)
	}
}

// endedInTheMiddleOfAStepUp: a person proves themselves for a signature, and before they are back the provider ends the session.
func (h *inHouse) endedInTheMiddleOfAStepUp(t *testing.T) {
	t.Helper()
	by := h.person(t, "statistical_expert")
	by.signIn("/login?return=%2Fme")
	callback, _ := by.walk("/login?fresh=1&return=%2Fme", func(address string) bool { return strings.HasPrefix(address, h.url+"/oidc/callback") })
	by.leave(h.provider.endSession + "?client_id=gatehouse&post_logout_redirect_uri=" + url.QueryEscape(h.url+"/signed-out"))
	for n, via := range h.via {
		wantStatus(t, fmt.Sprintf("coming back to server %d", n), by.at(via).get(callback), http.StatusBadRequest, []string{"has ended meanwhile", "finished already"}[n])
		wantStatus(t, "afterwards", by.at(via).get("/me"), http.StatusUnauthorized, "")
	}
}

// nextPerson: one act hands a shared browser on; the next person's password is asked for, and nothing of the first is left.
func (h *inHouse) nextPerson(t *testing.T) {
	t.Helper()
	tablet := h.person(t, "warehouse_staff")
	tablet.signIn("/login?return=%2Fme")
	started := time.Now()
	left := tablet.post("/switch-user", url.Values{})
	wantStatus(t, "switching the user", left, http.StatusOK, `data-page="switch_user"`)
	back := tablet.leave(goesOnTo(t, left))
	wantStatus(t, "back from the provider", back, http.StatusOK, `data-page="switch_user"`)
	tablet.username, tablet.asked = "warehouse.supervisor@rivermark", 0
	tablet.signIn(goesOnTo(t, back))
	wantStatus(t, "the next person", tablet.get("/me"), http.StatusOK, "Wes Tarrant")
	if took := time.Since(started); tablet.asked != 1 || took > 5*time.Second {
		t.Errorf("the password was asked for %d times, and it took %v; want once, within seconds", tablet.asked, took)
	}
	if body := tablet.get("/me").body; strings.Contains(body, "Iris Vega") {
		t.Error("the next person's page names the one before")
	}
	got := strings.Join(h.rows(t, `SELECT name || ' ' || action FROM gatehouse.audit_events WHERE name IN ('Iris Vega', 'Wes Tarrant') AND action LIKE 'session:%' ORDER BY seq`), ", ")
	if want := "Iris Vega session:sign_in, Iris Vega session:sign_out, Wes Tarrant session:sign_in"; got != want {
		t.Errorf("the trail says %s, want %s", got, want)
	}
	if left := h.rows(t, `SELECT p.name FROM gatehouse.sessions JOIN gatehouse.people p USING (person_id) WHERE p.name = 'Iris Vega'`); len(left) != 0 {
		t.Error("a session of the person before is left")
	}
}
