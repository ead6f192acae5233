package web_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/web"
)

// uploads is a site with a door for files of up to a MiB.
func uploads(t *testing.T) *browser {
	t.Helper()
	s := open(t)
	s.web.Mount([]web.Route{{Method: http.MethodPost, Path: "/upload", Right: actor.HealthRead, Action: "file:send", Uploads: 1 << 20, Handler: func(c echo.Context) error {
		f, err := web.Form(c)
		if err != nil {
			return err
		}
		note, size := f.Text("note", 0, 100), int64(0)
		err = web.File(c, "file", func(_ string, from io.Reader) (err error) {
			if size, err = io.Copy(io.Discard, io.LimitReader(from, 1<<20+1)); err == nil && size > 1<<20 {
				err = fault.New(fault.TooLarge, "too much")
			}
			return err
		})
		if err != nil {
			return err
		}
		if err := f.Err(); err != nil {
			return err
		}
		return c.String(http.StatusOK, fmt.Sprintf("%s %d", note, size))
	}}})
	b := s.browser()
	b.signIn("viewer@rivermark")
	return b
}

func (b *browser) send(kind string, body io.Reader) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.url+"/upload", body)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(r)
}

func multi(t *testing.T, write func(w *multipart.Writer) error) (string, []byte) {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	if err := write(w); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), body.Bytes()
}

func fileOf(size int) func(w *multipart.Writer) error {
	return func(w *multipart.Writer) error {
		if err := w.WriteField("note", "hello"); err != nil {
			return err
		}
		part, err := w.CreateFormFile("file", "a.bin")
		if err == nil {
			_, err = part.Write(make([]byte, size))
		}
		return err
	}
}

func TestAFormWithAFileIsBounded(t *testing.T) {
	b := uploads(t)
	kind, whole := multi(t, fileOf(1<<20))
	if got := b.send(kind, bytes.NewReader(whole)); got.StatusCode != http.StatusOK || got.body != "hello 1048576" {
		t.Fatalf("a file of a MiB: %d %s", got.StatusCode, got.main())
	}
	many, parts := multi(t, func(w *multipart.Writer) error {
		for n := range 100_000 {
			if err := w.WriteField(fmt.Sprintf("f%d", n), "x"); err != nil {
				return err
			}
		}
		return nil
	})
	twiceKind, twice := multi(t, func(w *multipart.Writer) error {
		if err := w.WriteField("note", "one"); err != nil {
			return err
		}
		return w.WriteField("note", "two")
	})
	wideKind, wide := multi(t, func(w *multipart.Writer) error { return w.WriteField("note", strings.Repeat("x", 1<<20+1)) })
	overKind, over := multi(t, fileOf(1<<20+1))
	for _, c := range []struct {
		name, kind string
		body       []byte
		status     int
	}{
		{"a byte more", overKind, over, http.StatusRequestEntityTooLarge},
		{"100,000 fields", many, parts, http.StatusUnprocessableEntity},
		{"a field twice", twiceKind, twice, http.StatusUnprocessableEntity},
		{"a field of more than a MiB", wideKind, wide, http.StatusRequestEntityTooLarge},
		{"no end", kind, whole[:len(whole)-20], http.StatusUnprocessableEntity},
		{"no boundary", "multipart/form-data", whole, http.StatusUnprocessableEntity},
		{"another content type", "application/json", []byte(`{"note":"x"}`), http.StatusUnprocessableEntity},
	} {
		if got := b.send(c.kind, bytes.NewReader(c.body)); got.StatusCode != c.status {
			t.Errorf("%s: %d %s, want %d", c.name, got.StatusCode, got.main(), c.status)
		}
	}
	// The other doors still take no file.
	r := b.request(http.MethodPost, "/home", url.Values{})
	r.Header.Set("Content-Type", kind)
	r.Body = io.NopCloser(bytes.NewReader(whole))
	if got := b.do(r); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a file at a door that takes none: %d", got.StatusCode)
	}
}

// Sixty MiB are refused, with an answer that a client reads, and are never in memory.
func TestAHugeFileIsRefusedWithoutBeingHeld(t *testing.T) {
	b := uploads(t)
	kind, start := multi(t, fileOf(0))
	head := start[:bytes.LastIndex(start, []byte("\r\n--"))]
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got := b.send(kind, io.MultiReader(bytes.NewReader(head), io.LimitReader(zeros{}, 60<<20)))
	runtime.ReadMemStats(&after)
	if got.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("60 MiB: %d %s, want 413", got.StatusCode, got.main())
	}
	if grown := int64(after.TotalAlloc) - int64(before.TotalAlloc); grown > 20<<20 {
		t.Errorf("refusing it allocated %d MiB, want at most 20", grown>>20)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
