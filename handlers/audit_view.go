package handlers

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// auditActions are what the filter suggests; any other action can be typed.
var auditActions = []string{
	"session:sign_in", "session:sign_out", "session:end", "release:start", "release:schedule", "release:window", "release:abort",
	"item:take", "item:check", "item:done", "item:fail", "item:reopen", "item:skip", "item:takeover", "item:waive", "item:attach", "item:comment", "runbook:import", "gate:sign", "gate:withdraw", "gate:reject", "gate:reopen", "gate:expire", "deputy:name", "deputy:revoke", "dimension:measure", "import:receive", "import:confirm", "import:discard", "dimension:review", "task:ask", "task:take", "task:release", "task:assign", "barcode:link", "rollback:begin", "rollback:agree", "rollback:step", "rollback:end", "rollback:review",
	"environment:freeze", "override:ask", "override:second", "token:make", "token:revoke",
	"migration:apply", "migration:down", "migration:finish", "migration:acknowledge", "migration:rehearse", "migration:save_losses", "migration:probe",
	"migration:repair", "migration:rebuild_index", "migration:baseline", "migration:check_drift", "migration:accept_drift", "migration:withdraw_drift",
	"backup:create", "backup:verify", "backup:drill", "backup:prune", "backup:keep", "backup:mark", "backup:register", "backup:attest", "backup:look",
	"restore:ask", "restore:agree", "restore:withdraw", "restore:start", "backup:restore", "operation:order", "operation:finish",
	"health:run", "snapshot:take", "snapshot:miss", "lesson:add", "lesson:done", "audit:verify", "audit:read", "audit:export", "release:export", "audit:alarm", "audit:acknowledge",
	"credential:create", "credential:revoke", "person:disable", "person:enable", "tenant:add", "wayback:make", "wayback:open",
	"capacity:record", "capacity:acknowledge", "capacity:assign", "capacity:fix", "capacity:verify", "capacity:doubt", "capacity:accept", "capacity:expire", "capacity:reopen",
	"capacity:adopt", "capacity:bulk", "capacity:undo", "bin:resize",
	"crossdock:cancel", "crossdock:place", "crossdock:choose", "crossdock:store", "crossdock:limit",
	"signing_code:make", "signing_code:revoke", "signing_code:use", "gate:review", "provider:outage", "provider:back",
}

// auditListView shows the entries; where there is one alone, whole, and otherwise with long values clipped.
func auditListView(c echo.Context, q audit.Query, page audit.Page, alone bool, now time.Time) pages.AuditListView {
	v := pages.AuditListView{
		Shell: web.Shell(c, "Audit"), Action: "/audit", AllHref: "/audit",
		Filter: pages.AuditFilter{
			Person: q.Person, Object: strings.TrimSpace(q.ObjectKind + " " + q.ObjectID),
			Action: q.Action, Actions: auditActions, Outcomes: options([]string{"done", "refused", "failed"}, string(q.Outcome)),
		},
	}
	if !q.From.IsZero() {
		v.Filter.Day = q.From.Format(time.DateOnly)
	}
	v.Filter.Any = q.Person != "" || q.Action != "" || q.ObjectKind != "" || q.Outcome != "" || v.Filter.Day != "" || alone
	var newest int64
	if len(page.Entries) > 0 {
		newest = page.Entries[0].Seq
	}
	v.Chain, v.ChainSay = chainState(page.Checked, newest, now)
	if page.Checked != nil && page.Checked.Whole() && !page.Published {
		v.ChainSay += " Where it ends is kept in this database alone; GATEHOUSE_AUDIT_HEADS keeps it elsewhere, too."
	}
	if page.Checked != nil && page.Checked.Seq > 0 {
		v.ChainHead = hex.EncodeToString(page.Checked.Head)
	}
	v.Sealed, v.Unrecorded = sealPart(page, now), page.Unrecorded
	if web.Actor(c).Can(actor.AuditRead) {
		v.VerifyHref, v.ExportHref = "/audit/verify", "/audit/export"
	}
	if v.Alarm != "" {
		v.WhoCan = roleTitles(actor.RolesWith(actor.AuditAcknowledge))
		if by := web.Actor(c); by.Can(actor.AuditAcknowledge) {
			v.WhoCan = nil
			v.AcknowledgeHref = "/audit/acknowledge"
			if by.AuthTime.IsZero() || now.Sub(by.AuthTime) > actor.FreshFor {
				v.AcknowledgeHref, v.FreshHref = "", web.LoginHref("/audit", true)
			}
		}
	}
	suggest(&v, q, page)
	for _, e := range page.Entries {
		row := auditRow(e, now)
		row.Object = namedObject(page, e.ObjectKind, e.ObjectID, row.Object)
		if row.Alone = alone; !alone {
			clipRow(&row)
		}
		v.Rows = append(v.Rows, row)
	}
	if n := len(page.Entries); n > 0 {
		v.Pager.Shown = fmt.Sprintf("entries %d to %d", page.Entries[0].Seq, page.Entries[n-1].Seq)
		if page.More {
			v.Pager.Older = auditHref(c.Request().URL.Query(), page.Entries[n-1].Seq)
		}
	}
	if q.Before > 0 && !alone {
		v.Pager.Newest = auditHref(c.Request().URL.Query(), 0)
	}
	return v
}

