package handlers

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/restore"
)

// Whoever restored reads what the dump that was taken first is worth: nothing, before a drill restored it.
func TestARestoreSaysWhatItsSafetyDumpIsWorth(t *testing.T) {
	h := restores{now: func() time.Time { return schemaNow }}
	for name, c := range map[string]struct {
		request restore.Request
		says    string
		href    string
	}{
		"none was taken":   {},
		"never restored":   {restore.Request{Safety: uuid.New(), SafetyName: "safety.dump"}, "never restored, so nobody knows yet that it restores", backupsPage},
		"a drill restored": {restore.Request{Safety: uuid.New(), SafetyName: "safety.dump", SafetyRestores: true}, "a drill restored it since", ""},
	} {
		row := h.requestView(c.request, reader{}, true)
		if !strings.Contains(row.Safety, c.says) || (c.says == "") != (row.Safety == "") || row.SafetyHref != c.href {
			t.Errorf("%s: %q to %q; want %q to %q", name, row.Safety, row.SafetyHref, c.says, c.href)
		}
	}
}

// asked knows one request; whoever does anything with it finds nothing there.
type asked struct {
	RestoreStories
	request restore.Request
}

func (a asked) Find(context.Context, actor.Actor, uuid.UUID) (restore.Request, error) {
	return a.request, nil
}

// A request is found under its own backup alone: whoever sees another backup's address does not act on this one.
func TestARequestIsNotFoundUnderAnotherBackup(t *testing.T) {
	request := restore.Request{ID: uuid.New(), Backup: uuid.New()}
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) { _ = c.String(599, fault.Of(err).String()) }
	for _, r := range Restores(asked{request: request}, "", func() time.Time { return schemaNow }) {
		e.Add(r.Method, r.Path, echo.HandlerFunc(r.Handler))
	}
	for _, act := range []string{"agree", "withdraw", "start"} {
		path := backupsPage + "/" + uuid.NewString() + "/restore/" + request.ID.String() + "/" + act
		recorder := httptest.NewRecorder()
		post := httptest.NewRequestWithContext(actor.Into(t.Context(), devops), http.MethodPost, path, strings.NewReader("database=warehouse"))
		post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		e.ServeHTTP(recorder, post)
		if got := recorder.Body.String(); got != "not_found" {
			t.Errorf("POST .../%s under another backup = %.60q, want not_found", act, got)
		}
	}
}
