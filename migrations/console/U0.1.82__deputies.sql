DO $$
BEGIN
    IF EXISTS (SELECT FROM gatehouse.signatures WHERE deputy IS NOT NULL) THEN
        RAISE EXCEPTION 'A deputy has signed; without the roster nobody could tell by what right.';
    END IF;
END $$;
DROP FUNCTION gatehouse.deputy_for(uuid, text, text, text, text, text[], text[]);
DROP FUNCTION gatehouse.deputies_from(uuid, text, text);
DROP VIEW gatehouse.signature_marks;
CREATE VIEW gatehouse.signature_marks WITH (security_invoker = true) AS
SELECT s.tenant_id, s.idempotency_key, s.signature_id, s.run_id, s.gate, s.slot, s.role, s.meaning, s.statement, s.score::text AS score, s.note, s.content, s.content_sha256,
       s.content_sha256 = encode(sha256(convert_to(s.content, 'UTF8')), 'hex') AS intact,
       s.issuer, s.subject, s.name, s.auth_time, s.acr, s.signed_at,
       w.reason AS withdrawn_reason, w.name AS withdrawn_by, w.withdrawn_at
  FROM gatehouse.signatures s
  LEFT JOIN gatehouse.signature_withdrawals w ON w.tenant_id = s.tenant_id AND w.signature_id = s.signature_id;
GRANT SELECT ON gatehouse.signature_marks TO gatehouse_app;
ALTER TABLE gatehouse.signatures DROP CONSTRAINT signatures_deputy, DROP COLUMN deputy;
DROP VIEW gatehouse.roster;
DROP TABLE gatehouse.deputy_revocations;
DROP TABLE gatehouse.deputies;
