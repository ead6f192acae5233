package handlers

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/capacity"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/web"
)

// largestSighting is the largest body that tells of a failure.
const largestSighting = 16 << 10

// recordedFailure is the answer to a program that told of a failure.
type recordedFailure struct {
	FailureID   uuid.UUID `json:"failure_id"`
	FailureType string    `json:"failure_type"`
	Severity    string    `json:"severity"`
	State       string    `json:"state"`
	Occurrence  int       `json:"occurrence"`
	// Outcome is recorded, counted, reopened, or repeated where the key had told of it before.
	Outcome string `json:"outcome"`
	Path    string `json:"path"`
}

// record takes in what a program noticed: POST /api/v1/capacity-failures. The same key twice is once.
func (h capacities) record(c echo.Context) error {
	fields, err := flatJSON(c.Request(), largestSighting)
	if err != nil {
		return err
	}
	seen, err := sightingOf(fields, c.Request().Header.Get("Idempotency-Key"))
	if err != nil {
		return err
	}
	done, err := h.stories.Record(c.Request().Context(), web.Actor(c), seen)
	if err != nil {
		return err
	}
	answer := recordedFailure{
		FailureID: done.Case.ID, FailureType: string(done.Case.Verdict.Type), Severity: string(done.Case.Verdict.Severity), State: string(done.Case.State),
		Occurrence: done.Occurrence, Outcome: "counted", Path: done.Case.Path(),
	}
	status := http.StatusOK
	switch {
	case done.Repeat:
		answer.Outcome = "repeated"
	case done.New:
		answer.Outcome, status = "recorded", http.StatusCreated
	case done.Reopened:
		answer.Outcome = "reopened"
	}
	return c.JSON(status, answer)
}

func sightingOf(fields map[string]string, key string) (capacity.Sighting, error) {
	wrong := fault.New(fault.Invalid, "Something in it has to be put right first. Nothing was recorded.")
	read := map[string]bool{}
	text := func(name string) string {
		read[name] = true
		return strings.TrimSpace(fields[name])
	}
	number := func(name string) capacity.Decimal {
		d, ok := capacity.ParseDecimal(text(name))
		if !ok {
			_ = wrong.WithField(name, "A number written like 12.5, please: digits and one point, without exponent.")
		}
		return d
	}
	s := capacity.Sighting{
		Key: key, Facility: text("facility"), Location: text("location"), Material: text("material"), Lot: text("lot"), Quantity: number("quantity"),
		Needed: capacity.Load{CubicFeet: number("required_cubic_feet"), WeightLbs: number("required_weight_lbs")},
		Free:   capacity.Load{CubicFeet: number("available_cubic_feet"), WeightLbs: number("available_weight_lbs")},
		Source: capacity.ByWMS,
	}
	if inBody := text("idempotency_key"); s.Key == "" {
		s.Key = inBody
	} else if inBody != "" && inBody != s.Key {
		_ = wrong.WithField("idempotency_key", "The header Idempotency-Key says another one.")
	}
	if id := text("recommendation_id"); id != "" {
		parsed, err := uuid.Parse(id)
		if err != nil {
			_ = wrong.WithField("recommendation_id", "This is not an id.")
		}
		s.Recommendation = parsed
	}
	if at := text("observed_at"); at != "" {
		parsed, err := time.Parse(time.RFC3339, at)
		if err != nil {
			_ = wrong.WithField("observed_at", "A moment like 2026-03-01T14:00:00Z, please.")
		}
		s.At = parsed.UTC()
	}
	for name := range fields {
		if !read[name] {
			_ = wrong.WithField(name, "This field is not known here.")
		}
	}
	if wrong.Fields != nil {
		return capacity.Sighting{}, wrong
	}
	return s, nil
}

// flatJSON reads an object of texts and numbers, each name once. Numbers come as they were written.
func flatJSON(r *http.Request, most int64) (map[string]string, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return nil, fault.New(fault.Invalid, "This address takes application/json and nothing else.")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, most+1))
	switch {
	case err != nil:
		return nil, fault.New(fault.Invalid, "The body did not arrive whole. Nothing was recorded; send it again.").Because(err)
	case int64(len(body)) > most:
		return nil, fault.New(fault.TooLarge, "The body is larger than %d kB.", most>>10)
	case !utf8.Valid(body):
		return nil, fault.New(fault.Invalid, "The body holds text that is not UTF-8.")
	}
	fields, err := pairs(json.NewDecoder(bytes.NewReader(body)))
	if err != nil {
		return nil, fault.New(fault.Invalid, "The body cannot be read: %s. An object of texts and numbers, please, each name once.", err)
	}
	return fields, nil
}

func pairs(d *json.Decoder) (map[string]string, error) {
	d.UseNumber()
	begin, err := d.Token()
	if err != nil {
		return nil, errors.New("it is no JSON")
	}
	if begin != json.Delim('{') {
		return nil, errors.New("it is no object")
	}
	fields := map[string]string{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, errors.New("it is no JSON")
		}
		key, _ := name.(string) // a name of an object is nothing else
		if _, twice := fields[key]; twice {
			return nil, errors.New("a name stands in it twice")
		}
		value, err := d.Token()
		if err != nil {
			return nil, errors.New("it is no JSON")
		}
		switch v := value.(type) {
		case string:
			fields[key] = v
		case json.Number:
			fields[key] = v.String()
		case nil:
			fields[key] = ""
		default:
			return nil, errors.New("a value in it is neither text nor number")
		}
		if strings.ContainsRune(fields[key], 0) {
			return nil, errors.New("it holds a NUL character")
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, errors.New("it is no JSON")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the object")
	}
	return fields, nil
}
