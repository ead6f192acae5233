package pages_test

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

func itemShow() pages.ItemShowView {
	at := "/releases/" + code + "/items/P1.2"
	return pages.ItemShowView{
		Shell: shell("P1.2 Timestamped dump, size checked, uploaded", layouts.PlaceReleases, toReleases, toRelease),
		ID:    "P1.2", Phase: "Pre-deployment validation, T-30 min", State: inProgress, Owner: "DevOps lead", Who: "Ines Duarte", Yours: true,
		Due: clock("13:30", "18 min ago"), Late: "18 min late", Required: true,
		Do:       []string{"Take a dump in custom format under the release's name, check its size, and upload it to the production folder of object storage."},
		Command:  "pg_dump --format=custom --file=backup_pre_" + code + "_20251224_133000.dump \"$DATABASE_URL\"",
		Expected: "A file larger than 100 MB.", Undo: []string{"Delete the dump; nothing else was touched.", "RB-1, Stop before the window (under 1 min, data loss: none, by: DevOps lead). Abort the release.", "TS-2, The disk is full: df -h shows it. Free space and take the dump again."},
		Evidence: []pages.Evidence{
			{Kind: "number", Value: "412 MB", Note: "Uploaded to backups/production.", By: "Ines Duarte", At: clock("13:41", "7 min ago"), SHA256: digest},
			{Kind: "check", Value: "Backup is 7 min old", By: "Ines Duarte", At: clock("13:42", "6 min ago"), SHA256: other, Machine: true, Passed: components.State{Code: "passed", Word: "Passed", Tone: components.Good}, Query: "SELECT finished_at FROM backups ORDER BY finished_at DESC LIMIT 1", Answer: "2025-12-24 13:41:02+00", Mismatch: true},
		},
		History: []pages.HistoryLine{
			{At: clock("13:42", "6 min ago"), Who: "Ines Duarte", What: "attached evidence"},
			{At: clock("13:36", "12 min ago"), Who: "Marta Lindqvist", What: "marked it failed", Note: "The dump was 0 bytes: the disk was full."},
		},
		Asked: pages.EvidenceForm{Kind: pages.EvidenceNumber, Label: "Size of the dump", Hint: "From 100 to 100 000 MB.", Unit: "MB", Value: "412"},
		Acts:  pages.ItemActs{Done: at + "/done", Fail: at + "/fail", Reopen: at + "/reopen"}, Version: "3",
		ReleaseHref: "/releases/" + code, LiveHref: at, Previous: components.Link{Label: "P1.1", Href: "/releases/" + code + "/items/P1.1"}, Following: components.Link{Label: "P1.3", Href: "/releases/" + code + "/items/P1.3"},
	}
}

func itemShowAuto() pages.ItemShowView {
	v := itemShow()
	v.Title, v.ID, v.State, v.Who, v.Yours, v.Late = "P2.3 schema_version shows the three versions successful", "P2.3", blocked, "", false, ""
	v.Evidence, v.History, v.Command, v.Undo = nil, nil, "", nil
	v.Auto, v.AutoWhy = true, "This item cannot be ticked by hand: its evidence is what the database itself answers. The check reads the last five rows of schema_version."
	v.Acts = pages.ItemActs{Check: "/releases/" + code + "/items/P2.3/check", Skip: "/releases/" + code + "/items/P2.3/skip"}
	v.Waiting = []components.Link{{Label: "P2.2 Apply V0.0.20, V0.0.21 and V0.0.22 in order", Href: "/releases/" + code + "/items/P2.2"}}
	return v
}

func itemShowConflict() pages.ItemShowView {
	v := itemShow()
	v.Conflict = &pages.OtherVersion{By: "Marta Lindqvist", At: clock("13:47", "1 min ago"), Rows: []pages.Difference{{What: "State", Then: "In progress", Now: "Failed"}, {What: "Reason", Then: "none", Now: "The dump was 0 bytes."}}}
	v.Complaints = components.Complaints{{Field: "evidence_number", Text: "The size must be from 100 to 100 000 MB."}}
	v.Asked.Value = "41,2"
	return v
}

func itemShowStatement() pages.ItemShowView {
	v := itemShow()
	v.Asked = pages.EvidenceForm{Kind: pages.EvidenceStatement, Statement: "I have read the rollback plan and know who does what."}
	v.Acts.Take, v.Acts.TakeText = v.Acts.Done, "Take it over from Marta Lindqvist"
	return v
}

