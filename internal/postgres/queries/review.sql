-- name: ReviewItems :many
-- When an item is due is what was written down when it was settled; before that, T-0 and its offset say.
SELECT i.item_id, i.title, i.owner_role, i.required, i.state, coalesce(i.due_at, r.t0 + make_interval(secs => i.offset_seconds)) AS due_at,
       i.settled_at, i.settled_name, i.reason,
       coalesce(e.failed, 0)::integer AS failed, coalesce(e.reopened, 0)::integer AS reopened
  FROM gatehouse.run_items i
  JOIN gatehouse.runs r ON r.tenant_id = i.tenant_id AND r.run_id = i.run_id
  LEFT JOIN LATERAL (
       SELECT count(*) FILTER (WHERE a.after ->> 'state' = 'failed') AS failed, count(*) FILTER (WHERE a.action = 'item:reopen') AS reopened
         FROM gatehouse.audit_events a
        WHERE a.tenant_id = i.tenant_id AND a.object_kind = 'item' AND a.object_id = i.run_id::text || '/' || i.item_id AND a.outcome = 'done') e ON true
 WHERE i.tenant_id = gatehouse.current_tenant() AND i.run_id = @run
 ORDER BY i.position;

-- name: ReviewGates :many
SELECT g.gate, g.name, r.t0 + make_interval(secs => g.offset_seconds) AS due_at, gatehouse.gate_passed(g.run_id, g.gate) IS TRUE AS passed,
       (SELECT max(s.signed_at) FROM gatehouse.signatures s
         JOIN gatehouse.run_gate_slots l ON l.tenant_id = s.tenant_id AND l.run_id = s.run_id AND l.gate = s.gate AND l.slot = s.slot AND l.required
        WHERE s.tenant_id = g.tenant_id AND s.run_id = g.run_id AND s.gate = g.gate
          AND NOT EXISTS (SELECT FROM gatehouse.signature_withdrawals w WHERE w.tenant_id = s.tenant_id AND w.signature_id = s.signature_id)) AS passed_at
  FROM gatehouse.run_gates g
  JOIN gatehouse.runs r ON r.tenant_id = g.tenant_id AND r.run_id = g.run_id
 WHERE g.tenant_id = gatehouse.current_tenant() AND g.run_id = @run
 ORDER BY g.position;

-- name: ReviewStops :many
SELECT g.name AS gate, s.attempt, s.kind, s.role, s.name, s.reason, s.stopped_at, coalesce(a.name, '') AS opened_by, a.opened_at, coalesce(a.note, '') AS note
  FROM gatehouse.gate_stops s
  JOIN gatehouse.run_gates g ON g.tenant_id = s.tenant_id AND g.run_id = s.run_id AND g.gate = s.gate
  LEFT JOIN gatehouse.gate_attempts a ON a.tenant_id = s.tenant_id AND a.run_id = s.run_id AND a.gate = s.gate AND a.stopped_attempt = s.attempt
 WHERE s.tenant_id = gatehouse.current_tenant() AND s.run_id = @run
 ORDER BY s.stopped_at, g.position;

-- name: ReviewSignatures :many
-- One counts while nobody took it back and the gate's content is the one that was signed. What break-glass adds is GlassOfRun's.
WITH contents AS MATERIALIZED (
    SELECT g.gate, g.name, gatehouse.gate_content_sha256(g.run_id, g.gate) AS sha256
      FROM gatehouse.run_gates g
     WHERE g.tenant_id = gatehouse.current_tenant() AND g.run_id = @run
)
SELECT m.signature_id, c.name AS gate, m.slot, m.role, m.issuer, m.subject, m.name || CASE WHEN m.deputy_id IS NULL THEN '' ELSE ', as deputy (named by ' || m.deputy_named_by || ')' END AS name, m.meaning, m.signed_at,
       CASE WHEN m.withdrawn_at IS NOT NULL THEN 'withdrawn' WHEN m.content_sha256 IS DISTINCT FROM c.sha256 OR NOT m.intact THEN 'void' ELSE 'counts' END AS standing,
       coalesce(m.withdrawn_reason, '') AS reason
  FROM gatehouse.signature_marks m
  JOIN contents c ON c.gate = m.gate
 WHERE m.tenant_id = gatehouse.current_tenant() AND m.run_id = @run
 ORDER BY m.signed_at, m.signature_id;

