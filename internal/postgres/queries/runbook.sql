-- name: AddRun :exec
INSERT INTO gatehouse.runs (tenant_id, run_id, environment, code, title, t0, time_zone, template_name, template_version,
                            template_sha256, template, started_by_issuer, started_by_subject, started_by_name, items_total)
VALUES (@tenant, @run, @environment, @code, @title, @t0, @time_zone, @template_name, @template_version,
        @template_sha256, @template, @issuer, @subject, @name, @items_total);

-- name: AddRunItem :exec
INSERT INTO gatehouse.run_items (tenant_id, run_id, item_id, position, phase, gate, title, owner_role, required,
                                 offset_seconds, not_before_seconds, fresh_seconds, after_items, kind, check_name)
VALUES (@tenant, @run, @item, @position, @phase, @gate, @title, @owner_role, @required,
        @offset_seconds, @not_before_seconds, @fresh_seconds, @after_items, @kind, @check_name);

-- name: AddRunGate :exec
INSERT INTO gatehouse.run_gates (tenant_id, run_id, gate, position, name, judges, after_phase, offset_seconds,
                                 not_before_seconds, expires_seconds, after_migrations, least_items, least_files, least_checks, required_checks, authors_barred)
VALUES (@tenant, @run, @gate, @position, @name, @judges, @after_phase, @offset_seconds, @not_before_seconds, @expires_seconds, @after_migrations,
        @least_items, @least_files, @least_checks, @required_checks, @authors_barred);

-- name: AddRunGateSlot :exec
INSERT INTO gatehouse.run_gate_slots (tenant_id, run_id, gate, slot, position, role, required, signs_last, asks_score, meanings, statement, deputies_seconds)
VALUES (@tenant, @run, @gate, @slot, @position, @role, @required, @signs_last, @asks_score, @meanings, @statement, @deputies_seconds);

-- name: AddRunMigration :exec
INSERT INTO gatehouse.run_migrations (tenant_id, run_id, version, position, title, sha256)
VALUES (@tenant, @run, @version, @position, @title, @sha256);

-- name: ListRuns :many
-- Keyset: the page after (before_at, before_id), newest first, straight from an index. Only what a list shows is read.
SELECT run_id, code, title, state, t0, time_zone, template_name, template_version, started_by_name, started_at,
       items_total, items_done, items_failed, items_skipped
  FROM gatehouse.runs
 WHERE tenant_id = gatehouse.current_tenant() AND environment = @environment
   AND (started_at, run_id) < (@before_at, @before_id)
 ORDER BY started_at DESC, run_id DESC
 LIMIT @most;

-- name: ListRunsOfState :many
SELECT run_id, code, title, state, t0, time_zone, template_name, template_version, started_by_name, started_at,
       items_total, items_done, items_failed, items_skipped
  FROM gatehouse.runs
 WHERE tenant_id = gatehouse.current_tenant() AND environment = @environment AND state = @state
   AND (started_at, run_id) < (@before_at, @before_id)
 ORDER BY started_at DESC, run_id DESC
 LIMIT @most;

-- name: NextMove :many
-- What the running release waits for: of the first gate that is not passed, the first required item that is not done, or
-- the signatures; after the last gate, the first item that is left.
SELECT r.run_id, coalesce(i.item_id, '') AS item, coalesce(i.title, '') AS title, coalesce(i.owner_role, '') AS owner, coalesce(g.name, '') AS gate
  FROM gatehouse.runs r
  LEFT JOIN LATERAL (SELECT o.gate, o.name FROM gatehouse.run_gates o
                      WHERE o.tenant_id = r.tenant_id AND o.run_id = r.run_id AND gatehouse.gate_passed(o.run_id, o.gate) IS NOT TRUE
                      ORDER BY o.position LIMIT 1) g ON true
  LEFT JOIN LATERAL (SELECT o.item_id, o.title, o.owner_role FROM gatehouse.run_items o
                      WHERE o.tenant_id = r.tenant_id AND o.run_id = r.run_id AND o.required AND o.state NOT IN ('done', 'skipped')
                        AND (g.gate IS NULL OR o.gate = g.gate)
                      ORDER BY o.position LIMIT 1) i ON true
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.environment = @environment AND r.state = 'active';

