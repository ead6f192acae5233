-- title: snapshots of a release before T-0 and at its hours, and those that were missed
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: every snapshot; it refuses while there is one
-- creates: table gatehouse.run_snapshots
-- creates: table gatehouse.run_snapshot_misses

-- What the server measured at an hour of a release. content is the canonical JSON that the hash is of; the columns beside it
-- say the same, so that it can be found. Times are the database's.
CREATE TABLE gatehouse.run_snapshots (
    tenant_id   uuid        NOT NULL,
    run_id      uuid        NOT NULL,
    snapshot_id uuid        NOT NULL,
    point       text        NOT NULL CONSTRAINT run_snapshots_point_known
                CHECK (point IN ('before_30m', 'before', 'hour_1', 'hour_4', 'hour_24', 'hour_48')),
    t0          timestamptz NOT NULL, -- as it was when the snapshot was taken
    due_at      timestamptz NOT NULL,
    taken_at    timestamptz NOT NULL,
    stored_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    content     text        NOT NULL CONSTRAINT run_snapshots_content_length CHECK (length(content) BETWEEN 2 AND 262144),
    sha256      text        NOT NULL,
    CONSTRAINT run_snapshots_pkey PRIMARY KEY (tenant_id, snapshot_id),
    CONSTRAINT run_snapshots_once UNIQUE (tenant_id, run_id, point, t0),
    CONSTRAINT run_snapshots_run FOREIGN KEY (tenant_id, run_id) REFERENCES gatehouse.runs,
    CONSTRAINT run_snapshots_hashed CHECK (sha256 = encode(sha256(convert_to(content, 'UTF8')), 'hex')),
    CONSTRAINT run_snapshots_never_early CHECK (taken_at >= due_at),
    CONSTRAINT run_snapshots_baseline_before CHECK (point NOT IN ('before_30m', 'before') OR taken_at < t0)
);
CREATE TRIGGER run_snapshots_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.run_snapshots
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();
ALTER TABLE gatehouse.run_snapshots ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.run_snapshots
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.run_snapshots TO gatehouse_app;

-- A snapshot that was not taken when it was due, nor within the grace after it. It stays a finding, also where a late one was
-- taken afterwards.
CREATE TABLE gatehouse.run_snapshot_misses (
    tenant_id uuid        NOT NULL,
    run_id    uuid        NOT NULL,
    point     text        NOT NULL CONSTRAINT run_snapshot_misses_point_known
              CHECK (point IN ('before_30m', 'before', 'hour_1', 'hour_4', 'hour_24', 'hour_48')),
    t0        timestamptz NOT NULL,
    due_at    timestamptz NOT NULL,
    found_at  timestamptz NOT NULL,
    why       text        NOT NULL CONSTRAINT run_snapshot_misses_why_filled CHECK (btrim(why) <> ''),
    CONSTRAINT run_snapshot_misses_pkey PRIMARY KEY (tenant_id, run_id, point, t0),
    CONSTRAINT run_snapshot_misses_run FOREIGN KEY (tenant_id, run_id) REFERENCES gatehouse.runs,
    CONSTRAINT run_snapshot_misses_after CHECK (found_at > due_at)
);
CREATE TRIGGER run_snapshot_misses_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.run_snapshot_misses
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();
ALTER TABLE gatehouse.run_snapshot_misses ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.run_snapshot_misses
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.run_snapshot_misses TO gatehouse_app;
