package handlers

import (
	"fmt"
	"io"

	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

const (
	filesPath = "/files"
	// attaching is what answer calls the form that adds a file; it is no act that changes the item's state.
	attaching runbook.Act = "attach"
)

func fileHref(p runbook.ItemPage, sha256 string) string {
	return itemHref(p.Run.ID, p.Item.ID) + filesPath + "/" + sha256
}

// received reads the file of the form; sent is false where none was chosen.
func received(c echo.Context) (a runbook.Attachment, sent bool, err error) {
	err = web.File(c, runbook.FileField, func(name string, from io.Reader) error {
		if name == "" {
			return nil
		}
		sent = true
		a, err = runbook.ReceiveFile(name, from)
		return err
	})
	return a, sent, err
}

// doneWithFile finishes an item with the file that came along, or with the one that was chosen of those that are there.
func (h items) doneWithFile(c echo.Context, form *web.Values, seen runbook.Seen) error {
	note, attached := form.Text("note", 0, 2000), form.Text("attached", 0, 64)
	form.Allow(runbook.FileField) // a form without script may send an empty one as a field
	file, sent, err := received(c)
	if err != nil {
		return err
	}
	if err := form.Err(); err != nil {
		return err
	}
	if sent {
		return h.stories.DoneWithFile(c.Request().Context(), web.Actor(c), seen, file, note)
	}
	return h.stories.Done(c.Request().Context(), web.Actor(c), seen, attached, note)
}

// attach adds a file to the item. The item's version does not change by it, so the form has none.
func (h items) attach(c echo.Context) error {
	run, item, err := itemOf(c)
	if err != nil {
		return err
	}
	form, err := web.UploadForm(c, runbook.MaxFile)
	if err != nil {
		return err
	}
	form.Allow(runbook.FileField)
	file, sent, err := received(c)
	if err == nil {
		err = form.Err()
	}
	switch {
	case err != nil:
	case !sent:
		err = fault.New(fault.Invalid, "Nothing was attached.").WithField(runbook.FileField, "Choose a file.")
	default:
		err = h.stories.Attach(c.Request().Context(), web.Actor(c), run, item, file)
	}
	return h.answer(c, form, runbook.Seen{Run: run, Item: item}, attaching, err, file.Name+" is attached to "+string(item)+".")
}

// file hands out a stored file, always as something to keep: never shown, run or guessed at by the browser.
func (h items) file(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	run, item, err := itemOf(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	file, err := h.stories.File(ctx, web.Actor(c), run, item, c.Param("sha256"))
	if err != nil {
		return err
	}
	if err := web.HandOut(c, file.Name, file.Bytes); err != nil {
		return err
	}
	return file.Each(ctx, func(piece []byte) error {
		_, err := c.Response().Write(piece)
		return err
	})
}

func filesView(p runbook.ItemPage, at func(runbook.File) components.Time) []pages.EvidenceFile {
	var rows []pages.EvidenceFile
	for _, f := range p.Files {
		row := pages.EvidenceFile{Name: f.Name, Size: bytesWords(f.Bytes), Href: fileHref(p, f.SHA256), SHA256: f.SHA256, By: f.By.Name, At: at(f), Mismatch: !f.Intact, Old: !f.Counts}
		if row.Mismatch {
			row.Href = ""
		}
		rows = append(rows, row)
	}
	return rows
}

// bytesWords is a size as people say it; small ones to the byte.
func bytesWords(n int) string {
	switch {
	case n < 1000:
		return counted(n, "byte", "bytes")
	case n < 1_000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1_000_000)
}

// attachView is the form that adds a file, where this person may.
func attachView(by actor.Actor, p runbook.ItemPage) pages.AttachForm {
	if !p.MayAttach(by, p.Item) {
		return pages.AttachForm{}
	}
	v := pages.AttachForm{Action: itemHref(p.Run.ID, p.Item.ID) + filesPath, MaxBytes: runbook.MaxFile, Hint: "Up to 20 MB. It is stored with its hash and cannot be taken away again."}
	if p.Item.Gate != "" {
		v.Hint += " It becomes part of what the gate signs: signatures that were given already are void by it."
	}
	return v
}

// attachedOptions are the files with which an item that asks for one can be finished.
func attachedOptions(p runbook.ItemPage) []components.Option {
	var options []components.Option
	for _, f := range p.Files {
		if f.Counts && f.Intact {
			options = append(options, components.Option{Value: f.SHA256, Label: f.Name + ", " + bytesWords(f.Bytes)})
		}
	}
	if len(options) > 0 {
		options = append([]components.Option{{Value: "", Label: "the file chosen below"}}, options...)
	}
	return options
}
