-- title: a change window for each release, freezes, and overrides by two people
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: windows that were set by hand, freezes, and overrides
-- creates: table gatehouse.release_windows
-- creates: table gatehouse.freezes
-- creates: table gatehouse.apply_overrides
-- creates: table gatehouse.apply_override_seconds
-- creates: function gatehouse.change_moment(uuid, uuid, timestamptz)
-- creates: function gatehouse.change_refusal(uuid, uuid)
-- creates: function gatehouse.gate_signed(uuid, uuid, text)

-- A window that was set by hand; the newest counts. A release without one has the four hours from T-0 on.
CREATE TABLE gatehouse.release_windows (
    tenant_id uuid        NOT NULL,
    run_id    uuid        NOT NULL,
    number    integer     NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at   timestamptz NOT NULL,
    reason    text        NOT NULL CONSTRAINT release_windows_reason CHECK (btrim(reason) <> '' AND length(reason) <= 2000),
    issuer    text        NOT NULL,
    subject   text        NOT NULL CONSTRAINT release_windows_subject_filled CHECK (subject <> ''),
    name      text        NOT NULL,
    set_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT release_windows_pkey PRIMARY KEY (tenant_id, run_id, number),
    CONSTRAINT release_windows_run FOREIGN KEY (tenant_id, run_id) REFERENCES gatehouse.runs,
    CONSTRAINT release_windows_length CHECK (ends_at > starts_at AND ends_at <= starts_at + interval '24 hours')
);
CREATE TRIGGER release_windows_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.release_windows
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();
ALTER TABLE gatehouse.release_windows ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.release_windows
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.release_windows TO gatehouse_app;

-- A time in which nothing is changed. Nobody ends one early alone, so nobody ends one early at all: an override by two
-- people is the way through, and that is why a freeze has a longest length.
CREATE TABLE gatehouse.freezes (
    tenant_id uuid        NOT NULL REFERENCES gatehouse.tenants,
    freeze_id uuid        NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at   timestamptz NOT NULL,
    reason    text        NOT NULL CONSTRAINT freezes_reason CHECK (btrim(reason) <> '' AND length(reason) <= 2000),
    issuer    text        NOT NULL,
    subject   text        NOT NULL CONSTRAINT freezes_subject_filled CHECK (subject <> ''),
    name      text        NOT NULL,
    set_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT freezes_pkey PRIMARY KEY (tenant_id, freeze_id),
    CONSTRAINT freezes_length CHECK (ends_at > starts_at AND ends_at <= starts_at + interval '31 days')
);
CREATE INDEX freezes_by_end ON gatehouse.freezes (tenant_id, ends_at);
CREATE TRIGGER freezes_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.freezes
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();
ALTER TABLE gatehouse.freezes ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.freezes
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.freezes TO gatehouse_app;

-- What one person asks for, with a reason. It counts only once a second person has put their name to it.
CREATE TABLE gatehouse.apply_overrides (
    tenant_id   uuid        NOT NULL,
    override_id uuid        NOT NULL,
    run_id      uuid        NOT NULL,
    kind        text        NOT NULL CONSTRAINT apply_overrides_kind CHECK (kind IN ('window', 'freeze', 'proof')),
    reason      text        NOT NULL CONSTRAINT apply_overrides_reason CHECK (btrim(reason) <> '' AND length(reason) <= 2000),
    issuer      text        NOT NULL,
    subject     text        NOT NULL CONSTRAINT apply_overrides_subject_filled CHECK (subject <> ''),
    name        text        NOT NULL,
    auth_time   timestamptz NOT NULL,
    asked_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at  timestamptz NOT NULL,
    CONSTRAINT apply_overrides_pkey PRIMARY KEY (tenant_id, override_id),
    CONSTRAINT apply_overrides_asker_key UNIQUE (tenant_id, override_id, issuer, subject),
    CONSTRAINT apply_overrides_run FOREIGN KEY (tenant_id, run_id) REFERENCES gatehouse.runs,
    CONSTRAINT apply_overrides_fresh CHECK (auth_time BETWEEN asked_at - interval '5 minutes' AND asked_at + interval '60 seconds'),
    CONSTRAINT apply_overrides_length CHECK (expires_at > asked_at AND expires_at <= asked_at + interval '8 hours')
);
CREATE INDEX apply_overrides_newest ON gatehouse.apply_overrides (tenant_id, run_id, asked_at DESC);
CREATE TRIGGER apply_overrides_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.apply_overrides
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();
ALTER TABLE gatehouse.apply_overrides ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.apply_overrides
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.apply_overrides TO gatehouse_app;

-- The second person. Who asked stands here once more, so that the table itself can refuse that they are one.
CREATE TABLE gatehouse.apply_override_seconds (
    tenant_id     uuid        NOT NULL,
    override_id   uuid        NOT NULL,
    asked_issuer  text        NOT NULL,
    asked_subject text        NOT NULL,
    issuer        text        NOT NULL,
    subject       text        NOT NULL CONSTRAINT apply_override_seconds_subject_filled CHECK (subject <> ''),
    name          text        NOT NULL,
    auth_time     timestamptz NOT NULL,
    seconded_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT apply_override_seconds_pkey PRIMARY KEY (tenant_id, override_id),
    CONSTRAINT apply_override_seconds_asked FOREIGN KEY (tenant_id, override_id, asked_issuer, asked_subject)
        REFERENCES gatehouse.apply_overrides (tenant_id, override_id, issuer, subject),
    CONSTRAINT apply_override_seconds_two_people CHECK ((issuer, subject) IS DISTINCT FROM (asked_issuer, asked_subject)),
    CONSTRAINT apply_override_seconds_fresh CHECK (auth_time BETWEEN seconded_at - interval '5 minutes' AND seconded_at + interval '60 seconds')
);
CREATE TRIGGER apply_override_seconds_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.apply_override_seconds
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();
ALTER TABLE gatehouse.apply_override_seconds ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.apply_override_seconds
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.apply_override_seconds TO gatehouse_app;

