package postgres_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

func sealKey(t *testing.T) *audit.SealKey {
	t.Helper()
	key, err := audit.NewSealKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sealing are two tenants whose trails are sealed: ours three times, at entries 2, 4 and 6.
type sealing struct {
	d            *pgtest.Database
	trail        postgres.Audit
	ours, theirs actor.Actor
	key          *audit.SealKey
}

func newSealing(t *testing.T, file string) sealing {
	t.Helper()
	d := housetest.At(t, "")
	s := sealing{d: d, ours: housetest.Person(housetest.Rivermark, "ours"), theirs: housetest.Person(housetest.Saltway, "theirs"), key: sealKey(t)}
	s.ours.Origin, s.theirs.Origin = actor.Worker, actor.Worker // whose walks leave no entry
	s.trail = postgres.Audit{DB: housetest.Open(t, d), Heads: audit.HeadFile{Path: file}, Keys: audit.NewKeyring(s.key)}
	record(t, s.trail, s.theirs, "item:done")
	for range 3 {
		record(t, s.trail, s.ours, "item:take", "item:done")
		for _, by := range []actor.Actor{s.ours, s.theirs} {
			if check, err := s.trail.Seal(t.Context(), by); err != nil || !check.Whole() {
				t.Fatalf("Seal as %s = %+v, %v", by.Name, check, err)
			}
		}
	}
	return s
}

func TestHeadsAreSealedTenantByTenant(t *testing.T) {
	t.Parallel()
	s := newSealing(t, filepath.Join(t.TempDir(), "heads"))
	for _, c := range []struct {
		by          actor.Actor
		number, seq int64
	}{{s.ours, 3, 6}, {s.theirs, 1, 1}} {
		check, err := s.trail.Verify(t.Context(), c.by)
		if err != nil || !check.Whole() || check.Unproven || check.Seal == nil || check.Seal.Number != c.number || check.Seal.Seq != c.seq || check.Seal.TenantID != c.by.Tenant {
			t.Errorf("Verify as %s = %+v with seal %+v, %v; want seal %d over entry %d", c.by.Name, check, check.Seal, err, c.number, c.seq)
		}
		page, err := s.trail.List(t.Context(), c.by, audit.Query{Limit: 1})
		if err != nil || page.Seal == nil || page.Seal.Number != c.number || !page.Proven || page.SealProblem != "" {
			t.Errorf("the page of %s shows seal %+v (%q), %v; want seal %d, proven", c.by.Name, page.Seal, page.SealProblem, err, c.number)
		}
	}
	heads, err := s.trail.Heads.Of(s.ours.Tenant)
	if err != nil || len(heads) != 3 || heads[2].Seal == nil || heads[2].Seal.Number != 3 {
		t.Errorf("published are %+v, %v; want three sealed heads", heads, err)
	}

	// Another key takes over. What the first one sealed holds as long as somebody trusts it.
	next := s.trail
	next.Keys = audit.NewKeyring(sealKey(t), s.key.Public())
	check, err := next.Seal(t.Context(), s.ours)
	if err != nil || !check.Whole() || check.Seal.Number != 4 || check.Seal.KeyID == s.key.Public().ID() {
		t.Errorf("Seal with the next key = %+v, %+v, %v; want seal 4 by the next key", check, check.Seal, err)
	}
	if check, err := next.Verify(t.Context(), s.ours); err != nil || !check.Whole() {
		t.Errorf("Verify with both keys = %+v, %v; want whole", check, err)
	}
	if check, err := s.trail.Verify(t.Context(), s.ours); err != nil || !strings.HasPrefix(check.Break, "seal 4: was made with key ") {
		t.Errorf("Verify by who trusts the first key alone = %+v, %v; want seal 4 named", check, err)
	}
	without := postgres.Audit{DB: s.trail.DB}
	if check, err := without.Verify(t.Context(), s.ours); err != nil || !check.Whole() || !check.Unproven || check.Seal.Number != 4 {
		t.Errorf("Verify without any key = %+v, %v; want whole, and that the seals were not proven", check, err)
	}
	if check, err := without.Seal(t.Context(), s.ours); err != nil || check.Seal != nil {
		t.Errorf("Seal without a key = %+v, %v; want nothing", check, err)
	}
}

// Two replicas seal at once, while people write.
func TestTwoReplicasMakeOneRowOfSeals(t *testing.T) {
	t.Parallel()
	s := newSealing(t, filepath.Join(t.TempDir(), "heads"))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for n := range 5 {
				if err := s.trail.Record(t.Context(), s.ours, audit.Event{Action: "item:done", ObjectID: fmt.Sprint(n)}); err != nil {
					t.Error(err)
				}
				check, err := s.trail.Seal(t.Context(), s.ours)
				if err == nil && check.Whole() {
					check, err = s.trail.Verify(t.Context(), s.ours)
				}
				if err != nil || !check.Whole() {
					t.Errorf("sealing beside others = %+v, %v; want whole", check, err)
				}
			}
		})
	}
	all.Wait()
	check, err := s.trail.Verify(t.Context(), s.ours)
	if err != nil || !check.Whole() || check.Seal.Seq != 26 {
		t.Errorf("Verify afterwards = %+v with %+v, %v; want seals up to entry 26", check, check.Seal, err)
	}
}

