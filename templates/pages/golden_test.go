package pages_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/a-h/templ"
	"github.com/google/go-cmp/cmp"

	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

// samples is every page in its full, empty and refused state.
func samples() map[string]templ.Component {
	return map[string]templ.Component{
		"sign_in":                   pages.SignIn(signIn()),
		"sign_in_away":              pages.SignIn(signInAway()),
		"switch_user":               pages.SwitchUser(switchUser(true)),
		"switch_user_here":          pages.SwitchUser(switchUser(false)),
		"way_back":                  pages.WayBack(wayBack("", nil)),
		"way_back_refused":          pages.WayBack(wayBack("This code was used already, and each is good for one time. A new one has to be made.", nil)),
		"way_back_typed_wrongly":    pages.WayBack(wayBack("Something in the form has to be put right first. Nothing was changed.", map[string]string{"second": "A half has 20 letters and digits; these are 3."})),
		"claims":                    pages.Claims(claims()),
		"claims_refused":            pages.Claims(claimsRefused()),
		"claims_gets_in":            pages.Claims(claimsGetsIn()),
		"claims_stays_out":          pages.Claims(claimsStaysOut()),
		"claims_elsewhere":          pages.Claims(claimsElsewhere()),
		"signed_out":                pages.SignedOut(signedOut()),
		"me":                        pages.Me(me()),
		"me_no_role":                pages.Me(meNobody()),
		"fresh_sign_in":             pages.FreshSignIn(freshSignIn(true)),
		"fresh_sign_in_not_kept":    pages.FreshSignIn(freshSignIn(false)),
		"problem_forbidden":         pages.Problem(problemForbidden()),
		"problem_unavailable":       pages.Problem(problemUnavailable()),
		"waiting_list":              pages.WaitingList(waitingList()),
		"waiting_list_empty":        pages.WaitingList(waitingListEmpty(false)),
		"waiting_list_reader":       pages.WaitingList(waitingListEmpty(true)),
		"capacity_list":             pages.CapacityList(capacityList()),
		"capacity_list_empty":       pages.CapacityList(capacityListEmpty()),
		"capacity_group":            pages.CapacityGroup(capacityGroup()),
		"capacity_group_reader":     pages.CapacityGroup(capacityGroupReader()),
		"capacity_show":             pages.CapacityShow(capacityShow()),
		"capacity_show_fixed":       pages.CapacityShow(capacityShowFixed()),
		"capacity_show_barred":      pages.CapacityShow(capacityShowBarred()),
		"capacity_bin":              pages.CapacityBin(capacityBin()),
		"capacity_bin_refused":      pages.CapacityBin(capacityBinRefused()),
		"cross_dock_list":           pages.CrossDockList(crossDockList()),
		"cross_dock_list_empty":     pages.CrossDockList(crossDockListEmpty()),
		"cross_dock_list_not_yet":   pages.CrossDockList(pages.CrossDockListView{Shell: shell("Cross-dock", layouts.PlaceCrossDock), NotDeployed: "Not deployed yet.", MigrationsHref: "/migrations"}),
		"cross_dock_show":           pages.CrossDockShow(crossDockShow()),
		"cross_dock_new":            pages.CrossDockNew(crossDockNew()),
		"dock":                      pages.Dock(dock()),
		"dock_empty":                pages.Dock(pages.DockView{Shell: shell("Dock", layouts.PlaceCrossDock), ScanAction: "/cross-dock/dock", ListHref: "/cross-dock", Value: "ü", Problem: "This is no code."}),
		"dock_answer":               pages.DockAnswer(dockAnswer()),
		"dock_answer_waiting":       pages.DockAnswer(dockAnswerWaiting()),
		"deputies":                  pages.Deputies(deputies()),
		"deputies_refused":          pages.Deputies(deputiesRefused()),
		"deputies_stale":            pages.Deputies(deputiesStale()),
		"not_yet":                   pages.NotYet(notYet()),
		"dimension_list":            pages.DimensionList(dimensionList()),
		"import_list":               pages.ImportList(importList()),
		"import_list_empty":         pages.ImportList(importListEmpty()),
		"import_show_checked":       pages.ImportShow(importChecked()),
		"import_show_refused":       pages.ImportShow(importRefused()),
		"import_show_taking":        pages.ImportShow(importTaking()),
		"dimension_list_empty":      pages.DimensionList(dimensionListEmpty()),
		"dimension_list_refused":    pages.DimensionList(dimensionListRefused()),
		"measure_step":              pages.Measure(measureStep()),
		"measure_check":             pages.Measure(measureCheck()),
		"measure_why_not":           pages.Measure(measureWhyNot()),
		"dimension_reviews":         pages.DimensionReviews(dimensionReviews()),
		"dimension_reviews_empty":   pages.DimensionReviews(pages.DimensionReviewsView{Shell: shell("Measurements to decide", layouts.PlaceDimensions, toDimensions)}),
		"dimension_review":          pages.DimensionReview(dimensionReview()),
		"dimension_review_refused":  pages.DimensionReview(dimensionReviewRefused()),
		"dimension_review_why_not":  pages.DimensionReview(dimensionReviewWhyNot()),
		"material_show":             pages.MaterialShow(materialShow()),
		"material_show_empty":       pages.MaterialShow(materialShowEmpty()),
		"notice_list":               pages.NoticeList(noticeList()),
		"notice_list_empty":         pages.NoticeList(noticeListEmpty()),
		"item_show_moved":           pages.ItemShow(itemShowMoved()),
		"gate_show_moved":           pages.GateShow(gateShowMoved()),
		"release_show_moved":        pages.ReleaseShow(releaseShowMoved()),
		"release_wall":              pages.ReleaseWall(releaseWall()),
		"release_wall_ended":        pages.ReleaseWall(releaseWallEnded()),
		"snapshots":                 pages.Snapshots(snapshotsFull()),
		"report":                    pages.Report(report()),
		"report_complaints":         pages.Report(reportComplaints()),
		"report_empty":              pages.Report(reportEmpty()),
		"release_start_lessons":     pages.ReleaseStart(releaseStartLessons()),
		"snapshots_empty":           pages.Snapshots(snapshotsEmpty()),
		"snapshots_missed":          pages.Snapshots(snapshotsMissed()),
		"release_list":              pages.ReleaseList(releaseList()),
		"backup_list":               pages.BackupList(backupList()),
		"operation_show":            pages.OperationShow(operationShow()),
		"operation_show_running":    pages.OperationShow(operationRunning()),
		"backup_list_empty":         pages.BackupList(backupListEmpty()),
		"backup_restore":            pages.BackupRestore(backupRestore()),
		"backup_restore_refused":    pages.BackupRestore(backupRestoreRefused()),
		"rehearsal_list":            pages.RehearsalList(rehearsalList()),
		"rehearsal_list_empty":      pages.RehearsalList(rehearsalListEmpty()),
		"external_list":             pages.ExternalList(externalList()),
		"external_list_empty":       pages.ExternalList(externalListEmpty()),
		"external_show":             pages.ExternalShow(externalShow()),
		"rehearsal_show":            pages.RehearsalShow(rehearsalShow()),
		"rehearsal_show_sample":     pages.RehearsalShow(rehearsalShowSample()),
		"migration_list_sample":     pages.MigrationList(migrationListSample()),
		"release_list_empty":        pages.ReleaseList(releaseListEmpty()),
		"release_start":             pages.ReleaseStart(releaseStart(nil)),
		"release_start_complaints":  pages.ReleaseStart(releaseStart(components.Complaints{{Field: "t_zero", Text: "T-0 must be in the future."}, {Field: "code", Text: "This code is taken."}})),
		"release_start_refused":     pages.ReleaseStart(releaseStartRefused()),
		"release_show":              pages.ReleaseShow(releaseShow()),
		"release_show_rolling_back": pages.ReleaseShow(releaseShowRollingBack()),
		"release_rollback":          pages.ReleaseRollback(releaseRollback()),
		"release_rollback_stale":    pages.ReleaseRollback(releaseRollbackStale()),
		"release_rollback_going":    pages.ReleaseRollback(releaseRollbackUnderWay()),
		"release_rollback_asked":    pages.ReleaseRollback(releaseRollbackAsked()),
		"release_rollback_over":     pages.ReleaseRollback(releaseRollbackOver()),
		"release_window":            pages.ReleaseWindow(releaseWindow()),
		"release_window_stale":      pages.ReleaseWindow(releaseWindowStale()),
		"release_show_over":         pages.ReleaseShow(releaseShowOver()),
		"item_show":                 pages.ItemShow(itemShow()),
		"item_show_talk":            pages.ItemShow(itemShowTalk()),
		"item_show_waived":          pages.ItemShow(itemShowWaived()),
		"item_show_waive_stale":     pages.ItemShow(itemShowWaiveStale()),
		"runbook_list":              pages.RunbookList(runbookList()),
		"runbook_list_refused":      pages.RunbookList(runbookListRefused()),
		"runbook_frozen":            pages.RunbookFrozen(runbookFrozen()),
		"runbook_frozen_same":       pages.RunbookFrozen(runbookFrozenSame()),
		"item_show_auto":            pages.ItemShow(itemShowAuto()),
		"item_show_conflict":        pages.ItemShow(itemShowConflict()),
		"item_show_statement":       pages.ItemShow(itemShowStatement()),
		"item_show_refused":         pages.ItemShow(itemShowRefused()),
		"item_show_no_reason":       pages.ItemShow(itemShowNoReason()),
		"item_show_files":           pages.ItemShow(itemShowFiles()),
		"break_glass":               pages.BreakGlass(breakGlass()),
		"break_glass_not_away":      pages.BreakGlass(breakGlassNotAway()),
		"break_glass_typed_wrongly": pages.BreakGlass(breakGlassTypedWrongly()),
		"break_glass_refused":       pages.BreakGlass(breakGlassRefused()),
		"gate_show":                 pages.GateShow(gateShow()),
		"gate_show_stale":           pages.GateShow(gateShowStale()),
		"gate_show_rejected":        pages.GateShow(gateShowRejected()),
		"gate_show_expired":         pages.GateShow(gateShowExpired()),
		"gate_show_second_attempt":  pages.GateShow(gateShowSecondAttempt()),
		"gate_show_refused":         pages.GateShow(gateShowRefused()),
		"signature_show":            pages.SignatureShow(signatureShow()),
		"signature_show_void":       pages.SignatureShow(signatureShowVoid()),
		"migration_list":            pages.MigrationList(migrationList()),
		"migration_list_refused":    pages.MigrationList(migrationListRefused()),
		"migration_list_unreadable": pages.MigrationList(migrationListEmpty()),
		"migration_show":            pages.MigrationShow(migrationShow()),
		"migration_show_refused":    pages.MigrationShow(migrationShowRefused()),
		"migration_down":            pages.MigrationDown(migrationDown()),
		"migration_repair":          pages.MigrationRepair(migrationRepair()),
		"migration_repair_empty":    pages.MigrationRepair(migrationRepairEmpty()),
		"migration_down_refused":    pages.MigrationDown(migrationDownRefused()),
		"migration_run":             pages.MigrationRun(migrationRun()),
		"migration_run_failed":      pages.MigrationRun(migrationRunFailed()),
		"migration_run_interrupted": pages.MigrationRun(migrationRunInterrupted(true)),
		"migration_run_bystander":   pages.MigrationRun(migrationRunInterrupted(false)),
		"health":                    pages.Health(health()),
		"health_good":               pages.Health(healthGood()),
		"health_empty":              pages.Health(healthEmpty()),
		"quality":                   pages.Quality(quality()),
		"quality_missing":           pages.Quality(qualityMissing()),
		"quality_failing":           pages.Quality(qualityFailing()),
		"quality_empty":             pages.Quality(pages.QualityView{Shell: shell("Data quality", layouts.PlaceQuality)}),
		"audit_list":                pages.AuditList(auditList()),
		"audit_list_empty":          pages.AuditList(auditListEmpty()),
	}
}

