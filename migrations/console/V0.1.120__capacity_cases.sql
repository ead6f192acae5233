-- title: capacity failures at work: cases, their groups by cause, what was seen, and what was done
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: who has what failure in hand, how it was fixed, verified and accepted, and the history of bins' sizes; the failures themselves stay in the warehouse's own table
-- creates: table gatehouse.capacity_groups
-- creates: table gatehouse.capacity_cases
-- creates: table gatehouse.capacity_sightings
-- creates: table gatehouse.capacity_bulks
-- creates: table gatehouse.capacity_events
-- creates: table gatehouse.bin_sizes
-- creates: function gatehouse.capacity_groups_follow()
-- creates: trigger gatehouse.capacity_cases.capacity_cases_added
-- creates: trigger gatehouse.capacity_cases.capacity_cases_changed
-- creates: index gatehouse.notices_delivered_alerts

-- The warehouse's tables come and go with its own migrations, so nothing here refers to them by key. A case holds what it
-- needs of its failure: the page of failures can be read whatever the warehouse stands at.

-- Failures of one cause in one facility. The numbers are kept where they change, so that no page counts.
CREATE TABLE gatehouse.capacity_groups (
    tenant_id      uuid        NOT NULL REFERENCES gatehouse.tenants,
    group_id       uuid        NOT NULL,
    facility_id    uuid        NOT NULL,
    cause          text        NOT NULL CONSTRAINT capacity_groups_cause_known CHECK (cause IN ('dimension', 'bin', 'rule', 'race')),
    subject        text        NOT NULL CONSTRAINT capacity_groups_subject_length CHECK (length(subject) BETWEEN 1 AND 200),
    label          text        NOT NULL,
    untouched      integer     NOT NULL DEFAULT 0,
    in_work        integer     NOT NULL DEFAULT 0,
    to_verify      integer     NOT NULL DEFAULT 0,
    accepted       integer     NOT NULL DEFAULT 0,
    verified       integer     NOT NULL DEFAULT 0,
    open           integer     NOT NULL GENERATED ALWAYS AS (untouched + in_work + to_verify) STORED,
    worst_rank     smallint    NOT NULL DEFAULT 0, -- of the open ones
    worst_overflow numeric(12,4) NOT NULL DEFAULT 0,
    oldest_open_at timestamptz,
    last_seen_at   timestamptz NOT NULL DEFAULT '-infinity',
    made_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT capacity_groups_pkey PRIMARY KEY (tenant_id, group_id),
    CONSTRAINT capacity_groups_once UNIQUE (tenant_id, facility_id, subject),
    CONSTRAINT capacity_groups_counts CHECK (untouched >= 0 AND in_work >= 0 AND to_verify >= 0 AND accepted >= 0 AND verified >= 0)
);
CREATE INDEX capacity_groups_worst ON gatehouse.capacity_groups (tenant_id, worst_rank DESC, worst_overflow DESC, group_id DESC) WHERE open > 0;
CREATE INDEX capacity_groups_newest ON gatehouse.capacity_groups (tenant_id, last_seen_at DESC, group_id DESC);

