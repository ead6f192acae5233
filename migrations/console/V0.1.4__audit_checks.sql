-- title: results of walking the audit chain
-- risk: low
-- estimate: 1s
-- reversible: yes
-- undo loses: when the chain was last found whole

CREATE TABLE gatehouse.audit_checks (
    tenant_id  uuid        NOT NULL,
    checked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seq        bigint      NOT NULL CONSTRAINT audit_checks_seq_range CHECK (seq >= 0),
    head       bytea       NOT NULL,
    entries    bigint      NOT NULL,
    break      text        NOT NULL DEFAULT '',
    CONSTRAINT audit_checks_pkey PRIMARY KEY (tenant_id, checked_at)
);
COMMENT ON COLUMN gatehouse.audit_checks.break IS 'Empty where the chain was whole, else the first entry that did not fit and why.';

CREATE TRIGGER audit_checks_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.audit_checks
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();
ALTER TABLE gatehouse.audit_checks ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.audit_checks
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.audit_checks TO gatehouse_app;
