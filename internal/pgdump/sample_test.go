package pgdump_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/pgdump"
	"github.com/agogsaas/gatehouse/internal/pgtest"
)

// awkward is a schema in which a sample that is not closed over its parents breaks at once: a large table that points at a
// large table, at itself and in a circle, a key of two columns, a generated column, a name that wants quotes, a partitioned
// table, a foreign key that was never validated, a sequence, and a materialized view over a view.
const awkward = `
CREATE TABLE public.facilities (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO public.facilities SELECT g, 'f' || g FROM generate_series(1, 20) g;
CREATE TABLE public.bins (facility int REFERENCES public.facilities, id bigint, "50% full" boolean NOT NULL DEFAULT false, label text GENERATED ALWAYS AS ('bin ' || id) STORED, PRIMARY KEY (facility, id));
INSERT INTO public.bins SELECT 1 + g % 20, g FROM generate_series(1, 3000) g;
CREATE TABLE public.moves (id bigserial PRIMARY KEY, facility int, bin bigint, before bigint REFERENCES public.moves, reason text,
	FOREIGN KEY (facility, bin) REFERENCES public.bins);
INSERT INTO public.moves (facility, bin, before) SELECT b.facility, b.id, NULL FROM public.bins b;
UPDATE public.moves SET before = id - 7 WHERE id > 7 AND id % 3 = 0;
CREATE TABLE public.heads (id int PRIMARY KEY, tail int);
CREATE TABLE public.tails (id int PRIMARY KEY, head int NOT NULL REFERENCES public.heads);
INSERT INTO public.heads SELECT g, g FROM generate_series(1, 2000) g;
INSERT INTO public.tails SELECT g, 2001 - g FROM generate_series(1, 2000) g;
ALTER TABLE public.heads ADD FOREIGN KEY (tail) REFERENCES public.tails;
CREATE TABLE public.parts (at date NOT NULL, facility int NOT NULL REFERENCES public.facilities, n int NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE public.parts_1 PARTITION OF public.parts FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE public.parts_2 PARTITION OF public.parts FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
INSERT INTO public.parts SELECT '2026-01-01'::date + g % 59, 1 + g % 20, g FROM generate_series(1, 1500) g;
CREATE TABLE public.orphans (id int PRIMARY KEY, facility int);
INSERT INTO public.orphans SELECT g, 1000 + g FROM generate_series(1, 10) g;
ALTER TABLE public.orphans ADD CONSTRAINT late FOREIGN KEY (facility) REFERENCES public.facilities NOT VALID;
CREATE FUNCTION public.never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'a trigger fired'; END $$;
CREATE TRIGGER never BEFORE INSERT ON public.facilities FOR EACH ROW EXECUTE FUNCTION public.never();
CREATE VIEW public.per_bin AS SELECT facility, bin, count(*) AS moves FROM public.moves GROUP BY facility, bin;
CREATE MATERIALIZED VIEW public.busy AS SELECT * FROM public.per_bin;
CREATE UNIQUE INDEX ON public.busy (facility, bin);
CREATE MATERIALIZED VIEW public.unfilled AS SELECT 1 AS one WITH NO DATA;`

func sourceOf(t *testing.T) (pgdump.Source, *pgtest.Database) {
	t.Helper()
	d := housetest.At(t, "")
	if _, err := pgtest.Pool(t, d.OwnerURL).Exec(t.Context(), awkward); err != nil {
		t.Fatal(err)
	}
	return pgdump.Source{OwnerURL: d.OwnerURL, AdminURL: d.SuperURL, Warn: func(text string, err error) { t.Errorf("%s: %v", text, err) }}, d
}

func quiet(string) {}

