package runbook

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/agogsaas/gatehouse/internal/fault"
)

func TestReceiveFile(t *testing.T) {
	t.Parallel()
	full := make([]byte, MaxFile)
	for _, c := range []struct {
		name, as  string
		body      []byte
		kind      fault.Kind
		complaint string
	}{
		{name: "report.pdf", as: "report.pdf", body: []byte("x")},
		{name: "../../etc/passwd", as: "passwd", body: []byte("x")},
		{name: `C:\Users\me\scan.png`, as: "scan.png", body: []byte("x")},
		{name: "Ladeliste für März 📦.xlsx", as: "Ladeliste für März 📦.xlsx", body: []byte("x")},
		{name: strings.Repeat("n", 255), as: strings.Repeat("n", 255), body: []byte("x")},
		{name: "full.bin", as: "full.bin", body: full},
		{name: "more.bin", body: append(full[:MaxFile:MaxFile], 1), kind: fault.TooLarge, complaint: "20 MB"},
		{name: "empty.txt", kind: fault.Invalid, complaint: "empty"},
		{name: "", body: []byte("x"), kind: fault.Invalid, complaint: "Choose a file"},
		{name: "..", body: []byte("x"), kind: fault.Invalid, complaint: "Choose a file"},
		{name: "dir/", body: []byte("x"), kind: fault.Invalid, complaint: "Choose a file"},
		{name: strings.Repeat("n", 300), body: []byte("x"), kind: fault.Invalid, complaint: "255 bytes"},
		{name: "a\x00b.txt", body: []byte("x"), kind: fault.Invalid, complaint: "cannot be seen"},
		{name: "gnp\u202egpj.exe", body: []byte("x"), kind: fault.Invalid, complaint: "cannot be seen"},
		{name: "scan\u200b.pdf", body: []byte("x"), kind: fault.Invalid, complaint: "cannot be seen"},
		{name: "scan\u2028.pdf", body: []byte("x"), kind: fault.Invalid, complaint: "cannot be seen"},
		{name: "bad\xff.txt", body: []byte("x"), kind: fault.Invalid, complaint: "cannot be seen"},
	} {
		got, err := ReceiveFile(c.name, bytes.NewReader(c.body))
		if c.complaint == "" {
			var whole int
			for _, piece := range got.Pieces {
				whole += len(piece)
			}
			if err != nil || got.Name != c.as || got.Bytes != len(c.body) || whole != len(c.body) {
				t.Errorf("ReceiveFile(%q, %d bytes) = %q with %d bytes in pieces of %d, %v; want %q whole", c.name, len(c.body), got.Name, got.Bytes, whole, err, c.as)
			}
			continue
		}
		refused, ok := fault.As(err)
		if !ok || refused.Kind != c.kind || !strings.Contains(refused.Fields[FileField], c.complaint) {
			t.Errorf("ReceiveFile(%q, %d bytes) = %v, want a complaint of %q", c.name, len(c.body), err, c.complaint)
		}
	}
	if _, err := ReceiveFile("x", io.MultiReader(strings.NewReader("half"), broken{})); !fault.Is(err, fault.Invalid) {
		t.Errorf("a file that breaks off: %v, want a refusal", err)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the line was cut") }
