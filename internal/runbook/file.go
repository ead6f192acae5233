package runbook

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
)

// The limits of files as evidence.
const (
	MaxFile      = 20 << 20  // bytes of one file
	maxFiles     = 20        // files that count for one item
	maxFileBytes = 100 << 20 // bytes of all of them
	pieceBytes   = 256 << 10
)

// File is a file that somebody attached to an item.
type File struct {
	Number int
	Name   string
	Bytes  int
	SHA256 string
	// Counts says that the item was not put back since: it is part of what the item's gate signs.
	Counts bool
	// Intact says that the stored bytes still have the hash they were received with. Only where they were read for it.
	Intact  bool
	By      Person
	AddedAt time.Time
}

// RunFile is a file of a run and the item it belongs to.
type RunFile struct {
	Item ItemID
	File
}

// Attachment is a file as it was received, before it is stored: once in memory, in the pieces in which it will be stored.
type Attachment struct {
	Name   string
	SHA256 string
	Bytes  int
	Pieces [][]byte
}

// FileField is the field of a form in which a file comes.
const FileField = "evidence_file"

// ReceiveFile reads a file to its end and hashes it on the way. It refuses one that is empty, larger than MaxFile, or whose
// name cannot be shown as it is.
func ReceiveFile(name string, from io.Reader) (Attachment, error) {
	name, complaint := fileName(name)
	if complaint != "" {
		return Attachment{}, refuseFile(fault.Invalid, complaint)
	}
	a, sum := Attachment{Name: name}, sha256.New()
	for {
		piece := make([]byte, pieceBytes)
		n, err := io.ReadFull(from, piece)
		if a.Bytes += n; a.Bytes > MaxFile {
			return Attachment{}, refuseFile(fault.TooLarge, "A file may have 20 MB (20 × 1024 × 1024 bytes), and this one has more. Split it, or give a link to where it lies.")
		}
		if n > 0 {
			sum.Write(piece[:n])
			a.Pieces = append(a.Pieces, piece[:n:n])
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return Attachment{}, fault.New(fault.Invalid, "The file did not arrive whole. Nothing was changed; send it again.").Because(err)
		}
	}
	if a.Bytes == 0 {
		return Attachment{}, refuseFile(fault.Invalid, "The file is empty. Choose the one you mean.")
	}
	a.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return a, nil
}

func refuseFile(kind fault.Kind, complaint string) *fault.Error {
	return fault.New(kind, "The file cannot be taken as it is. Nothing was changed.").WithField(FileField, complaint)
}

