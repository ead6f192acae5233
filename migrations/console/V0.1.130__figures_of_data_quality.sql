-- title: figures of data quality per facility and day, computed beside the summary of the warehouse
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: the course of the figures; those of today are computed again
-- creates: table gatehouse.quality_days
-- creates: table gatehouse.quality_turns

-- What a page shows is read from here by key; it is computed by the scheduler, never on a request. The row of today is the
-- newest one, and is written over until the day is over.
CREATE TABLE gatehouse.quality_days (
    tenant_id      uuid        NOT NULL,
    facility_id    uuid        NOT NULL,
    day            date        NOT NULL,
    computed_at    timestamptz NOT NULL,
    -- Materials of which a lot is here, and those of them that are to be measured.
    materials_held integer     NOT NULL CONSTRAINT quality_days_held_counted CHECK (materials_held >= 0),
    materials_due  integer     NOT NULL CONSTRAINT quality_days_due_counted CHECK (materials_due BETWEEN 0 AND materials_held),
    -- Capacity failures of the 24 hours before, those of them that are unresolved, and all that are unresolved.
    failures_24h   integer     NOT NULL CONSTRAINT quality_days_failures_counted CHECK (failures_24h >= 0),
    unresolved_24h integer     NOT NULL CONSTRAINT quality_days_unresolved_24h_counted CHECK (unresolved_24h BETWEEN 0 AND failures_24h),
    unresolved     integer     NOT NULL CONSTRAINT quality_days_unresolved_counted CHECK (unresolved >= 0),
    pending        integer     NOT NULL CONSTRAINT quality_days_pending_counted CHECK (pending >= 0), -- relocations of cancelled cross-docks
    -- Materials by the newest variance of their volume, from far below the recorded value to far above it, and those whose
    -- newest measurement had no value to be compared with.
    by_variance    integer[]   NOT NULL CONSTRAINT quality_days_variance_bands CHECK (cardinality(by_variance) = 7),
    first_measured integer     NOT NULL CONSTRAINT quality_days_first_counted CHECK (first_measured >= 0),
    CONSTRAINT quality_days_pkey PRIMARY KEY (tenant_id, facility_id, day)
);
ALTER TABLE gatehouse.quality_days ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.quality_days
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT, UPDATE ON gatehouse.quality_days TO gatehouse_app;

-- When the figures of a tenant were computed last, and why that fails since when.
CREATE TABLE gatehouse.quality_turns (
    tenant_id     uuid        NOT NULL CONSTRAINT quality_turns_pkey PRIMARY KEY,
    succeeded_at  timestamptz,
    took_ms       integer,
    failing_since timestamptz,
    failure       text CONSTRAINT quality_turns_failure_length CHECK (length(failure) <= 500),
    CONSTRAINT quality_turns_failure_said CHECK ((failing_since IS NULL) = (failure IS NULL))
);
ALTER TABLE gatehouse.quality_turns ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.quality_turns
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT, UPDATE ON gatehouse.quality_turns TO gatehouse_app;
