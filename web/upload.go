package web

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/fault"
)

// How long a request with a file, and an answer that is one, may take: 20 MB over a warehouse's wireless network.
const (
	UploadWithin  = 5 * time.Minute
	HandOutWithin = 5 * time.Minute
)

const (
	multipartForm = "multipart/form-data"
	// uploadsAtOnce bounds what files on their way in may take of this process's memory.
	uploadsAtOnce = 4
	// uploadsOfOne is how many of them may be one company's.
	uploadsOfOne = 2
	// drain is how much of a body that is too large is read on, so that a browser reads the answer and not a broken connection.
	drain     = 64 << 20
	maxFields = 50
)

// uploads has a place for each file on its way in.
var uploads = newPlaces(uploadsAtOnce, uploadsOfOne)

// parts is a form with a file on its way in: its fields were read, and the file is next.
type parts struct {
	body   *io.LimitedReader
	reader *multipart.Reader
	file   *multipart.Part
	give   func() // gives its place among the uploads back
}

func isMultipart(c echo.Context) bool {
	return strings.HasPrefix(c.Request().Header.Get("Content-Type"), multipartForm)
}

// UploadForm is Form for a form that may come with a file of at most that many bytes, and with room for what is around it.
func UploadForm(c echo.Context, most int64) (*Values, error) {
	r := of(c)
	if r.form == nil && isMultipart(c) {
		values, err := readParts(c, most)
		if err != nil {
			return nil, err
		}
		r.form = &Values{values: values}
	}
	return Form(c)
}

// readParts reads the fields of a form up to its file. Only who is signed in may take longer than others.
func readParts(c echo.Context, most int64) (url.Values, error) {
	r := c.Request()
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || params["boundary"] == "" {
		return nil, fault.New(fault.Invalid, "The form cannot be read: it does not say where its parts end.")
	}
	p := &parts{body: &io.LimitedReader{R: r.Body, N: most + MaxForm}}
	if _, served := c.Get(webKey).(*Web); served && Actor(c).SignedIn() { // who ends a request gives the place back
		until := time.Now().Add(UploadWithin)
		control := http.NewResponseController(c.Response())
		if err := errors.Join(control.SetReadDeadline(until), control.SetWriteDeadline(until.Add(10*time.Second))); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return nil, err
		}
		p.give, err = uploads.take(r.Context(), Actor(c).Tenant)
		if err != nil {
			return nil, fault.New(fault.Unavailable, "Several files are arriving at this moment, and yours did not get its turn. Nothing was changed; send it again.")
		}
	}
	of(c).parts = p
	p.reader = multipart.NewReader(p.body, params["boundary"])
	values, size := url.Values{}, 0
	for fields := 0; ; fields++ {
		part, err := p.reader.NextPart()
		if errors.Is(err, io.EOF) {
			return values, invalidPairs(checkPairs(values))
		}
		if err != nil {
			return nil, p.unreadable(r, err)
		}
		if fields == maxFields {
			return nil, fault.New(fault.Invalid, "The form cannot be read: it has more than %d fields.", maxFields)
		}
		if part.FileName() != "" || part.Header.Get("Content-Type") != "" {
			p.file = part
			return values, invalidPairs(checkPairs(values))
		}
		value, err := io.ReadAll(io.LimitReader(part, MaxForm+1))
		if err != nil {
			return nil, p.unreadable(r, err)
		}
		if size += len(value); size > MaxForm {
			return nil, fault.New(fault.TooLarge, "The form is larger than 1 MiB without its file. Nothing was changed; shorten the text.")
		}
		values.Add(part.FormName(), string(value))
	}
}

func invalidPairs(err error) error {
	if err != nil {
		return fault.New(fault.Invalid, "The form cannot be read: %s.", err)
	}
	return nil
}

// unreadable says why a form with a file cannot be read: most often it is more than may come.
func (p *parts) unreadable(r *http.Request, err error) error {
	if p.body.N <= 0 {
		p.drain(r)
		return fault.New(fault.TooLarge, "What was sent is larger than a form with a file may be. Nothing was changed.").Because(err)
	}
	return fault.New(fault.Invalid, "The form did not arrive whole, or is not written as forms with files are. Nothing was changed; send it again.").Because(err)
}

func (p *parts) drain(r *http.Request) { _, _ = io.CopyN(io.Discard, r.Body, drain) }

// File hands the file of the form, which has to be in the field, to read; only after Form, and once. Nothing may follow it
// in the form. Where no file was sent, name is empty and there is nothing to read.
func File(c echo.Context, field string, read func(name string, from io.Reader) error) error {
	p := of(c).parts
	if p == nil || p.file == nil {
		return read("", eof{})
	}
	if name := p.file.FormName(); name != field {
		return fault.New(fault.Invalid, "This form does not know the field %s. Nothing was changed; reload the page and try again.", clip(oneLine(name), 50))
	}
	err := read(rawFileName(p.file), whole{p.file})
	if err != nil {
		if p.body.N <= 0 || fault.Is(err, fault.TooLarge) {
			p.drain(c.Request())
		}
		return err
	}
	if _, err := p.reader.NextPart(); !errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "Something follows the file in the form. Nothing was changed; reload the page and try again.")
	}
	return nil
}

// rawFileName is the name as it was sent; Part.FileName would take some of it away.
func rawFileName(p *multipart.Part) string {
	_, params, err := mime.ParseMediaType(p.Header.Get("Content-Disposition"))
	if err != nil {
		return p.FileName()
	}
	return params["filename"]
}

// whole is a file that breaks off with an error of its own: io.ErrUnexpectedEOF is how readers say that a buffer was not
// filled, and half a file would pass for a whole one.
type whole struct{ from io.Reader }

func (w whole) Read(p []byte) (int, error) {
	n, err := w.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fault.New(fault.Invalid, "The file did not arrive whole. Nothing was changed; send it again.").Because(errors.New(err.Error()))
	}
	return n, err
}

type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }

// endUpload lets the next file come.
func (r *request) endUpload() {
	if r.parts != nil && r.parts.give != nil {
		r.parts.give()
		r.parts.give = nil
	}
}

// HandOut begins the answer that is a file which somebody sent in: a slow reader gets the time that it takes, and the browser
// keeps it and never shows, runs or guesses at it. Download is for files of our own making.
func HandOut(c echo.Context, name string, bytes int) error {
	until := time.Now().Add(HandOutWithin)
	if err := http.NewResponseController(c.Response()).SetWriteDeadline(until); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	h := c.Response().Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	h.Set("Content-Length", sprint("%d", bytes))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
	c.Response().WriteHeader(http.StatusOK)
	return nil
}
