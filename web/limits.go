package web

import (
	"time"

	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/fault"
)

// mayStart limits how many sign-ins one address starts. The count of this process comes first: a flood should not cost the
// database a statement each.
func (w *Web) mayStart(c echo.Context) error {
	const message = "Too many sign-ins were started from your address: more than %d within a minute. Wait a minute and try again."
	if allowed, _ := w.starts.Allow(c.RealIP()); !allowed {
		return w.tooOften(c, message, w.config.SignInsPerMinute)
	}
	return w.often(c, "sign-in "+c.RealIP(), w.config.SignInsPerMinute, message)
}

// often notes that the key came once more and refuses it above the limit. All processes count together, by the database's
// clock.
func (w *Web) often(c echo.Context, key string, limit int, message string) error {
	if w.config.Knocks == nil {
		return nil
	}
	times, err := w.config.Knocks.Knock(c.Request().Context(), key)
	if err != nil {
		return err
	}
	if times > limit {
		return w.tooOften(c, message, limit)
	}
	return nil
}

func (w *Web) tooOften(c echo.Context, message string, limit int) error {
	c.Response().Header().Set("Retry-After", sprint("%d", int(time.Minute.Seconds())))
	return fault.New(fault.TooMany, message, limit)
}