-- name: ReviewMigrations :many
-- The rehearsal is the newest that passed on the same text; what happened is what the ledger says of this release.
SELECT m.version, m.title,
       (SELECT f.up_ms FROM gatehouse.rehearsed_files f JOIN gatehouse.rehearsals h ON h.tenant_id = f.tenant_id AND h.rehearsal_id = f.rehearsal_id
         WHERE f.tenant_id = m.tenant_id AND f.version = m.version AND f.sha256 = m.sha256 AND f.passed
         ORDER BY h.recorded_at DESC LIMIT 1) AS rehearsed_ms,
       u.duration_ms::bigint AS took_ms, u.finished_at AS applied_at, coalesce(u.actor_name, '') AS applied_by,
       (SELECT count(*)::integer FROM gatehouse.migration_history l WHERE l.release_id = m.run_id AND l.version = m.version AND NOT l.success) AS failures,
       EXISTS (SELECT FROM gatehouse.migration_history l WHERE l.release_id = m.run_id AND l.version = m.version AND l.success AND l.direction = 'down') AS undone,
       (SELECT CASE WHEN l.direction IN ('up', 'baseline') THEN l.finished_at END FROM gatehouse.migration_history l
         WHERE l.version = m.version AND l.success AND l.release_id IS DISTINCT FROM m.run_id AND l.finished_at < r.started_at
         ORDER BY l.ledger_id DESC LIMIT 1) AS there_since
  FROM gatehouse.run_migrations m
  JOIN gatehouse.runs r ON r.tenant_id = m.tenant_id AND r.run_id = m.run_id
  LEFT JOIN LATERAL (SELECT l.duration_ms, l.finished_at, l.actor_name FROM gatehouse.migration_history l
                      WHERE l.release_id = m.run_id AND l.version = m.version AND l.success AND l.direction = 'up'
                      ORDER BY l.ledger_id DESC LIMIT 1) u ON true
 WHERE m.tenant_id = gatehouse.current_tenant() AND m.run_id = @run
 ORDER BY m.position;

-- name: ReviewOverrides :many
-- What two people have overridden; what was asked for and never agreed to overrode nothing.
SELECT a.kind, a.reason, a.name, s.name AS second_name, s.seconded_at, a.expires_at
  FROM gatehouse.apply_overrides a
  JOIN gatehouse.apply_override_seconds s ON s.tenant_id = a.tenant_id AND s.override_id = a.override_id
 WHERE a.tenant_id = gatehouse.current_tenant() AND a.run_id = @run
 ORDER BY s.seconded_at, a.override_id;

-- name: ReviewRollbacks :many
SELECT b.option_id, b.reason, b.name, b.started_at, e.done_at AS ended_at, coalesce(NOT e.good, false) AS given_up,
       v.done_at AS reviewed_at, coalesce(NOT v.good, false) AS objected, coalesce(v.note, '') AS review_note, coalesce(v.name, '') AS reviewer
  FROM gatehouse.rollbacks b
  LEFT JOIN gatehouse.rollback_acts e ON e.tenant_id = b.tenant_id AND e.rollback_id = b.rollback_id AND e.kind = 'ended'
  LEFT JOIN gatehouse.rollback_acts v ON v.tenant_id = b.tenant_id AND v.rollback_id = b.rollback_id AND v.kind = 'reviewed'
 WHERE b.tenant_id = gatehouse.current_tenant() AND b.run_id = @run
 ORDER BY b.started_at, b.rollback_id;

-- name: ReviewMoves :many
SELECT e.at, e.name, e.reason, coalesce(e.before ->> 't0', '') AS moved_from, coalesce(e.after ->> 't0', '') AS moved_to
  FROM gatehouse.audit_events e
 WHERE e.tenant_id = gatehouse.current_tenant() AND e.object_kind = 'release' AND e.object_id = @run::uuid::text
   AND e.action = 'release:schedule' AND e.outcome = 'done'
 ORDER BY e.seq;

