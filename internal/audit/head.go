package audit

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Head is where a tenant's chain stood at a moment, as something else than the chain itself remembers it. Who can rewrite a
// whole chain, and where it ends, cannot make it fit a head that is kept elsewhere.
type Head struct {
	TenantID uuid.UUID `json:"tenant_id"`
	Seq      int64     `json:"seq"`
	Hash     string    `json:"hash"` // of entry Seq, in hexadecimal digits
	At       time.Time `json:"at"`
	// Seal is the seal that was made over it; nil where there was no key.
	Seal *Seal `json:"seal,omitempty"`
	// Keeper is who remembers, as a sentence begins: "the walk".
	Keeper string `json:"-"`
}

// Hold makes the chain break where it does not hold what the head says. All heads are told before the first entry.
func (c *Chain) Hold(h Head) {
	if c.held == nil {
		c.held = map[int64][]Head{}
	}
	// Several may remember one entry; whoever disagrees with another must not be drowned by them.
	if !slices.ContainsFunc(c.held[h.Seq], func(o Head) bool { return o.Hash == h.Hash }) {
		c.held[h.Seq] = append(c.held[h.Seq], h)
	}
	if h.Seq > c.last.Seq {
		c.last = h
	}
}

// End is told after the last entry: the error is a Break where a head remembers later ones.
func (c *Chain) End() error {
	if c.last.Seq > c.seq {
		return Break{c.seq + 1, fmt.Sprintf("missing: %s of %s knows the chain up to entry %d; the newest were cut off, or an older state of the database was restored",
			c.last.Keeper, c.last.At.UTC().Format("2006-01-02 15:04 UTC"), c.last.Seq)}
	}
	return nil
}

// differs says how the entry that was just read, of this hash, differs from what a head remembers of it.
func (c *Chain) differs(seq int64, hash []byte) error {
	if len(c.held) == 0 {
		return nil
	}
	for _, h := range c.held[seq] {
		if h.Hash != hex.EncodeToString(hash) {
			return Break{seq, fmt.Sprintf("is not the entry that %s of %s knows; it was rewritten, or the head is of another database", h.Keeper, h.At.UTC().Format("2006-01-02 15:04 UTC"))}
		}
	}
	return nil
}

// HeadFile keeps heads outside the database, one JSON object a line, oldest first. Nothing is ever taken out of it. The
// empty path keeps none.
type HeadFile struct{ Path string }

// Kept says whether heads are kept at all.
func (f HeadFile) Kept() bool { return f.Path != "" }

// Of gives the tenant's heads, oldest first. A line that cannot be read, as a power failure leaves one, says nothing.
func (f HeadFile) Of(tenant uuid.UUID) (heads []Head, err error) {
	if !f.Kept() {
		return nil, nil
	}
	file, err := os.Open(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the published heads of the audit trail: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		h := Head{Keeper: "the published head"}
		if json.Unmarshal(lines.Bytes(), &h) == nil && h.TenantID == tenant && h.Seq > 0 {
			heads = append(heads, h)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading the published heads of the audit trail: %w", err)
	}
	return heads, nil
}

// Add writes a head as one line that is on the disk when it returns.
func (f HeadFile) Add(h Head) (err error) {
	line, err := json.Marshal(h)
	if err != nil {
		return err
	}
	file, err := f.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	// The empty line before it ends what a power failure left half written.
	if _, err := file.Write(append(append([]byte("\n"), line...), '\n')); err != nil {
		return fmt.Errorf("publishing the head of the audit trail: %w", err)
	}
	return file.Sync()
}

// Check says whether a head could be written.
func (f HeadFile) Check() error {
	file, err := f.open()
	if err != nil {
		return err
	}
	return file.Close()
}

func (f HeadFile) open() (*os.File, error) {
	file, err := os.OpenFile(f.Path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the file of the audit trail's heads: %w", err)
	}
	return file, nil
}
