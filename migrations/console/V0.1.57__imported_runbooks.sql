-- title: runbooks that a company brings itself
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: nothing; it refuses while there is one
-- creates: table gatehouse.runbook_templates

-- A version is released by being here: it is never replaced. What changes gets another version.
CREATE TABLE gatehouse.runbook_templates (
    tenant_id   uuid        NOT NULL REFERENCES gatehouse.tenants,
    name        text        NOT NULL CONSTRAINT runbook_templates_name_form CHECK (name ~ '^[a-z][a-z0-9-]{0,49}$'),
    version     text        NOT NULL CONSTRAINT runbook_templates_version_form CHECK (version ~ '^[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}$'),
    sha256      text        NOT NULL,
    template    text        NOT NULL,
    issuer      text        NOT NULL,
    subject     text        NOT NULL CONSTRAINT runbook_templates_subject_filled CHECK (subject <> ''),
    person      text        NOT NULL,
    imported_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT runbook_templates_pkey PRIMARY KEY (tenant_id, name, version),
    CONSTRAINT runbook_templates_hash CHECK (sha256 = encode(sha256(convert_to(template, 'UTF8')), 'hex'))
);
CREATE TRIGGER runbook_templates_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.runbook_templates
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();
ALTER TABLE gatehouse.runbook_templates ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.runbook_templates
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.runbook_templates TO gatehouse_app;
