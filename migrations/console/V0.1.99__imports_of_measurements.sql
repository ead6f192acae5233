-- title: files of measurements, checked as a whole before anybody confirms them
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: files that were sent, and what was said about their lines; the readings that were taken from them stay
-- creates: table gatehouse.measurement_imports
-- creates: table gatehouse.measurement_import_lines
-- creates: table gatehouse.measurement_import_problems

-- A file on its way: received, checked, confirmed or discarded, taken. next_line is how far the work of the state is done; it moves
-- in the transaction of the lines, so that each line is done once whoever does it.
CREATE TABLE gatehouse.measurement_imports (
    tenant_id         uuid        NOT NULL REFERENCES gatehouse.tenants,
    import_id         uuid        NOT NULL,
    file_name         text        NOT NULL CONSTRAINT measurement_imports_file_name CHECK (length(file_name) BETWEEN 1 AND 200),
    state             text        NOT NULL DEFAULT 'arriving' CONSTRAINT measurement_imports_state_known
                                  CHECK (state IN ('arriving', 'checking', 'refused', 'checked', 'taking', 'taken', 'discarded')),
    lines             integer     NOT NULL DEFAULT 0,
    problems          integer     NOT NULL DEFAULT 0,
    asked             integer     NOT NULL DEFAULT 0,
    found             boolean     NOT NULL DEFAULT false, -- its codes were looked up
    next_line         integer     NOT NULL DEFAULT 0,
    done_lines        integer     NOT NULL DEFAULT 0,
    preview           jsonb       NOT NULL DEFAULT '{}',
    result            jsonb       NOT NULL DEFAULT '{}',
    issuer            text        NOT NULL,
    subject           text        NOT NULL CONSTRAINT measurement_imports_subject_filled CHECK (subject <> ''),
    name              text        NOT NULL,
    received_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    sure              boolean     NOT NULL DEFAULT false,
    confirmed_user    uuid,
    confirmed_issuer  text        NOT NULL DEFAULT '',
    confirmed_subject text        NOT NULL DEFAULT '',
    confirmed_name    text        NOT NULL DEFAULT '',
    confirmed_roles   text[]      NOT NULL DEFAULT '{}',
    confirmed_ip      text        NOT NULL DEFAULT '',
    confirmed_origin  text        NOT NULL DEFAULT '',
    confirmed_at      timestamptz,
    heard_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at          timestamptz,
    version           integer     NOT NULL DEFAULT 1,
    CONSTRAINT measurement_imports_pkey PRIMARY KEY (tenant_id, import_id),
    CONSTRAINT measurement_imports_confirmed_by_somebody CHECK ((confirmed_at IS NULL) = (confirmed_subject = '')),
    CONSTRAINT measurement_imports_nothing_unconfirmed CHECK (state NOT IN ('taking', 'taken') OR confirmed_at IS NOT NULL),
    CONSTRAINT measurement_imports_no_wrong_line CHECK (state NOT IN ('checked', 'taking', 'taken') OR problems = 0)
);
CREATE INDEX measurement_imports_newest ON gatehouse.measurement_imports (tenant_id, received_at DESC, import_id);
CREATE INDEX measurement_imports_working ON gatehouse.measurement_imports (tenant_id, heard_at) WHERE state IN ('arriving', 'checking', 'taking');

CREATE TABLE gatehouse.measurement_import_lines (
    tenant_id     uuid    NOT NULL,
    import_id     uuid    NOT NULL,
    line          integer NOT NULL,
    facility_code text    NOT NULL,
    material_code text    NOT NULL,
    entered       jsonb   NOT NULL, -- as in dimension_readings
    notes         text    NOT NULL DEFAULT '',
    facility_id   uuid,
    material_id   uuid,
    seen          integer NOT NULL DEFAULT 0, -- the version of the material when the file was checked
    asked         text    NOT NULL DEFAULT '', -- what is asked back, one on a line
    verdict       text    NOT NULL DEFAULT '',
    reason        text    NOT NULL DEFAULT '', -- why it is not taken
    CONSTRAINT measurement_import_lines_pkey PRIMARY KEY (tenant_id, import_id, line),
    CONSTRAINT measurement_import_lines_import FOREIGN KEY (tenant_id, import_id) REFERENCES gatehouse.measurement_imports ON DELETE CASCADE
);
CREATE INDEX measurement_import_lines_asked ON gatehouse.measurement_import_lines (tenant_id, import_id, line) WHERE asked <> '';
CREATE INDEX measurement_import_lines_left ON gatehouse.measurement_import_lines (tenant_id, import_id, line) WHERE verdict = 'not_taken';

CREATE TABLE gatehouse.measurement_import_problems (
    tenant_id   uuid    NOT NULL,
    import_id   uuid    NOT NULL,
    number      integer NOT NULL GENERATED ALWAYS AS IDENTITY,
    line        integer NOT NULL,
    column_name text    NOT NULL,
    problem     text    NOT NULL,
    CONSTRAINT measurement_import_problems_pkey PRIMARY KEY (tenant_id, import_id, line, number),
    CONSTRAINT measurement_import_problems_import FOREIGN KEY (tenant_id, import_id) REFERENCES gatehouse.measurement_imports ON DELETE CASCADE
);

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['measurement_imports', 'measurement_import_lines', 'measurement_import_problems'] LOOP
        EXECUTE format('ALTER TABLE gatehouse.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON gatehouse.%I
            USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant())', t);
        EXECUTE format('GRANT SELECT, INSERT, DELETE ON gatehouse.%I TO gatehouse_app', t);
    END LOOP;
END $$;
GRANT UPDATE (state, lines, problems, asked, found, next_line, done_lines, preview, result, sure, confirmed_user, confirmed_issuer, confirmed_subject, confirmed_name,
    confirmed_roles, confirmed_ip, confirmed_origin, confirmed_at, heard_at, ended_at, version) ON gatehouse.measurement_imports TO gatehouse_app;
GRANT UPDATE (facility_id, material_id, seen, asked, verdict, reason) ON gatehouse.measurement_import_lines TO gatehouse_app;