// suggest names whom and what the filter can be asked for; and where it found nothing, what was meant, perhaps.
func suggest(v *pages.AuditListView, q audit.Query, page audit.Page) {
	const shown = 50
	v.Filter.People = page.Names[:min(shown, len(page.Names))]
	for _, r := range page.Releases[:min(shown, len(page.Releases))] {
		v.Filter.Objects = append(v.Filter.Objects, components.Option{Value: "release " + r.ID, Label: r.Code})
	}
	if len(page.Entries) > 0 {
		return
	}
	for _, near := range page.Near(q) {
		query := url.Values{}
		for name, value := range map[string]string{"person": near.Person, "action": near.Action, "object": strings.TrimSpace(near.ObjectKind + " " + near.ObjectID), "outcome": string(near.Outcome), "day": v.Filter.Day} {
			if value != "" {
				query.Set(name, value)
			}
		}
		said := near.Person
		if near.ObjectID != q.ObjectID {
			object, _ := auditObject(near.ObjectKind, near.ObjectID)
			said = namedObject(page, near.ObjectKind, near.ObjectID, object)
		}
		v.Near = append(v.Near, components.Link{Label: said, Href: "/audit?" + query.Encode()})
	}
}

// namedObject says the code of the release that an entry is about.
func namedObject(page audit.Page, kind, id, object string) string {
	run, _, _ := strings.Cut(id, "/")
	code := page.Named(run)
	switch {
	case code == "":
		return object
	case kind == "release":
		return "release " + code + " (" + id + ")"
	}
	return object + " of " + code
}

func auditHref(query url.Values, before int64) string {
	query.Del("before")
	if before > 0 {
		query.Set("before", fmt.Sprint(before))
	}
	if len(query) == 0 {
		return "/audit"
	}
	return "/audit?" + query.Encode()
}

func options(values []string, chosen string) []components.Option {
	list := []components.Option{{Label: "any", Chosen: chosen == ""}}
	for _, value := range values {
		list = append(list, components.Option{Value: value, Label: value, Chosen: value == chosen})
	}
	return list
}

