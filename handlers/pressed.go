package handlers

import (
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/web"
)

// pressed reads a form that is a button and nothing else.
func pressed(c echo.Context) error {
	form, err := web.Form(c)
	if err != nil {
		return err
	}
	return form.Err()
}

// pressedOnce reads a form that is a button with its key, so that pressing it twice does it once.
func pressedOnce(c echo.Context) (uuid.UUID, error) {
	form, err := web.Form(c)
	if err != nil {
		return uuid.Nil, err
	}
	key := form.UUID("key")
	return key, form.Err()
}
