package postgres_test

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
)

// concurrent is a table, and a file of its own that makes an index on it CONCURRENTLY.
func concurrent() fstest.MapFS {
	files := steps("CREATE TABLE public.t14 (id int);\nINSERT INTO public.t14 VALUES (1), (2);")
	files["V0.0.15__an_index.sql"] = &fstest.MapFile{Data: []byte("-- migrate:no-transaction\n" + planCard +
		"-- creates: index public.t14_id\nCREATE INDEX CONCURRENTLY t14_id ON public.t14 (id);")}
	files["U0.0.15__an_index.sql"] = &fstest.MapFile{Data: []byte("DROP INDEX IF EXISTS public.t14_id;")}
	return files
}

// A build waits for every older transaction. Nobody waits behind it, so it outlasts the file's lock_timeout: giving up would
// leave an index that is not valid.
func TestAnIndexBuiltConcurrentlyOutlastsItsLockTimeout(t *testing.T) {
	t.Parallel()
	files := concurrent()
	index := files["V0.0.15__an_index.sql"]
	index.Data = []byte(strings.Replace(string(index.Data), "-- creates", "-- lock_timeout: 50ms\n-- creates", 1))
	s := changing(t, housetest.At(t, ""), files)
	release := s.release(housetest.Rivermark, true)
	s.apply("0.0.14", release)
	old, err := pgx.Connect(t.Context(), s.d.SuperURL)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // a test's own connection
	if _, err := old.Exec(t.Context(), "BEGIN; LOCK TABLE public.t14 IN ROW EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	run, err := s.service.Apply(t.Context(), s.devops, s.request("0.0.15", release))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.worker.Work(t.Context(), migration.Ref{Tenant: run.Tenant, Run: run.ID}) }()
	await(t, "the build waits for longer than its lock_timeout, or ends", func() bool {
		waits := s.text(`SELECT count(*)::text FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'
			AND clock_timestamp() - query_start > interval '150ms'`, "gatehouse-migrator "+run.ID.String())
		return waits == "1" || !s.see(run.ID).Run.State.Active()
	})
	if _, err := old.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if got := s.see(run.ID).Run; got.State != migration.Succeeded {
		t.Errorf("the build ended %s: %s; want succeeded once the older transaction was over", got.State, got.Error)
	}
}