func itemShowRefused() pages.ItemShowView {
	v := itemShow()
	v.Evidence, v.History, v.Acts = nil, nil, pages.ItemActs{}
	v.Settled, v.Due, v.Late = pages.Settled{Word: "Done by", By: "Ines Duarte", At: clock("13:42 UTC", "6 min ago")}, clock("13:30 UTC", ""), ""
	v.State = done
	v.Refused, v.WhoCan = "This item belongs to the DevOps lead; your role is warehouse staff.", []string{"DevOps lead", "DevOps engineer"}
	return v
}

func gateShow() pages.GateShowView {
	v := pages.GateShowView{
		Shell: shell("Go / no-go", layouts.PlaceReleases, toReleases, toRelease), Gate: goNoGo(void), Code: code, SHA256: digest, CanSign: true, LiveHref: "/releases/" + code + "/gates/go_no_go",
		Sections: []pages.ContentSection{
			{Title: "Release", Facts: []components.Fact{{Label: "Code", Value: code, Code: true}, {Label: "T-0", Value: "2025-12-24 14:00:00 UTC"}, {Label: "Environment", Value: "demo"}, {Label: "Runbook", Value: "WMS deployment 1.0.0"}}},
			{Title: "Items this gate judges", Rows: []pages.ContentRow{
				{ID: "PRE-P1", Title: "V0.0.15 to V0.0.19 applied successfully", State: done, SHA256: digest, Href: "/releases/" + code + "/items/PRE-P1"},
				{ID: "PRE-P2", Title: "Database backup completed and verified", State: done, SHA256: other, Href: "/releases/" + code + "/items/PRE-P2"},
				{ID: "PRE-C4", Title: "Maintenance window confirmed if required", State: skipped, Href: "/releases/" + code + "/items/PRE-C4"},
			}},
			{Title: "Migrations it lets through", Rows: []pages.ContentRow{
				{ID: "V0.0.20", Title: "fix bin optimization data quality", State: pending, SHA256: digest, Href: "/migrations/V0.0.20"},
				{ID: "V0.0.21", Title: "fix uuid function", State: pending, SHA256: other, Href: "/migrations/V0.0.21"},
			}},
		},
		Rules: []string{"Required: Backend lead, QA lead, DevOps lead. One person fills one place.", "DevOps lead signs last, when the others have.", "Nobody signs who started the release.", "At least 2 of them have a file."}, DeputiesHref: "/deputies",
		Earlier: []pages.SignedTogether{{Signatures: []pages.EarlierSignature{
			{Role: "Backend lead", By: "Marta Lindqvist", Deputy: "As a deputy of the Backend lead, named by Ines Duarte on 20 Dec 2025 at 09:12 UTC for 2025-12-20 to 2026-01-02: A long journey.", Meaning: "approved", Note: "Reviewed against the plan of 22 December.", At: clock("13:38", "10 min ago"), State: components.State{Code: "valid", Word: "Valid", Tone: components.Good}, Href: "/signatures/1"},
		}}, {Signatures: []pages.EarlierSignature{
			{Role: "QA lead", By: "Aurelio Benedetti-Castellanos", Meaning: "reviewed", Score: "9.5 of 10", At: clock("13:20", "28 min ago"), State: void, Href: "/signatures/2"},
		}, Changed: []pages.Difference{{What: "PRE-P5 state", Then: "done", Now: "open"}, {What: "T-0", Then: "13:30 UTC", Now: "14:00 UTC"}}}},
		Sign: pages.SignForm{
			Action: "/releases/" + code + "/gates/go_no_go/sign", Roles: []components.Option{{Value: "devops_lead", Label: "DevOps lead", Chosen: true}, {Value: "qa_lead", Label: "QA lead"}},
			Meanings:  []components.Option{{Value: "approved", Label: "approved: I answer for it", Chosen: true}, {Value: "reviewed", Label: "reviewed: I have read it and object to nothing"}},
			Statement: "I have read the content above. As DevOps lead I say go for T-0 of " + code + " on demo.", AsksScore: true, Score: "9.5", Version: "12",
			Effect: "Sign as DevOps lead: go for T-0 on demo", Proven: clock("13:45", "3 min ago"), FreshUntil: clock("13:50", "in 2 min"), Limit: "5 minutes",
		},
	}
	return v
}