// chainState says what the newest walk of the chain proves about the entries up to newest, the newest that is shown. It
// is good only where the walk reached that one.
func chainState(check *audit.Check, newest int64, now time.Time) (components.State, string) {
	if check == nil {
		return components.State{Code: "unknown", Word: "Not checked yet", Tone: components.Unknown},
			"The chain has not been walked yet. It is walked once an hour; you can also have it walked now."
	}
	when := relative(check.CheckedAt.Sub(now))
	switch {
	case !check.Whole():
		return components.State{Code: "broken", Word: "Broken", Tone: components.Bad},
			fmt.Sprintf("The chain does not hold: %s. Checked %s.", check.Break, when)
	case check.Seq == 0:
		return components.State{Code: "unknown", Word: "Not checked yet", Tone: components.Unknown},
			fmt.Sprintf("When the chain was walked, %s, it held no entry, so the walk says nothing about what came since.", when)
	case newest > check.Seq:
		return components.State{Code: "behind", Word: "Whole so far", Tone: components.Info},
			fmt.Sprintf("The chain is whole up to entry %d, checked %s; %s not walked yet.", check.Seq, when, span(check.Seq+1, newest))
	}
	return components.State{Code: "whole", Word: "Whole", Tone: components.Good},
		fmt.Sprintf("The chain is whole up to entry %d, checked %s.", check.Seq, when)
}

// sealPart says what the newest seal proves, as far as it shows by itself; the walk holds the chain against all.
func sealPart(page audit.Page, now time.Time) pages.SealPart {
	s := page.Seal
	if s == nil {
		if page.Sealing {
			return pages.SealPart{
				State: components.State{Code: "not_yet", Word: "Not sealed yet", Tone: components.Unknown},
				Say:   "The head of the chain is sealed at the latest a quarter of an hour after something was added.",
			}
		}
		return pages.SealPart{
			State: components.State{Code: "none", Word: "Not sealed", Tone: components.Warn},
			Say:   "No seal key is configured (GATEHOUSE_SEAL_KEY), so a person who rules the database could rewrite the chain and leave no trace here.",
		}
	}
	part := pages.SealPart{Facts: []components.Fact{
		{Label: "Seal", Value: strconv.FormatInt(s.Number, 10)},
		{Label: "Entry", Value: strconv.FormatInt(s.Seq, 10)},
		{Label: "Hash of the entry", Value: s.Hash, Code: true},
		{Label: "Sealed", Value: s.At.UTC().Format("2006-01-02 15:04:05.000000 UTC")},
		{Label: "Key", Value: s.KeyID, Code: true},
		{Label: "Signature", Value: hex.EncodeToString(s.Signature), Code: true},
	}}
	switch {
	case page.SealProblem != "":
		part.State = components.State{Code: "bad", Word: "Seal does not hold", Tone: components.Bad}
		part.Say = "The newest seal cannot be relied on: " + page.SealProblem + "."
	case !page.Proven:
		part.State = components.State{Code: "unproven", Word: "Seal not checked", Tone: components.Unknown}
		part.Say = fmt.Sprintf("Entry %d was sealed %s, and this server has no key to check the seal with (GATEHOUSE_SEAL_KEY, GATEHOUSE_SEAL_TRUSTED).", s.Seq, relative(s.At.Sub(now)))
	default:
		part.State = components.State{Code: "sealed", Word: "Sealed", Tone: components.Good}
		part.Say = fmt.Sprintf("Everything up to entry %d is sealed (%s): whoever rewrites it, or cuts it off, cannot make the seal fit. What came after is sealed within a quarter of an hour.", s.Seq, relative(s.At.Sub(now)))
	}
	return part
}

// span names the entries from first to last, with its verb.
func span(first, last int64) string {
	if first == last {
		return fmt.Sprintf("entry %d is", first)
	}
	return fmt.Sprintf("entries %d to %d are", first, last)
}

var auditOutcomes = map[string]components.State{
	"done":    {Code: "done", Word: "Done", Tone: components.Good},
	"refused": {Code: "refused", Word: "Refused", Tone: components.Blocked},
	"failed":  {Code: "failed", Word: "Failed", Tone: components.Bad},
}

var auditOrigins = map[string]string{"web": "web", "cli": "command line", "api": "program", "worker": "worker"}

