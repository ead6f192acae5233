package postgres

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/audit"
)

// linkRows is how many entries are hashed at once.
const linkRows = 512

// links are entries on their way: read one after the other, hashed beside each other, and linked one after the other. What
// they hold is used again and again, so a walk needs as much memory for a million entries as for a few thousand.
type links struct {
	canonical []byte // of all entries, one after the other
	ends      []int
	seqs      []int64
	prev      [][]byte
	hash      [][]byte
	sums      [][sha256.Size]byte
	kept      []byte // what prev and hash point into
	hashed    chan struct{}
}

func (l *links) reset() {
	l.canonical, l.ends, l.seqs, l.prev, l.hash, l.sums, l.kept = l.canonical[:0], l.ends[:0], l.seqs[:0], l.prev[:0], l.hash[:0], l.sums[:0], l.kept[:0]
	l.hashed = make(chan struct{})
}

func (l *links) digest() {
	start := 0
	for _, end := range l.ends {
		l.sums = append(l.sums, sha256.Sum256(l.canonical[start:end]))
		start = end
	}
	close(l.hashed)
}

// follow links all rows of AuditWalk to the chain, and closes them; the first that does not fit ends it.
func follow(rows pgx.Rows, chain *audit.Chain) (entries int64, err error) {
	defer rows.Close()
	many := 2*runtime.GOMAXPROCS(0) + 1
	free, ordered := make(chan *links, many), make(chan *links, many)
	for range many {
		free <- &links{}
	}
	var broken atomic.Bool
	linked := make(chan error, 1)
	go func() {
		var wrong error
		for l := range ordered {
			<-l.hashed
			for i := range l.seqs {
				if wrong != nil {
					break
				}
				entries++
				wrong = chain.Link(l.seqs[i], l.prev[i], l.hash[i], l.sums[i])
			}
			broken.Store(wrong != nil)
			free <- l
		}
		linked <- wrong
	}()
	err = read(rows, free, ordered, &broken)
	close(ordered)
	if wrong := <-linked; wrong != nil {
		return entries, wrong
	}
	return entries, err
}

// read sends the rows on, a few hundred at a time, until something is found broken.
func read(rows pgx.Rows, free, ordered chan *links, broken *atomic.Bool) error {
	send := func(l *links) {
		go l.digest()
		ordered <- l
	}
	l := <-free
	l.reset()
	for rows.Next() {
		if err := l.add(rows.RawValues()); err != nil {
			return err
		}
		if len(l.seqs) < linkRows {
			continue
		}
		send(l)
		if broken.Load() {
			return nil
		}
		l = <-free
		l.reset()
	}
	send(l)
	return rows.Err()
}

// columns of AuditWalk, in their order: tenant_id, seq, at, eleven texts, before, after, prev_hash, hash.
const walkColumns = 18

// epoch is from when PostgreSQL counts microseconds.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func (l *links) add(values [][]byte) error {
	if len(values) != walkColumns || len(values[0]) != 16 || len(values[1]) != 8 || len(values[2]) != 8 {
		return fmt.Errorf("reading the audit trail: a row has %d columns of another form than was asked for", len(values))
	}
	raw := audit.Raw{
		Seq:    int64(binary.BigEndian.Uint64(values[1])),
		At:     epoch.Add(time.Duration(binary.BigEndian.Uint64(values[2])) * time.Microsecond),
		Before: values[14], After: values[15], PrevHash: values[16],
	}
	copy(raw.Tenant[:], values[0])
	copy(raw.Texts[:], values[3:14])
	l.canonical = raw.AppendCanonical(l.canonical)
	l.ends = append(l.ends, len(l.canonical))
	l.seqs = append(l.seqs, raw.Seq)
	l.prev, l.hash = append(l.prev, l.keep(values[16])), append(l.hash, l.keep(values[17]))
	return nil
}

// keep copies what is only good until the next row. Where the room is used up a new one begins, and the old one lives on
// for as long as something points into it.
func (l *links) keep(b []byte) []byte {
	if len(l.kept)+len(b) > cap(l.kept) {
		l.kept = make([]byte, 0, max(linkRows*2*sha256.Size, len(b)))
	}
	start := len(l.kept)
	l.kept = append(l.kept, b...)
	return l.kept[start:len(l.kept):len(l.kept)]
}
