package web

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// downloadWithin is how long a browser may take to accept a piece of a file.
const downloadWithin = time.Minute

// Download answers with a file that write makes as it goes, in memory that does not grow with it. What write refuses before
// its first byte is answered as any refusal is; after that nothing can be said any more, and the connection is cut, so that
// the browser calls the download failed. The route has to be one that Streams: a large file takes longer than a page may.
func Download(c echo.Context, name, kind string, write func(w io.Writer) error) error {
	d := &download{c: c, name: name, kind: kind, control: http.NewResponseController(c.Response().Writer)}
	err := write(d)
	if err == nil && !d.begun {
		d.begin() // an empty file
	}
	if err == nil || !d.begun {
		return err
	}
	if w, ok := c.Get(webKey).(*Web); ok {
		w.config.Log.LogAttrs(c.Request().Context(), slog.LevelError, "a download was cut", slog.String("ref", Ref(c)), slog.String("route", c.Path()), slog.String("why", oneLine(err.Error())))
	}
	panic(http.ErrAbortHandler)
}

type download struct {
	c          echo.Context
	name, kind string
	control    *http.ResponseController
	begun      bool
}

func (d *download) begin() {
	header := d.c.Response().Header()
	header.Set(echo.HeaderContentType, d.kind)
	header.Set(echo.HeaderContentDisposition, fmt.Sprintf("attachment; filename=%q", d.name))
	header.Set("X-Accel-Buffering", "no")
	d.begun = true
	d.c.Response().WriteHeader(http.StatusOK)
}

func (d *download) Write(p []byte) (int, error) {
	if !d.begun {
		d.begin()
	}
	// Under httptest there is no connection to hurry.
	_ = d.control.SetWriteDeadline(time.Now().Add(downloadWithin))
	return d.c.Response().Write(p)
}