-- How a release stands to its window and to the freezes at a moment: one row for a release that is there, with the one
-- sentence that refuses a change then, or NULL. A window begins with its start and is over at its end.
-- The tenant is a parameter because the migrator asks, too, as the owner and in no tenant.
CREATE FUNCTION gatehouse.change_moment(tenant uuid, release uuid, at timestamptz)
    RETURNS TABLE (starts_at timestamptz, ends_at timestamptz, set_by text, freeze_from timestamptz, freeze_until timestamptz, freeze_reason text,
                   window_until timestamptz, freeze_passed_until timestamptz, proof_until timestamptz, refusal text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT w.starts_at, w.ends_at, w.set_by, f.starts_at, f.ends_at, f.reason, o.window_until, o.freeze_until, o.proof_until,
       CASE WHEN (at < w.starts_at OR at >= w.ends_at) AND o.window_until IS NULL THEN
                 'Nothing is applied or taken back outside the change window of release ' || r.code || ', which is from '
                 || to_char(w.starts_at AT TIME ZONE r.time_zone, 'DD Mon YYYY HH24:MI') || ' to '
                 || to_char(w.ends_at AT TIME ZONE r.time_zone, 'DD Mon YYYY HH24:MI') || ' (' || r.time_zone
                 || '). Wait for it, or let two people override it on the release''s page Window.'
            WHEN f.starts_at <= at AND o.freeze_until IS NULL THEN
                 'Nothing is applied or taken back while the environment is frozen, which is until '
                 || to_char(f.ends_at AT TIME ZONE r.time_zone, 'DD Mon YYYY HH24:MI') || ' (' || r.time_zone || '): ' || f.reason
                 || ' Wait for its end, or let two people override it on the release''s page Window.' END
  FROM gatehouse.runs r
 CROSS JOIN LATERAL (
       SELECT coalesce(max(s.starts_at), r.t0) AS starts_at, coalesce(max(s.ends_at), r.t0 + interval '4 hours') AS ends_at, coalesce(max(s.name), '') AS set_by
         FROM (SELECT n.starts_at, n.ends_at, n.name FROM gatehouse.release_windows n
                WHERE n.tenant_id = r.tenant_id AND n.run_id = r.run_id ORDER BY n.number DESC LIMIT 1) s) w
  -- Of the freezes that hold, the one that ends last; where none holds, the next.
  LEFT JOIN LATERAL (
       SELECT n.starts_at, n.ends_at, n.reason FROM gatehouse.freezes n
        WHERE n.tenant_id = r.tenant_id AND n.ends_at > at
        ORDER BY n.starts_at <= at DESC, CASE WHEN n.starts_at <= at THEN n.ends_at END DESC, n.starts_at LIMIT 1) f ON true
 CROSS JOIN LATERAL (
       SELECT max(a.expires_at) FILTER (WHERE a.kind = 'window') AS window_until,
              max(a.expires_at) FILTER (WHERE a.kind = 'freeze') AS freeze_until,
              max(a.expires_at) FILTER (WHERE a.kind = 'proof') AS proof_until
         FROM gatehouse.apply_overrides a
         JOIN gatehouse.apply_override_seconds s ON s.tenant_id = a.tenant_id AND s.override_id = a.override_id
        WHERE a.tenant_id = r.tenant_id AND a.run_id = r.run_id AND s.seconded_at <= at AND at < a.expires_at) o
 WHERE r.tenant_id = tenant AND r.run_id = release
$$;
REVOKE ALL ON FUNCTION gatehouse.change_moment(uuid, uuid, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatehouse.change_moment(uuid, uuid, timestamptz) TO gatehouse_app;

-- Why a release may change nothing now, in one sentence for every door; NULL where it may.
CREATE FUNCTION gatehouse.change_refusal(tenant uuid, release uuid) RETURNS text
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT m.refusal FROM gatehouse.change_moment(tenant, release, clock_timestamp()) m $$;
REVOKE ALL ON FUNCTION gatehouse.change_refusal(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatehouse.change_refusal(uuid, uuid) TO gatehouse_app;

-- Whether any signature of a gate stands that nobody took back, of whatever content. A function, so that it is asked
-- after the row of the release was locked.
CREATE FUNCTION gatehouse.gate_signed(tenant uuid, release uuid, gate_id text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM gatehouse.signatures g
         WHERE g.tenant_id = tenant AND g.run_id = release AND g.gate = gate_id
           AND NOT EXISTS (SELECT FROM gatehouse.signature_withdrawals w WHERE w.tenant_id = g.tenant_id AND w.signature_id = g.signature_id));
END $$;
REVOKE ALL ON FUNCTION gatehouse.gate_signed(uuid, uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatehouse.gate_signed(uuid, uuid, text) TO gatehouse_app;