// fileName is the last part of a name, as some browsers send a whole path.
func fileName(raw string) (name, complaint string) {
	name = strings.TrimSpace(raw[strings.LastIndexAny(raw, `/\`)+1:])
	switch {
	case name == "" || name == "." || name == "..":
		return "", "Choose a file. It needs a name."
	case len(name) > 255:
		return "", "The file's name has more than 255 bytes. Give it a shorter one."
	case !utf8.ValidString(name) || strings.ContainsFunc(name, hidden):
		return "", "The file's name holds characters that cannot be seen or stored. Rename it."
	}
	return name, ""
}

// hidden characters would make a name read as another: line breaks, what has no width, and marks that turn the direction of
// writing. What joins letters (U+200C, U+200D) is part of how some languages are written.
func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) || r == '\u200b' || r == '\u2060' || r == '\ufeff' || r == '\u200e' || r == '\u200f' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

var sha256Form = regexp.MustCompile(`^[0-9a-f]{64}$`)

// says is the file in a line, as the evidence of an item of kind file holds it.
func (f File) says() string { return fmt.Sprintf("%s, %d bytes", f.Name, f.Bytes) }

// Attach adds a file to an item, whatever kind of evidence it asks for. The same file a second time changes nothing.
// It may be attached for as long as the item may be worked on; what its gate signs changes by it.
func (s *Service) Attach(ctx context.Context, by actor.Actor, run uuid.UUID, item ItemID, a Attachment) error {
	if err := by.Demand(actor.ItemWork); err != nil {
		return err
	}
	return s.store.InTenant(ctx, by, func(ctx context.Context, tx Tx) error {
		plan, err := tx.LockPlan(ctx, run)
		if err != nil {
			return err
		}
		found, ok := plan.Item(item)
		if !ok {
			return noItem()
		}
		if err := plan.Run.mayWork(found); err != nil {
			return err
		}
		return attach(ctx, tx, run, found, a)
	})
}

func noItem() error { return fault.New(fault.NotFound, "This release has no such item.") }

// attach stores the file and writes it down, unless the very same one counts already.
func attach(ctx context.Context, tx Tx, run uuid.UUID, item Item, a Attachment) error {
	files, err := tx.Files(ctx, run, item.ID)
	if err != nil {
		return err
	}
	count, total := 0, a.Bytes
	for _, f := range files {
		if f.Counts && f.SHA256 == a.SHA256 {
			return nil
		}
		if f.Counts {
			count, total = count+1, total+f.Bytes
		}
	}
	switch {
	case count >= maxFiles:
		return refuseFile(fault.Invalid, fmt.Sprintf("This item has %d files, and that is as many as it may have. Pack several into one.", count))
	case total > maxFileBytes:
		return refuseFile(fault.Invalid, "The files of one item may have 100 MB together, and with this one they have more. Give a link to where it lies.")
	}
	f, err := tx.AddFile(ctx, run, item, a)
	if err != nil {
		return err
	}
	return tx.Record(ctx, audit.Event{
		Action: "item:attach", ObjectKind: "item", ObjectID: run.String() + "/" + string(item.ID),
		Before: map[string]any{"files": count},
		After:  map[string]any{"files": count + 1, "file": map[string]any{"number": f.Number, "name": f.Name, "bytes": f.Bytes, "sha256": f.SHA256}},
	})
}

// DoneWithFile finishes an item that asks for a file with one that is sent along.
func (s *Service) DoneWithFile(ctx context.Context, by actor.Actor, seen Seen, a Attachment, note string) error {
	return s.finish(ctx, by, seen, a.SHA256, note, func(ctx context.Context, tx Tx, item Item) error {
		return attach(ctx, tx, seen.Run, item, a)
	})
}

// withFile makes the evidence of an item of kind file from a file that counts for it.
func withFile(ctx context.Context, tx Tx, seen Seen, e Evidence) (Evidence, error) {
	files, err := tx.Files(ctx, seen.Run, seen.Item)
	if err != nil {
		return Evidence{}, err
	}
	i := slices.IndexFunc(files, func(f File) bool { return f.Counts && f.SHA256 == e.Value })
	if i < 0 {
		return Evidence{}, refuseFile(fault.Invalid, "Choose a file, or one of those that are attached.")
	}
	e.Summary = files[i].says()
	return e, nil
}

// OpenFile is a stored file, to be read piece by piece.
type OpenFile struct {
	File
	read func(ctx context.Context, place int) ([][]byte, error)
}

// Each gives the pieces in their order; a few at a time are read, so that no connection waits for a slow reader.
func (o OpenFile) Each(ctx context.Context, take func(piece []byte) error) error {
	for place := 1; ; {
		pieces, err := o.read(ctx, place)
		if err != nil || len(pieces) == 0 {
			return err
		}
		for _, piece := range pieces {
			if err := take(piece); err != nil {
				return err
			}
		}
		place += len(pieces)
	}
}

// File opens the newest file with that hash at an item. Its bytes are read and hashed before: one that is not what was
// given is not handed out under the hash of what was.
func (s *Service) File(ctx context.Context, by actor.Actor, run uuid.UUID, item ItemID, hash string) (OpenFile, error) {
	if err := by.Demand(actor.ReleaseRead); err != nil {
		return OpenFile{}, err
	}
	if !sha256Form.MatchString(hash) {
		return OpenFile{}, fault.New(fault.NotFound, "There is no such file here.")
	}
	f, err := s.store.File(ctx, by, run, item, hash)
	if err != nil {
		return OpenFile{}, err
	}
	if !f.Intact {
		return OpenFile{}, fault.New(fault.Conflict, "Hash mismatch: what is stored as %s is not what %s attached. It is not handed out as their file; tell your auditor.", f.Name, f.By.Name)
	}
	return OpenFile{File: f, read: func(ctx context.Context, place int) ([][]byte, error) {
		return s.store.FilePieces(ctx, by, run, item, f.Number, place)
	}}, nil
}