CREATE TABLE gatehouse.capacity_cases (
    tenant_id            uuid          NOT NULL REFERENCES gatehouse.tenants,
    failure_id           uuid          NOT NULL, -- of public.capacity_validation_failures
    group_id             uuid          NOT NULL,
    facility_id          uuid          NOT NULL,
    facility_code        text          NOT NULL,
    location_id          uuid          NOT NULL,
    location_code        text          NOT NULL,
    location_type        text          NOT NULL,
    zone_code            text          NOT NULL,
    material_id          uuid          NOT NULL,
    material_code        text          NOT NULL,
    lot_number           text          NOT NULL,
    quantity             numeric(18,4) NOT NULL,
    required_cubic_feet  numeric(14,4) NOT NULL,
    available_cubic_feet numeric(14,4) NOT NULL,
    required_weight_lbs  numeric(14,4) NOT NULL,
    available_weight_lbs numeric(14,4) NOT NULL,
    failure_type         text          NOT NULL CONSTRAINT capacity_cases_type_known CHECK (failure_type IN ('CUBIC_FEET_EXCEEDED', 'WEIGHT_EXCEEDED', 'BOTH_EXCEEDED')),
    severity             text          NOT NULL CONSTRAINT capacity_cases_severity_known CHECK (severity IN ('INFO', 'WARNING', 'CRITICAL')),
    rank                 smallint      NOT NULL GENERATED ALWAYS AS (CASE severity WHEN 'CRITICAL' THEN 3 WHEN 'WARNING' THEN 2 ELSE 1 END) STORED,
    overflow             numeric(12,4) NOT NULL, -- the larger one, in percent; more than any percentage where there was no room
    bin_cubic_feet       numeric(14,4), -- what the bin held in all when it was seen; NULL: unknown
    bin_max_weight_lbs   numeric(14,4),
    unit_cubic_feet      numeric(14,6), -- of one piece, by the master data then
    unit_weight_lbs      numeric(14,6),
    cause_reason         text          NOT NULL,
    state                text          NOT NULL CONSTRAINT capacity_cases_state_known CHECK (state IN ('new', 'acknowledged', 'assigned', 'fixed', 'verified', 'accepted', 'reopened')),
    open                 boolean       NOT NULL GENERATED ALWAYS AS (state NOT IN ('verified', 'accepted')) STORED,
    version              integer       NOT NULL DEFAULT 1,
    owner_issuer         text          NOT NULL DEFAULT '',
    owner_subject        text          NOT NULL DEFAULT '',
    owner_name           text          NOT NULL DEFAULT '',
    fix_code             text          NOT NULL DEFAULT '' CONSTRAINT capacity_cases_code_known CHECK (fix_code IN ('', 'MASTER_DATA_CORRECTED', 'BIN_CAPACITY_CORRECTED', 'STOCK_MOVED', 'FALSE_ALARM', 'OTHER')),
    fix_notes            text          NOT NULL DEFAULT '',
    fixed_issuer         text          NOT NULL DEFAULT '',
    fixed_subject        text          NOT NULL DEFAULT '',
    fixed_name           text          NOT NULL DEFAULT '',
    fixed_at             timestamptz,
    verified_issuer      text          NOT NULL DEFAULT '',
    verified_subject     text          NOT NULL DEFAULT '',
    verified_name        text          NOT NULL DEFAULT '',
    verified_at          timestamptz,
    accepted_until       date,
    accepted_issuer      text          NOT NULL DEFAULT '',
    accepted_subject     text          NOT NULL DEFAULT '',
    accepted_name        text          NOT NULL DEFAULT '',
    accept_reason        text          NOT NULL DEFAULT '',
    occurrences          integer       NOT NULL DEFAULT 1,
    first_seen_at        timestamptz   NOT NULL,
    last_seen_at         timestamptz   NOT NULL,
    opened_at            timestamptz   NOT NULL,
    reopened             integer       NOT NULL DEFAULT 0,
    source               text          NOT NULL CONSTRAINT capacity_cases_source_known CHECK (source IN ('wms', 'transaction', 'table')),
    changed_at           timestamptz   NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT capacity_cases_pkey PRIMARY KEY (tenant_id, failure_id),
    CONSTRAINT capacity_cases_group FOREIGN KEY (tenant_id, group_id) REFERENCES gatehouse.capacity_groups,
    -- The same thing is one case, however often it is seen.
    CONSTRAINT capacity_cases_once UNIQUE (tenant_id, location_id, material_id, failure_type),
    CONSTRAINT capacity_cases_fix_whole CHECK ((state IN ('fixed', 'verified')) = (fix_code <> '') AND (fix_code <> '') = (fixed_at IS NOT NULL)
        AND (fix_code <> '') = (fixed_subject <> '') AND (fix_code = '' OR length(btrim(fix_notes)) >= 10)),
    -- Who fixed it does not verify it, whatever a program says.
    CONSTRAINT capacity_cases_two_people CHECK (state <> 'verified' OR verified_subject <> '' AND verified_at IS NOT NULL
        AND (verified_issuer, verified_subject) <> (fixed_issuer, fixed_subject)),
    CONSTRAINT capacity_cases_accept_whole CHECK ((state = 'accepted') = (accepted_until IS NOT NULL) AND (accepted_until IS NOT NULL) = (accepted_subject <> '')
        AND (accepted_until IS NULL OR length(btrim(accept_reason)) >= 10)),
    CONSTRAINT capacity_cases_assigned_to_somebody CHECK (state <> 'assigned' OR owner_subject <> '')
);
CREATE INDEX capacity_cases_of_group ON gatehouse.capacity_cases (tenant_id, group_id, rank DESC, overflow DESC, failure_id DESC);
CREATE INDEX capacity_cases_worst ON gatehouse.capacity_cases (tenant_id, group_id, rank DESC, overflow DESC, failure_id DESC) WHERE open;
CREATE INDEX capacity_cases_oldest ON gatehouse.capacity_cases (tenant_id, group_id, opened_at) WHERE open;
CREATE INDEX capacity_cases_zone ON gatehouse.capacity_cases (tenant_id, group_id, zone_code) WHERE open;
CREATE INDEX capacity_cases_owner ON gatehouse.capacity_cases (tenant_id, owner_issuer, owner_subject, group_id) WHERE open;
CREATE INDEX capacity_cases_material ON gatehouse.capacity_cases (tenant_id, material_id) WHERE open;
CREATE INDEX capacity_cases_location ON gatehouse.capacity_cases (tenant_id, location_id) WHERE open;
CREATE INDEX capacity_cases_acceptance ON gatehouse.capacity_cases (tenant_id, accepted_until) WHERE state = 'accepted';
CREATE INDEX capacity_cases_listed ON gatehouse.capacity_cases (tenant_id, opened_at DESC, failure_id DESC);