// What a superuser does to the chain and to its seals is found and named, with the file of heads and without it.
func TestVerifyFindsWhatASuperuserDidToSeals(t *testing.T) {
	const off = "SET session_replication_role = replica; "
	const ours = "tenant_id = '11111111-1111-7111-8111-111111111111'"
	const rewind = "DELETE FROM gatehouse.audit_checks WHERE " + ours + "; DELETE FROM gatehouse.audit_events WHERE seq > 4 AND " + ours +
		"; UPDATE gatehouse.audit_heads h SET seq = e.seq, hash = e.hash FROM gatehouse.audit_events e WHERE e.tenant_id = h.tenant_id AND e.seq = 4 AND h." + ours + "; "
	// The whole chain written anew, each entry as it should be after the one before, with another name in entry 3.
	const rewrite = "CREATE TEMP TABLE was AS SELECT * FROM gatehouse.audit_events WHERE " + ours + "; DELETE FROM gatehouse.audit_events WHERE " + ours +
		"; DELETE FROM gatehouse.audit_heads WHERE " + ours + "; DELETE FROM gatehouse.audit_checks WHERE " + ours +
		"; SET session_replication_role = origin; UPDATE was SET name = 'Somebody else' WHERE seq = 3; INSERT INTO gatehouse.audit_events SELECT * FROM was ORDER BY seq; " + off
	for _, c := range []struct{ name, statement, without, with string }{
		{"nothing", "SELECT 1", "", ""},
		{"newest rows cut", off + rewind, "entry 5: missing: seal 3 of ", "entry 5: missing: "},
		{"chain rewritten", off + rewrite, "is not the entry that seal 1 of ", "is not the entry that "},
		{"a seal changed", off + "UPDATE gatehouse.audit_seals SET hash = repeat('a', 64) WHERE number = 2 AND " + ours, "seal 2: does not carry the signature", "seal 2: does not carry the signature"},
		{"a signature changed", off + "UPDATE gatehouse.audit_seals SET signature = set_byte(signature, 9, 255 - get_byte(signature, 9)) WHERE number = 3 AND " + ours, "seal 3: does not carry the signature", "seal 3: does not carry the signature"},
		{"a seal taken out", off + "DELETE FROM gatehouse.audit_seals WHERE number = 2 AND " + ours, "seal 2: is missing", "seal 2: is missing"},
		{"the seals of two entries exchanged", off + `UPDATE gatehouse.audit_seals s SET seq = o.seq, hash = o.hash, signature = o.signature FROM gatehouse.audit_seals o
			WHERE o.tenant_id = s.tenant_id AND o.number = 5 - s.number AND s.number IN (2, 3) AND s.` + ours, "seal 2: does not carry the signature", "seal 2: does not carry the signature"},
		{
			"the other tenant's seal put here", off + "UPDATE gatehouse.audit_seals s SET seq = o.seq, hash = o.hash, signature = o.signature, sealed_at = o.sealed_at FROM gatehouse.audit_seals o WHERE o.number = 1 AND NOT o." + ours + " AND s.number = 1 AND s." + ours,
			"seal 1: does not carry the signature", "seal 1: does not carry the signature",
		},
		// Only who keeps heads elsewhere can know that there was a third.
		{"newest rows cut, and the newest seal", off + rewind + "DELETE FROM gatehouse.audit_seals WHERE number = 3 AND " + ours, "", "entry 5: missing: the published head of "},
		{"the newest seal taken out", off + "DELETE FROM gatehouse.audit_seals WHERE number = 3 AND " + ours, "", "seal 3: stands in the file of heads and not in the database"},
	} {
		for _, kept := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, file %v", c.name, kept), func(t *testing.T) {
				t.Parallel()
				file, want := "", c.without
				if kept {
					file, want = filepath.Join(t.TempDir(), "heads"), c.with
				}
				s := newSealing(t, file)
				super(t, s.d, c.statement)
				check, err := s.trail.Verify(t.Context(), s.ours)
				if err != nil || want == "" && !check.Whole() || !strings.Contains(check.Break, want) {
					t.Errorf("Verify after %s = %+v, %v; want %q", c.name, check, err, want)
				}
				if check, err := s.trail.Verify(t.Context(), s.theirs); err != nil || !check.Whole() {
					t.Errorf("Verify of the other tenant = %+v, %v; want whole", check, err)
				}
			})
		}
	}
}

// Seals that somebody makes with a key of their own, chain and all, fit nobody's trust.
func TestSealsOfAStrangerAreNamed(t *testing.T) {
	t.Parallel()
	s := newSealing(t, "")
	super(t, s.d, "SET session_replication_role = replica; DELETE FROM gatehouse.audit_seals; DELETE FROM gatehouse.audit_checks; UPDATE gatehouse.audit_events SET name = 'Somebody else' WHERE seq = 3")
	stranger := s.trail
	stranger.Keys = audit.NewKeyring(sealKey(t))
	super(t, s.d, `SET session_replication_role = replica; CREATE TEMP TABLE was AS SELECT * FROM gatehouse.audit_events; DELETE FROM gatehouse.audit_events; DELETE FROM gatehouse.audit_heads;
		SET session_replication_role = origin; INSERT INTO gatehouse.audit_events SELECT * FROM was ORDER BY tenant_id, seq`)
	if check, err := stranger.Verify(t.Context(), s.ours); err != nil || !check.Whole() || check.Seal == nil {
		t.Fatalf("the stranger's own Verify = %+v, %v; want that their forgery is whole by itself", check, err)
	}
	check, err := s.trail.Verify(t.Context(), s.ours)
	if err != nil || !strings.HasPrefix(check.Break, "seal 1: was made with key ") || !strings.Contains(check.Break, "not trusted here") {
		t.Errorf("Verify of the forgery = %+v, %v; want the stranger's seal named", check, err)
	}
	page, err := s.trail.List(t.Context(), s.ours, audit.Query{Limit: 1})
	if err != nil || page.Proven || !strings.Contains(page.SealProblem, "not trusted here") {
		t.Errorf("the page says %q (proven: %v), %v; want the stranger's seal named there too", page.SealProblem, page.Proven, err)
	}
}
