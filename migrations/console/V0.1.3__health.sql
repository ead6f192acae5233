-- title: health results and the runs of scheduled jobs
-- risk: low
-- estimate: 1s
-- reversible: yes
-- undo loses: the health results of the last 48 hours, and when scheduled jobs last succeeded
-- creates: table gatehouse.health_results
-- creates: table gatehouse.job_runs
-- creates: index gatehouse.health_results_newest

-- One row per check and run. They are measurements, not history: a statement of the health job deletes what is older
-- than 48 hours. What a signature rests on is copied into the item's evidence.
CREATE TABLE gatehouse.health_results (
    tenant_id  uuid        NOT NULL,
    run_id     uuid        NOT NULL,
    check_name text        NOT NULL CONSTRAINT health_results_check_form CHECK (check_name ~ '^[a-z_]{1,50}$'),
    level      text        NOT NULL CONSTRAINT health_results_level_known
               CHECK (level IN ('healthy', 'warning', 'degraded', 'unknown', 'unhealthy', 'not_deployed')),
    value      numeric,
    unit       text        NOT NULL DEFAULT '',
    message    text        NOT NULL CONSTRAINT health_results_message_filled CHECK (btrim(message) <> ''),
    took_ms    numeric     NOT NULL CONSTRAINT health_results_took_not_negative CHECK (took_ms >= 0),
    checked_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT health_results_pkey PRIMARY KEY (tenant_id, run_id, check_name)
);
-- A run always has all eight checks, so the newest result of each is found through the newest run.
CREATE INDEX health_results_newest ON gatehouse.health_results (tenant_id, checked_at DESC);
COMMENT ON COLUMN gatehouse.health_results.checked_at IS 'By the database''s clock, when the run was written down.';

ALTER TABLE gatehouse.health_results ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.health_results
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT, DELETE ON gatehouse.health_results TO gatehouse_app;

-- System table: a job belongs to the environment. public.cache_refresh_status says whether the reconciliation succeeded;
-- only this says who runs it. A row is a scheduler's word about itself, so a start without an end is seen as such.
CREATE TABLE gatehouse.job_runs (
    job_name        text        NOT NULL,
    scheduler       text        NOT NULL CONSTRAINT job_runs_scheduler_known CHECK (scheduler IN ('river', 'pg_cron')),
    last_start_at   timestamptz NOT NULL,
    last_success_at timestamptz,
    last_failure_at timestamptz,
    last_error      text        NOT NULL DEFAULT '',
    CONSTRAINT job_runs_pkey PRIMARY KEY (job_name, scheduler)
);
GRANT SELECT, INSERT, UPDATE ON gatehouse.job_runs TO gatehouse_app;
