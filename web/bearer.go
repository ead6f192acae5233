package web

import (
	"strings"

	"github.com/labstack/echo/v4"
)

// bearer is the token of a program. It counts on API paths only: pages are for people.
func bearer(c echo.Context) (string, bool) {
	if !IsAPI(c.Request().URL.Path) {
		return "", false
	}
	scheme, token, ok := strings.Cut(c.Request().Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return strings.TrimSpace(token), true
}
