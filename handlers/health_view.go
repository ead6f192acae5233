package handlers

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/health"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

func healthView(shell layouts.Shell, by actor.Actor, r health.Report, now time.Time) pages.HealthView {
	v := pages.HealthView{
		Shell: shell, Overall: healthState(r.Level()), Sentence: r.Sentence(), At: moment(r.CheckedAt, now, time.UTC),
		Critical: r.Critical(), Warnings: notOnly(r.Sentence(), append(r.Warnings(), r.NotDeployed()...)),
		LiveHref: healthPage, JSONHref: healthJSON,
	}
	if by.Can(actor.HealthRun) {
		v.CheckNow = healthPage + "/run"
	} else {
		for _, role := range actor.RolesWith(actor.HealthRun) {
			v.WhoCan = append(v.WhoCan, role.Title())
		}
	}
	results := slices.Clone(r.Results)
	slices.SortStableFunc(results, func(a, b health.Result) int { return cmp.Compare(badness[b.Level], badness[a.Level]) })
	for _, one := range results {
		v.Rows = append(v.Rows, pages.HealthRow{
			ID: string(one.Check), Name: one.Check.Title(), State: healthState(one.Level), Value: one.Show(),
			Threshold: one.Check.Threshold(), Message: one.Message, Took: duration(one.Took),
			At: moment(one.CheckedAt, now, time.UTC), Query: one.Check.Query(),
		})
	}
	return v
}

// notOnly is the list, unless all it has to say stands in the sentence already.
func notOnly(sentence string, list []string) []string {
	if len(list) == 1 && strings.Contains(sentence, list[0]) {
		return nil
	}
	return list
}

// badness is the order of the table: what needs a person first.
var badness = map[health.Level]int{
	health.Healthy: 0, health.NotDeployed: 1, health.Warning: 2, health.Unknown: 3, health.Degraded: 4, health.Unhealthy: 5,
}

func healthState(l health.Level) components.State {
	switch l {
	case health.Healthy:
		return components.State{Code: "healthy", Word: "Healthy", Tone: components.Good}
	case health.Warning:
		return components.State{Code: "warning", Word: "Warning", Tone: components.Warn}
	case health.Degraded:
		return components.State{Code: "degraded", Word: "Degraded", Tone: components.Warn}
	case health.Unhealthy:
		return components.State{Code: "unhealthy", Word: "Unhealthy", Tone: components.Bad}
	case health.NotDeployed:
		return components.State{Code: "not_deployed", Word: "Not deployed yet", Tone: components.Neutral}
	case health.Unknown:
	}
	return components.State{Code: "unknown", Word: "Unknown", Tone: components.Unknown}
}
