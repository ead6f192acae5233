package postgres_test

import (
	"testing"

	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/pgtest"
)

// What the gate's functions say of a run that is not there: nothing, and never that it has passed.
func TestAGateThatIsNotThereIsNotPassed(t *testing.T) {
	pool := pgtest.Pool(t, housetest.At(t, "").AppURL)
	var content *string
	var passed, ready bool
	err := pool.QueryRow(t.Context(), `
		SELECT gatehouse.gate_content(gen_random_uuid(), 'go_no_go')::text,
		       gatehouse.gate_passed(gen_random_uuid(), 'go_no_go'), gatehouse.gate_ready(gen_random_uuid(), 'final')`).
		Scan(&content, &passed, &ready)
	if err != nil || content != nil || passed || ready {
		t.Errorf("a gate of no run has content %v, passed %v, ready %v, %v; want none, false, false", content, passed, ready, err)
	}
}
