package app_test

import (
	"archive/zip"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/demoidp"
	"github.com/agogsaas/gatehouse/internal/dimension"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/migrations"
)

// act is one state-changing route as it succeeds, in the order in which a release meets them: who does it, on which
// page its form stands, and what is typed. {release} and the like stand for what the story has made.
type act struct {
	route   string // METHOD /path/:of/the/route
	who     string // of Rivermark
	path    string
	page    string
	typed   map[string]string
	entries int            // in the audit trail; what changes nothing makes none
	before  func(s *story) // brings about what the act needs
	after   func(s *story, a answer)
	status  int    // 303 where zero
	raw     string // the whole body where it is no form, as application/json
	anyForm bool   // does its work whatever is sent along
	file    *sent  // a file that comes along, which makes the form one in parts
}

// sent is a file as a browser sends it in a form.
type sent struct{ field, name, text string }

const partsType = "multipart/form-data; boundary=between-the-parts"

func (f sent) body() string {
	return "--between-the-parts\r\nContent-Disposition: form-data; name=\"" + f.field + "\"; filename=\"" + f.name + "\"\r\n" +
		"Content-Type: application/octet-stream\r\n\r\n" + f.text + "\r\n--between-the-parts--\r\n"
}

var proof = &sent{runbook.FileField, "proof.txt", "what was seen"}

// ownRunbook is the newest of ours under another name, as a company would bring its own.
func ownRunbook() *sent {
	all, err := runbook.Embedded()
	if err != nil {
		panic(err)
	}
	return &sent{runbook.TemplateField, "own.json", strings.Replace(all[0].Text, `"name": "`+all[0].Name+`"`, `"name": "our-own"`, 1)}
}

// story is a site with what the acts before have made.
type story struct {
	*site
	ids map[string]string
}

func (s *story) fill(text string) string {
	for name, id := range s.ids {
		text = strings.ReplaceAll(text, "{"+name+"}", id)
	}
	return text
}