-- name: ActiveRun :one
SELECT run_id, environment, code, title, state, t0, time_zone, template_name, template_version, template_sha256,
       started_by_issuer, started_by_subject, started_by_name, started_at, ended_at, ended_by, end_reason,
       items_total, items_done, items_failed, items_skipped, version
  FROM gatehouse.runs
 WHERE tenant_id = gatehouse.current_tenant() AND environment = @environment AND state = 'active';

-- name: Run :one
SELECT run_id, environment, code, title, state, t0, time_zone, template_name, template_version, template_sha256,
       started_by_issuer, started_by_subject, started_by_name, started_at, ended_at, ended_by, end_reason,
       items_total, items_done, items_failed, items_skipped, version
  FROM gatehouse.runs
 WHERE tenant_id = gatehouse.current_tenant() AND run_id = @run;

-- name: LockRun :one
SELECT run_id, environment, code, title, state, t0, time_zone, template_name, template_version, template_sha256,
       started_by_issuer, started_by_subject, started_by_name, started_at, ended_at, ended_by, end_reason,
       items_total, items_done, items_failed, items_skipped, version
  FROM gatehouse.runs
 WHERE tenant_id = gatehouse.current_tenant() AND run_id = @run
   FOR UPDATE;

-- name: RunTemplate :one
SELECT template, clock_timestamp() AS at
  FROM gatehouse.runs
 WHERE tenant_id = gatehouse.current_tenant() AND run_id = @run;

-- name: RunItems :many
-- altered is what keeps a gate shut as well: the evidence that counts is not what was given.
SELECT i.item_id, i.position, i.phase, i.gate, i.title, i.owner_role, i.required, i.offset_seconds, i.not_before_seconds, i.fresh_seconds,
       i.after_items, i.kind, i.check_name, i.state,
       i.holder_issuer, i.holder_subject, i.holder_name, i.settled_issuer, i.settled_subject, i.settled_name, i.settled_at, i.due_at,
       i.reason, i.evidence, e.added_at AS evidence_at, i.round, i.waiver, i.version,
       e.number IS NOT NULL AND e.sha256 <> gatehouse.evidence_sha256(e.kind, e.value, e.note, e.summary, e.query) AS altered
  FROM gatehouse.run_items i
  LEFT JOIN gatehouse.run_evidence e ON e.tenant_id = i.tenant_id AND e.run_id = i.run_id AND e.item_id = i.item_id AND e.number = i.evidence
 WHERE i.tenant_id = gatehouse.current_tenant() AND i.run_id = @run
 ORDER BY i.position;

-- name: RunGates :many
SELECT gate, name, judges, after_phase, offset_seconds, gatehouse.gate_passed(run_id, gate) AS passed, clock_timestamp() AS at
  FROM gatehouse.run_gates
 WHERE tenant_id = gatehouse.current_tenant() AND run_id = @run
 ORDER BY position;

-- name: RunMigrations :many
SELECT m.version, m.title, m.sha256, coalesce(h.direction, '') AS direction, coalesce(h.success, false) AS success, h.finished_at,
       coalesce(h.release_id = m.run_id, false) AS own
  FROM gatehouse.run_migrations m
  LEFT JOIN LATERAL (SELECT l.direction, l.success, l.finished_at, l.release_id FROM gatehouse.migration_history l
                      WHERE l.version = m.version ORDER BY l.ledger_id DESC LIMIT 1) h ON true
 WHERE m.tenant_id = gatehouse.current_tenant() AND m.run_id = @run
 ORDER BY m.position;

-- name: RunEvidence :many
SELECT number, kind, value, note, summary, query, passed, sha256,
       sha256 = gatehouse.evidence_sha256(kind, value, note, summary, query) AS intact, issuer, subject, name, added_at
  FROM gatehouse.run_evidence
 WHERE tenant_id = gatehouse.current_tenant() AND run_id = @run AND item_id = @item
 ORDER BY number DESC
 LIMIT 50;

-- name: RunItemHistory :many
SELECT at, name, action, reason
  FROM gatehouse.audit_events
 WHERE tenant_id = gatehouse.current_tenant() AND object_kind = 'item' AND object_id = @object AND outcome = 'done'
 ORDER BY seq DESC
 LIMIT 50;