func gateShowStale() pages.GateShowView {
	v := gateShow()
	v.Sign.FreshHref = "/login?fresh=1&return=%2Freleases"
	v.Earlier = nil
	v.Changed = []pages.Difference{{What: "PRE-P2 evidence", Then: "412 MB", Now: "0 MB"}}
	v.Blockers = []components.Link{{Label: "P1.2 Timestamped dump has failed", Href: "/releases/" + code + "/items/P1.2"}, {Label: "PRE-P5 is open"}}
	return v
}

var rejectedState = components.State{Code: "rejected", Word: "Rejected", Tone: components.Bad}

func gateAttempt() pages.GateAttempt {
	return pages.GateAttempt{
		Number: "1", Kind: "rejected", State: rejectedState, By: "Aurelio Benedetti-Castellanos", Role: "QA lead", At: clock("13:20", "28 min ago"),
		Reason: "The backup of last night was never restored, and PRE-P5 is of another release.", SHA256: other, ContentHref: "/releases/" + code + "/gates/go_no_go/attempts/1/content", HashHolds: true,
	}
}

// gateShowRejected is what a person sees who manages releases, with a note that was too short.
func gateShowRejected() pages.GateShowView {
	v := gateShow()
	v.Gate.State, v.Gate.Sentence = rejectedState, "Rejected by Aurelio Benedetti-Castellanos as QA lead on 24 Dec 2025 at 13:20 UTC. It stays shut until somebody who manages releases opens a new attempt."
	v.StopTitle, v.Stopped = "This gate was rejected", "Rejected by Aurelio Benedetti-Castellanos as QA lead on 24 Dec 2025 at 13:20 UTC: The backup of last night was never restored, and PRE-P5 is of another release."
	v.Reopen = pages.ReopenForm{Action: "/releases/" + code + "/gates/go_no_go/attempts", After: "1", Key: "k", Effect: "Open attempt 2 of Go / no-go", Note: "ok"}
	v.Complaints = components.Complaints{{Field: "attempt_note", Text: "A few words, please, for those who read this in a year."}}
	v.Attempts = []pages.GateAttempt{gateAttempt()}
	v.CanSign, v.Sign, v.Refused = false, pages.SignForm{}, "Aurelio Benedetti-Castellanos has rejected this gate already, on 24 Dec 2025 at 13:20 UTC. Nobody signs here until a new attempt is opened."
	return v
}

// gateShowExpired is what a person sees who cannot open a new attempt.
func gateShowExpired() pages.GateShowView {
	v := gateShowRejected()
	v.Gate.State = components.State{Code: "expired", Word: "Denied: time ran out", Tone: components.Bad}
	v.Gate.Sentence = "Denied, because its time ran out on 24 Dec 2025 at 21:45 UTC and not all had signed. It stays shut until somebody who manages releases opens a new attempt."
	v.StopTitle, v.Stopped = "The time of this gate ran out", "Denied, because its time ran out on 24 Dec 2025 at 21:45 UTC and not all had signed."
	v.Reopen, v.WhoReopens, v.Complaints, v.Attempts = pages.ReopenForm{}, []string{"DevOps engineer", "DevOps lead", "On-call engineer"}, nil, nil
	v.Refused = "The time of this gate has run out, so it is denied already. Nobody signs here until a new attempt is opened."
	return v
}

// gateShowSecondAttempt can be signed, and rejected from two places.
func gateShowSecondAttempt() pages.GateShowView {
	v := gateShow()
	a := gateAttempt()
	a.Next, a.Changed = "Attempt 2 was opened by Ines Duarte on 24 Dec 2025 at 13:30 UTC: There is a new backup, and it was restored.", []pages.Difference{{What: "PRE-P2 evidence", Then: "412 MB", Now: "433 MB"}}
	forged := gateAttempt()
	forged.Number, forged.HashHolds, forged.State, forged.By, forged.Kind = "0", false, components.State{Code: "expired", Word: "Time ran out", Tone: components.Bad}, "", "expired"
	v.Attempt, v.Expires, v.Attempts = "Attempt 2", clock("21:45", "in 8 h"), []pages.GateAttempt{a, forged}
	v.Reject = pages.RejectForm{
		Action: "/releases/" + code + "/gates/go_no_go/reject", Key: "k", Roles: v.Sign.Roles, Effect: "Reject Go / no-go on demo", Reason: "no",
		Says: "The gate is shut at once: nobody signs it and nothing is applied through it. Every signature given here so far counts no longer. A new attempt has to be opened, and everybody signs anew.",
	}
	v.Complaints = components.Complaints{{Field: "reject_reason", Text: "A few words, please, for those who read this in a year."}}
	return v
}