// acts must hold every POST of the route table; a test compares.
func acts() []act {
	const item, gate, window = "/releases/{release}/items/", "/releases/{release}/gates/go_no_go", "/releases/{release}/window"
	const back = "/releases/{release}/rollback"
	const restored = "/migrations/backups/{backup}/restore"
	list := []act{
		{route: "POST /theme", who: "viewer", path: "/theme", page: "/releases", typed: map[string]string{"theme": "dark"}},
		{
			route: "POST /releases", who: "devops.engineer", path: "/releases", page: "/releases/new", entries: 1,
			after: func(s *story, a answer) { s.ids["release"] = last(a) },
		},
		{
			route: "POST /releases/:release/schedule", who: "devops.engineer", path: "/releases/{release}/schedule", page: "/releases/{release}",
			typed: map[string]string{"t_zero": "2027-03-01T14:00", "reason": "The line stops a day later."}, entries: 1,
		},
	}
	list = append(list, act{
		// Once a backup was restored, the page offers no rehearsal on a sample.
		route: "POST /migrations/rehearsals", who: "devops.engineer", path: "/migrations/rehearsals", page: "/migrations", entries: 1,
		after: func(s *story, _ answer) { s.atRest() },
	}, act{
		route: "POST /releases/:release/window", who: "devops.engineer", path: window, page: window, before: (*story).tellTime,
		typed: map[string]string{"from": "{from}", "until": "{until}", "reason": "The second Sunday."}, entries: 1,
	}, act{
		route: "POST /releases/:release/window/freeze", who: "on.call.engineer", path: window + "/freeze", page: window,
		typed: map[string]string{"from": "2031-12-20T00:00", "until": "2031-12-27T00:00", "reason": "Christmas trade."}, entries: 1,
	}, act{
		route: "POST /releases/:release/window/overrides", who: "devops.engineer", path: window + "/overrides", page: window,
		typed: map[string]string{"kind": "proof", "reason": "The backup's disk is full."}, entries: 1,
		after: func(s *story, _ answer) {
			s.ids["override"] = s.text(`SELECT override_id::text FROM gatehouse.apply_overrides`)
		},
	}, act{
		route: "POST /releases/:release/window/overrides/:override/second", who: "backend.lead", path: window + "/overrides/{override}/second", page: window, entries: 1,
	})
	for _, step := range []struct{ name, item, reason string }{
		{"check", "PRE-P1", ""},
		{"take", "PRE-C2", ""},
		{"takeover", "PRE-C2", "She was called away."},
		{"comment", "PRE-C2", ""},
		{"files", "PRE-C2", ""},
		{"waive", "PRE-P3", "Staging is the same machine."},
		{"fail", "PRE-C2", "Nobody is on call."},
		{"reopen", "PRE-C2", "Somebody was found."},
		{"done", "PRE-C2", ""},
		{"skip", "{optional}", "Not this time."},
	} {
		a := act{
			route: "POST /releases/:release/items/:item/" + step.name, who: "devops.lead", path: item + step.item + "/" + step.name,
			page: item + step.item, typed: map[string]string{}, entries: 1,
		}
		switch step.name {
		case "done":
			a.typed["evidence_text"] = "Eli is on call, and briefed"
		case "skip":
			a.who = "{optional_owner}"
		case "takeover", "fail":
			a.who = "devops.engineer"
		case "comment":
			a.typed["comment"] = "The list is on the wall."
		case "files":
			a.file = proof
			a.after = func(s *story, _ answer) { s.ids["file"] = s.text(`SELECT sha256 FROM gatehouse.evidence_files`) }
		case "waive":
			a.who = "qa.lead"
		}
		if step.reason != "" {
			a.typed["reason"] = step.reason
		}
		list = append(list, a)
	}
	return append(list,
		act{
			route: "POST /releases/:release/gates/:gate/reject", who: "qa.lead", path: gate + "/reject", page: gate,
			typed: map[string]string{"reject_reason": "The rehearsal was of another day."}, entries: 1, before: (*story).finishItems,
		},
		act{
			route: "POST /releases/:release/gates/:gate/attempts", who: "devops.engineer", path: gate + "/attempts", page: gate,
			typed: map[string]string{"attempt_note": "It was rehearsed again."}, entries: 1,
		},
		act{
			route: "POST /releases/:release/gates/:gate/outage", who: "qa.lead", path: gate + "/outage", page: gate + "/break-glass", entries: 1, before: (*story).providerAway,
		},
		act{
			route: "POST /releases/:release/gates/:gate/break-glass", who: "qa.lead", path: gate + "/break-glass", page: gate + "/break-glass",
			typed: map[string]string{"meaning": "approved", "score": "9.5", "first": "{first}", "second": "{second}"}, entries: 3, before: (*story).sealEnvelopes,
			after: func(s *story, a answer) { s.ids["glass"] = last(a); s.providerBack() },
		},
		act{
			route: "POST /signatures/:signature/review", who: "devops.lead", path: "/signatures/{glass}/review", page: "/signatures/{glass}",
			typed: map[string]string{"verdict": "upheld", "review_reason": "I asked all three."}, entries: 1,
		},
		act{
			route: "POST /releases/:release/gates/:gate/sign", who: "backend.lead", path: gate + "/sign", page: gate,
			typed: map[string]string{"meaning": "approved"}, entries: 1, before: (*story).finishItems,
			after: func(s *story, _ answer) {
				s.ids["signature"] = s.text(`SELECT signature_id::text FROM gatehouse.signatures WHERE slot = 'backend'`)
			},
		},
		act{
			route: "POST /migrations/:version/apply", who: "devops.engineer", path: "/migrations/V0.0.20/apply", page: "/migrations/V0.0.20", entries: 1, before: (*story).passGate,
			after: func(s *story, a answer) { s.ids["run"] = last(a) },
		},
		act{
			route: "POST /releases/:release/window/tokens", who: "devops.lead", path: window + "/tokens", page: window,
			typed: map[string]string{"step": "up 0.0.20"}, entries: 1, status: http.StatusOK,
			after: func(s *story, _ answer) { s.ids["token"] = s.text(`SELECT token_id::text FROM gatehouse.apply_tokens`) },
		},
		act{
			route: "POST /releases/:release/window/tokens/:token/revoke", who: "devops.lead", path: window + "/tokens/{token}/revoke", page: window, entries: 1,
		},
		act{
			route: "POST /migrations/:version/probe", who: "devops.engineer", path: "/migrations/V0.0.20/probe", page: "/migrations/V0.0.20/repair", entries: 1,
			before: (*story).interrupt,
		},
		act{
			route: "POST /migrations/:version/repair", who: "devops.engineer", path: "/migrations/V0.0.20/repair", page: "/migrations/V0.0.20/repair",
			typed: map[string]string{"as": "not-applied", "reason": "The program was stopped.", "confirm": "V0.0.20"}, entries: 1,
		},
		act{
			route: "POST /migration-runs/:run/acknowledge", who: "devops.lead", path: "/migration-runs/{run}/acknowledge", page: "/migration-runs/{run}",
			typed: map[string]string{"reason": "Nothing of it is in the schema."}, entries: 1, before: (*story).atRest,
		},
		act{
			route: "POST /migrations/:version/losses", who: "devops.lead", path: "/migrations/V0.0.18/losses", page: "/migrations/V0.0.18/down", entries: 1,
		},
		act{
			route: "POST /migrations/:version/down", who: "devops.lead", path: "/migrations/V0.0.18/down", page: "/migrations/V0.0.18/down",
			typed: map[string]string{"reason": "It goes back to the last release.", "confirm": "V0.0.18"}, entries: 1, before: (*story).saved,
		},
		act{
			route: "POST /releases/:release/gates/:gate/withdraw", who: "backend.lead", path: gate + "/withdraw", page: gate,
			typed: map[string]string{"reason": "I was wrong."}, entries: 1,
		},
		act{
			route: "POST /releases/:release/rollback", who: "devops.lead", path: back, page: back,
			typed: map[string]string{"option": "RB-4", "reason": "Orders are lost."}, entries: 1,
			after: func(s *story, _ answer) {
				s.ids["rollback"] = s.text(`SELECT rollback_id::text FROM gatehouse.rollbacks`)
			},
		},
		act{
			route: "POST /releases/:release/rollback/:rollback/agree", who: "backend.lead", path: back + "/{rollback}/agree", page: back, entries: 1,
		},
		act{
			route: "POST /releases/:release/rollback/:rollback/steps", who: "devops.engineer", path: back + "/{rollback}/steps", page: back,
			typed: map[string]string{"outcome": "done", "note": "Nobody is connected."}, entries: 1,
		},
		act{
			route: "POST /releases/:release/rollback/:rollback/end", who: "devops.lead", path: back + "/{rollback}/end", page: back,
			typed: map[string]string{"outcome": "given_up", "end_note": "The orders were found."}, entries: 1,
		},
		act{
			route: "POST /releases/:release/rollback/:rollback/review", who: "qa.lead", path: back + "/{rollback}/review", page: back,
			typed: map[string]string{"verdict": "in_order", "review_note": "It was right to stop."}, entries: 1,
		},
		act{
			route: "POST /releases/:release/lessons", who: "devops.lead", path: "/releases/{release}/lessons", page: "/releases/{release}/report", entries: 1,
			typed:  map[string]string{"happened": "Orders seemed lost.", "why": "Nobody looked at the queue.", "todo": "Look at the queue first.", "owner": "devops_lead", "due": "{due}"},
			before: func(s *story) { s.ids["due"] = s.text(`SELECT (now() + interval '30 days')::date::text`) },
			after: func(s *story, _ answer) {
				s.ids["lesson"] = s.text(`SELECT lesson_id::text FROM gatehouse.release_lessons`)
			},
		},
		act{
			route: "POST /releases/:release/lessons/:lesson/done", who: "devops.lead", path: "/releases/{release}/lessons/{lesson}/done", page: "/releases/{release}/report", entries: 1,
			typed: map[string]string{"note": "It stands in the runbook."},
		},
		act{
			route: "POST /deputies", who: "qa.lead", path: "/deputies", page: "/deputies", typed: map[string]string{"person": "{person}", "reason": "Quality is away for a week."}, entries: 1,
			before: func(s *story) {
				s.ids["person"] = s.text(`SELECT p.person_id::text FROM gatehouse.people p JOIN gatehouse.tenants t USING (tenant_id) WHERE t.is_operator AND p.roles = '{backend_lead}' LIMIT 1`)
			},
			after: func(s *story, _ answer) { s.ids["deputy"] = s.text(`SELECT deputy_id::text FROM gatehouse.deputies`) },
		},
		act{
			route: "POST /deputies/revoke", who: "qa.lead", path: "/deputies/revoke", page: "/deputies", typed: map[string]string{"deputy": "{deputy}", "revoke_reason": "Quality is back."}, entries: 1,
		},
		act{route: "POST /runbooks", who: "devops.lead", path: "/runbooks", page: "/runbooks", file: ownRunbook(), entries: 1},
		act{
			route: "POST /releases/:release/abort", who: "devops.lead", path: "/releases/{release}/abort", page: "/releases/{release}",
			typed: map[string]string{"abort_reason": "The line cannot stop.", "confirm": "REQ-STRATEGIC-AUTO-1766545799451"}, entries: 1,
		},
		act{
			route: "POST /migrations/drift/check", who: "devops.lead", path: "/migrations/drift/check", page: "/migrations/drift", entries: 1,
			before: func(s *story) { s.sql(`ALTER TABLE public.lots ADD by_hand text`) },
		},
		act{
			route: "POST /migrations/drift/accept", who: "devops.lead", path: "/migrations/drift/accept", page: "/migrations/drift",
			typed: map[string]string{"reason": "The ERP's labels need it.", "days": "30"}, entries: 1,
		},
		act{
			route: "POST /migrations/drift/withdraw", who: "devops.lead", path: "/migrations/drift/withdraw", page: "/migrations/drift",
			typed: map[string]string{"reason": "The ERP has another place for it."}, entries: 1,
		},
		act{
			route: "POST /migrations/backups", who: "devops.engineer", path: "/migrations/backups", page: "/migrations/backups", entries: 1,
			after: func(s *story, a answer) { s.ids["operation"] = last(a) },
		},
		act{
			route: "POST /migrations/backups/:backup/drill", who: "devops.engineer", path: "/migrations/backups/{backup}/drill", page: "/migrations/backups", entries: 1,
			before: (*story).backedUp,
		},
		act{
			route: "POST /migrations/backups/external", who: "devops.engineer", path: "/migrations/backups/external", page: "/migrations/backups/external", entries: 1,
			typed: map[string]string{
				"provider": "Northwind Cloud", "identifier": "snap-1", "taken": "2026-01-01T02:00", "covers": "The whole cluster", "evidence": "https://status.example.com/1", "file": "one.dump",
			},
			after: func(s *story, a answer) { s.ids["external"] = last(a) },
		},
		act{
			route: "POST /migrations/backups/external/:external/attest", who: "devops.lead", path: "/migrations/backups/external/{external}/attest", page: "/migrations/backups/external/{external}", entries: 1,
			typed: map[string]string{"restored": "2026-01-02T02:00", "evidence": "Ticket 4711"},
		},
		act{
			route: "POST /migrations/backups/external/:external/drill", who: "devops.engineer", path: "/migrations/backups/external/{external}/drill", page: "/migrations/backups/external/{external}", entries: 1,
			before: (*story).atRest,
		},
		act{
			route: "POST /migrations/backups/:backup/rehearse", who: "devops.lead", path: "/migrations/backups/{backup}/rehearse", page: "/migrations/backups", entries: 1,
			before: (*story).atRest,
		},
		act{
			route: "POST /migrations/backups/:backup/restore/look", who: "devops.lead", path: restored + "/look", page: restored, entries: 1,
			before: (*story).restorable,
		},
		act{
			route: "POST /migrations/backups/:backup/restore", who: "devops.lead", path: restored, page: restored,
			typed: map[string]string{"reason": "The import went wrong.", "database": "{database}"}, entries: 1,
			after: func(s *story, _ answer) {
				s.ids["request"] = s.text(`SELECT request_id::text FROM gatehouse.restore_requests`)
			},
		},
		act{
			route: "POST /migrations/backups/:backup/restore/:request/agree", who: "qa.lead", path: restored + "/{request}/agree", page: restored,
			typed: map[string]string{"database": "{database}"}, entries: 1,
			after: func(s *story, _ answer) {
				for who, want := range map[string]bool{"devops.lead@rivermark": true, "devops.engineer@rivermark": true, "qa.lead@rivermark": false, "devops.lead@saltway": false} {
					if got := strings.Contains(s.as(who).get("/waiting").body, "restore_start "+s.ids["request"]); got != want {
						s.t.Errorf("the restore that was agreed waits for %s: %v, want %v", who, got, want)
					}
				}
			},
		},
		act{
			route: "POST /migrations/backups/:backup/restore/:request/withdraw", who: "qa.lead", path: restored + "/{second request}/withdraw", page: restored, entries: 1,
			before: func(s *story) {
				s.ids["second request"] = uuid.NewString()
				s.sql(`INSERT INTO gatehouse.restore_requests (tenant_id, request_id, backup_id, look_id, content, content_sha256, state_sha256, reason, issuer, subject, name, auth_time, asked_at, expires_at)
					SELECT tenant_id, $1, backup_id, look_id, content, content_sha256, state_sha256, reason, issuer, subject, name, auth_time, asked_at, expires_at FROM gatehouse.restore_requests`, s.ids["second request"])
			},
		},
		act{
			route: "POST /migrations/backups/:backup/restore/:request/start", who: "devops.lead", path: restored + "/{request}/start", page: restored,
			typed: map[string]string{"database": "{database}"}, entries: 1,
			before: func(s *story) {
				s.atRest()
				s.sql(`UPDATE gatehouse.migration_runs SET state = 'failed', finished_at = now(), error = 'a test' WHERE state = 'queued'`)
			},
		},
		act{
			route: "POST /migrations/indexes/rebuild", who: "devops.lead", path: "/migrations/indexes/rebuild", page: "/migrations", entries: 1,
			before: func(s *story) {
				s.atRest()
				s.sql(`UPDATE gatehouse.migration_runs SET state = 'failed', finished_at = now(), error = 'a test' WHERE state = 'queued'`)
				s.sql(`UPDATE pg_catalog.pg_index SET indisvalid = false WHERE indexrelid = 'public.idx_lots_location'::regclass`)
			},
			after: func(s *story, _ answer) {
				s.sql(`UPDATE pg_catalog.pg_index SET indisvalid = true WHERE indexrelid = 'public.idx_lots_location'::regclass`)
			},
		},
		act{route: "POST /health-checks/run", who: "devops.lead", path: "/health-checks/run", page: "/health-checks", entries: 1},
		act{
			route: "POST /audit/acknowledge", who: "auditor", path: "/audit/acknowledge", page: "/audit", typed: map[string]string{"reason": "The disk was lost."}, entries: 1,
			before: func(s *story) {
				s.sql(`INSERT INTO gatehouse.audit_alarms (tenant_id, alarm_id, published_seq, published_hash, published_at, agreed_seq, found_seq)
					SELECT tenant_id, gen_random_uuid(), 1000000, repeat('0', 64), now(), 0, 1 FROM gatehouse.tenants WHERE is_operator`)
			},
		},
		act{
			route: "POST /audit/export", who: "auditor", path: "/audit/export", page: "/audit", typed: map[string]string{"format": "jsonl"}, status: http.StatusOK, entries: 1,
			after: func(s *story, a answer) {
				if found, err := audit.ReadJSONL(strings.NewReader(a.body), audit.Keyring{}, nil); err != nil || found.Tenant != "rivermark" || found.Last != found.UpTo {
					s.t.Errorf("what was exported = %+v, %v; want the whole trail", found, err)
				}
			},
		},
		act{
			route: "POST /releases/:release/dossier", who: "auditor", path: "/releases/{release}/dossier", page: "/releases/{release}", status: http.StatusOK, entries: 1,
			after: func(s *story, a answer) {
				z, err := zip.NewReader(strings.NewReader(a.body), int64(len(a.body)))
				if err != nil || len(z.File) < 6 || !strings.HasPrefix(a.Header.Get("Content-Disposition"), `attachment; filename="dossier-`) {
					s.t.Errorf("the dossier came with %q and is %+v, %v; want an archive", a.Header.Get("Content-Disposition"), z, err)
				}
			},
		},
		act{route: "POST /audit/verify", who: "auditor", path: "/audit/verify", page: "/audit", entries: 1},
		act{route: "POST /graphql", who: "viewer", path: "/graphql", raw: `{"query":"{ __typename }"}`, status: http.StatusOK},
		act{
			route: "POST /dimensions/tasks", who: "qa.engineer", path: "/dimensions/tasks", page: "/dimensions", typed: map[string]string{"code": "M", "note": "The label looks wrong."}, entries: 1,
			before: (*story).toMeasure,
		},
		act{route: "POST /dimensions/tasks/take", who: "warehouse.staff", path: "/dimensions/tasks/take", page: "/dimensions", entries: 1},
		act{route: "POST /dimensions/tasks/release", who: "warehouse.staff", path: "/dimensions/tasks/release", page: "/dimensions", entries: 1},
		act{
			route: "POST /dimensions/tasks/assign", who: "warehouse.supervisor", path: "/dimensions/tasks/assign", page: "/dimensions", typed: map[string]string{"colleague": "{iris}"}, entries: 1,
			before: func(s *story) {
				s.ids["iris"] = s.text(`SELECT person_id::text FROM gatehouse.people WHERE email LIKE 'warehouse.staff@rivermark%'`)
			},
		},
		act{
			route: "POST /dimensions/barcodes", who: "warehouse.staff", path: "/dimensions/barcodes", page: "/dimensions?scan=4006381333931", typed: map[string]string{"code": "M"}, entries: 1,
		},
		act{
			route: "POST /dimensions/materials/:material/measure", who: "warehouse.staff", path: "/dimensions/materials/{material}/measure",
			page: "/dimensions/materials/{material}/measure?facility={facility}&by=volume&volume=12&volume_unit=ft3&weight=20&weight_unit=lb&step=check", entries: 1,
		},
		act{
			route: "POST /dimensions/reviews/:case", who: "warehouse.supervisor", path: "/dimensions/reviews/{case}", page: "/dimensions/reviews/{case}", entries: 1,
			typed: map[string]string{"note": "I looked at both.", "decision": "APPROVE_MEASURED"}, before: (*story).measuredTwice,
		},
		act{
			route: "POST /dimensions/imports", who: "warehouse.staff", path: "/dimensions/imports", page: "/dimensions/imports", entries: 1,
			file:  &sent{"measurements", "sheet.csv", dimension.ImportExample},
			after: func(s *story, a answer) { s.ids["import"] = last(a) },
		},
		act{
			route: "POST /dimensions/imports/:import/confirm", who: "warehouse.staff", path: "/dimensions/imports/{import}/confirm", page: "/dimensions/imports/{import}", entries: 1,
			before: (*story).filed,
			typed:  map[string]string{"sure": "yes"},
		},
		act{
			route: "POST /dimensions/imports/:import/discard", who: "warehouse.staff", path: "/dimensions/imports/{import}/discard", page: "/dimensions/imports/{import}", entries: 1,
			before: (*story).filed,
		},
		act{route: "POST /me/sessions/:session/end", who: "product.owner", path: "/me/sessions/{session}/end", page: "/me", entries: 1, before: func(s *story) {
			s.as("product.owner@rivermark")
			s.stranger().signIn("product.owner@rivermark")
			s.ids["session"] = s.text(`SELECT session_id::text FROM gatehouse.sessions s JOIN gatehouse.people p USING (person_id)
				WHERE p.email LIKE 'product.owner@rivermark%' ORDER BY s.created_at DESC LIMIT 1`)
		}},
		act{route: "POST /settings/claims", who: "admin", path: "/settings/claims", page: "/settings/claims", typed: map[string]string{"claims": `{"sub":"x","groups":["viewer"]}`}, status: http.StatusOK},
		act{route: "POST /switch-user", who: "warehouse.staff", path: "/switch-user", page: "/me", entries: 1, status: http.StatusOK},
		act{
			route: "POST /way-back", who: "frontend.lead", path: "/way-back", page: "/way-back", typed: map[string]string{"first": "{first}", "second": "{second}"}, entries: 1,
			before: (*story).sealHalves,
		},
		act{
			route: "POST /api/v1/capacity-failures", who: "warehouse.supervisor", path: "/api/v1/capacity-failures", entries: 1, status: http.StatusCreated, before: (*story).toQuality,
			raw: `{"idempotency_key":"k1","facility":"F","location":"Z-A-1-1","material":"M","lot":"L1","quantity":10,"required_cubic_feet":60,"available_cubic_feet":"50","required_weight_lbs":1,"available_weight_lbs":2}`,
			after: func(s *story, _ answer) {
				s.ids["failure"] = s.text(`SELECT failure_id::text FROM gatehouse.capacity_cases`)
				s.ids["group"] = s.text(`SELECT group_id::text FROM gatehouse.capacity_cases`)
				s.ids["supervisor"] = s.text(`SELECT person_id::text FROM gatehouse.people WHERE roles = '{warehouse_supervisor}' AND tenant_id = $1`, housetest.Rivermark)
			},
		},
		act{
			route: "POST /capacity-failures/groups/:group/acts", who: "warehouse.supervisor", path: "/capacity-failures/groups/{group}/acts", page: "/capacity-failures/groups/{group}",
			typed: map[string]string{"act": "assign", "worker": "{supervisor}", "reason": "The roll delivery."}, entries: 1,
			after: func(s *story, _ answer) { s.ids["bulk"] = s.text(`SELECT bulk_id::text FROM gatehouse.capacity_bulks`) },
		},
		act{
			route: "POST /capacity-failures/acts/:bulk/undo", who: "warehouse.supervisor", path: "/capacity-failures/acts/{bulk}/undo", page: "/capacity-failures", entries: 1,
		},
		failureAct("acknowledge", "warehouse.supervisor", nil),
		failureAct("measure", "warehouse.supervisor", nil),
		failureAct("assign", "warehouse.supervisor", map[string]string{"worker": "{supervisor}"}),
		failureAct("fix", "warehouse.supervisor", map[string]string{"code": "STOCK_MOVED", "notes": "Moved by hand into A-12."}),
		failureAct("doubt", "qa.engineer", map[string]string{"notes": "It still stands out of the bin."}),
		act{
			route: "POST /capacity-failures/:failure/bin", who: "warehouse.supervisor", path: "/capacity-failures/{failure}/bin", page: "/capacity-failures/{failure}/bin?length=48&width=48&height=83&weight=5000",
			typed: map[string]string{"reason": "Measured with a tape."}, entries: 2, before: func(s *story) {
				s.sql(`UPDATE gatehouse.capacity_cases SET bin_cubic_feet = 100, bin_max_weight_lbs = 1000`)
			},
		},
		failureAct("verify", "qa.engineer", nil),
		failureAct("reopen", "qa.lead", map[string]string{"notes": "It was seen on the floor again."}),
		act{
			route: "POST /capacity-failures/:failure/material", who: "qa.engineer", path: "/capacity-failures/{failure}/material", page: "/capacity-failures/{failure}",
			typed: map[string]string{"material_notes": "Measured anew this morning."}, entries: 1,
			before: func(s *story) { s.sql(`UPDATE public.materials SET cubic_feet = 4.5, weight_lbs_per_unit = 0.01`) },
			after: func(s *story, _ answer) {
				s.sql(`UPDATE gatehouse.capacity_cases SET state = 'new', fix_code = '', fix_notes = '', fixed_subject = '', fixed_at = NULL, version = version + 1`)
			},
		},
		fresh(failureAct("accept", "warehouse.supervisor", map[string]string{"notes": "Until the new shelf has come."})),
		act{
			route: "POST /api/v1/cross-dock-cancellations", who: "warehouse.supervisor", path: "/api/v1/cross-dock-cancellations", entries: 1, status: http.StatusCreated, before: (*story).toTheDock,
			raw: `{"idempotency_key":"x1","facility":"F","lot":"XL1","reason":"ORDER_CANCELLED"}`,
			after: func(s *story, _ answer) {
				s.ids["cancellation"] = s.text(`SELECT cancellation_id::text FROM public.cross_dock_cancellations`)
			},
		},
		act{
			route: "POST /cross-dock", who: "qa.lead", path: "/cross-dock", page: "/cross-dock/new", typed: map[string]string{"lot": "XL2", "reason": "MATERIAL_QUALITY_ISSUE"}, entries: 1,
		},
		act{
			route: "POST /cross-dock/dock/limits", who: "warehouse.supervisor", path: "/cross-dock/dock/limits", page: "/cross-dock", typed: map[string]string{"zone": "DOCK", "minutes": "90"}, entries: 1,
		},
		dockAct("retry", "warehouse.supervisor", nil),
		dockAct("choose", "warehouse.supervisor", map[string]string{"location": "XB-2", "note": "Nearer to the door."}),
		act{
			route: "POST /cross-dock/:cancellation/store", who: "warehouse.supervisor", path: "/cross-dock/{cancellation}/store", page: "/cross-dock/{cancellation}/store",
			typed: map[string]string{"place": "XB-2"}, entries: 1,
		},
		act{route: "POST /logout", who: "on.call.engineer", path: "/logout", page: "/me", entries: 1, status: http.StatusOK, anyForm: true},
	)
}

