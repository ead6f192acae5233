-- name: DossierRelease :one
-- What the release is, the text it froze, and where the trail ended when it was read.
SELECT to_jsonb(x)::text AS release, t.template, clock_timestamp() AS at
  FROM (SELECT r.tenant_id, o.tenant_name, r.run_id, r.environment, r.code, r.title, r.state, r.t0, r.time_zone, r.template_name,
               r.template_version, r.template_sha256, r.started_by_name, r.started_by_issuer, r.started_by_subject, r.started_at,
               r.ended_at, r.ended_by, r.end_reason,
               coalesce((SELECT h.seq FROM gatehouse.audit_heads h WHERE h.tenant_id = r.tenant_id), 0) AS read_at_entry
          FROM gatehouse.runs r
          JOIN gatehouse.tenants o ON o.tenant_id = r.tenant_id
         WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = @run) x
  JOIN gatehouse.runs t ON t.tenant_id = x.tenant_id AND t.run_id = x.run_id;

-- name: DossierItems :many
SELECT to_jsonb(x)::text AS part
  FROM (SELECT i.item_id, i.position, i.phase, i.gate, i.title, i.owner_role, i.required, i.kind, i.check_name, i.state, i.holder_name,
               i.settled_name, i.settled_issuer, i.settled_subject, i.settled_at,
               coalesce(i.due_at, r.t0 + make_interval(secs => i.offset_seconds)) AS due_at, i.reason, i.evidence, i.version,
               jsonb_build_object('offset_seconds', i.offset_seconds, 'not_before_seconds', i.not_before_seconds, 'fresh_seconds', i.fresh_seconds,
                                  'after_items', i.after_items) AS frozen
          FROM gatehouse.run_items i
          JOIN gatehouse.runs r ON r.tenant_id = i.tenant_id AND r.run_id = i.run_id
         WHERE i.tenant_id = gatehouse.current_tenant() AND i.run_id = @run) x
 ORDER BY x.position;

-- name: DossierEvidence :many
SELECT to_jsonb(x)::text AS part
  FROM (SELECT item_id, number, kind, value, note, summary, query, passed, sha256, issuer, subject, name, added_at
          FROM gatehouse.run_evidence
         WHERE tenant_id = gatehouse.current_tenant() AND run_id = @run) x
 ORDER BY x.item_id, x.number;

-- name: DossierGates :many
SELECT to_jsonb(x)::text AS part
  FROM (SELECT g.gate, g.name, g.judges, coalesce(gatehouse.gate_passed(g.run_id, g.gate), false) AS passed,
               gatehouse.gate_content_sha256(g.run_id, g.gate) AS content_sha256,
               (SELECT coalesce(jsonb_agg(jsonb_build_object('slot', s.slot, 'role', s.role, 'required', s.required, 'signs_last', s.signs_last,
                                                             'asks_score', s.asks_score, 'meanings', s.meanings, 'statement', s.statement, 'deputies_seconds', s.deputies_seconds)
                                          ORDER BY s.position), '[]')
                  FROM gatehouse.run_gate_slots s
                 WHERE s.tenant_id = g.tenant_id AND s.run_id = g.run_id AND s.gate = g.gate) AS slots,
               jsonb_build_object('after_phase', g.after_phase, 'after_migrations', g.after_migrations, 'offset_seconds', g.offset_seconds,
                                  'not_before_seconds', g.not_before_seconds, 'expires_seconds', g.expires_seconds, 'least_items', g.least_items,
                                  'least_files', g.least_files, 'least_checks', g.least_checks, 'required_checks', g.required_checks,
                                  'authors_barred', g.authors_barred) AS rules, g.position
          FROM gatehouse.run_gates g
         WHERE g.tenant_id = gatehouse.current_tenant() AND g.run_id = @run) x
 ORDER BY x.position;