-- What was seen, each once: whoever sends the same twice has sent it once.
CREATE TABLE gatehouse.capacity_sightings (
    tenant_id            uuid          NOT NULL REFERENCES gatehouse.tenants,
    source               text          NOT NULL, -- wms and the credential, transaction, table
    key                  text          NOT NULL CONSTRAINT capacity_sightings_key_length CHECK (length(key) BETWEEN 1 AND 200),
    failure_id           uuid          NOT NULL,
    content_sha256       text          NOT NULL, -- of what was said, so that one key cannot say two things
    occurrence           integer       NOT NULL, -- the first, the second, …
    lot_number           text          NOT NULL,
    quantity             numeric(18,4) NOT NULL,
    required_cubic_feet  numeric(14,4) NOT NULL,
    available_cubic_feet numeric(14,4) NOT NULL,
    required_weight_lbs  numeric(14,4) NOT NULL,
    available_weight_lbs numeric(14,4) NOT NULL,
    seen_at              timestamptz   NOT NULL,
    told_by              text          NOT NULL,
    recorded_at          timestamptz   NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT capacity_sightings_pkey PRIMARY KEY (tenant_id, source, key),
    CONSTRAINT capacity_sightings_case FOREIGN KEY (tenant_id, failure_id) REFERENCES gatehouse.capacity_cases
);
CREATE INDEX capacity_sightings_of_case ON gatehouse.capacity_sightings (tenant_id, failure_id, seen_at DESC);

-- Acts on many at once. What each case was before stands in capacity_events, so that the act can be taken back.
CREATE TABLE gatehouse.capacity_bulks (
    tenant_id  uuid        NOT NULL REFERENCES gatehouse.tenants,
    bulk_id    uuid        NOT NULL,
    act        text        NOT NULL,
    reason     text        NOT NULL CONSTRAINT capacity_bulks_reason CHECK (length(btrim(reason)) >= 3 AND length(reason) <= 2000),
    cases      integer     NOT NULL CONSTRAINT capacity_bulks_some CHECK (cases > 0),
    issuer     text        NOT NULL,
    subject    text        NOT NULL CONSTRAINT capacity_bulks_somebody CHECK (subject <> ''),
    name       text        NOT NULL,
    key        uuid        NOT NULL, -- of the form
    done_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    undone_at  timestamptz,
    undone_by  text        NOT NULL DEFAULT '',
    CONSTRAINT capacity_bulks_pkey PRIMARY KEY (tenant_id, bulk_id),
    CONSTRAINT capacity_bulks_key_once UNIQUE (tenant_id, key)
);
CREATE INDEX capacity_bulks_mine ON gatehouse.capacity_bulks (tenant_id, issuer, subject, done_at DESC);

CREATE TABLE gatehouse.capacity_events (
    tenant_id  uuid        NOT NULL REFERENCES gatehouse.tenants,
    failure_id uuid        NOT NULL,
    version    integer     NOT NULL, -- of the case, after it
    act        text        NOT NULL,
    from_state text        NOT NULL,
    to_state   text        NOT NULL,
    note       text        NOT NULL DEFAULT '',
    before     jsonb,      -- the work on it before, where the act can be taken back
    bulk_id    uuid,
    issuer     text        NOT NULL,
    subject    text        NOT NULL,
    name       text        NOT NULL,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT capacity_events_pkey PRIMARY KEY (tenant_id, failure_id, version),
    CONSTRAINT capacity_events_case FOREIGN KEY (tenant_id, failure_id) REFERENCES gatehouse.capacity_cases,
    CONSTRAINT capacity_events_bulk FOREIGN KEY (tenant_id, bulk_id) REFERENCES gatehouse.capacity_bulks
);
CREATE INDEX capacity_events_of_bulk ON gatehouse.capacity_events (tenant_id, bulk_id) WHERE bulk_id IS NOT NULL;