// fresh lets whoever does the act sign in just before: the story may have taken longer than a sign-in is fresh.
func fresh(a act) act {
	a.before = func(s *story) { delete(s.people, a.who+"@rivermark") }
	return a
}

// failureAct is an act on the one capacity failure.
func failureAct(name, who string, typed map[string]string) act {
	return act{
		route: "POST /capacity-failures/:failure/" + name, who: who, path: "/capacity-failures/{failure}/" + name, page: "/capacity-failures/{failure}", typed: typed, entries: 1,
	}
}

// dockAct is an act on the one lot at the dock.
func dockAct(name, who string, typed map[string]string) act {
	return act{route: "POST /cross-dock/:cancellation/" + name, who: who, path: "/cross-dock/{cancellation}/" + name, page: "/cross-dock/{cancellation}", typed: typed, entries: 1}
}

// toTheDock puts two lots onto the dock, and two places beside it.
func (s *story) toTheDock() {
	s.t.Helper()
	s.sql(`UPDATE public.materials SET cubic_feet = 4.5, weight_lbs_per_unit = 1`)
	s.sql(`INSERT INTO public.inventory_locations (tenant_id, facility_id, location_code, location_type, cubic_feet, max_weight_lbs)
		SELECT tenant_id, facility_id, code, kind, room, 10000 FROM public.facilities, (VALUES ('XB-1', 'RESERVE', 50), ('XB-2', 'RESERVE', 5000), ('XQ-1', 'QUARANTINE', 500), ('XS-1', 'STAGING', 500)) v (code, kind, room) WHERE tenant_id = $1`, housetest.Rivermark)
	s.sql(`INSERT INTO public.lots (tenant_id, facility_id, lot_number, material_id, original_quantity, quantity_on_hand, quantity_available, location_id, received_date)
		SELECT l.tenant_id, l.facility_id, 'XL' || n, m.material_id, 1, 1, 1, l.location_id, current_date
		  FROM public.inventory_locations l JOIN public.materials m USING (tenant_id), generate_series(1, 2) n WHERE l.location_code = 'XS-1' AND m.material_code = 'M'`)
}