-- name: DossierSignatures :many
SELECT to_jsonb(x)::text AS part
  FROM (SELECT signature_id, gate, slot, role, meaning, statement, score, note, content, content_sha256, issuer, subject, name, auth_time,
               acr, signed_at, withdrawn_reason, withdrawn_by, withdrawn_at,
               deputy_id, deputy_named_by, deputy_named_at, deputy_from, deputy_until, deputy_reason,
               (SELECT jsonb_build_object('code', m.code_id, 'first_holder', m.first_holder, 'second_holder', m.second_holder, 'outage', m.outage_id,
                                          'outage_since', m.outage_since, 'outage_failure', m.outage_failure, 'review_due_at', m.review_due_at,
                                          'verdict', m.verdict, 'review_reason', m.review_reason, 'reviewer', m.reviewer, 'reviewer_issuer', m.reviewer_issuer,
                                          'reviewer_subject', m.reviewer_subject, 'reviewed_at', m.reviewed_at)
                  FROM gatehouse.glass_marks m
                 WHERE m.tenant_id = k.tenant_id AND m.signature_id = k.signature_id) AS break_glass
          FROM gatehouse.signature_marks k
         WHERE tenant_id = gatehouse.current_tenant() AND run_id = @run) x
 ORDER BY x.signed_at, x.signature_id;

-- name: DossierMigrations :many
SELECT to_jsonb(x)::text AS part
  FROM (SELECT position, version, title, sha256
          FROM gatehouse.run_migrations
         WHERE tenant_id = gatehouse.current_tenant() AND run_id = @run) x
 ORDER BY x.position;

-- name: DossierLedger :many
SELECT to_jsonb(x)::text AS part
  FROM (SELECT h.ledger_id, h.version, h.description, h.script, h.direction, h.success, h.sha256, h.actor_name, h.actor_subject, h.actor_roles,
               h.origin, h.release_id, h.run_id, h.started_at, h.finished_at, h.duration_ms, h.server_version, h.sqlstate, h.error
          FROM gatehouse.migration_history h
         WHERE h.version IN (SELECT m.version FROM gatehouse.run_migrations m WHERE m.tenant_id = gatehouse.current_tenant() AND m.run_id = @run)) x
 ORDER BY x.ledger_id;

-- name: DossierWindows :many
SELECT to_jsonb(x)::text AS part
  FROM (SELECT number, starts_at, ends_at, reason, name, subject, set_at
          FROM gatehouse.release_windows
         WHERE tenant_id = gatehouse.current_tenant() AND run_id = @run) x
 ORDER BY x.number;

-- name: DossierFreezes :many
SELECT to_jsonb(x)::text AS part
  FROM (SELECT f.freeze_id, f.starts_at, f.ends_at, f.reason, f.name, f.subject, f.set_at
          FROM gatehouse.freezes f
          JOIN gatehouse.runs r ON r.tenant_id = f.tenant_id AND r.run_id = @run
         WHERE f.tenant_id = gatehouse.current_tenant()
           AND f.starts_at <= coalesce(r.ended_at, clock_timestamp()) AND f.ends_at >= r.started_at) x
 ORDER BY x.starts_at, x.freeze_id;

-- name: DossierOverrides :many
SELECT to_jsonb(x)::text AS part
  FROM (SELECT o.override_id, o.kind, o.reason, o.name AS asked_by, o.subject AS asked_subject, o.asked_at, o.expires_at,
               s.name AS seconded_by, s.subject AS seconded_subject, s.seconded_at
          FROM gatehouse.apply_overrides o
          LEFT JOIN gatehouse.apply_override_seconds s ON s.tenant_id = o.tenant_id AND s.override_id = o.override_id
         WHERE o.tenant_id = gatehouse.current_tenant() AND o.run_id = @run) x
 ORDER BY x.asked_at, x.override_id;

-- name: DossierTokens :many
-- Of a token only what it was good for, never what it was.
SELECT to_jsonb(x)::text AS part
  FROM (SELECT t.token_id, t.version, t.direction, t.sha256 AS file_sha256, t.name AS made_by, t.made_at, t.expires_at, e.used_by, e.name AS ended_by
          FROM gatehouse.apply_tokens t
          LEFT JOIN gatehouse.apply_token_ends e ON e.tenant_id = t.tenant_id AND e.token_id = t.token_id
         WHERE t.tenant_id = gatehouse.current_tenant() AND t.run_id = @run) x
 ORDER BY x.made_at, x.token_id;