-- name: AddRunEvidence :one
-- The number is safe: whoever gets here holds the run's lock.
INSERT INTO gatehouse.run_evidence (tenant_id, run_id, item_id, number, kind, value, note, summary, query, passed, sha256, issuer, subject, name)
SELECT gatehouse.current_tenant(), @run, @item,
       1 + coalesce((SELECT max(number) FROM gatehouse.run_evidence
                      WHERE tenant_id = gatehouse.current_tenant() AND run_id = @run AND item_id = @item), 0),
       @kind, @value, @note, @summary, @query, @passed,
       gatehouse.evidence_sha256(@kind, @value, @note, @summary, @query), @issuer, @subject, @name
RETURNING number;

-- name: ItemFiles :many
SELECT f.number, f.file_name, f.bytes, f.sha256, f.round = i.round AS counts, false AS intact, f.issuer, f.subject, f.name, f.added_at
  FROM gatehouse.evidence_files f
  JOIN gatehouse.run_items i ON i.tenant_id = f.tenant_id AND i.run_id = f.run_id AND i.item_id = f.item_id
 WHERE f.tenant_id = gatehouse.current_tenant() AND f.run_id = @run AND f.item_id = @item
 ORDER BY f.number;

-- name: ItemFilesRead :many
-- As ItemFiles, with every byte of the newest of them read and hashed anew.
SELECT n.number, n.file_name, n.bytes, n.sha256, n.counts, coalesce(gatehouse.file_sha256(@run, @item, n.number) = n.sha256, false) AS intact,
       n.issuer, n.subject, n.name, n.added_at
  FROM (SELECT f.number, f.file_name, f.bytes, f.sha256, f.round = i.round AS counts, f.issuer, f.subject, f.name, f.added_at
          FROM gatehouse.evidence_files f
          JOIN gatehouse.run_items i ON i.tenant_id = f.tenant_id AND i.run_id = f.run_id AND i.item_id = f.item_id
         WHERE f.tenant_id = gatehouse.current_tenant() AND f.run_id = @run AND f.item_id = @item
         ORDER BY f.number DESC LIMIT 50) n
 ORDER BY n.number;

-- name: ItemFileByHash :one
SELECT f.number, f.file_name, f.bytes, f.sha256, f.round = i.round AS counts,
       coalesce(gatehouse.file_sha256(f.run_id, f.item_id, f.number) = f.sha256, false) AS intact, f.issuer, f.subject, f.name, f.added_at
  FROM gatehouse.evidence_files f
  JOIN gatehouse.run_items i ON i.tenant_id = f.tenant_id AND i.run_id = f.run_id AND i.item_id = f.item_id
 WHERE f.tenant_id = gatehouse.current_tenant() AND f.run_id = @run AND f.item_id = @item AND f.sha256 = @sha256
 ORDER BY f.number DESC
 LIMIT 1;

-- name: RunFiles :many
-- All files of a run by their items, with every byte read and hashed anew.
SELECT f.item_id, f.number, f.file_name, f.bytes, f.sha256, f.round = i.round AS counts,
       coalesce(gatehouse.file_sha256(f.run_id, f.item_id, f.number) = f.sha256, false) AS intact, f.issuer, f.subject, f.name, f.added_at
  FROM gatehouse.evidence_files f
  JOIN gatehouse.run_items i ON i.tenant_id = f.tenant_id AND i.run_id = f.run_id AND i.item_id = f.item_id
 WHERE f.tenant_id = gatehouse.current_tenant() AND f.run_id = @run
 ORDER BY i.position, f.number;

-- name: FilePieces :many
-- A megabyte at a time.
SELECT body
  FROM gatehouse.evidence_chunks
 WHERE tenant_id = gatehouse.current_tenant() AND run_id = @run AND item_id = @item AND number = @number AND place >= @place
 ORDER BY place
 LIMIT 4;

-- name: ItemNotes :many
SELECT words, from_issuer, from_subject, from_name, issuer, subject, name, added_at
  FROM (SELECT n.number, n.words, n.from_issuer, n.from_subject, n.from_name, n.issuer, n.subject, n.name, n.added_at
          FROM gatehouse.item_notes n
         WHERE n.tenant_id = gatehouse.current_tenant() AND n.run_id = @run AND n.item_id = @item
         ORDER BY n.number DESC LIMIT 100) newest
 ORDER BY number;

