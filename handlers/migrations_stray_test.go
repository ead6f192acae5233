package handlers

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/migration"
)

// What somebody made by hand is said on every page of it, nothing offers to apply over it, and only the people of the
// organisation that operates are led to its repair and to Undo.
func TestWhatWasMadeByHandIsSaidAndLeadsToItsRepair(t *testing.T) {
	s := newSchema(t)
	s.facts = []migration.Fact{{Object: migration.Object{Kind: "table", Name: "public.made"}, Found: true}}
	theirs := devops
	theirs.Operator = false
	for _, path := range []string{"/migrations", "/migrations/V0.0.15"} {
		for _, by := range []actor.Actor{devops, theirs} {
			body := s.ask(t, by, http.MethodGet, path, nil).Body.String()
			if !strings.Contains(body, "table public.made. Somebody made them by hand") || strings.Contains(body, `/apply"`) {
				t.Errorf("GET %s (operator %t) does not say what was made by hand, or offers to apply", path, by.Operator)
			}
			if leads := strings.Contains(body, `href="/migrations/V0.0.15/repair"`); leads != by.Operator {
				t.Errorf("GET %s (operator %t) leads to the repair: %t", path, by.Operator, leads)
			}
		}
	}
	for _, by := range []actor.Actor{devops, theirs} {
		body := s.ask(t, by, http.MethodGet, "/migrations/V0.0.14", nil).Body.String()
		if leads := strings.Contains(body, `href="/migrations/V0.0.14/down"`); leads != by.Operator {
			t.Errorf("the page of what is applied (operator %t) leads to Undo: %t", by.Operator, leads)
		}
	}
	if body := s.ask(t, devops, http.MethodGet, "/migrations/V0.0.15/down", nil).Body.String(); !strings.Contains(body, `href="/migrations/V0.0.15/repair"`) {
		t.Error("Undo of what was made by hand does not lead to its repair")
	}
}

// A saving from before the version was applied is not offered, and the page says why.
func TestUndoIsNotOfferedOnASavingOfOtherRows(t *testing.T) {
	s := newSchema(t)
	s.saved = &migration.Saved{ID: uuid.New(), Version: 14, TakenAt: schemaNow.Add(-time.Minute)}
	s.effect = schemaNow.Add(-30 * time.Second)
	body := s.ask(t, devops, http.MethodGet, "/migrations/V0.0.14/down", nil).Body.String()
	if strings.Contains(body, `action="/migrations/V0.0.14/down"`) || !strings.Contains(body, "before V0.0.14 was applied again") || !strings.Contains(body, `action="/migrations/V0.0.14/losses"`) {
		t.Error("GET down offers to undo on a saving from before it was applied, or does not say why not")
	}
}

// What Gatehouse refuses is not put into PostgreSQL's mouth, and no rollback is told of where nothing was begun.
func TestARefusedRunIsWordedAsARefusal(t *testing.T) {
	s := newSchema(t)
	s.run.State, s.run.Resolution = migration.Failed, "Gatehouse refused the step, and nothing was changed."
	s.run.Error = "The warehouse is not what V0.0.14 left, so nothing was changed. " + migration.DriftWay + "\nThe table public.made is there; expected: not there yet."
	body := s.ask(t, devops, http.MethodGet, "/migration-runs/"+someRun.String(), nil).Body.String()
	for _, want := range []string{"Gatehouse refused the step", "V0.0.15 was refused.", "public.made is there", `href="/migrations/drift"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page of a refused run does not say %q", want)
		}
	}
	if strings.Contains(body, "PostgreSQL said") || strings.Contains(body, "rolled back") {
		t.Error("the page of a refused run speaks of PostgreSQL, or of a rollback")
	}
	s.run.Resolution, s.run.SQLState, s.run.Error = "", "42P07", `V0.0.15__b.sql line 7 (SQLSTATE 42P07): relation "made" already exists`
	if body := s.ask(t, devops, http.MethodGet, "/migration-runs/"+someRun.String(), nil).Body.String(); !strings.Contains(body, "PostgreSQL said") || !strings.Contains(body, "rolled back") {
		t.Error("the page of a run that PostgreSQL stopped does not say so")
	}
}
