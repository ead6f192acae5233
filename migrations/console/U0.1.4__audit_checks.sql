DROP TABLE gatehouse.audit_checks;
