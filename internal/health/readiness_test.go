package health

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/agogsaas/gatehouse/internal/fault"
)

type schema struct {
	version int64
	dirty   bool
	err     error
	asked   int
}

func (s *schema) ConsoleSchema(context.Context) (int64, bool, error) {
	s.asked++
	return s.version, s.dirty, s.err
}

func TestReadiness(t *testing.T) {
	for name, c := range map[string]struct {
		schema schema
		want   bool
		says   string
	}{
		"as it should be":  {schema{version: 4}, true, ""},
		"older":            {schema{version: 3}, false, "stand at v3, this program needs v4. Run gatehouse setup"},
		"newer":            {schema{version: 5}, true, "newer than this program"},
		"half changed":     {schema{version: 4, dirty: true}, false, "did not finish"},
		"not set up":       {schema{err: fault.New(fault.NotFound, "x")}, false, "Run gatehouse setup"},
		"database away":    {schema{err: fault.New(fault.Unavailable, "dial 10.0.0.7")}, false, "does not answer"},
		"database strange": {schema{err: errors.New("password gatehouse:secret")}, false, "does not answer"},
	} {
		p := NewProbe(&c.schema, 4, func(v int64) string { return fmt.Sprintf("v%d", v) }, func() time.Time { return noon },
			Note{Name: "identity_provider", Check: func(context.Context) string { return "The provider's keys were not fetched yet." }})
		got := p.Ready(t.Context())
		text := fmt.Sprint(got.Gates)
		if got.Ready != c.want || !strings.Contains(text, c.says) || strings.Contains(text, "10.0.0.7") || strings.Contains(text, "secret") {
			t.Errorf("%s: ready %v, %s", name, got.Ready, text)
		}
		if last := got.Gates[len(got.Gates)-1]; last.Needed || last.OK || last.Why == "" {
			t.Errorf("%s: the note is %+v", name, last)
		}
	}
}

func TestReadinessAsksOnceASecond(t *testing.T) {
	now, s := noon, &schema{version: 4}
	p := NewProbe(s, 4, func(int64) string { return "" }, func() time.Time { return now })
	for range 100 {
		p.Ready(t.Context())
	}
	if s.asked != 1 {
		t.Errorf("a hundred questions in one moment asked the database %d times, want 1", s.asked)
	}
	s.err = fault.New(fault.Unavailable, "away")
	now = now.Add(time.Second)
	if p.Ready(t.Context()).Ready || s.asked != 2 {
		t.Errorf("a second later the database was asked %d times in all, want 2", s.asked)
	}
}
