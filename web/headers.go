package web

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

const contentSecurityPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; " +
	"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// headers are set before anything can fail, so refusals carry them too. The policy has no nonce and no exception: there
// is no inline script or style anywhere.
func (w *Web) headers(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Content-Security-Policy", contentSecurityPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin") // our own pages need it, to return to the form; others get nothing
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
		if w.public.Scheme == "https" {
			h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
		}
		if !strings.HasPrefix(c.Request().URL.Path, "/static/") {
			h.Set("Cache-Control", "no-store")
		}
		return next(c)
	}
}

// secureCookie is how every cookie of ours is made: the __Host- prefix ties it to this very host, over TLS or on localhost.
func secureCookie(name, value string, seconds int) *http.Cookie {
	return &http.Cookie{
		Name: "__Host-" + name, Value: value, Path: "/", MaxAge: seconds,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

func cookieValue(c echo.Context, name string) string {
	cookie, err := c.Cookie("__Host-" + name)
	if err != nil {
		return ""
	}
	return cookie.Value
}
