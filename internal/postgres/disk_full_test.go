package postgres_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/operation"
)

// D15: a database without room says so, nothing is done by halves, and when there is room again the same order goes through.
func TestADatabaseWithoutRoomSaysSoAndRecovers(t *testing.T) {
	t.Parallel()
	c := newCopies(t)
	full := `CREATE FUNCTION public.full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file "base/1/2": No space left on device' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON gatehouse.audit_events EXECUTE FUNCTION public.full_disk()`
	if _, err := c.super.Exec(t.Context(), full); err != nil {
		t.Fatal(err)
	}
	by, key := housetest.Person(housetest.Rivermark, "otto", actor.DevOpsEngineer), uuid.New()
	_, err := c.service.Order(t.Context(), by, operation.Backup, uuid.Nil, key)
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "disk is full") {
		t.Errorf("Order on a full disk = %v, want unavailable, said plainly", err)
	}
	overview, err := c.service.Overview(t.Context(), by)
	if err != nil || len(overview.Operations) != 0 {
		t.Errorf("on a full disk the page shows %v, %v; want it, and no operation", overview.Operations, err)
	}
	if _, err := c.super.Exec(t.Context(), "DROP TRIGGER full_disk ON gatehouse.audit_events"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.service.Order(t.Context(), by, operation.Backup, uuid.Nil, key); err != nil {
		t.Errorf("with room again the order is %v", err)
	}
}