-- name: ReviewRefused :one
-- From the release's id, or the address of its page, on, and before what follows a slash: the index audit_events_refused holds the objects byte by byte.
SELECT count(*)::integer AS refused, clock_timestamp() AS at
  FROM gatehouse.audit_events e
 WHERE e.tenant_id = gatehouse.current_tenant() AND e.outcome = 'refused'
   AND (e.object_id ~>=~ @run::uuid::text AND e.object_id ~<~ (@run::uuid::text || '0')
        OR e.object_id ~>=~ ('/releases/' || @run::uuid::text) AND e.object_id ~<~ ('/releases/' || @run::uuid::text || '0'));

-- name: ReviewLessons :many
SELECT l.lesson_id, l.run_id, r.code, l.happened, l.why, l.todo, l.owner_role, l.due_on, l.name, l.added_at, m.done_at,
       coalesce(m.name, '') AS done_by, coalesce(m.note, '') AS done_note
  FROM gatehouse.release_lessons l
  JOIN gatehouse.runs r ON r.tenant_id = l.tenant_id AND r.run_id = l.run_id
  LEFT JOIN gatehouse.release_lesson_marks m ON m.tenant_id = l.tenant_id AND m.lesson_id = l.lesson_id
 WHERE l.tenant_id = gatehouse.current_tenant() AND l.run_id = @run
 ORDER BY l.added_at, l.lesson_id;

-- name: OpenLessons :many
SELECT l.lesson_id, l.run_id, r.code, l.happened, l.why, l.todo, l.owner_role, l.due_on, l.name, l.added_at, m.done_at,
       coalesce(m.name, '') AS done_by, coalesce(m.note, '') AS done_note
  FROM gatehouse.release_lessons l
  JOIN gatehouse.runs r ON r.tenant_id = l.tenant_id AND r.run_id = l.run_id AND r.environment = @environment
  LEFT JOIN gatehouse.release_lesson_marks m ON m.tenant_id = l.tenant_id AND m.lesson_id = l.lesson_id
 WHERE l.tenant_id = gatehouse.current_tenant() AND m.lesson_id IS NULL
 ORDER BY l.due_on, l.added_at, l.lesson_id
 LIMIT 50;

-- name: AddLesson :exec
-- Written once, however often it is pressed; of a release that is not there, nothing.
INSERT INTO gatehouse.release_lessons (tenant_id, lesson_id, run_id, happened, why, todo, owner_role, due_on, issuer, subject, name)
SELECT r.tenant_id, @lesson, r.run_id, @happened, @why, @todo, @owner, @due_on::date, @issuer, @subject, @name
  FROM gatehouse.runs r
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = @run
ON CONFLICT ON CONSTRAINT release_lessons_pkey DO NOTHING;

-- name: LessonThere :one
SELECT EXISTS (SELECT FROM gatehouse.release_lessons l
                WHERE l.tenant_id = gatehouse.current_tenant() AND l.run_id = @run AND l.lesson_id = @lesson) AS there;

-- name: LessonSaid :many
-- Whether the lesson of that id is the very same, of the same release and by the same person; no row where there is none.
SELECT run_id = @run AND happened = @happened AND why = @why AND todo = @todo AND owner_role = @owner AND due_on = @due_on::date
       AND issuer = @issuer AND subject = @subject AS same
  FROM gatehouse.release_lessons
 WHERE tenant_id = gatehouse.current_tenant() AND lesson_id = @lesson;

-- name: MarkLesson :exec
INSERT INTO gatehouse.release_lesson_marks (tenant_id, lesson_id, note, issuer, subject, name)
SELECT l.tenant_id, l.lesson_id, @note, @issuer, @subject, @name
  FROM gatehouse.release_lessons l
 WHERE l.tenant_id = gatehouse.current_tenant() AND l.run_id = @run AND l.lesson_id = @lesson
ON CONFLICT ON CONSTRAINT release_lesson_marks_pkey DO NOTHING;