func gateShowRefused() pages.GateShowView {
	v := gateShow()
	v.CanSign, v.Refused, v.WhoCan = false, "You started this release, so you cannot sign the gates that judge it.", []string{"another DevOps lead"}
	v.Withdraw = pages.WithdrawForm{Action: "/releases/" + code + "/gates/go_no_go/withdraw", Signature: "1", Effect: "Withdraw my signature as backend lead"}
	return v
}

func signatureShow() pages.SignatureShowView {
	s := shell("Signature of Marta Lindqvist", layouts.PlaceReleases, toReleases, toRelease)
	s.Seal = layouts.Seal{Number: "87", Entry: "10412", Hash: digest, At: "24 Dec 2025 13:45:00 UTC", Key: other, Signature: digest + other}
	return pages.SignatureShowView{
		Shell: s, ID: "1", Name: "Marta Lindqvist", Role: "Backend lead", Meaning: "approved",
		At: clock("13:38", "10 min ago"), Proven: clock("13:36", ""), Issuer: "http://127.0.0.1:8090", Subject: "marta", ACR: "mfa", Note: "Reviewed against the plan of 22 December.",
		Gate: components.Link{Label: "Go / no-go", Href: "/releases/" + code + "/gates/go_no_go"}, Release: components.Link{Label: code, Href: "/releases/" + code},
		Statement: "I have read the content. As backend lead I say go for T-0 of " + code + " on demo.", SHA256: digest, HashHolds: true,
		Content: "{\n  \"release\": \"" + code + "\",\n  \"t_zero\": \"2025-12-24T14:00:00Z\"\n}\n", State: components.State{Code: "valid", Word: "Valid", Tone: components.Good}, Why: "The content is still exactly what was signed.",
	}
}

func signatureShowVoid() pages.SignatureShowView {
	v := signatureShow()
	v.State, v.Why, v.HashHolds = void, "The content changed after it was signed.", false
	v.Changed = []pages.Difference{{What: "PRE-P5 state", Then: "done", Now: "open"}}
	return v
}

func itemShowFiles() pages.ItemShowView {
	v := itemShow()
	at := "/releases/" + code + "/items/P1.2"
	v.Files = []pages.EvidenceFile{
		{Name: "dump listing.txt", Size: "48.2 kB", Href: at + "/files/" + digest, SHA256: digest, By: "Ines Duarte", At: clock("13:40", "8 min ago"), Old: true},
		{Name: "upload-receipt-with-a-rather-long-name-as-the-storage-console-gives-it-20251224T134102Z.pdf", Size: "1.3 MB", Href: at + "/files/" + other, SHA256: other, By: "Ines Duarte", At: clock("13:41", "7 min ago")},
		{Name: "screen.png", Size: "212.0 kB", SHA256: digest, By: "Marta Lindqvist", At: clock("13:42", "6 min ago"), Mismatch: true},
	}
	v.Asked = pages.EvidenceForm{Kind: pages.EvidenceAFile, Label: "Receipt of the upload", Hint: "Up to 20 MB.", Attached: []components.Option{{Value: "", Label: "the file chosen below"}, {Value: other, Label: "upload-receipt.pdf, 1.3 MB"}}}
	v.Attach = pages.AttachForm{Action: at + "/files", MaxBytes: 20 << 20, Hint: "Up to 20 MB. It is stored with its hash and cannot be taken away again.", Tried: true}
	v.Complaints = components.Complaints{{Field: "evidence_file", Text: "A file may have 20 MB."}}
	return v
}

func itemShowNoReason() pages.ItemShowView {
	v := itemShow()
	v.Acts.Tried = "fail"
	v.Complaints = components.Complaints{{Field: "reason", Text: "Say what went wrong."}}
	return v
}
