package web_test

import (
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/agogsaas/gatehouse/internal/postgres"

	"github.com/agogsaas/gatehouse/handlers"
)

// The page of one's own sessions, through the whole server: what handlers.Me shows and ends.
func TestMeShowsAndEndsMySessions(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.web.Mount(handlers.Me(postgres.Sessions{DB: s.db}, "Demo ID", 30*time.Minute, s.clock.Now))
	desk, tablet, other := s.as("qa.lead@rivermark"), s.as("qa.lead@rivermark"), s.as("qa.lead@saltway")

	page := desk.get("/me")
	wantStatus(t, "GET /me", page, http.StatusOK)
	wantText(t, "GET /me", page.body, "Quinn Harper", "Rivermark Print", `data-role="qa_lead"`, "sign at gates", "named by Demo ID", s.subject("qa.lead@rivermark"))
	rows := regexp.MustCompile(`data-session="([^"]+)"`).FindAllStringSubmatch(page.body, -1)
	if len(rows) != 2 {
		t.Fatalf("the page lists %d sessions, want 2 of the same person", len(rows))
	}
	mine := s.rows(`SELECT session_id::text FROM gatehouse.sessions ORDER BY created_at`)
	wantStatus(t, "ending a session of another tenant's person", other.post("/me/sessions/"+mine[1]+"/end", nil), http.StatusNotFound)
	wantStatus(t, "ending a session that nobody has", other.post("/me/sessions/00000000-0000-4000-8000-000000000001/end", nil), http.StatusNotFound)
	wantStatus(t, "ending what is no id", other.post("/me/sessions/x/end", nil), http.StatusNotFound)
	wantStatus(t, "ending the tablet's session", desk.post("/me/sessions/"+mine[1]+"/end", nil), http.StatusSeeOther)
	wantStatus(t, "GET /me on the tablet", tablet.get("/me"), http.StatusUnauthorized)
	ended := desk.post("/me/sessions/"+mine[0]+"/end", nil)
	if got := ended.Header.Get("Location"); got != "/signed-out" {
		t.Errorf("ending one's own session leads to %q, want /signed-out", got)
	}
	wantStatus(t, "GET /signed-out", desk.get("/signed-out"), http.StatusOK)
	wantStatus(t, "GET /me afterwards", desk.get("/me"), http.StatusUnauthorized)
}
