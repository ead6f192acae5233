-- title: what was refused in a release is found by the release
-- risk: low
-- estimate: 5s
-- reversible: yes
-- locks: the audit trail for writing, while it is read once
-- undo loses: nothing
-- creates: index gatehouse.audit_events_refused

-- What is about a release begins with its id. Compared byte by byte, whatever the database's collation is.
CREATE INDEX audit_events_refused ON gatehouse.audit_events (tenant_id, object_id text_pattern_ops) WHERE outcome = 'refused';