-- name: TakenOver :many
-- Items that were taken over from somebody who has not got them back. The page of a release is read once for many people.
SELECT i.item_id, i.title, n.words, n.from_issuer, n.from_subject, n.from_name, n.issuer, n.subject, n.name, n.added_at
  FROM gatehouse.run_items i
 CROSS JOIN LATERAL (SELECT o.words, o.from_issuer, o.from_subject, o.from_name, o.issuer, o.subject, o.name, o.added_at
                       FROM gatehouse.item_notes o
                      WHERE o.tenant_id = i.tenant_id AND o.run_id = i.run_id AND o.item_id = i.item_id AND o.kind = 'takeover'
                      ORDER BY o.number DESC LIMIT 1) n
 WHERE i.tenant_id = gatehouse.current_tenant() AND i.run_id = @run AND i.state = 'in_progress'
   AND (i.holder_issuer, i.holder_subject) <> (n.from_issuer, n.from_subject)
 ORDER BY i.position;

-- name: AddItemNote :exec
-- The number is safe: whoever gets here holds the run's lock.
INSERT INTO gatehouse.item_notes (tenant_id, run_id, item_id, number, kind, words, from_issuer, from_subject, from_name, issuer, subject, name, form_key)
SELECT gatehouse.current_tenant(), @run, @item,
       1 + coalesce((SELECT max(number) FROM gatehouse.item_notes
                      WHERE tenant_id = gatehouse.current_tenant() AND run_id = @run AND item_id = @item), 0),
       @kind, @words, @from_issuer, @from_subject, @from_name, @issuer, @subject, @name, @key
    ON CONFLICT ON CONSTRAINT item_notes_said_once DO NOTHING;

-- name: ItemNoteSaid :one
-- Whether the form with this key said the very same, here and by the same person.
SELECT EXISTS (SELECT FROM gatehouse.item_notes
                WHERE tenant_id = gatehouse.current_tenant() AND form_key = @key AND run_id = @run AND item_id = @item
                  AND words = @words AND issuer = @issuer AND subject = @subject) AS said;

-- name: ItemWaiver :one
SELECT coalesce(gatehouse.waiver_roles(i.run_id, i.item_id), '{}') AS roles, w.waiver_id, w.role, w.statement, w.reason, w.content_sha256,
       w.content_sha256 = encode(sha256(convert_to(w.content, 'UTF8')), 'hex') AS intact,
       w.issuer, w.subject, w.name, w.auth_time, w.signed_at
  FROM gatehouse.run_items i
  LEFT JOIN gatehouse.item_waivers w ON w.tenant_id = i.tenant_id AND w.waiver_id = i.waiver
 WHERE i.tenant_id = gatehouse.current_tenant() AND i.run_id = @run AND i.item_id = @item;

-- name: AddItemWaiver :many
-- The rules stand in the statement, and no row means refused. Whoever gets here holds the run's lock.
WITH moment AS MATERIALIZED (
    SELECT clock_timestamp() AS at
)
INSERT INTO gatehouse.item_waivers (tenant_id, waiver_id, run_id, item_id, role, statement, reason, content, content_sha256, issuer, subject, name,
                                    auth_time, acr, origin, ip, session, signed_at)
SELECT i.tenant_id, @waiver, i.run_id, i.item_id, @role, @statement, @reason, c.content, encode(sha256(convert_to(c.content, 'UTF8')), 'hex'),
       @issuer, @subject, @name, @auth_time, @acr, @origin, @ip, @session, m.at
  FROM gatehouse.runs r
  JOIN gatehouse.run_items i ON i.tenant_id = r.tenant_id AND i.run_id = r.run_id
 CROSS JOIN moment m
 CROSS JOIN LATERAL (SELECT gatehouse.waiver_content(i.run_id, i.item_id, @statement, @reason)::text AS content OFFSET 0) c
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = @run AND i.item_id = @item AND i.version = @seen
   AND r.state IN ('active', 'signed_off') AND i.required
   AND @role = ANY (@roles::text[]) AND @role = ANY (gatehouse.waiver_roles(i.run_id, i.item_id))
   AND (r.started_by_issuer, r.started_by_subject) <> (@issuer, @subject)
   AND @auth_time::timestamptz BETWEEN m.at - @fresh_for::interval AND m.at + @leeway::interval
RETURNING content_sha256;

-- name: NextFileNumber :one
-- The number is safe: whoever gets here holds the run's lock.
SELECT 1 + coalesce(max(number), 0)
  FROM gatehouse.evidence_files
 WHERE tenant_id = gatehouse.current_tenant() AND run_id = @run AND item_id = @item;

