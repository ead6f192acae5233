package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// Outcome says whether the act happened.
type Outcome string

// The outcomes.
const (
	Done    Outcome = "done"
	Refused Outcome = "refused"
	Failed  Outcome = "failed"
)

// Event is one act or refused attempt, as a service reports it. Who acted comes from the transaction's actor.
type Event struct {
	// Action is object and verb, as "item:done", "gate:sign", "migration:apply".
	Action string
	// ObjectKind and ObjectID name what was acted on; ObjectID is what people call it or its id.
	ObjectKind, ObjectID string
	// Outcome is Done where it is left empty.
	Outcome Outcome
	// Reason is what the person gave as a reason, or why the attempt was refused.
	Reason string
	// Before and After hold what changed, as values that encode to JSON; nil where there is nothing to say. Never secrets.
	Before, After any
}

// Entry is an event as it stands in the chain.
type Entry struct {
	TenantID   uuid.UUID
	Seq        int64
	At         time.Time // UTC, whole microseconds
	Origin     string
	Issuer     string
	Subject    string
	Name       string
	Roles      string // comma separated, as held then
	IP         string
	Action     string
	ObjectKind string
	ObjectID   string
	Outcome    string
	Reason     string
	Before     *string // JSON text as PostgreSQL prints jsonb; nil for NULL
	After      *string
	PrevHash   []byte // 32 bytes; zero bytes for the first entry of a tenant
	Hash       []byte // 32 bytes
}

const canonicalName = "gatehouse-audit-1"

// Canonical is the text over which Hash is computed: each field as its length in bytes, a colon and the field; NULL as "n".
// The same form stands in SQL as gatehouse.audit_canonical.
func (e Entry) Canonical() string {
	raw := Raw{Tenant: e.TenantID, Seq: e.Seq, At: e.At, PrevHash: e.PrevHash}
	for i, s := range []string{e.Origin, e.Issuer, e.Subject, e.Name, e.Roles, e.IP, e.Action, e.ObjectKind, e.ObjectID, e.Outcome, e.Reason} {
		raw.Texts[i] = []byte(s)
	}
	if e.Before != nil {
		raw.Before = append([]byte{}, *e.Before...)
	}
	if e.After != nil {
		raw.After = append([]byte{}, *e.After...)
	}
	return string(raw.AppendCanonical(nil))
}

// Raw is an entry as it comes from the database, without a copy: its slices are good until the next one is read. Texts are
// the fields of an Entry from Origin to Reason, in that order; Before and After are nil for NULL.
type Raw struct {
	Tenant        uuid.UUID
	Seq           int64
	At            time.Time
	Texts         [11][]byte
	Before, After []byte
	PrevHash      []byte
}

// AppendCanonical appends the canonical text to b.
func (r *Raw) AppendCanonical(b []byte) []byte {
	var short [64]byte
	b = appendField(b, canonicalName)
	b = appendField(b, appendUUID(short[:0], r.Tenant))
	b = appendField(b, strconv.AppendInt(short[:0], r.Seq, 10))
	b = appendField(b, r.At.UTC().AppendFormat(short[:0], exactly))
	for _, text := range &r.Texts {
		b = appendField(b, text)
	}
	b = appendNullable(b, r.Before)
	b = appendNullable(b, r.After)
	b = strconv.AppendInt(b, int64(2*len(r.PrevHash)), 10)
	b = append(b, ':')
	return hex.AppendEncode(b, r.PrevHash)
}

// exactly is how a moment stands in the canonical text.
const exactly = "2006-01-02T15:04:05.000000Z"

func appendUUID(b []byte, id uuid.UUID) []byte {
	for i, length := range []int{4, 2, 2, 2, 6} {
		if i > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, id[:length])
		copy(id[:], id[length:])
	}
	return b
}

func appendField[T string | []byte](b []byte, field T) []byte {
	b = strconv.AppendInt(b, int64(len(field)), 10)
	b = append(b, ':')
	return append(b, field...)
}

func appendNullable(b, field []byte) []byte {
	if field == nil {
		return append(b, 'n')
	}
	return appendField(b, field)
}

// Break is the first place where a chain does not hold.
type Break struct {
	Seq  int64
	What string
}

func (b Break) Error() string { return fmt.Sprintf("entry %d: %s", b.Seq, b.What) }

// Chain checks entries of one tenant as they are read in order of Seq; the zero value expects the tenant's first entry.
type Chain struct {
	seq  int64
	head []byte
	held map[int64][]Head
	last Head // the highest that is held
}

// ChainFrom checks the entries that follow the one of that number and hash.
func ChainFrom(seq int64, hash []byte) Chain { return Chain{seq: seq, head: slices.Clone(hash)} }

// Add checks the next entry against its own hash and the one before; the error is a Break that names the entry.
func (c *Chain) Add(e Entry) error {
	return c.Link(e.Seq, e.PrevHash, e.Hash, sha256.Sum256([]byte(e.Canonical())))
}

// Link is Add for an entry whose canonical text was hashed already, to sum.
func (c *Chain) Link(seq int64, prevHash, hash []byte, sum [sha256.Size]byte) error {
	if c.head == nil {
		c.head = make([]byte, sha256.Size)
	}
	switch want := c.seq + 1; {
	case seq > want:
		return Break{want, fmt.Sprintf("missing: after entry %d comes entry %d", c.seq, seq)}
	case seq < want:
		return Break{seq, "stands twice or out of order"}
	case !bytes.Equal(prevHash, c.head):
		return Break{seq, "does not continue the entry before it"}
	case !bytes.Equal(sum[:], hash):
		return Break{seq, "was changed after it was written"}
	}
	c.seq, c.head = seq, append(c.head[:0], sum[:]...)
	return c.differs(seq, c.head)
}

// Head is the number and the hash of the last entry that was added; zero and nil before the first.
func (c *Chain) Head() (seq int64, hash []byte) { return c.seq, slices.Clone(c.head) }
