-- title: measurements of materials, their reviews, the history of master data, and what is to be measured next
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: readings, reviews, the history of master data and the work list; it refuses while there is a reading
-- creates: table gatehouse.dimension_cases
-- creates: table gatehouse.dimension_readings
-- creates: table gatehouse.dimension_reviews
-- creates: table gatehouse.dimension_changes
-- creates: table gatehouse.dimension_tolerances
-- creates: table gatehouse.measure_tasks
-- creates: table gatehouse.material_barcodes

-- The warehouse's own tables may come later than these, or be put back by an undo, so nothing here refers to them by a key:
-- facility_id, material_id and verification_id are theirs.

-- The measuring of one material at one facility, from the first reading until nobody has to do anything any more. One is open
-- at a time. What was measured is the reading, or the middle of several, as it is stored.
CREATE TABLE gatehouse.dimension_cases (
    tenant_id                 uuid        NOT NULL REFERENCES gatehouse.tenants,
    case_id                   uuid        NOT NULL,
    facility_id               uuid        NOT NULL,
    material_id               uuid        NOT NULL,
    material_code             text        NOT NULL,
    round                     integer     NOT NULL DEFAULT 1,
    state                     text        NOT NULL,
    measured_height_inches    numeric(10,4),
    measured_width_inches     numeric(10,4),
    measured_thickness_inches numeric(10,6),
    measured_cubic_feet       numeric(10,4),
    measured_weight_lbs       numeric(10,4),
    cubic_feet_pct            numeric, -- not capped, not rounded; NULL where nothing was recorded
    weight_pct                numeric,
    causes                    text[]      NOT NULL DEFAULT '{}',
    verification_id           uuid,
    opened_at                 timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at                timestamptz NOT NULL DEFAULT clock_timestamp(),
    version                   integer     NOT NULL DEFAULT 1,
    CONSTRAINT dimension_cases_pkey PRIMARY KEY (tenant_id, case_id),
    CONSTRAINT dimension_cases_state_known CHECK (state IN ('second_wanted', 'third_wanted', 'review', 'remeasure', 'settled')),
    CONSTRAINT dimension_cases_round_counts CHECK (round >= 1),
    CONSTRAINT dimension_cases_review_has_values CHECK (state <> 'review' OR measured_cubic_feet IS NOT NULL AND measured_weight_lbs IS NOT NULL)
);
CREATE UNIQUE INDEX dimension_cases_one_open ON gatehouse.dimension_cases (tenant_id, facility_id, material_id) WHERE state <> 'settled';
CREATE INDEX dimension_cases_material ON gatehouse.dimension_cases (tenant_id, material_id, opened_at DESC);
CREATE INDEX dimension_cases_review ON gatehouse.dimension_cases (tenant_id, changed_at, case_id) WHERE state = 'review';

-- What one person measured, exactly as it was entered. The same form sent twice is one reading, and nobody reads twice in a round.
CREATE TABLE gatehouse.dimension_readings (
    tenant_id         uuid        NOT NULL,
    reading_id        uuid        NOT NULL,
    case_id           uuid        NOT NULL,
    round             integer     NOT NULL,
    number            integer     NOT NULL CONSTRAINT dimension_readings_at_most_three CHECK (number BETWEEN 1 AND 3),
    material_id       uuid        NOT NULL,
    facility_id       uuid        NOT NULL,
    material_version  integer     NOT NULL, -- that the person saw, and that was in force
    entered           jsonb       NOT NULL, -- {"height": {"value": "12.5", "unit": "cm"}, …}
    height_inches     numeric(10,4),
    width_inches      numeric(10,4),
    thickness_inches  numeric(10,6),
    cubic_feet        numeric(10,4) NOT NULL CONSTRAINT dimension_readings_volume CHECK (cubic_feet > 0 AND cubic_feet <= 10000),
    weight_lbs        numeric(10,4) NOT NULL CONSTRAINT dimension_readings_weight CHECK (weight_lbs > 0 AND weight_lbs <= 50000),
    asked_back        text[]      NOT NULL DEFAULT '{}', -- what was asked, and confirmed
    notes             text        NOT NULL DEFAULT '' CONSTRAINT dimension_readings_notes CHECK (length(notes) <= 2000),
    tolerance_pct     numeric     NOT NULL,
    tolerance_version integer     NOT NULL,
    outcome           text        NOT NULL, -- the state of the case after it
    status            text, -- of the verification that it led to; NULL where two readings differed
    verification_id   uuid,
    cubic_feet_pct    numeric,
    weight_pct        numeric,
    issuer            text        NOT NULL,
    subject           text        NOT NULL CONSTRAINT dimension_readings_subject_filled CHECK (subject <> ''),
    name              text        NOT NULL,
    idempotency_key   uuid        NOT NULL,
    measured_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT dimension_readings_pkey PRIMARY KEY (tenant_id, reading_id),
    CONSTRAINT dimension_readings_case FOREIGN KEY (tenant_id, case_id) REFERENCES gatehouse.dimension_cases,
    CONSTRAINT dimension_readings_key_once UNIQUE (tenant_id, idempotency_key),
    CONSTRAINT dimension_readings_number_once UNIQUE (tenant_id, case_id, round, number),
    CONSTRAINT dimension_readings_person_once UNIQUE (tenant_id, case_id, round, issuer, subject)
);
CREATE INDEX dimension_readings_material ON gatehouse.dimension_readings (tenant_id, material_id, measured_at DESC);