-- Every size that a bin was given here: what it was, what it became, who, why, and because of which failure.
CREATE TABLE gatehouse.bin_sizes (
    tenant_id       uuid        NOT NULL REFERENCES gatehouse.tenants,
    change_id       uuid        NOT NULL,
    location_id     uuid        NOT NULL,
    location_code   text        NOT NULL,
    failure_id      uuid,
    before          jsonb       NOT NULL,
    after           jsonb       NOT NULL,
    cleared         integer     NOT NULL CONSTRAINT bin_sizes_cleared CHECK (cleared >= 0),
    reason          text        NOT NULL CONSTRAINT bin_sizes_reason CHECK (length(btrim(reason)) >= 10 AND length(reason) <= 2000),
    issuer          text        NOT NULL,
    subject         text        NOT NULL CONSTRAINT bin_sizes_somebody CHECK (subject <> ''),
    name            text        NOT NULL,
    at              timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT bin_sizes_pkey PRIMARY KEY (tenant_id, change_id),
    CONSTRAINT bin_sizes_case FOREIGN KEY (tenant_id, failure_id) REFERENCES gatehouse.capacity_cases
);
CREATE INDEX bin_sizes_of_bin ON gatehouse.bin_sizes (tenant_id, location_id, at DESC);

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['capacity_groups', 'capacity_cases', 'capacity_sightings', 'capacity_bulks', 'capacity_events', 'bin_sizes'] LOOP
        EXECUTE format('ALTER TABLE gatehouse.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON gatehouse.%I
            USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant())', t);
        EXECUTE format('GRANT SELECT, INSERT ON gatehouse.%I TO gatehouse_app', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['capacity_sightings', 'capacity_events', 'bin_sizes'] LOOP
        EXECUTE format('CREATE TRIGGER %1$s_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.%1$s
            FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change()', t);
    END LOOP;
END $$;
GRANT UPDATE ON gatehouse.capacity_cases TO gatehouse_app;
GRANT UPDATE (label) ON gatehouse.capacity_groups TO gatehouse_app;
GRANT UPDATE (undone_at, undone_by) ON gatehouse.capacity_bulks TO gatehouse_app;

-- The groups follow their cases. The counts are moved by what changed; the worst and the oldest are looked up, each from its index.
CREATE FUNCTION gatehouse.capacity_groups_follow() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    moved record;
BEGIN
    FOR moved IN EXECUTE
        'SELECT m.tenant_id, m.group_id,
                COALESCE(sum(m.n) FILTER (WHERE m.state IN (''new'', ''reopened'')), 0)::integer AS untouched,
                COALESCE(sum(m.n) FILTER (WHERE m.state IN (''acknowledged'', ''assigned'')), 0)::integer AS in_work,
                COALESCE(sum(m.n) FILTER (WHERE m.state = ''fixed''), 0)::integer AS to_verify,
                COALESCE(sum(m.n) FILTER (WHERE m.state = ''accepted''), 0)::integer AS accepted,
                COALESCE(sum(m.n) FILTER (WHERE m.state = ''verified''), 0)::integer AS verified,
                max(m.last_seen_at) AS last_seen_at
           FROM (SELECT tenant_id, group_id, state, last_seen_at, 1 AS n FROM added'
        || CASE TG_OP WHEN 'UPDATE' THEN ' UNION ALL SELECT tenant_id, group_id, state, NULL, -1 FROM removed' ELSE '' END
        || ') m GROUP BY m.tenant_id, m.group_id ORDER BY m.tenant_id, m.group_id'
    LOOP
        UPDATE gatehouse.capacity_groups g
           SET untouched = g.untouched + moved.untouched, in_work = g.in_work + moved.in_work, to_verify = g.to_verify + moved.to_verify,
               accepted = g.accepted + moved.accepted, verified = g.verified + moved.verified,
               last_seen_at = GREATEST(g.last_seen_at, moved.last_seen_at),
               worst_rank = COALESCE(w.rank, 0), worst_overflow = COALESCE(w.overflow, 0), oldest_open_at = o.opened_at
          FROM (VALUES (1)) one (n)
          LEFT JOIN LATERAL (SELECT c.rank, c.overflow FROM gatehouse.capacity_cases c
                              WHERE c.tenant_id = moved.tenant_id AND c.group_id = moved.group_id AND c.open
                              ORDER BY c.rank DESC, c.overflow DESC LIMIT 1) w ON true
          LEFT JOIN LATERAL (SELECT c.opened_at FROM gatehouse.capacity_cases c
                              WHERE c.tenant_id = moved.tenant_id AND c.group_id = moved.group_id AND c.open
                              ORDER BY c.opened_at LIMIT 1) o ON true
         WHERE g.tenant_id = moved.tenant_id AND g.group_id = moved.group_id;
    END LOOP;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION gatehouse.capacity_groups_follow() FROM PUBLIC;
CREATE TRIGGER capacity_cases_added AFTER INSERT ON gatehouse.capacity_cases
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.capacity_groups_follow();
CREATE TRIGGER capacity_cases_changed AFTER UPDATE ON gatehouse.capacity_cases
    REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.capacity_groups_follow();

-- Which alerts were delivered since one looked.
CREATE INDEX notices_delivered_alerts ON gatehouse.notices (tenant_id, delivered_at) WHERE kind = 'capacity_failure';