// toQuality brings the warehouse to where it has a table of capacity failures, and lets everybody who acts sign in.
func (s *story) toQuality() {
	s.t.Helper()
	m, err := migrator.New(migrator.WMS(), s.database.OwnerURL)
	if err != nil {
		s.t.Fatal(err)
	}
	last, err := migration.ParseVersion("0.0.20")
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := m.UpTo(s.t.Context(), last, actor.System(actor.CLI, "test"), nil); err != nil {
		s.t.Fatalf("to V0.0.20: %v", err)
	}
	for _, who := range []string{"warehouse.supervisor", "qa.engineer", "qa.lead"} {
		s.as(who + "@rivermark")
	}
}

// sealHalves makes a code for two people, as the command does.
func (s *story) sealHalves() {
	s.t.Helper()
	code, err := postgres.MakeWayBack(s.t.Context(), s.database.OwnerURL, housetest.Tenants()[0].Actor(actor.CLI, "test"), postgres.WayBackPlan{
		FirstHolder: "Ada Morrow", SecondHolder: "Omar Fitch", Reason: "the provider sends no groups", Lifetime: time.Hour, Session: 30 * time.Minute,
	})
	if err != nil {
		s.t.Fatalf("MakeWayBack: %v", err)
	}
	s.ids["first"], s.ids["second"] = code.First, code.Second
}