func draw(t *testing.T, name string, page templ.Component) string {
	t.Helper()
	var b bytes.Buffer
	if err := page.Render(t.Context(), &b); err != nil {
		t.Fatalf("rendering %s: %v", name, err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	for name, page := range samples() {
		t.Run(name, func(t *testing.T) {
			// One tag a line, so that a change of a page is a change of lines.
			got := strings.ReplaceAll(draw(t, name, page), "><", ">\n<") + "\n"
			file := filepath.Join("testdata", name+".html")
			if os.Getenv("UPDATE") == "1" {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatalf("%v; UPDATE=1 go test ./templates/pages writes it", err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("page %s (-want +got):\n%s", name, diff)
			}
		})
	}
}

func TestNoGoldenFileIsLeftOver(t *testing.T) {
	files, err := filepath.Glob("testdata/*.html")
	if err != nil {
		t.Fatal(err)
	}
	known := samples()
	for _, file := range files {
		if _, ok := known[strings.TrimSuffix(filepath.Base(file), ".html")]; !ok {
			t.Errorf("%s belongs to no page", file)
		}
	}
}

// TestEveryPageIsSound holds what is true of all pages, whatever they show.
func TestEveryPageIsSound(t *testing.T) {
	for name, page := range samples() {
		t.Run(name, func(t *testing.T) {
			html := draw(t, name, page)
			if got := strings.Count(html, "<h1"); got != 1 {
				t.Errorf("the page has %d <h1>, want 1", got)
			}
			if !strings.Contains(html, "data-page=\"") || !strings.Contains(html, "data-ready") {
				t.Error("main lacks data-page or data-ready")
			}
			headingsInOrder(t, html)
			idsOnce(t, html)
			labelled(t, html)
			if size := len(html); size > 60<<10 {
				t.Errorf("the page is %d bytes, want at most 60 kB", size)
			}
		})
	}
}

var (
	headingTag = regexp.MustCompile(`<h([1-6])[ >]`)
	idOf       = regexp.MustCompile(` id="([^"]+)"`)
	control    = regexp.MustCompile(`<(?:input|select|textarea)[^>]*>`)
	nameOf     = regexp.MustCompile(` id="([^"]+)"`)
	points     = regexp.MustCompile(` (?:for|aria-labelledby|aria-describedby)="([^"]+)"`)
)

func headingsInOrder(t *testing.T, html string) {
	t.Helper()
	body, _, _ := strings.Cut(html, `<dialog`)
	last := 0
	for _, m := range headingTag.FindAllStringSubmatch(body, -1) {
		level := int(m[1][0] - '0')
		if level > last+1 {
			t.Errorf("a heading of level %d follows one of level %d", level, last)
		}
		last = level
	}
}

func idsOnce(t *testing.T, html string) {
	t.Helper()
	seen := map[string]bool{}
	for _, m := range idOf.FindAllStringSubmatch(html, -1) {
		if seen[m[1]] {
			t.Errorf("id %q is used twice", m[1])
		}
		seen[m[1]] = true
	}
	for _, m := range points.FindAllStringSubmatch(html, -1) {
		for id := range strings.FieldsSeq(m[1]) {
			if !seen[id] {
				t.Errorf("something points at id %q, which is not on the page", id)
			}
		}
	}
}

// labelled finds controls that no label names; a control inside a label needs none.
func labelled(t *testing.T, html string) {
	t.Helper()
	for _, tag := range control.FindAllString(html, -1) {
		if strings.Contains(tag, `type="hidden"`) || strings.Contains(tag, `type="radio"`) || strings.Contains(tag, `type="checkbox"`) {
			continue
		}
		m := nameOf.FindStringSubmatch(tag)
		if m == nil || !strings.Contains(html, `for="`+m[1]+`"`) {
			t.Errorf("no label names %s", tag)
		}
	}
}

// TestEveryButtonThatActsSaysWhatAndCanBeFound holds posting forms to a button
// with a data-action and a method of post.
func TestEveryButtonThatActsSaysWhatAndCanBeFound(t *testing.T) {
	form := regexp.MustCompile(`(?s)<form method="post" action="([^"]*)".*?</form>`)
	for name, page := range samples() {
		for _, m := range form.FindAllStringSubmatch(draw(t, name, page), -1) {
			if !strings.HasPrefix(m[1], "/") {
				t.Errorf("%s: a form posts to %q, which is not a path of ours", name, m[1])
			}
			if m[1] != "/theme" && !strings.Contains(m[0], `data-action="`) {
				t.Errorf("%s: the form that posts to %s has no data-action", name, m[1])
			}
		}
	}
}

func TestWhatPeopleTypeIsNeverMarkup(t *testing.T) {
	v := releaseShow()
	v.Name = `<script>alert(1)</script>`
	v.Next.Way.Href = "javascript:alert(1)"
	html := draw(t, "release_show", pages.ReleaseShow(v))
	if strings.Contains(html, "<script>alert") || strings.Contains(html, "javascript:") {
		t.Error("what a person typed became markup")
	}
	if !strings.Contains(html, "&lt;script&gt;alert(1)") {
		t.Error("what a person typed is not shown")
	}
}

func TestFallbackQuotesTheReferenceAndNothingElse(t *testing.T) {
	html := pages.Fallback(`<b>R1`)
	if !strings.Contains(html, "<code data-ref>&lt;b&gt;R1</code>") {
		t.Errorf("the fallback does not quote the reference: %s", html)
	}
	if strings.Contains(html, "stylesheet") || strings.Contains(html, "<script") {
		t.Error("the fallback depends on something")
	}
}
