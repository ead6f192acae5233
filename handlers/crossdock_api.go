package handlers

import (
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/crossdock"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/web"
)

// largestCancellation is the largest body that cancels a cross-dock.
const largestCancellation = 16 << 10

// recordedCancellation is the answer to a program that cancelled a cross-dock.
type recordedCancellation struct {
	CancellationID uuid.UUID `json:"cancellation_id"`
	// Outcome is recorded, open where the lot had one, held where it is on hold from now on, or repeated where the key was sent before.
	Outcome string `json:"outcome"`
	// NewLocation is empty while no place is free; WaitingFor then says why.
	NewLocation string `json:"new_location"`
	WaitingFor  string `json:"waiting_for,omitempty"`
	Completed   bool   `json:"relocation_completed"`
	Path        string `json:"path"`
}

// record takes in a cancellation of a program: POST /api/v1/cross-dock-cancellations. The same key twice is once.
func (h crossDocks) record(c echo.Context) error {
	fields, err := flatJSON(c.Request(), largestCancellation)
	if err != nil {
		return err
	}
	r, err := cancellationOf(fields, c.Request().Header.Get("Idempotency-Key"))
	if err != nil {
		return err
	}
	done, err := h.stories.Cancel(c.Request().Context(), web.Actor(c), r)
	if err != nil {
		return err
	}
	x := done.Cancellation
	answer := recordedCancellation{CancellationID: x.ID, Outcome: string(done.Outcome), NewLocation: x.To.Code, Completed: !x.Open(), Path: x.Path()}
	if x.Waiting() {
		answer.WaitingFor = x.Why
	}
	status := http.StatusOK
	if done.Outcome == crossdock.Recorded {
		status = http.StatusCreated
	}
	return c.JSON(status, answer)
}

func cancellationOf(fields map[string]string, key string) (crossdock.Request, error) {
	wrong := fault.New(fault.Invalid, "Something in it has to be put right first. Nothing was recorded.")
	read := map[string]bool{}
	text := func(name string) string {
		read[name] = true
		return strings.TrimSpace(fields[name])
	}
	r := crossdock.Request{
		Key: key, Facility: text("facility"), Lot: text("lot"), Material: text("material"), Reason: crossdock.Reason(text("reason")), Staging: text("staging_location"),
		Order: text("sales_order"), Notes: text("notes"),
	}
	if inBody := text("idempotency_key"); r.Key == "" {
		r.Key = inBody
	} else if inBody != "" && inBody != r.Key {
		_ = wrong.WithField("idempotency_key", "The header Idempotency-Key says another one.")
	}
	if id := text("recommendation_id"); id != "" {
		parsed, err := uuid.Parse(id)
		if err != nil {
			_ = wrong.WithField("recommendation_id", "This is not an id.")
		}
		r.Recommendation = parsed
	}
	if at := text("arrived_at"); at != "" {
		parsed, err := time.Parse(time.RFC3339, at)
		if err != nil {
			_ = wrong.WithField("arrived_at", "A moment like 2026-03-01T14:00:00Z, please.")
		}
		r.ArrivedAt = parsed.UTC()
	}
	for name := range fields {
		if !read[name] {
			_ = wrong.WithField(name, "This field is not known here.")
		}
	}
	if wrong.Fields != nil {
		return crossdock.Request{}, wrong
	}
	return r, nil
}
