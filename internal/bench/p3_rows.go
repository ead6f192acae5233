package main

import "strconv"

// pageRows makes n releases and n audit entries: nine in ten Rivermark's, one in ten Saltway's, so that row-level
// security has something to hide. Everything follows from its number. The triggers are off, as in a restore: the trail's
// hashes are numbers of their own and no chain, which no page looks at.
func pageRows(n int) []string {
	count := strconv.Itoa(n)
	const tenant = `CASE WHEN i % 10 = 0 THEN '22222222-2222-7222-8222-222222222222' ELSE '11111111-1111-7111-8111-111111111111' END::uuid`
	const at = `timestamptz '2026-11-01 12:00:00Z' - (` + `interval '31 seconds' * (`
	return []string{
		"SET session_replication_role = replica",
		`INSERT INTO gatehouse.runs (tenant_id, run_id, environment, code, title, state, t0, time_zone, template_name, template_version,
			template_sha256, template, started_by_issuer, started_by_subject, started_by_name, started_at, ended_at, ended_by,
			items_total, items_done, items_failed, items_skipped)
		SELECT ` + tenant + `, md5('release ' || i)::uuid, 'demo', 'REQ-BENCH-' || i, 'Release number ' || i || ' of the bin optimisation', 'closed',
			` + at + count + ` - i)) + interval '1 day', 'Europe/Berlin', 'WMS deployment', '1.0.0', encode(sha256('{}'), 'hex'), '{}',
			'https://id.example', md5('person ' || i % 200), 'Person ' || i % 200, ` + at + count + ` - i)),
			` + at + count + ` - i)) + interval '3 days', 'Person ' || i % 200, 61, 50 + i % 10, i % 2, i % 3
		FROM generate_series(1, ` + count + `) AS i`,
		`INSERT INTO gatehouse.audit_events (tenant_id, seq, at, origin, issuer, subject, name, roles, ip, action, object_kind, object_id,
			outcome, reason, before, after, prev_hash, hash)
		SELECT ` + tenant + `, i, ` + at + count + ` - i)), 'web', 'https://id.example', md5('person ' || i % 200), 'Person ' || i % 200,
			'qa_lead', '10.0.0.' || i % 250, (ARRAY['item:done', 'item:take', 'gate:sign', 'session:sign_in'])[1 + i % 4], 'item',
			md5('release ' || i / 60) || ' T24-' || i % 60, CASE WHEN i % 50 = 0 THEN 'refused' ELSE 'done' END, '',
			'{"state": "open"}', '{"state": "done", "evidence": 1}', sha256(('entry ' || i - 1)::bytea), sha256(('entry ' || i)::bytea)
		FROM generate_series(1, ` + count + `) AS i`,
		`INSERT INTO gatehouse.audit_heads (tenant_id, seq, hash)
		SELECT DISTINCT ON (tenant_id) tenant_id, seq, hash FROM gatehouse.audit_events ORDER BY tenant_id, seq DESC
		ON CONFLICT (tenant_id) DO UPDATE SET seq = excluded.seq, hash = excluded.hash`,
		"SET session_replication_role = origin",
		"VACUUM (ANALYZE) gatehouse.runs",
		"VACUUM (ANALYZE) gatehouse.audit_events",
		"CHECKPOINT",
	}
}

// The places just before the oldest fifty, as the pages write them.
const (
	lastReleases = `SELECT to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '_' || run_id FROM gatehouse.runs
		WHERE tenant_id = '11111111-1111-7111-8111-111111111111' ORDER BY started_at, run_id OFFSET 50 LIMIT 1`
	lastAudit = `SELECT seq::text FROM gatehouse.audit_events
		WHERE tenant_id = '11111111-1111-7111-8111-111111111111' ORDER BY seq OFFSET 50 LIMIT 1`
)