func number(t *testing.T, conn *pgx.Conn, query string) (n int64) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func TestASampleHoldsTogether(t *testing.T) {
	t.Parallel()
	from, d := sourceOf(t)
	said, scratch := "", ""
	err := from.OnSample(t.Context(), 100, func(line string) { said += line }, func(ctx context.Context, address string, sample backup.Sample) error {
		conn, err := pgx.Connect(ctx, address)
		if err != nil {
			return err
		}
		defer conn.Close(ctx) //nolint:errcheck // a test's own connection
		scratch = conn.Config().Database
		rows := map[string]int64{}
		for _, one := range sample.Tables {
			rows[one.Table] = one.Rows
			if found := number(t, conn, "SELECT count(*) FROM "+one.Table); found != one.Rows {
				t.Errorf("%s has %d rows, and the sample says %d", one.Table, found, one.Rows)
			}
		}
		for table, whole := range map[string]int64{"public.facilities": 20, "public.orphans": 10} {
			if rows[table] != whole {
				t.Errorf("the small table %s has %d rows, want all %d", table, rows[table], whole)
			}
		}
		for table, whole := range map[string]int64{"public.bins": 3000, "public.moves": 3000, "public.heads": 2000, "public.tails": 2000, "public.parts": 1500} {
			if rows[table] < 50 || rows[table] > 1200 || rows[table] >= whole {
				t.Errorf("of %s, %d of %d rows are there, want about a hundred and what they point at", table, rows[table], whole)
			}
		}
		for what, query := range map[string]string{
			"a move whose bin is not there":    `SELECT count(*) FROM moves m WHERE NOT EXISTS (SELECT FROM bins b WHERE (b.facility, b.id) = (m.facility, m.bin))`,
			"a move whose mover is not there":  `SELECT count(*) FROM moves m WHERE m.before IS NOT NULL AND NOT EXISTS (SELECT FROM moves p WHERE p.id = m.before)`,
			"a head without its tail":          `SELECT count(*) FROM heads h WHERE NOT EXISTS (SELECT FROM tails t WHERE t.id = h.tail)`,
			"a foreign key that is not proven": `SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND NOT convalidated AND conname <> 'late'`,
			"a row of Gatehouse's own":         `SELECT count(*) FROM gatehouse.tenants`,
			"a filled view that was not":       `SELECT count(*) FROM pg_matviews WHERE matviewname = 'unfilled' AND ispopulated`,
			"a sequence that begins again":     `SELECT (nextval('moves_id_seq') <> 3001)::int`,
			"a label that was not generated":   `SELECT count(*) FROM bins WHERE label <> 'bin ' || id`,
		} {
			if n := number(t, conn, query); n != 0 {
				t.Errorf("%s: %d", what, n)
			}
		}
		if moved := number(t, conn, "SELECT coalesce(sum(moves), 0)::bigint FROM busy"); moved != rows["public.moves"] {
			t.Errorf("the materialized view counts %d moves, want those of the sample, %d", moved, rows["public.moves"])
		}
		return nil
	})
	if err != nil {
		t.Fatalf("OnSample: %v", err)
	}
	if !strings.Contains(said, "every foreign key holds") {
		t.Errorf("it said %q", said)
	}
	if left := pgtest.Pool(t, d.SuperURL).QueryRow(t.Context(), "SELECT FROM pg_database WHERE datname = $1", scratch).Scan(); !errors.Is(left, pgx.ErrNoRows) {
		t.Errorf("the scratch database %s is left: %v", scratch, left)
	}
}

// TestAChainThatIsTooLongIsCut: every row points at the one before it, so that closing the sample would copy the table. What
// points at a row that was left out is left out, too.
func TestAChainThatIsTooLongIsCut(t *testing.T) {
	t.Parallel()
	from, d := sourceOf(t)
	_, err := pgtest.Pool(t, d.OwnerURL).Exec(t.Context(), `CREATE TABLE public.chain (id int PRIMARY KEY, before int REFERENCES public.chain);
		INSERT INTO public.chain SELECT g, nullif(g - 1, 0) FROM generate_series(1, 4000) g`)
	if err != nil {
		t.Fatal(err)
	}
	err = from.OnSample(t.Context(), 3, quiet, func(ctx context.Context, address string, sample backup.Sample) error {
		for _, one := range sample.Tables {
			if one.Table == "public.chain" && (one.Rows > 40 || one.Of != 4000) {
				t.Errorf("%d of %d rows of the chain are there, want 40 at most of 4000", one.Rows, one.Of)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("OnSample: %v", err)
	}
}

func TestASampleThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	from, _ := sourceOf(t)
	never := func(context.Context, string, backup.Sample) error {
		t.Error("the work was done")
		return nil
	}
	for _, perTable := range []int{-1, 0, backup.MostSampleRows + 1} {
		if err := from.OnSample(t.Context(), perTable, quiet, never); !fault.Is(err, fault.Invalid) {
			t.Errorf("OnSample(%d) = %v, want Invalid", perTable, err)
		}
	}
	from.AdminURL = ""
	if err := from.OnSample(t.Context(), 100, quiet, never); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "GATEHOUSE_SCRATCH_DATABASE_URL") {
		t.Errorf("as a role that may not make databases: %v", err)
	}
}