// providerAway is an outage that comes while QA has a sign-in of an hour ago.
func (s *story) providerAway() {
	s.t.Helper()
	s.finishItems()
	for _, who := range []string{"viewer@rivermark", "devops.lead@saltway"} {
		s.as(who)
	}
	s.provider.Behave(demoidp.Behaviour{Claims: func(claims map[string]any) { claims["auth_time"] = time.Now().Add(-time.Hour).Unix() }})
	delete(s.people, "qa.lead@rivermark")
	s.as("qa.lead@rivermark")
	s.provider.Behave(demoidp.Behaviour{Down: true})
}

// providerBack ends it, and lets QA sign in afresh when next asked for.
func (s *story) providerBack() {
	s.provider.Behave(demoidp.Behaviour{})
	delete(s.people, "qa.lead@rivermark")
}

// sealEnvelopes makes a signing code for two people, as the command does.
func (s *story) sealEnvelopes() {
	s.t.Helper()
	code, err := postgres.MakeSigningCode(s.t.Context(), s.database.OwnerURL, housetest.Tenants()[0].Actor(actor.CLI, "test"), postgres.SigningCodePlan{
		FirstHolder: "Ada Morrow", SecondHolder: "Omar Fitch", Reason: "envelopes of the quarter", Lifetime: 28 * 24 * time.Hour,
	})
	if err != nil {
		s.t.Fatalf("MakeSigningCode: %v", err)
	}
	s.ids["first"], s.ids["second"] = code.First, code.Second
}

