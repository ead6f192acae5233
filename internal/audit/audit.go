package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
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
	var b strings.Builder
	field := func(s string) { b.WriteString(strconv.Itoa(len(s))); b.WriteByte(':'); b.WriteString(s) }
	nullable := func(s *string) {
		if s == nil {
			b.WriteByte('n')
			return
		}
		field(*s)
	}
	field(canonicalName)
	field(e.TenantID.String())
	field(strconv.FormatInt(e.Seq, 10))
	field(e.At.UTC().Format("2006-01-02T15:04:05.000000Z"))
	for _, s := range []string{e.Origin, e.Issuer, e.Subject, e.Name, e.Roles, e.IP, e.Action, e.ObjectKind, e.ObjectID, e.Outcome, e.Reason} {
		field(s)
	}
	nullable(e.Before)
	nullable(e.After)
	field(hex.EncodeToString(e.PrevHash))
	return b.String()
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
func ChainFrom(seq int64, hash []byte) Chain { return Chain{seq: seq, head: hash} }

// Add checks the next entry against its own hash and the one before; the error is a Break that names the entry.
func (c *Chain) Add(e Entry) error {
	if c.head == nil {
		c.head = make([]byte, sha256.Size)
	}
	switch want := c.seq + 1; {
	case e.Seq > want:
		return Break{want, fmt.Sprintf("missing: after entry %d comes entry %d", c.seq, e.Seq)}
	case e.Seq < want:
		return Break{e.Seq, "stands twice or out of order"}
	case hex.EncodeToString(e.PrevHash) != hex.EncodeToString(c.head):
		return Break{e.Seq, "does not continue the entry before it"}
	}
	sum := sha256.Sum256([]byte(e.Canonical()))
	if hex.EncodeToString(sum[:]) != hex.EncodeToString(e.Hash) {
		return Break{e.Seq, "was changed after it was written"}
	}
	c.seq, c.head = e.Seq, sum[:]
	return c.differs(e.Seq, sum[:])
}

// Head is the number and the hash of the last entry that was added; zero and nil before the first.
func (c *Chain) Head() (seq int64, hash []byte) { return c.seq, c.head }
