package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Seal is a head of a tenant's chain, signed. Who rules the database, and even who can write the file of heads, cannot make
// one for another chain; and as each names the one before it, none can be taken out from between two others.
type Seal struct {
	TenantID  uuid.UUID `json:"tenant_id"`
	Number    int64     `json:"number"` // 1, 2, 3 within the tenant
	Seq       int64     `json:"seq"`
	Hash      string    `json:"hash"` // of entry Seq, in hexadecimal digits
	At        time.Time `json:"at"`   // UTC, whole microseconds
	Previous  string    `json:"previous"`
	KeyID     string    `json:"key_id"`
	Signature []byte    `json:"signature"`
}

const sealName = "gatehouse-seal-1"

// noSeal stands for the seal before the first.
var noSeal = strings.Repeat("00", sha256.Size)

// Canonical is the text that is signed: each field as its length in bytes, a colon and the field, as in an Entry.
func (s Seal) Canonical() string {
	var b strings.Builder
	for _, field := range []string{
		sealName, s.TenantID.String(), strconv.FormatInt(s.Number, 10), strconv.FormatInt(s.Seq, 10), s.Hash,
		s.At.UTC().Format("2006-01-02T15:04:05.000000Z"), s.Previous, s.KeyID,
	} {
		b.WriteString(strconv.Itoa(len(field)))
		b.WriteByte(':')
		b.WriteString(field)
	}
	return b.String()
}

// Mark is what the next seal names this one by: the SHA-256 of its signature.
func (s Seal) Mark() string {
	sum := sha256.Sum256(s.Signature)
	return hex.EncodeToString(sum[:])
}

// Seal signs a head. previous is the tenant's newest seal; nil for the first.
func (k *SealKey) Seal(head Head, previous *Seal) Seal {
	s := Seal{TenantID: head.TenantID, Number: 1, Seq: head.Seq, Hash: head.Hash, At: head.At.UTC().Truncate(time.Microsecond), Previous: noSeal, KeyID: k.Public().ID()}
	if previous != nil {
		s.Number, s.Previous = previous.Number+1, previous.Mark()
	}
	s.Signature = k.Sign([]byte(s.Canonical()))
	return s
}

// Check says what is wrong with the seal by itself; nil where it is good, and where the ring trusts nobody.
func (r Keyring) Check(s Seal) error {
	if !r.Trusts() {
		return nil
	}
	key, ok := r.Key(s.KeyID)
	if !ok {
		return sealBreak(s.Number, "was made with key %s, which is not trusted here: either somebody else made it, or GATEHOUSE_SEAL_TRUSTED lacks the public half of an earlier key", short(s.KeyID))
	}
	if !key.Verifies([]byte(s.Canonical()), s.Signature) {
		return sealBreak(s.Number, "does not carry the signature of key %s; it was changed or exchanged", short(s.KeyID))
	}
	return nil
}

// SealBreak is the first seal that does not hold.
type SealBreak struct {
	Number int64
	What   string
}

func (b SealBreak) Error() string { return fmt.Sprintf("seal %d: %s", b.Number, b.What) }

func sealBreak(number int64, format string, args ...any) error {
	return SealBreak{number, fmt.Sprintf(format, args...)}
}

// Seals checks one tenant's seals as they are read in order of Number; Ring says whom to trust.
type Seals struct {
	Ring   Keyring
	newest *Seal
}

// Add checks the next seal against its key and the one before.
func (c *Seals) Add(s Seal) error {
	number, previous, seq := int64(1), noSeal, int64(0)
	if c.newest != nil {
		number, previous, seq = c.newest.Number+1, c.newest.Mark(), c.newest.Seq
	}
	switch {
	case s.Number > number:
		return sealBreak(number, "is missing: the next that is there is seal %d", s.Number)
	case s.Number < number:
		return sealBreak(s.Number, "stands twice or out of order")
	case s.Previous != previous:
		return sealBreak(s.Number, "does not continue the seal before it; one of the two was exchanged")
	case s.Seq < seq:
		return sealBreak(s.Number, "seals entry %d, and the seal before it entry %d", s.Seq, seq)
	}
	if err := c.Ring.Check(s); err != nil {
		return err
	}
	c.newest = &s
	return nil
}

// Newest is the seal that was added last; nil before the first.
func (c *Seals) Newest() *Seal { return c.newest }

// Keeper is who remembers, as a sentence begins.
func (s Seal) keeper() string { return fmt.Sprintf("seal %d", s.Number) }

// Head is the head that was sealed.
func (s Seal) Head() Head {
	return Head{TenantID: s.TenantID, Seq: s.Seq, Hash: s.Hash, At: s.At, Keeper: s.keeper()}
}

// Same says whether both are one seal.
func (s Seal) Same(o Seal) bool {
	return s.Canonical() == o.Canonical() && bytes.Equal(s.Signature, o.Signature)
}

// short is the beginning of a fingerprint, for sentences.
func short(id string) string { return id[:min(16, len(id))] }