func last(a answer) string {
	path := a.Header.Get("Location")
	return path[strings.LastIndex(path, "/")+1:]
}

// fields are those of the act's form as its page shows it, with what is typed over them.
func (s *story) fields(a act) url.Values {
	s.t.Helper()
	page := s.as(s.fill(a.who) + "@rivermark").get(s.fill(a.page))
	if page.StatusCode != http.StatusOK {
		s.t.Fatalf("GET %s = %d: %s", s.fill(a.page), page.StatusCode, page.main())
	}
	fields, ok := formOf(s.t, page.body, s.fill(a.path))
	if !ok {
		s.t.Fatalf("%s shows %s no form for %s: %s", s.fill(a.page), a.who, s.fill(a.path), page.main())
	}
	for name, text := range a.typed {
		fields.Set(name, s.fill(text))
	}
	return fields
}

// onTheFloor is a material with a record that lies in a bin, to be measured.
func (s *story) onTheFloor() {
	s.t.Helper()
	s.ids["material"], s.ids["facility"] = "00000000-0000-7000-8000-0000000000c1", "00000000-0000-7000-8000-0000000000a1"
	s.sql(`UPDATE materials SET cubic_feet = 10, weight_lbs_per_unit = 20 WHERE material_id = $1`, s.ids["material"])
	s.sql(`INSERT INTO lots (tenant_id, facility_id, lot_number, material_id, original_quantity, quantity_on_hand, quantity_available, location_id, received_date)
		SELECT tenant_id, $2, 'L1', $1, 10, 10, 10, '00000000-0000-7000-8000-0000000000b1', '2026-01-01' FROM gatehouse.tenants WHERE is_operator`, s.ids["material"], s.ids["facility"])
}