-- What a supervisor decided. Once for each round.
CREATE TABLE gatehouse.dimension_reviews (
    tenant_id       uuid        NOT NULL,
    review_id       uuid        NOT NULL,
    case_id         uuid        NOT NULL,
    round           integer     NOT NULL,
    material_id     uuid        NOT NULL,
    facility_id     uuid        NOT NULL,
    decision        text        NOT NULL CONSTRAINT dimension_reviews_decision_known CHECK (decision IN ('APPROVE_MEASURED', 'KEEP_MASTER', 'REMEASURE')),
    note            text        NOT NULL CONSTRAINT dimension_reviews_note CHECK (length(btrim(note)) >= 3 AND length(note) <= 2000),
    verification_id uuid,
    issuer          text        NOT NULL,
    subject         text        NOT NULL CONSTRAINT dimension_reviews_subject_filled CHECK (subject <> ''),
    name            text        NOT NULL,
    reviewed_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT dimension_reviews_pkey PRIMARY KEY (tenant_id, review_id),
    CONSTRAINT dimension_reviews_case FOREIGN KEY (tenant_id, case_id) REFERENCES gatehouse.dimension_cases,
    CONSTRAINT dimension_reviews_once UNIQUE (tenant_id, case_id, round)
);
CREATE INDEX dimension_reviews_material ON gatehouse.dimension_reviews (tenant_id, material_id, facility_id, reviewed_at DESC);

-- The history of master data: what it was and became, who made it so and why, by which verification. 'kept' is a person's word
-- that the record is right; it changes nothing.
CREATE TABLE gatehouse.dimension_changes (
    tenant_id            uuid        NOT NULL REFERENCES gatehouse.tenants,
    change_id            uuid        NOT NULL,
    material_id          uuid        NOT NULL,
    kind                 text        NOT NULL CONSTRAINT dimension_changes_kind_known CHECK (kind IN ('first', 'automatic', 'approved', 'kept')),
    material_version     integer     NOT NULL, -- after it
    old_height_inches    numeric, old_width_inches numeric, old_thickness_inches numeric, old_cubic_feet numeric, old_weight_lbs numeric,
    new_height_inches    numeric, new_width_inches numeric, new_thickness_inches numeric, new_cubic_feet numeric, new_weight_lbs numeric,
    reason               text        NOT NULL,
    case_id              uuid,
    verification_id      uuid,
    issuer               text        NOT NULL,
    subject              text        NOT NULL,
    name                 text        NOT NULL,
    changed_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT dimension_changes_pkey PRIMARY KEY (tenant_id, change_id)
);
CREATE INDEX dimension_changes_material ON gatehouse.dimension_changes (tenant_id, material_id, changed_at DESC);

-- How far a measurement may be from the record, by the type of a material; '' is for every other. Where a tenant has none, the
-- requirement's ten percent hold. The newest version counts, and the others stay readable.
CREATE TABLE gatehouse.dimension_tolerances (
    tenant_id     uuid        NOT NULL REFERENCES gatehouse.tenants,
    packaging     text        NOT NULL,
    version       integer     NOT NULL CONSTRAINT dimension_tolerances_version_counts CHECK (version >= 1),
    tolerance_pct numeric     NOT NULL CONSTRAINT dimension_tolerances_in_range CHECK (tolerance_pct > 0 AND tolerance_pct <= 100),
    source        text        NOT NULL CONSTRAINT dimension_tolerances_source CHECK (length(btrim(source)) >= 3 AND length(source) <= 500),
    issuer        text        NOT NULL,
    subject       text        NOT NULL,
    name          text        NOT NULL,
    set_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT dimension_tolerances_pkey PRIMARY KEY (tenant_id, packaging, version)
);

