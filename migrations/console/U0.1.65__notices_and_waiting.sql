DROP FUNCTION gatehouse.audit_seq(uuid);
DROP FUNCTION gatehouse.waiting(text);
DROP TABLE gatehouse.notices;
