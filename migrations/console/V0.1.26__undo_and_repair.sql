-- title: what an undo would lose is saved first, and a repair is a signed choice
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: orders of work wait for a moment
-- undo loses: nothing; it refuses while there is a look, a loss that was saved or an order of the new kinds
-- creates: table gatehouse.migration_losses
-- creates: table gatehouse.migration_probes
-- creates: column gatehouse.operations.argument
-- creates: column gatehouse.operations.auth_time
-- creates: column gatehouse.migration_runs.loss_id
-- creates: column gatehouse.migration_runs.auth_time

-- Beside work on backups people now order a repair, the saving of what an undo would lose, and the rebuilding of an index.
-- What each works on stands in its argument. Which kinds there are is the program's to know: it refuses others.
ALTER TABLE gatehouse.operations
    ADD COLUMN argument text NOT NULL DEFAULT '',
    ADD COLUMN auth_time timestamptz,
    ADD CONSTRAINT operations_argument_length CHECK (length(argument) <= 4000),
    DROP CONSTRAINT operations_kind,
    ADD CONSTRAINT operations_kind CHECK (kind ~ '^[a-z_]+$'),
    DROP CONSTRAINT operations_subject_by_kind,
    ADD CONSTRAINT operations_subject_by_kind CHECK (
        CASE WHEN kind IN ('drill', 'rehearsal') THEN subject IS NOT NULL
             WHEN kind IN ('backup', 'repair', 'losses', 'reindex') THEN subject IS NULL ELSE true END),
    ADD CONSTRAINT operations_argument_by_kind CHECK (kind NOT IN ('repair', 'losses', 'reindex') OR argument <> '');

-- What the undo file of a version would have thrown away at one moment, counted in one snapshot, and the files into which
-- it was saved from that same snapshot. There is no row for a loss that could not be saved.
CREATE TABLE gatehouse.migration_losses (
    tenant_id      uuid        NOT NULL REFERENCES gatehouse.tenants,
    loss_id        uuid        NOT NULL CONSTRAINT migration_losses_id_key UNIQUE,
    operation_id   uuid        NOT NULL,
    version_number bigint      NOT NULL,
    undo_sha256    text        NOT NULL CONSTRAINT migration_losses_sha256_form CHECK (undo_sha256 ~ '^[0-9a-f]{64}$'),
    taken_at       timestamptz NOT NULL,
    oldest_xid     bigint      NOT NULL,
    next_xid       bigint      NOT NULL,
    lost           bigint      NOT NULL CONSTRAINT migration_losses_lost_range CHECK (lost >= 0),
    items          text        NOT NULL,
    files          text        NOT NULL,
    file_count     integer     NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT migration_losses_pkey PRIMARY KEY (tenant_id, loss_id),
    CONSTRAINT migration_losses_operation FOREIGN KEY (tenant_id, operation_id) REFERENCES gatehouse.operations,
    CONSTRAINT migration_losses_saved CHECK (lost = 0 OR file_count > 0)
);
COMMENT ON COLUMN gatehouse.migration_losses.oldest_xid IS 'The oldest transaction that was under way when it was saved: rows of an older one are all in the files.';
COMMENT ON COLUMN gatehouse.migration_losses.next_xid IS 'The first transaction that had not begun when it was saved: no row of it is in the files. Of those in between, the items say which rows are.';
CREATE INDEX migration_losses_newest ON gatehouse.migration_losses (tenant_id, version_number, taken_at DESC);

-- Looks at what of a version is in the database, statement by statement.
CREATE TABLE gatehouse.migration_probes (
    tenant_id      uuid        NOT NULL REFERENCES gatehouse.tenants,
    probe_id       uuid        NOT NULL,
    version_number bigint      NOT NULL,
    looked_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    looked_by      text        NOT NULL,
    result         text        NOT NULL,
    sha256         text        NOT NULL CONSTRAINT migration_probes_sha256_form CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    CONSTRAINT migration_probes_pkey PRIMARY KEY (tenant_id, probe_id)
);
CREATE INDEX migration_probes_newest ON gatehouse.migration_probes (tenant_id, version_number, looked_at DESC);

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['migration_losses', 'migration_probes'] LOOP
        EXECUTE format('CREATE TRIGGER %1$s_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.%1$s
            FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change()', t);
        EXECUTE format('ALTER TABLE gatehouse.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON gatehouse.%I
            USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant())', t);
        EXECUTE format('GRANT SELECT, INSERT ON gatehouse.%I TO gatehouse_app', t);
    END LOOP;
END $$;

-- Which saving the undo was ordered on, and how fresh the sign-in behind the order was.
ALTER TABLE gatehouse.migration_runs
    ADD COLUMN loss_id uuid,
    ADD COLUMN auth_time timestamptz,
    ADD CONSTRAINT migration_runs_loss FOREIGN KEY (tenant_id, loss_id) REFERENCES gatehouse.migration_losses;