-- What is to be measured next and why. The scheduler keeps it; a task goes when the material was measured. Whoever takes one has
-- it until it is done or released.
CREATE TABLE gatehouse.measure_tasks (
    tenant_id      uuid        NOT NULL REFERENCES gatehouse.tenants,
    facility_id    uuid        NOT NULL,
    material_id    uuid        NOT NULL,
    material_code  text        NOT NULL,
    material_name  text        NOT NULL,
    reason         text        NOT NULL,
    note           text        NOT NULL DEFAULT '' CONSTRAINT measure_tasks_note CHECK (length(note) <= 500),
    last_at        timestamptz, -- when it was verified last, where it ever was
    failures       integer     NOT NULL DEFAULT 0,
    bins           integer     NOT NULL DEFAULT 0,
    zone           text        NOT NULL DEFAULT '',
    location_code  text        NOT NULL DEFAULT '',
    walk           integer     NOT NULL DEFAULT 0,
    gain           integer     NOT NULL DEFAULT 0,
    taken_issuer   text        NOT NULL DEFAULT '',
    taken_subject  text        NOT NULL DEFAULT '',
    taken_name     text        NOT NULL DEFAULT '',
    taken_at       timestamptz,
    assigned_by    text        NOT NULL DEFAULT '',
    added_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    version        integer     NOT NULL DEFAULT 1,
    CONSTRAINT measure_tasks_pkey PRIMARY KEY (tenant_id, facility_id, material_id),
    CONSTRAINT measure_tasks_reason_known CHECK (reason IN
        ('reading', 'remeasure', 'failure', 'asked', 'outlier', 'unknown', 'never', 'stale')),
    CONSTRAINT measure_tasks_taken_whole CHECK ((taken_at IS NULL) = (taken_subject = ''))
);
CREATE INDEX measure_tasks_walk ON gatehouse.measure_tasks (tenant_id, facility_id, zone, walk, material_id);
CREATE INDEX measure_tasks_gain ON gatehouse.measure_tasks (tenant_id, facility_id, gain DESC, material_id);
CREATE INDEX measure_tasks_mine ON gatehouse.measure_tasks (tenant_id, taken_subject) WHERE taken_subject <> '';

-- Which material a trade item number is of: somebody has scanned one and then the other.
CREATE TABLE gatehouse.material_barcodes (
    tenant_id   uuid        NOT NULL REFERENCES gatehouse.tenants,
    gtin        text        NOT NULL CONSTRAINT material_barcodes_fourteen_digits CHECK (gtin ~ '^[0-9]{14}$'),
    material_id uuid        NOT NULL,
    issuer      text        NOT NULL,
    subject     text        NOT NULL,
    name        text        NOT NULL,
    linked_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    version     integer     NOT NULL DEFAULT 1,
    CONSTRAINT material_barcodes_pkey PRIMARY KEY (tenant_id, gtin)
);

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['dimension_cases', 'dimension_readings', 'dimension_reviews', 'dimension_changes', 'dimension_tolerances', 'measure_tasks', 'material_barcodes'] LOOP
        EXECUTE format('ALTER TABLE gatehouse.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON gatehouse.%I
            USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant())', t);
        EXECUTE format('GRANT SELECT, INSERT ON gatehouse.%I TO gatehouse_app', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['dimension_readings', 'dimension_reviews', 'dimension_changes', 'dimension_tolerances'] LOOP
        EXECUTE format('CREATE TRIGGER %1$s_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.%1$s
            FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change()', t);
    END LOOP;
END $$;
GRANT UPDATE (round, state, measured_height_inches, measured_width_inches, measured_thickness_inches, measured_cubic_feet, measured_weight_lbs,
    cubic_feet_pct, weight_pct, causes, verification_id, changed_at, version) ON gatehouse.dimension_cases TO gatehouse_app;
GRANT UPDATE, DELETE ON gatehouse.measure_tasks TO gatehouse_app;
GRANT UPDATE (material_id, issuer, subject, name, linked_at, version) ON gatehouse.material_barcodes TO gatehouse_app;
