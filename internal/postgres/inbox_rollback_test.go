package postgres_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/inbox"
	"github.com/agogsaas/gatehouse/internal/runbook"
)

// waitsFor lists by name for whom of everybody something of that kind waits.
func (r *release) waitsFor(kind inbox.Kind, more ...actor.Actor) []string {
	r.t.Helper()
	names := []string{}
	for _, by := range append(everybody(), more...) {
		list, err := r.inbox().Waiting(r.t.Context(), by, inbox.Query{Limit: 100})
		if err != nil {
			r.t.Fatal(err)
		}
		if slices.ContainsFunc(list.Tasks, func(t inbox.Task) bool { return t.Kind == kind && t.Ready && strings.HasSuffix(t.Path(), "/rollback") }) {
			names = append(names, by.Name)
		}
	}
	slices.Sort(names)
	return names
}

// What waits of a rollback waits for exactly those whose act the rules take: Agree and Review are tried by everybody else.
func TestARollbackWaitsForASecondPersonAndThenForItsReview(t *testing.T) {
	t.Parallel()
	r := withWaysBack(t)
	b := r.begin(devops, "RB-4")
	want := []string{"Ben", "Both", "Olaf", "Otto"}
	if diff := cmp.Diff(want, r.waitsFor(inbox.Rollback, oncall)); diff != "" {
		t.Errorf("the agreement waits for (-want +got)\n%s", diff)
	}
	for _, by := range append(everybody(), oncall) {
		if !slices.Contains(want, by.Name) && r.back.Agree(t.Context(), fresh(by), r.id, b.ID) == nil {
			t.Errorf("%s agreed, and it waited not for them", by.Name)
		}
	}
	if got := r.waitsFor(inbox.RollbackReview, oncall); len(got) != 0 {
		t.Errorf("the review of what goes on waits for %v", got)
	}
	if err := r.back.Agree(t.Context(), fresh(backend), r.id, b.ID); err != nil {
		t.Fatal(err)
	}
	if got := r.waitsFor(inbox.Rollback, oncall); len(got) != 0 {
		t.Errorf("what was agreed waits for %v", got)
	}
	given := r.end(b)
	given.GivenUp = true
	if err := r.back.End(t.Context(), fresh(oncall), given); err != nil {
		t.Fatal(err)
	}
	want = []string{"Ben", "Both", "Otto", "Quim", "Quin"}
	if diff := cmp.Diff(want, r.waitsFor(inbox.RollbackReview, oncall)); diff != "" {
		t.Errorf("the review waits for (-want +got)\n%s", diff)
	}
	missed := func() int {
		t.Helper()
		if _, err := r.inbox().Remind(t.Context(), schedulerOf(worker)); err != nil {
			t.Fatal(err)
		}
		return r.count("SELECT count(*) FROM gatehouse.notices WHERE kind = 'rollback_review_missed'")
	}
	if n := missed(); n != 0 {
		t.Errorf("%d notices of a review that is not due", n)
	}
	r.exec("ALTER TABLE gatehouse.rollback_acts DISABLE TRIGGER USER")
	r.exec("UPDATE gatehouse.rollback_acts SET done_at = done_at - interval '73 hours' WHERE kind = 'ended'")
	roles := len(actor.RolesWith(actor.RollbackReview))
	if first, again := missed(), missed(); first != roles || again != roles {
		t.Errorf("%d and then %d notices of a review that is missing, want %d", first, again, roles)
	}
	if list, err := r.inbox().Waiting(t.Context(), qa, inbox.Query{Limit: 100}); err != nil || list.Late != 1 {
		t.Errorf("%d are late for the reviewer, %v; want the review", list.Late, err)
	}
	if n := r.count("SELECT count(*) FROM gatehouse.notices WHERE kind = 'rollback' AND headline LIKE 'Release REQ-1 is being rolled back by RB-4'"); n == 0 {
		t.Error("nobody was told that it was decided")
	}
	if err := r.back.Review(t.Context(), fresh(qa), runbook.ReviewRequest{Run: r.id, Rollback: b.ID, Note: "It was right."}); err != nil {
		t.Fatal(err)
	}
	if got := r.waitsFor(inbox.RollbackReview, oncall); len(got) != 0 {
		t.Errorf("what was reviewed waits for %v", got)
	}
}
