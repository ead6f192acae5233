package demoidp

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

//go:embed login.html
var loginText string

//go:embed style.css
var styleText []byte

var loginPage = template.Must(template.New("login").Parse(loginText))

const browserCookie = "gatehouse_demo_idp"

// session is a browser's sign-in here.
type session struct {
	subject string
	at      time.Time // when the password was given
	sid     string
}

type company struct {
	Code   string
	People []listed
}

type listed struct {
	Person
	Role string
}

type loginView struct {
	ID, Username, Why, Wrong string
	SignedOut                bool
	Companies                []company
}

func (p *Provider) showLogin(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	a := p.requests[r.URL.Query().Get("id")]
	_, here := p.browser(r)
	p.mu.Unlock()
	if a == nil {
		p.page(w, http.StatusBadRequest, loginView{Wrong: "This sign-in is unknown or over. Go back to Gatehouse and start again."})
		return
	}
	ask, why := p.mustAsk(a, here)
	switch {
	case !ask:
		p.finish(w, r, a, here)
	case slices.Contains(a.asked.Prompt, oidc.PromptNone):
		back, err := url.Parse(a.asked.RedirectURI)
		if err != nil {
			http.Error(w, "the redirect address cannot be read", http.StatusBadRequest)
			return
		}
		q := back.Query()
		q.Set("error", "login_required")
		q.Set("state", a.asked.State)
		back.RawQuery = q.Encode()
		http.Redirect(w, r, back.String(), http.StatusFound)
	default:
		v := loginView{ID: a.id, Why: why}
		if here != nil {
			v.Username = p.people[here.subject].Username
		}
		p.page(w, http.StatusOK, v)
	}
}

// mustAsk applies prompt and max_age to the browser's session.
func (p *Provider) mustAsk(a *authRequest, here *session) (bool, string) {
	switch {
	case here == nil:
		return true, ""
	case slices.Contains(a.asked.Prompt, oidc.PromptLogin):
		return true, "Gatehouse asks you to show once more that it is you."
	case a.asked.MaxAge != nil && p.config.Now().Sub(here.at) > time.Duration(*a.asked.MaxAge)*time.Second:
		return true, "Your sign-in is too old for this step."
	}
	return false, ""
}

func (p *Provider) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		p.page(w, http.StatusBadRequest, loginView{Wrong: "The form cannot be read."})
		return
	}
	p.mu.Lock()
	a := p.requests[r.PostForm.Get("id")]
	p.mu.Unlock()
	if a == nil {
		p.page(w, http.StatusBadRequest, loginView{Wrong: "This sign-in is unknown or over. Go back to Gatehouse and start again."})
		return
	}
	username := strings.TrimSpace(r.PostForm.Get("username"))
	subject, ok := p.knows(username, r.PostForm.Get("password"))
	if !ok {
		p.page(w, http.StatusUnauthorized, loginView{ID: a.id, Username: username, Wrong: "Wrong user name or password."})
		return
	}
	p.mu.Lock()
	cookie, here := p.browser(r)
	if here == nil || here.subject != subject {
		delete(p.sessions, cookie)
		cookie, here = rand.Text(), &session{subject: subject, sid: rand.Text()}
		p.sessions[cookie] = here
	}
	here.at = p.config.Now()
	p.mu.Unlock()
	// Not Secure: the demo speaks plain HTTP on loopback, and no browser takes a Secure cookie from every loopback name.
	http.SetCookie(w, &http.Cookie{Name: browserCookie, Value: cookie, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}) //nolint:gosec // said above
	p.finish(w, r, a, here)
}

func (p *Provider) knows(username, password string) (subject string, ok bool) {
	for _, person := range p.config.People {
		if person.Username == username {
			return person.Subject(), subtle.ConstantTimeCompare([]byte(person.Password), []byte(password)) == 1
		}
	}
	return "", false
}

func (p *Provider) finish(w http.ResponseWriter, r *http.Request, a *authRequest, here *session) {
	p.mu.Lock()
	a.subject, a.authTime, a.sid, a.done = here.subject, here.at, here.sid, true
	p.mu.Unlock()
	http.Redirect(w, r, op.AuthCallbackURL(p.library)(op.ContextWithIssuer(r.Context(), p.issuer), a.id), http.StatusFound)
}

// browser finds the session of the browser's cookie; the lock is the caller's.
func (p *Provider) browser(r *http.Request) (string, *session) {
	c, err := r.Cookie(browserCookie)
	if err != nil {
		return "", nil
	}
	return c.Value, p.sessions[c.Value]
}

func (p *Provider) page(w http.ResponseWriter, status int, v loginView) {
	for _, person := range p.config.People {
		if len(v.Companies) == 0 || v.Companies[len(v.Companies)-1].Code != person.Tenant {
			v.Companies = append(v.Companies, company{Code: person.Tenant})
		}
		last := &v.Companies[len(v.Companies)-1]
		last.People = append(last.People, listed{person, strings.ReplaceAll(strings.Join(person.Groups, ", "), "_", " ")})
	}
	var b bytes.Buffer
	if err := loginPage.Execute(&b, v); err != nil {
		p.config.Log.Error("drawing the demo login page", "error", err)
		http.Error(w, "the page could not be drawn", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a browser that went away is no error of ours
}

func style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(styleText) // a browser that went away is no error of ours
}

func (p *Provider) signedOut(w http.ResponseWriter, _ *http.Request) {
	p.page(w, http.StatusOK, loginView{SignedOut: true})
}