func auditRow(e audit.Entry, now time.Time) pages.AuditRow {
	roles := []string{}
	for _, role := range strings.FieldsFunc(e.Roles, func(r rune) bool { return r == ',' }) {
		roles = append(roles, actor.Role(role).Title())
	}
	object, href := auditObject(e.ObjectKind, e.ObjectID)
	return pages.AuditRow{
		ID: fmt.Sprint(e.Seq), At: moment(e.At, now, time.UTC), Who: e.Name, Role: strings.Join(roles, ", "),
		Origin: auditOrigins[e.Origin], Action: e.Action, Object: object, ObjectID: strings.TrimSpace(e.ObjectKind + " " + e.ObjectID), Href: href,
		Outcome: auditOutcomes[e.Outcome], Summary: e.Reason, Changes: auditChanges(e.Before, e.After),
		Hash: hex.EncodeToString(e.Hash), Previous: hex.EncodeToString(e.PrevHash),
	}
}

// auditObject is what people call the thing, and its page where it has one. What belongs to a release stands in the
// trail as release/name, and only the name says something.
func auditObject(kind, id string) (name, href string) {
	run, part, within := strings.Cut(id, "/")
	switch {
	case kind == "item" && within:
		return "item " + part, releasesPage + "/" + url.PathEscape(run) + "/items/" + url.PathEscape(part)
	case kind == "gate" && within:
		return "gate " + part, releasesPage + "/" + url.PathEscape(run) + "/gates/" + url.PathEscape(part)
	case kind == "release":
		return "release " + id, releasesPage + "/" + url.PathEscape(id)
	case kind == "migration":
		return "migration V" + id, "/migrations/V" + url.PathEscape(id)
	case kind == "migration_run":
		return "migration run " + id, runsPage + "/" + url.PathEscape(id)
	case kind == "capacity_failure":
		return "capacity failure " + id, capacityPage + "/" + url.PathEscape(id)
	case kind == "cross_dock_cancellation":
		return "cross-dock " + id, crossDockPage + "/" + url.PathEscape(id)
	case kind == "operation":
		return "operation " + id, operationsPage + "/" + url.PathEscape(id)
	}
	return strings.TrimSpace(kind + " " + id), ""
}

// clipRow shortens what is long, so that a page of entries stays small, and leads to where the entry stands whole.
func clipRow(row *pages.AuditRow) {
	clipped := false
	clip := func(text *string) {
		if runes := []rune(*text); len(runes) > auditClip {
			*text, clipped = string(runes[:auditClip])+"…", true
		}
	}
	clip(&row.Summary)
	for i := range row.Changes {
		clip(&row.Changes[i].What)
		clip(&row.Changes[i].Then)
		clip(&row.Changes[i].Now)
	}
	// More fields than a page has room for are as bad as long ones.
	if len(row.Changes) > auditFields {
		row.Changes, clipped = row.Changes[:auditFields], true
	}
	if clipped {
		row.Whole = components.Link{Label: "Long values are cut here. Show entry " + row.ID + " whole", Href: "/audit?entry=" + row.ID}
	}
}

// auditChanges lines the state before up with the state after, field by field.
func auditChanges(before, after *string) []pages.Difference {
	then, now := fields(before), fields(after)
	names := map[string]bool{}
	for name := range then {
		names[name] = true
	}
	for name := range now {
		names[name] = true
	}
	sorted := make([]string, 0, len(names))
	for name := range names {
		sorted = append(sorted, name)
	}
	sort.Strings(sorted)
	var list []pages.Difference
	for _, name := range sorted {
		list = append(list, pages.Difference{What: name, Then: then[name], Now: now[name]})
	}
	return list
}

func fields(text *string) map[string]string {
	if text == nil {
		return nil
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal([]byte(*text), &object); err != nil {
		return map[string]string{"": *text}
	}
	list := make(map[string]string, len(object))
	for name, raw := range object {
		var s string
		if json.Unmarshal(raw, &s) != nil {
			s = string(raw)
		}
		list[name] = s
	}
	return list
}
