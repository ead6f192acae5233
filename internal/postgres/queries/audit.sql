-- name: RecordAudit :exec
-- Number, time, previous hash and hash are set by the trigger audit_events_chain.
INSERT INTO gatehouse.audit_events (tenant_id, seq, at, origin, issuer, subject, name, roles, ip,
                                    action, object_kind, object_id, outcome, reason, before, after, prev_hash, hash)
VALUES (@tenant, 0, now(), @origin, @issuer, @subject, @name, @roles, @ip,
        @action, @object_kind, @object_id, @outcome, @reason, @before, @after, '', '');
