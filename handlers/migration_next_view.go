package handlers

import (
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// nextView is the next step as this person may take it.
func (h migrations) nextView(shell layouts.Shell, by actor.Actor, l migration.Ladder, release *migration.Release) pages.NextMigration {
	next, ok := l.Next()
	if !ok {
		return repairFirst(by, l)
	}
	n := pages.NextMigration{Version: next.Version.Title(), Title: next.File.Card.Title, Tone: components.Blocked}
	planned := ""
	if release != nil {
		planned = release.Plan[next.Version.String()]
	}
	switch {
	case !by.Operator:
		n.Text = "This environment is operated by another organisation; only its people may change the schema."
		return n
	case release == nil:
		n.Text = next.Version.Title() + " waits for a release."
		n.WhyNot = []components.Link{{Label: "No release is active. A migration is applied as part of one.", Href: "/releases"}}
	case planned == "":
		n.Text = next.Version.Title() + " is not part of the active release."
		n.WhyNot = []components.Link{{Label: "Release " + release.Code + " does not plan it.", Href: releaseHref(release)}}
	case planned != next.File.SHA256:
		n.Text = next.Version.Title() + " is not the file that the release was started with."
		n.WhyNot = []components.Link{{Label: "Release " + release.Code + " was started with another text of this file.", Href: releaseHref(release)}}
	case !release.GateOpen:
		n.Text = next.Version.Title() + " waits for go / no-go."
		n.WhyNot = append([]components.Link{{Label: gateWords(release), Href: releaseHref(release) + "/gates/" + migration.Gate}}, proofsMissing(release)...)
	case !release.BackedUp:
		n.Text = next.Version.Title() + " waits for a backup that restores."
		n.WhyNot = []components.Link{{Label: migration.NoBackup, Href: backupsPage}}
	case !release.Rehearsed:
		n.Text = next.Version.Title() + " waits for a rehearsal."
		n.WhyNot = []components.Link{{Label: migration.NotRehearsed, Href: backupsPage}}
	case release.Unsettled != "":
		n.Text = next.Version.Title() + " waits for the runbook."
		n.WhyNot = []components.Link{{Label: migration.WantsSettled(release.Code, release.Unsettled), Href: releaseHref(release)}}
	case release.Moment.Refusal != "":
		n.Text = next.Version.Title() + " waits for the change window."
		n.WhyNot = []components.Link{{Label: release.Moment.Refusal, Href: windowHref(release.ID)}}
	case !by.Can(actor.MigrationApply):
		n.Text, n.Tone = next.Version.Title()+" may be applied: go / no-go is passed.", components.Info
		n.WhoCan = roleTitles(actor.RolesWith(actor.MigrationApply))
	default:
		n.Text, n.Tone = next.Version.Title()+" may be applied: go / no-go is passed.", components.Good
		h.offer(&n, shell, by, next, release)
		if r, is := l.HandMade(); is {
			n.Tone = components.Warn
			n.Text += " Objects of " + r.Version.Title() + " were made by hand: unless that is taken away or signed for on the page Drift, the step is refused."
		}
	}
	return n
}

// proofsMissing are the two that the runbook wants before its gate can be signed at all.
func proofsMissing(release *migration.Release) (missing []components.Link) {
	if !release.BackedUp {
		missing = append(missing, components.Link{Label: migration.NoBackup, Href: backupsPage})
	}
	if !release.Rehearsed {
		missing = append(missing, components.Link{Label: migration.NotRehearsed, Href: backupsPage})
	}
	return missing
}

// repairFirst says that what somebody made by hand comes first, where the version that would be next is it.
func repairFirst(by actor.Actor, l migration.Ladder) pages.NextMigration {
	r, is := l.HandMade()
	if !is || r.Blocked != r.StrayWords() {
		return pages.NextMigration{}
	}
	return pages.NextMigration{
		Version: r.Version.Title(), Title: r.File.Card.Title, Tone: components.Bad, Text: r.Version.Title() + " waits for its repair.",
		WhyNot: []components.Link{{Label: r.StrayWords(), Href: repairLink(by, r).Href}},
	}
}

func (h migrations) offer(n *pages.NextMigration, shell layouts.Shell, by actor.Actor, next migration.Rung, release *migration.Release) {
	if h.stale(by) {
		n.FreshHref = web.LoginHref(versionHref(next.Version), true)
		return
	}
	n.Apply = pages.ApplyForm{
		Action: versionHref(next.Version) + "/apply", Key: uuid.NewString(), Release: release.ID.String(), SHA256: next.File.SHA256,
		Effect: "Apply " + next.Version.Title() + " to " + environment(shell),
	}
}

func (h migrations) stale(by actor.Actor) bool {
	return by.AuthTime.IsZero() || h.now().Sub(by.AuthTime) > migrationFreshness
}

func releaseHref(r *migration.Release) string { return "/releases/" + r.ID.String() }

// windowBanner is the banner of the active release, for people whose organisation changes the schema.
func windowBanner(by actor.Actor, release *migration.Release) pages.Banner {
	if release == nil || !by.Operator {
		return pages.Banner{}
	}
	zone, err := time.LoadLocation(release.Zone)
	if err != nil {
		zone = time.UTC
	}
	return bannerOf(release.Moment, zone, windowHref(release.ID))
}

func gateWords(r *migration.Release) string {
	if r.Shut != "" {
		return r.Shut
	}
	if len(r.Missing) == 0 {
		return "A signature of go / no-go is no longer valid."
	}
	words := "Go / no-go still needs:"
	for i, title := range roleTitles(r.Missing) {
		if i > 0 {
			words += ","
		}
		words += " " + title
	}
	return words + "."
}

func roleTitles(roles []actor.Role) []string {
	titles := make([]string, len(roles))
	for i, r := range roles {
		titles[i] = r.Title()
	}
	return titles
}

// whyNotNext says what comes first; nothing for a version that is in the database.
func whyNotNext(r migration.Rung, runs []migration.Run) pages.NextMigration {
	if r.Blocked == "" {
		return pages.NextMigration{}
	}
	n := pages.NextMigration{Text: r.Version.Title() + " cannot be applied now.", Tone: components.Blocked}
	why := components.Link{Label: r.Blocked}
	for _, run := range runs {
		why.Href = runHref(run.ID)
	}
	n.WhyNot = []components.Link{why}
	return n
}