-- name: DossierRehearsals :many
-- Every rehearsal of exactly a text that the release froze.
SELECT to_jsonb(x)::text AS part, r.report
  FROM (SELECT h.tenant_id, h.rehearsal_id, h.passed, h.verdict, h.data_kind, h.started_at, h.finished_at, h.actor_name, h.report_sha256
          FROM gatehouse.rehearsals h
         WHERE h.tenant_id = gatehouse.current_tenant()
           AND EXISTS (SELECT FROM gatehouse.rehearsed_files f
                         JOIN gatehouse.run_migrations m ON m.tenant_id = f.tenant_id AND m.run_id = @run AND m.version = f.version AND m.sha256 = f.sha256
                        WHERE f.tenant_id = h.tenant_id AND f.rehearsal_id = h.rehearsal_id)) x
  JOIN gatehouse.rehearsals r ON r.tenant_id = x.tenant_id AND r.rehearsal_id = x.rehearsal_id
 ORDER BY x.started_at, x.rehearsal_id;

-- name: DossierBackups :many
-- The backups of the release's time, and the newest from before it, each with the looks that were taken at it.
SELECT to_jsonb(x)::text AS part
  FROM (SELECT b.backup_id, b.name, b.bytes, b.sha256, b.taken_at, b.actor_name, b.manifest_sha256,
               (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', c.kind, 'passed', c.passed, 'findings', c.findings, 'at', c.recorded_at, 'by', c.actor_name)
                                          ORDER BY c.recorded_at), '[]')
                  FROM gatehouse.backup_checks c WHERE c.tenant_id = b.tenant_id AND c.backup_id = b.backup_id) AS checks
          FROM gatehouse.backups b
          JOIN gatehouse.runs r ON r.tenant_id = b.tenant_id AND r.run_id = @run
         WHERE b.tenant_id = gatehouse.current_tenant() AND b.taken_at <= coalesce(r.ended_at, clock_timestamp())
           AND b.taken_at >= coalesce((SELECT max(o.taken_at) FROM gatehouse.backups o WHERE o.tenant_id = b.tenant_id AND o.taken_at < r.started_at), r.started_at)) x
 ORDER BY x.taken_at, x.backup_id;

-- name: DossierHealth :many
SELECT to_jsonb(x)::text AS part
  FROM (SELECT h.check_name, h.level, h.value, h.unit, h.message, h.took_ms, h.checked_at
          FROM gatehouse.health_results h
         WHERE h.tenant_id = gatehouse.current_tenant()
           AND h.run_id = (SELECT n.run_id FROM gatehouse.health_results n
                             JOIN gatehouse.runs r ON r.tenant_id = n.tenant_id AND r.run_id = @run
                            WHERE n.tenant_id = gatehouse.current_tenant() AND n.checked_at BETWEEN r.started_at AND coalesce(r.ended_at, clock_timestamp())
                            ORDER BY n.checked_at DESC LIMIT 1)) x
 ORDER BY x.check_name;

-- name: DossierSpan :one
-- From the entry that started the release to the newest that is about it, its exports not counted.
SELECT coalesce(min(e.seq), 0)::bigint AS first, coalesce(max(e.seq) FILTER (WHERE e.action <> 'release:export'), 0)::bigint AS last
  FROM gatehouse.audit_events e
  JOIN gatehouse.runs r ON r.tenant_id = e.tenant_id AND r.run_id = @run
 WHERE e.tenant_id = gatehouse.current_tenant() AND e.at >= r.started_at - interval '1 minute'
   AND (e.object_kind IN ('release', 'item', 'gate') AND (e.object_id = r.run_id::text OR starts_with(e.object_id, r.run_id::text || '/'))
        OR e.object_kind = 'lesson' AND e.after ->> 'release' = r.run_id::text);

-- name: SealFrom :one
-- The first seal of this key over that entry or a later one.
SELECT tenant_id, number, seq, hash, sealed_at, previous, key_id, signature
  FROM gatehouse.audit_seals
 WHERE tenant_id = gatehouse.current_tenant() AND seq >= @seq AND key_id = @key
 ORDER BY seq
 LIMIT 1;

