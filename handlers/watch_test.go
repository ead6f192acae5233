package handlers

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/web"
)

// doorkeeper counts who enters, and knows every release.
type doorkeeper struct{ entered int }

func (d *doorkeeper) Enter(context.Context, actor.Actor, uuid.UUID) func() {
	d.entered++
	return func() {}
}

func (d *doorkeeper) Mark(context.Context, actor.Actor, uuid.UUID, uuid.UUID) (runbook.Mark, error) {
	return runbook.Mark{Value: "1"}, nil
}

// A hundred streams that were refused woke everybody who had the item open a hundred times.
func TestAStreamThatIsRefusedIsPresentNowhere(t *testing.T) {
	d := &doorkeeper{}
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) { _ = c.String(web.Status(err), err.Error()) }
	for _, r := range lookoutRoutes(d, d) {
		e.Add(r.Method, r.Path, echo.HandlerFunc(r.Handler))
	}
	for _, place := range []string{"/items/P1.1", "/gates/go_no_go"} {
		recorder := httptest.NewRecorder()
		e.ServeHTTP(recorder, httptest.NewRequestWithContext(actor.Into(t.Context(), viewer), http.MethodGet, runPath(runID)+place+eventsPath, nil))
		if recorder.Code != http.StatusNotFound || d.entered != 0 {
			t.Errorf("%s: a stream of a program that has no live pages answers %d, and %d were said to be there; want 404 and nobody", place, recorder.Code, d.entered)
		}
	}
}