// toMeasure brings the warehouse to the version that has verifications.
func (s *story) toMeasure() {
	s.t.Helper()
	m, err := migrator.New(migrator.WMS(), s.database.OwnerURL)
	if err == nil {
		_, err = m.UpTo(s.t.Context(), 20, actor.System(actor.CLI, "a test"), nil)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.onTheFloor()
}

// measuredTwice is what the first reading was, by somebody else again: a supervisor has to decide.
func (s *story) measuredTwice() {
	s.t.Helper()
	page := "/dimensions/materials/{material}/measure"
	a := s.as("qa.engineer@rivermark").post(s.fill(page), s.fields(act{who: "qa.engineer", path: page, page: page + "?facility={facility}&by=volume&volume=12.1&volume_unit=ft3&weight=20&weight_unit=lb&step=check"}))
	if a.StatusCode != http.StatusSeeOther {
		s.t.Fatalf("the second reading: %d %s", a.StatusCode, a.main())
	}
	s.ids["case"] = s.text(`SELECT case_id::text FROM gatehouse.dimension_cases WHERE state = 'review'`)
}

// tellTime puts an hour ago and two hours from now, at the release's place, where the acts can name them.
func (s *story) tellTime() {
	at := func(from string) string {
		return s.text(`SELECT to_char((now() + $1::interval) AT TIME ZONE time_zone, 'YYYY-MM-DD"T"HH24:MI') FROM gatehouse.runs`, from)
	}
	s.ids["from"], s.ids["until"] = at("-1 hour"), at("2 hours")
}

// atRest ends whatever operation is under way, as its worker would.
func (s *story) atRest() {
	s.sql(`UPDATE gatehouse.operations SET state = 'interrupted', finished_at = now() WHERE state = 'queued'`)
}

// saved is what an order to save an undo's losses leaves, where there are none.
func (s *story) saved() {
	s.t.Helper()
	files, err := migration.ReadFiles(migrations.WMS, migration.Rules{Undo: true})
	if err != nil {
		s.t.Fatal(err)
	}
	version, err := migration.ParseVersion("0.0.18")
	if err != nil {
		s.t.Fatal(err)
	}
	undo, _ := files.Down(version)
	s.sql(`INSERT INTO gatehouse.migration_losses (tenant_id, loss_id, operation_id, version_number, undo_sha256, taken_at, oldest_xid, next_xid, lost, items, files, file_count)
		SELECT tenant_id, gen_random_uuid(), operation_id, $1, $2, now(), 3, 3, 0, '[]', '[]', 0 FROM gatehouse.operations WHERE kind = 'losses'`, int64(version), undo.SHA256)
	s.atRest()
}

// backedUp is a backup that was taken, and nothing under way.
func (s *story) backedUp() {
	s.atRest()
	s.ids["backup"] = uuid.NewString()
	s.sql(`INSERT INTO gatehouse.backups (tenant_id, backup_id, name, bytes, sha256, taken_at, took_ms, manifest, manifest_sha256, actor_issuer, actor_subject, actor_name, origin)
		SELECT tenant_id, $1, 'test.dump', 1, repeat('0', 64), now(), 1, '{}', encode(sha256('{}'), 'hex'), 'test', 'test', 'Test', 'cli' FROM gatehouse.tenants WHERE is_operator`, s.ids["backup"])
}

// restorable is an old backup that was restored once beside the database, and says of the ledger what a backup says.
func (s *story) restorable() {
	s.ids["backup"], s.ids["database"] = uuid.NewString(), s.text(`SELECT current_database()::text`)
	s.sql(`INSERT INTO gatehouse.backups (tenant_id, backup_id, name, bytes, sha256, taken_at, took_ms, manifest, manifest_sha256, actor_issuer, actor_subject, actor_name, origin)
		SELECT t.tenant_id, $1, 'old.dump', 1, repeat('0', 64), now() - interval '3 days', 1, m.text, encode(sha256(convert_to(m.text, 'UTF8')), 'hex'), 'test', 'test', 'Test', 'cli'
		  FROM gatehouse.tenants t,
		       (SELECT json_build_object('standing', 'V' || (SELECT version FROM public.schema_version ORDER BY installed_rank DESC LIMIT 1), 'taken_at', now() - interval '3 days',
		               'rows', json_build_object('public.tenants', 1, 'public.gone', 2, 'gatehouse.migration_ledger', (SELECT count(*) FROM gatehouse.migration_ledger)))::text AS text) m
		 WHERE t.is_operator`, s.ids["backup"])
	s.sql(`INSERT INTO gatehouse.backup_checks (tenant_id, check_id, backup_id, kind, passed, findings, took_ms, actor_issuer, actor_subject, actor_name, origin)
		SELECT tenant_id, gen_random_uuid(), backup_id, 'drill', true, '{}', 1, 'test', 'test', 'Test', 'cli' FROM gatehouse.backups WHERE backup_id = $1`, s.ids["backup"])
}

// finishItems lets every item before the first gate be done, past the rules, which other tests hold.
func (s *story) finishItems() {
	s.sql(`INSERT INTO gatehouse.run_evidence (tenant_id, run_id, item_id, number, kind, value, note, summary, query, passed, sha256, issuer, subject, name)
		SELECT tenant_id, run_id, item_id, 1, kind, 'seen', '', '', '', true, gatehouse.evidence_sha256(kind, 'seen', '', '', ''), 'test', 'test', 'Test'
		  FROM gatehouse.run_items WHERE (gate = 'go_no_go' OR item_id = 'P2.1a') AND state = 'open'`)
	s.sql(`UPDATE gatehouse.run_items SET state = 'done', evidence = 1, settled_issuer = 'test', settled_subject = 'test', settled_name = 'Test', settled_at = now(), due_at = now()
		 WHERE (gate = 'go_no_go' OR item_id = 'P2.1a') AND state = 'open'`)
	s.sql(`UPDATE gatehouse.run_items i SET state = 'done', settled_issuer = 'test', settled_subject = 'test', settled_name = 'Test', settled_at = now(), due_at = now(),
		evidence = (SELECT max(number) FROM gatehouse.run_evidence e WHERE (e.tenant_id, e.run_id, e.item_id) = (i.tenant_id, i.run_id, i.item_id))
		 WHERE gate = 'go_no_go' AND state = 'failed'`)
}

// passGate lets the other three sign, DevOps last.
func (s *story) passGate() {
	sign := act{path: "/releases/{release}/gates/go_no_go/sign", page: "/releases/{release}/gates/go_no_go", typed: map[string]string{"meaning": "approved"}}
	for _, who := range []string{"qa.lead", "statistical.expert", "devops.lead"} {
		if who == "qa.lead" && s.ids["glass"] != "" {
			continue // it was signed by break-glass
		}
		sign.who = who
		fields := s.fields(sign)
		if fields.Has("score") {
			fields.Set("score", "9.5")
		}
		if a := s.as(who+"@rivermark").post(s.fill(sign.path), fields); a.StatusCode != http.StatusSeeOther {
			s.t.Fatalf("%s signing: %d %s", who, a.StatusCode, a.main())
		}
	}
	s.prove()
}

// prove leaves what a backup, its drill and a rehearsal leave.
func (s *story) prove() {
	s.t.Helper()
	conn, err := pgx.Connect(s.t.Context(), s.database.SuperURL)
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close(s.t.Context()) //nolint:errcheck // a test's own connection
	if err := housetest.Prove(s.t.Context(), conn, uuid.MustParse(s.ids["release"])); err != nil {
		s.t.Fatal(err)
	}
	s.ids["rehearsal"] = s.text(`SELECT rehearsal_id::text FROM gatehouse.rehearsals ORDER BY recorded_at DESC LIMIT 1`)
}

// interrupt is what a program leaves that was killed in the middle of the run.
func (s *story) interrupt() {
	s.sql(`UPDATE gatehouse.migration_runs SET state = 'running', started_at = now() WHERE run_id = $1`, s.ids["run"])
	s.sql(`UPDATE gatehouse.migration_runs SET state = 'interrupted', finished_at = now() WHERE run_id = $1`, s.ids["run"])
}

// unknown puts ids that nothing has in the place of all that the story has made.
func (s *story) unknown(text string) string {
	for _, name := range []string{"release", "signature", "glass", "run", "session", "operation", "backup", "rehearsal", "override", "token", "request", "second request", "rollback", "lesson", "snapshot", "material", "facility", "case", "failure", "group", "bulk"} {
		if id := s.ids[name]; id != "" {
			text = strings.ReplaceAll(text, id, uuid.NewSHA1(uuid.NameSpaceOID, []byte(id)).String())
		}
	}
	return text
}