-- name: AddFilePiece :exec
INSERT INTO gatehouse.evidence_chunks (tenant_id, run_id, item_id, number, place, body)
VALUES (gatehouse.current_tenant(), @run, @item, @number, @place, @body);

-- name: AddFile :exec
-- The row of a file comes after its pieces, and only where they are, byte by byte, what was received.
INSERT INTO gatehouse.evidence_files (tenant_id, run_id, item_id, number, round, sha256, file_name, bytes, issuer, subject, name)
SELECT gatehouse.current_tenant(), @run, @item, @number, @round, @sha256, @file_name, @bytes, @issuer, @subject, @name
 WHERE gatehouse.file_sha256(@run, @item, @number) = @sha256;

-- name: ChangeRunItem :exec
-- Nothing is done before the time that its claim needs, by the clock of this database.
UPDATE gatehouse.run_items
   SET state = @state, holder_issuer = @holder_issuer, holder_subject = @holder_subject, holder_name = @holder_name,
       settled_issuer = @settled_issuer, settled_subject = @settled_subject, settled_name = @settled_name,
       settled_at = @settled_at, due_at = @due_at, reason = @reason, evidence = @evidence, round = @round, waiver = @waiver, version = @version
 WHERE tenant_id = gatehouse.current_tenant() AND run_id = @run AND item_id = @item AND version = @seen
   AND (@state <> 'done' OR (clock_timestamp() < (SELECT gatehouse.earliest(r.t0, not_before_seconds) FROM gatehouse.runs r
                                                   WHERE r.tenant_id = run_items.tenant_id AND r.run_id = run_items.run_id)) IS NOT TRUE);

-- name: CountRunItems :exec
UPDATE gatehouse.runs r
   SET (items_done, items_failed, items_skipped) = (
           SELECT count(*) FILTER (WHERE i.state = 'done'), count(*) FILTER (WHERE i.state = 'failed'), count(*) FILTER (WHERE i.state = 'skipped')
             FROM gatehouse.run_items i WHERE i.tenant_id = r.tenant_id AND i.run_id = r.run_id)
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = @run;

-- name: ChangeRun :exec
-- A release that is being taken back neither is aborted nor closes: it ends with its rollback.
UPDATE gatehouse.runs
   SET state = @state, t0 = @t0, ended_at = @ended_at, ended_by = @ended_by, end_reason = @end_reason, version = @version
 WHERE tenant_id = gatehouse.current_tenant() AND run_id = @run AND version = @seen
   AND NOT (@state::text IN ('aborted', 'closed') AND gatehouse.rolling_back(tenant_id, run_id) IS NOT NULL);

-- name: RollingBack :one
SELECT coalesce(gatehouse.rolling_back(gatehouse.current_tenant(), @run), '') AS way;

-- name: ImportedTemplates :many
SELECT template, issuer, subject, person, imported_at
  FROM gatehouse.runbook_templates
 WHERE tenant_id = gatehouse.current_tenant();

-- name: NewestImported :many
-- The newest version of the run's own template, where the company brought it.
SELECT t.name, t.version, t.sha256
  FROM gatehouse.runs r
  JOIN gatehouse.runbook_templates t ON t.tenant_id = r.tenant_id AND t.name = r.template_name
 WHERE r.tenant_id = gatehouse.current_tenant() AND r.run_id = @run
 ORDER BY string_to_array(t.version, '.')::integer[] DESC
 LIMIT 1;

-- name: AddTemplate :exec
-- Nothing where the company's texts would be more than they may be together: the pages that offer them read them all.
INSERT INTO gatehouse.runbook_templates (tenant_id, name, version, sha256, template, issuer, subject, person)
SELECT gatehouse.current_tenant(), @name, @version, @sha256, @template::text, @issuer, @subject, @person
 WHERE octet_length(@template) + (SELECT coalesce(sum(octet_length(t.template)), 0) FROM gatehouse.runbook_templates t
                                   WHERE t.tenant_id = gatehouse.current_tenant()) <= @most::bigint
    ON CONFLICT ON CONSTRAINT runbook_templates_pkey DO NOTHING;

-- name: TemplateThere :one
SELECT sha256 FROM gatehouse.runbook_templates WHERE tenant_id = gatehouse.current_tenant() AND name = @name AND version = @version;