-- name: RunsNamed :many
SELECT run_id
  FROM gatehouse.runs
 WHERE tenant_id = gatehouse.current_tenant() AND (code = @named OR run_id::text = @named)
 ORDER BY started_at DESC;

-- name: DossierWaivers :many
-- What is required and was skipped all the same, with who signed for it.
SELECT to_jsonb(x)::text AS part
  FROM (SELECT item_id, waiver_id, role, statement, reason, content, content_sha256, issuer, subject, name, auth_time, acr, signed_at
          FROM gatehouse.item_waivers
         WHERE tenant_id = gatehouse.current_tenant() AND run_id = @run) x
 ORDER BY x.signed_at, x.waiver_id;

-- name: DossierFiles :many
SELECT to_jsonb(x)::text AS part
  FROM (SELECT item_id, number, file_name, bytes, sha256, name, added_at
          FROM gatehouse.evidence_files
         WHERE tenant_id = gatehouse.current_tenant() AND run_id = @run) x
 ORDER BY x.item_id, x.number;

-- name: DossierStops :many
SELECT to_jsonb(x)::text AS part
  FROM (SELECT gate, attempt, kind, coalesce(slot, '') AS slot, role, reason, content, content_sha256, issuer, subject, name, auth_time, stopped_at
          FROM gatehouse.gate_stops
         WHERE tenant_id = gatehouse.current_tenant() AND run_id = @run) x
 ORDER BY x.stopped_at, x.gate;

-- name: DossierAttempts :many
SELECT to_jsonb(x)::text AS part
  FROM (SELECT gate, attempt, note, issuer, subject, name, opened_at
          FROM gatehouse.gate_attempts
         WHERE tenant_id = gatehouse.current_tenant() AND run_id = @run) x
 ORDER BY x.opened_at, x.gate;

-- name: DossierRollbacks :many
SELECT to_jsonb(x)::text AS part
  FROM (SELECT b.rollback_id, b.option_id, b.title, b.data_loss, b.safe, b.goal_seconds, b.steps, b.reason, b.issuer, b.subject, b.name, b.auth_time, b.started_at,
               (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', a.kind, 'step', a.step, 'good', a.good, 'note', a.note, 'took_seconds', a.took_seconds,
                                                             'goal_kept', a.goal_kept, 'issuer', a.issuer, 'subject', a.subject, 'name', a.name,
                                                             'auth_time', a.auth_time, 'done_at', a.done_at) ORDER BY a.done_at, a.kind, a.step), '[]')
                  FROM gatehouse.rollback_acts a
                 WHERE a.tenant_id = b.tenant_id AND a.rollback_id = b.rollback_id) AS acts
          FROM gatehouse.rollbacks b
         WHERE b.tenant_id = gatehouse.current_tenant() AND b.run_id = @run) x
 ORDER BY x.started_at, x.rollback_id;

-- name: DossierSnapshots :many
SELECT to_jsonb(x)::text AS part
  FROM (SELECT snapshot_id, point, t0, due_at, taken_at, stored_at, content, sha256
          FROM gatehouse.run_snapshots
         WHERE tenant_id = gatehouse.current_tenant() AND run_id = @run) x
 ORDER BY x.taken_at, x.snapshot_id;

-- name: DossierMisses :many
SELECT to_jsonb(x)::text AS part
  FROM (SELECT point, t0, due_at, found_at, why
          FROM gatehouse.run_snapshot_misses
         WHERE tenant_id = gatehouse.current_tenant() AND run_id = @run) x
 ORDER BY x.due_at, x.point;

-- name: DossierLessons :many
SELECT to_jsonb(x)::text AS part
  FROM (SELECT l.lesson_id, l.happened, l.why, l.todo, l.owner_role, l.due_on, l.issuer, l.subject, l.name, l.added_at,
               m.note AS done_note, m.issuer AS done_issuer, m.subject AS done_subject, m.name AS done_name, m.done_at
          FROM gatehouse.release_lessons l
          LEFT JOIN gatehouse.release_lesson_marks m ON m.tenant_id = l.tenant_id AND m.lesson_id = l.lesson_id
         WHERE l.tenant_id = gatehouse.current_tenant() AND l.run_id = @run) x
 ORDER BY x.added_at, x.lesson_id;
