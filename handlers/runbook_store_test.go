package handlers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"golang.org/x/net/html"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/runbook"
	"github.com/agogsaas/gatehouse/internal/signoff"
	"github.com/agogsaas/gatehouse/web"
)

// shelf keeps one release in memory. The services above it are the real ones, so the pages show what the rules say.
type shelf struct {
	deputies   []signoff.Deputy // whom the roster names for today, at places that take deputies from an hour ago on
	outage     signoff.Outage   // of the identity provider
	breaking   error            // what a signature by break-glass is refused with
	at         time.Time
	runs       []runbook.Run
	template   runbook.Template
	items      []runbook.Item
	evidence   map[runbook.ItemID][]runbook.Evidence
	history    map[runbook.ItemID][]runbook.HistoryLine
	migrations []runbook.Migration
	signatures []signoff.Signature
	keys       map[uuid.UUID]uuid.UUID
	blockers   []signoff.Blocker
	asked      runbook.Query
	found      runbook.CheckResult
	changes    []signoff.Change
	stops      []signoff.Stop
	rollbacks  []runbook.Rollback
	attempts   []signoff.Attempt
	expires    time.Time
	files      map[runbook.ItemID][]shelfFile
	notes      map[runbook.ItemID][]runbook.Note
	said       map[uuid.UUID]bool
	waivers    map[uuid.UUID]runbook.Waiver
	imported   []runbook.Template
}

// shelfFile is a file and its bytes.
type shelfFile struct {
	runbook.File
	round  int
	pieces [][]byte
}

var (
	runID     = uuid.MustParse("33333333-3333-7333-8333-333333333333")
	t0        = time.Date(2026, 11, 24, 19, 0, 0, 0, time.UTC) // 14:00 in New York
	starter   = person("s", "Sam Starter", actor.DevOpsEngineer)
	qaLead    = person("q", "Quinn Adler", actor.QALead)
	backend   = person("b", "Bo Ekman", actor.BackendLead)
	devOps    = person("d", "Dana Okafor", actor.DevOpsLead)
	viewer    = person("v", "Vic Mendes", actor.Viewer)
	deskClock = t0.Add(-20 * time.Hour)
)

func person(subject, name string, roles ...actor.Role) actor.Actor {
	return actor.Actor{
		UserID: uuid.NewSHA1(uuid.NameSpaceOID, []byte(subject)), Issuer: "https://id.example", Subject: subject, Name: name, TenantCode: "rivermark",
		Roles: roles, AuthTime: deskClock.Add(-time.Minute), Origin: actor.Web,
	}
}

func openShelf(t *testing.T) *shelf {
	t.Helper()
	all, err := runbook.Embedded()
	if err != nil {
		t.Fatalf("Embedded: %v", err)
	}
	s := &shelf{
		at: deskClock, template: all[0], items: all[0].Items(), evidence: map[runbook.ItemID][]runbook.Evidence{},
		files: map[runbook.ItemID][]shelfFile{},
		notes: map[runbook.ItemID][]runbook.Note{}, said: map[uuid.UUID]bool{}, waivers: map[uuid.UUID]runbook.Waiver{},
		history: map[runbook.ItemID][]runbook.HistoryLine{}, keys: map[uuid.UUID]uuid.UUID{},
	}
	for _, v := range all[0].Migrations {
		s.migrations = append(s.migrations, runbook.Migration{Version: v, Title: "title of " + v, SHA256: strings.Repeat("a", 64)})
	}
	s.runs = []runbook.Run{{
		ID: runID, Environment: "demo", Code: "REQ-1", Title: "Bin optimization", State: runbook.Active, T0: t0, TimeZone: "America/New_York",
		Template: all[0].Ref(), Starter: runbook.Person{Issuer: starter.Issuer, Subject: starter.Subject, Name: starter.Name},
		StartedAt: deskClock.Add(-time.Hour), Counts: runbook.Counts{Total: len(s.items)}, Version: 1,
	}}
	return s
}

// settle puts items into a state, without the story that would lead there.
func (s *shelf) settle(state runbook.ItemState, which func(runbook.Item) bool) {
	for n, i := range s.items {
		if which(i) {
			s.items[n].State, s.items[n].Settled = state, runbook.Person{Issuer: "https://id.example", Subject: "w", Name: "Wim Baker"}
			s.items[n].SettledAt, s.items[n].DueThen, s.items[n].Version = s.at, t0.Add(i.Offset), i.Version+1
		}
	}
}

func (s *shelf) first(t *testing.T, kind runbook.Kind) runbook.Item {
	t.Helper()
	n := slices.IndexFunc(s.items, func(i runbook.Item) bool { return i.Kind == kind && len(s.plan().Waiting(i)) == 0 })
	if n < 0 {
		t.Fatalf("no item of kind %s can be worked on", kind)
	}
	return s.items[n]
}

func (s *shelf) plan() runbook.Plan {
	p := runbook.Plan{Run: s.runs[0], Items: slices.Clone(s.items), At: s.at}
	for _, g := range s.template.Gates {
		p.Gates = append(p.Gates, runbook.Gate{ID: g.ID, Name: g.Name, Judges: g.Judges, AfterPhase: g.AfterPhase, Offset: time.Duration(g.Offset), Passed: s.gate(g.ID).Passed()})
	}
	return p
}

// content is what the database's function would make of the shelf, as far as the page reads it.
func (s *shelf) content(id signoff.GateID) (string, string) {
	c := map[string]any{
		"form": "gatehouse-gate-1", "release": map[string]any{"run": runID, "code": "REQ-1", "title": s.runs[0].Title, "environment": "demo", "t0": s.runs[0].T0.Format(time.RFC3339)},
		"migrations": s.migrations, "gate": map[string]any{"id": id},
	}
	var items []map[string]any
	for _, i := range s.items {
		if i.Gate == id {
			items = append(items, map[string]any{
				"id": i.ID, "title": i.Title, "state": i.State, "by": i.Settled.Name, "at": s.at.UTC().Format(time.RFC3339Nano), "reason": i.Reason,
				"evidence": map[string]any{"note": "Beside " + string(i.ID) + "."},
			})
		}
	}
	c["items"] = items
	if len(s.stops) > 0 {
		var stops, attempts []map[string]any
		for _, e := range s.stops {
			stops = append(stops, map[string]any{"attempt": e.Attempt, "kind": e.Kind, "slot": e.Slot, "role": e.Role, "reason": e.Reason, "by": e.Name, "at": e.At.Format(time.RFC3339Nano)})
		}
		for _, a := range s.attempts {
			attempts = append(attempts, map[string]any{"attempt": a.Number, "note": a.Note, "by": a.By})
		}
		c["stops"], c["attempts"] = stops, attempts
	}
	text, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(text)
	return string(text), hex.EncodeToString(sum[:])
}

func (s *shelf) gate(id signoff.GateID) signoff.Gate {
	n := slices.IndexFunc(s.template.Gates, func(g runbook.GateSpec) bool { return g.ID == id })
	if n < 0 {
		return signoff.Gate{}
	}
	spec := s.template.Gates[n]
	g := signoff.Gate{
		ID: id, Name: spec.Name, Judges: spec.Judges, Last: id == signoff.Final, AfterMigrations: spec.AfterMigrations, At: s.at, Seq: 7, Blockers: s.blockers,
		Release: signoff.Release{ID: runID, Code: "REQ-1", Title: s.runs[0].Title, Environment: "demo", TimeZone: "America/New_York", Active: s.runs[0].State == runbook.Active, StarterIssuer: starter.Issuer, StarterSubject: starter.Subject, StarterName: starter.Name},
	}
	for _, slot := range spec.Slots {
		g.Slots = append(g.Slots, signoff.Slot{ID: slot.ID, Role: slot.Role, Required: slot.Required, SignsLast: slot.SignsLast, AsksScore: slot.AsksScore, Meanings: slot.Meanings, Statement: slot.Statement})
	}
	for _, given := range s.signatures {
		if given.Gate == id {
			g.Signatures = append(g.Signatures, given)
		}
	}
	if id == signoff.GoNoGo {
		g.Stops, g.Attempts, g.ExpiresAt = s.stops, s.attempts, s.expires
		g.Overdue = !s.expires.IsZero() && s.at.After(s.expires)
	}
	g.Content, g.SHA256 = s.content(id)
	return g
}

func (s *shelf) find(run uuid.UUID) error {
	if run != runID {
		return fault.New(fault.NotFound, "There is no such release.")
	}
	return nil
}

// The two services ask for methods of the same names, so the shelf has a side for each, inside and outside a transaction.
type (
	runbookShelf struct{ *shelf }
	runbookTx    struct{ *shelf }
	signoffShelf struct{ *shelf }
	signoffTx    struct{ *shelf }
)

func (s runbookShelf) List(_ context.Context, _ actor.Actor, _ string, q runbook.Query) ([]runbook.Run, error) {
	s.asked = q
	return s.runs[:min(len(s.runs), q.Limit)], nil
}

func (s runbookShelf) Active(context.Context, actor.Actor, string) (runbook.Run, bool, error) {
	return runbookTx(s).Active(context.Background(), "")
}

func (s runbookShelf) Show(_ context.Context, _ actor.Actor, run uuid.UUID) (runbook.Release, error) {
	if err := s.find(run); err != nil {
		return runbook.Release{}, err
	}
	r := runbook.Release{Plan: s.plan(), Template: s.template, Rollbacks: s.rollbacks}
	for _, g := range r.Plan.Gates {
		r.Gates = append(r.Gates, runbook.GateShown{Gate: g, Signing: s.gate(g.ID)})
	}
	for _, m := range s.migrations {
		r.Migrations = append(r.Migrations, runbook.MigrationShown{Migration: m})
	}
	return r, nil
}

func (s runbookShelf) Item(_ context.Context, _ actor.Actor, run uuid.UUID, id runbook.ItemID) (runbook.ItemPage, error) {
	item, ok := s.plan().Item(id)
	if err := s.find(run); err != nil || !ok {
		return runbook.ItemPage{}, fault.New(fault.NotFound, "There is no such item.")
	}
	page := runbook.ItemPage{
		Plan: s.plan(), Item: item, Template: s.template, Evidence: s.evidence[id], Files: s.filesOf(id), Notes: s.notes[id], History: s.history[id],
		WaiverRoles: []actor.Role{actor.DevOpsLead, actor.QALead},
	}
	if w, ok := s.waivers[item.Waiver]; ok {
		page.Waiver = &w
	}
	return page, nil
}

func (s runbookShelf) Mark(context.Context, actor.Actor, uuid.UUID, uuid.UUID) (runbook.Mark, error) {
	return runbook.Mark{}, nil
}

func (s runbookShelf) InTenant(ctx context.Context, _ actor.Actor, work func(context.Context, runbook.Tx) error) error {
	return work(ctx, runbookTx(s))
}

func (s runbookTx) Active(context.Context, string) (runbook.Run, bool, error) {
	if len(s.runs) == 0 || s.runs[0].State != runbook.Active {
		return runbook.Run{}, false, nil
	}
	return s.runs[0], true, nil
}

func (s runbookTx) Add(_ context.Context, run runbook.Run, _ runbook.Template, _ []runbook.Migration) error {
	s.runs = []runbook.Run{run}
	return nil
}

func (s runbookTx) LockPlan(_ context.Context, run uuid.UUID) (runbook.Plan, error) {
	return s.plan(), s.find(run)
}

func (s runbookTx) Template(context.Context, uuid.UUID) (string, error) { return s.template.Text, nil }

func (s *shelf) filesOf(id runbook.ItemID) []runbook.File {
	var files []runbook.File
	for _, f := range s.files[id] {
		f.Counts = f.round == s.item(id).Round
		files = append(files, f.File)
	}
	return files
}

func (s runbookTx) Files(_ context.Context, _ uuid.UUID, item runbook.ItemID) ([]runbook.File, error) {
	return s.filesOf(item), nil
}

func (s runbookTx) AddFile(_ context.Context, _ uuid.UUID, item runbook.Item, a runbook.Attachment) (runbook.File, error) {
	f := runbook.File{Number: len(s.files[item.ID]) + 1, Name: a.Name, Bytes: a.Bytes, SHA256: a.SHA256, Counts: true, Intact: true, By: runbook.Person{Name: "Wim Baker"}, AddedAt: s.at}
	s.files[item.ID] = append(s.files[item.ID], shelfFile{f, item.Round, a.Pieces})
	return f, nil
}

func (s runbookShelf) File(_ context.Context, _ actor.Actor, run uuid.UUID, item runbook.ItemID, sha256 string) (runbook.File, error) {
	for _, f := range s.filesOf(item) {
		if f.SHA256 == sha256 && run == runID {
			return f, nil
		}
	}
	return runbook.File{}, fault.New(fault.NotFound, "There is no such file.")
}

func (s runbookShelf) FilePieces(_ context.Context, _ actor.Actor, _ uuid.UUID, item runbook.ItemID, file, from int) ([][]byte, error) {
	return s.files[item][file-1].pieces[from-1:], nil
}

func (s runbookShelf) Imported(context.Context, actor.Actor) ([]runbook.Template, error) {
	return s.imported, nil
}

func (s runbookTx) AddTemplate(_ context.Context, t runbook.Template) (string, bool, error) {
	for _, there := range s.imported {
		if there.Name == t.Name && there.Version == t.Version {
			return there.SHA256, false, nil
		}
	}
	t.Imported = runbook.Imported{By: runbook.Person{Subject: "d", Name: "Dana Okafor"}, At: s.at}
	s.imported = append(s.imported, t)
	return "", false, nil
}

func (s runbookTx) AddNote(_ context.Context, _ uuid.UUID, item runbook.ItemID, n runbook.Note, key uuid.UUID) (bool, error) {
	if s.said[key] {
		if !slices.ContainsFunc(s.notes[item], func(o runbook.Note) bool { return o.Words == n.Words && o.By == n.By }) {
			return false, runbook.ErrSaidOtherwise
		}
		return false, nil
	}
	n.At, s.said[key] = s.at, true
	s.notes[item] = append(s.notes[item], n)
	return true, nil
}

func (s runbookTx) Waive(_ context.Context, by actor.Actor, w runbook.WaiverToSign) (string, error) {
	s.waivers[w.ID] = runbook.Waiver{
		ID: w.ID, Role: w.Role, Statement: w.Statement, Reason: w.Reason, SHA256: strings.Repeat("f", 64), Intact: true,
		By: runbook.Person{Issuer: by.Issuer, Subject: by.Subject, Name: by.Name}, AuthTime: by.AuthTime, At: s.at,
	}
	return s.waivers[w.ID].SHA256, nil
}

func (s runbookTx) AddEvidence(_ context.Context, _ uuid.UUID, item runbook.ItemID, e runbook.Evidence) (int, error) {
	e.Number, e.Intact, e.AddedAt, e.SHA256 = len(s.evidence[item])+1, true, s.at, strings.Repeat("e", 64)
	s.evidence[item] = append([]runbook.Evidence{e}, s.evidence[item]...)
	return e.Number, nil
}

func (s runbookTx) Change(_ context.Context, _ uuid.UUID, item runbook.Item, _ int) error {
	s.items[slices.IndexFunc(s.items, func(i runbook.Item) bool { return i.ID == item.ID })] = item
	return nil
}

func (s runbookTx) ChangeRun(_ context.Context, run runbook.Run, _ int) error {
	s.runs[0] = run
	return nil
}

func (s runbookTx) RollingBack(context.Context, uuid.UUID) (string, error) { return "", nil }

func (s runbookTx) Record(_ context.Context, e audit.Event) error {
	if _, id, ok := strings.Cut(e.ObjectID, "/"); ok {
		item := runbook.ItemID(id)
		s.history[item] = append([]runbook.HistoryLine{{At: s.at, Who: "Wim Baker", Action: e.Action, Reason: e.Reason}}, s.history[item]...)
	}
	return nil
}

func (s *shelf) Files(context.Context) ([]runbook.Migration, error) { return s.migrations, nil }

func (s *shelf) Check(context.Context, actor.Actor, string, runbook.RunFacts) (runbook.CheckResult, error) {
	return s.found, nil
}

func (s signoffShelf) Gate(_ context.Context, _ actor.Actor, run uuid.UUID, id signoff.GateID) (signoff.Gate, error) {
	if err := s.find(run); err != nil || !slices.ContainsFunc(s.template.Gates, func(g runbook.GateSpec) bool { return g.ID == id }) {
		return signoff.Gate{}, fault.New(fault.NotFound, "This release has no such gate.").Because(err)
	}
	g := s.gate(id)
	if g.Deputies = s.deputies; s.deputies != nil {
		for i := range g.Slots {
			g.Slots[i].DeputiesFrom = s.at.Add(-time.Hour)
		}
	}
	return g, nil
}

func (s signoffShelf) Signature(_ context.Context, _ actor.Actor, id uuid.UUID) (signoff.Signature, signoff.Gate, error) {
	for _, given := range s.signatures {
		if given.ID == id {
			return given, s.gate(given.Gate), nil
		}
	}
	return signoff.Signature{}, signoff.Gate{}, fault.New(fault.NotFound, "There is no such signature.")
}

func (s signoffShelf) Since(context.Context, actor.Actor, uuid.UUID, int64) ([]signoff.Change, error) {
	return s.changes, nil
}

func (s signoffShelf) InTenant(ctx context.Context, _ actor.Actor, work func(context.Context, signoff.Tx) error) error {
	return work(ctx, signoffTx(s))
}

func (s signoffTx) LockRelease(_ context.Context, run uuid.UUID) error { return s.find(run) }

func (s signoffTx) SignedWith(_ context.Context, key uuid.UUID) (signoff.Signature, bool, error) {
	id, ok := s.keys[key]
	for _, given := range s.signatures {
		if ok && given.ID == id {
			return given, true, nil
		}
	}
	return signoff.Signature{}, false, nil
}

func (s signoffTx) Gate(_ context.Context, _ uuid.UUID, id signoff.GateID) (signoff.Gate, error) {
	return s.gate(id), nil
}

func (s signoffTx) Add(_ context.Context, by actor.Actor, id uuid.UUID, r signoff.SignRequest) (bool, error) {
	g := s.gate(r.Gate)
	slot, ok := g.Slot(r.Slot)
	if !ok || g.Refuse(by, slot) != nil || g.SHA256 != r.ContentSHA256 || !slices.Contains(slot.Meanings, r.Meaning) || slot.AsksScore != (r.Score != nil) {
		return false, nil
	}
	s.keys[r.Key] = id
	s.signatures = append(s.signatures, signoff.Signature{
		ID: id, Run: r.Run, Gate: r.Gate, Slot: r.Slot, Role: slot.Role, Meaning: r.Meaning, Statement: r.Statement, Score: r.Score, Note: r.Note,
		Content: g.Content, ContentSHA256: g.SHA256, Intact: true, Issuer: by.Issuer, Subject: by.Subject, Name: by.Name, AuthTime: by.AuthTime, SignedAt: s.at,
	})
	return true, nil
}

func (s signoffTx) Withdraw(_ context.Context, by actor.Actor, id uuid.UUID, reason string) (bool, error) {
	for n, given := range s.signatures {
		if given.ID == id && given.By(by) && given.Withdrawn == nil {
			s.signatures[n].Withdrawn = &signoff.Withdrawal{Reason: reason, By: by.Name, At: s.at}
			return true, nil
		}
	}
	return false, nil
}

func (s signoffShelf) Overdue(context.Context, actor.Actor) ([]signoff.GateRef, error) {
	return nil, nil
}

func (s signoffTx) Reject(_ context.Context, by actor.Actor, r signoff.RejectRequest) (bool, error) {
	g := s.gate(r.Gate)
	slot, ok := g.Slot(r.Slot)
	if !ok || g.RefuseReject(by, slot) != nil || slices.ContainsFunc(s.stops, func(e signoff.Stop) bool { return e.Key == r.Key }) {
		return false, nil
	}
	s.stops = append(s.stops, signoff.Stop{
		Attempt: g.Attempt(), Kind: signoff.Rejected, Slot: r.Slot, Role: slot.Role, Reason: r.Reason, Content: g.Content, ContentSHA256: g.SHA256, Intact: true,
		Issuer: by.Issuer, Subject: by.Subject, Name: by.Name, At: s.at, Key: r.Key,
	})
	return true, nil
}

func (s signoffTx) Reopen(_ context.Context, by actor.Actor, r signoff.ReopenRequest) (bool, error) {
	g := s.gate(r.Gate)
	if stop, ok := g.Stopped(); !ok || stop.Attempt != r.After {
		return false, nil
	}
	s.attempts = append(s.attempts, signoff.Attempt{Number: r.After + 1, Note: r.Note, By: by.Name, At: s.at, Key: r.Key})
	return true, nil
}

func (s signoffTx) Expire(_ context.Context, _ uuid.UUID, id signoff.GateID) (signoff.Stop, bool, error) {
	g := s.gate(id)
	if stop, ok := g.Stopped(); !ok || stop.Content != "" {
		return signoff.Stop{}, false, nil
	}
	stop := signoff.Stop{Attempt: g.Attempt(), Kind: signoff.Expired, Reason: "It had to be passed by then, and was not.", Content: g.Content, ContentSHA256: g.SHA256, Intact: true, Name: "Gatehouse", At: s.at}
	s.stops = append(s.stops, stop)
	s.expires = time.Time{}
	return stop, true, nil
}

func (s signoffTx) SignOff(context.Context, actor.Actor, uuid.UUID, signoff.GateID) (bool, error) {
	return false, nil
}

func (s signoffTx) Since(context.Context, uuid.UUID, int64) ([]signoff.Change, error) {
	return s.changes, nil
}

func (s signoffTx) Record(context.Context, audit.Event) error { return nil }

// answer is what came back, with its page parsed.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	body   string
	page   *html.Node
}

func templates(t *testing.T) []runbook.Template {
	t.Helper()
	embedded, err := runbook.Embedded()
	if err != nil {
		t.Fatalf("Embedded: %v", err)
	}
	return embedded
}

// ask sends one request to the handlers of releases, items, gates and signatures. The guard of the route table is
// web's and tested there; here the services refuse by themselves, which is what holds when somebody posts past a page.
func (s *shelf) ask(t *testing.T, by actor.Actor, method, path string, fields ...string) answer {
	t.Helper()
	form := url.Values{}
	for n := 0; n+1 < len(fields); n += 2 {
		form.Set(fields[n], fields[n+1])
	}
	return s.request(t, by, method, path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

func (s *shelf) post(t *testing.T, by actor.Actor, path, kind string, body io.Reader) answer {
	t.Helper()
	return s.request(t, by, http.MethodPost, path, kind, body)
}

func (s *shelf) request(t *testing.T, by actor.Actor, method, path, kind string, body io.Reader) answer {
	t.Helper()
	releases := runbook.NewService(runbookShelf{s}, "demo", templates(t), s, s)
	now := func() time.Time { return s.at }
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) { _ = c.String(web.Status(err), err.Error()) }
	for _, r := range slices.Concat(Releases(releases, drawer{}, now), Gates(signoff.NewService(signoffShelf{s}), now), Glass(glassShelf{signoff.NewService(signoffShelf{s}), s}, "your company's sign-in", now)) {
		e.Add(r.Method, r.Path, echo.HandlerFunc(r.Handler))
	}
	request := httptest.NewRequestWithContext(actor.Into(t.Context(), by), method, path, body)
	request.Header.Set("Content-Type", kind)
	recorder := httptest.NewRecorder()
	e.ServeHTTP(recorder, request)
	page, err := html.Parse(strings.NewReader(recorder.Body.String()))
	if err != nil {
		t.Fatalf("%s %s: the answer is no HTML: %v", method, path, err)
	}
	return answer{t, recorder.Code, recorder.Header(), recorder.Body.String(), page}
}

// all finds the elements that carry the attribute; value "" is any value.
func (a answer) all(key, value string) []*html.Node {
	var found []*html.Node
	for n := range a.page.Descendants() {
		for _, attr := range n.Attr {
			if attr.Key == key && (value == "" || attr.Val == value) {
				found = append(found, n)
			}
		}
	}
	return found
}

// text is what people read in the one element that carries the attribute.
func (a answer) text(key, value string) string {
	a.t.Helper()
	found := a.all(key, value)
	if len(found) != 1 {
		a.t.Fatalf("%d elements with %s=%q, want 1; the answer is %d:\n%.3000s", len(found), key, value, a.status, a.body)
	}
	return words(found[0])
}

func words(n *html.Node) string {
	var parts []string
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			parts = append(parts, strings.Fields(d.Data)...)
		}
	}
	return strings.Join(parts, " ")
}

// typed is what stands in a field: of an input its value, of a text area its text, of a select what is chosen.
func (a answer) typed(name string) string {
	a.t.Helper()
	for _, n := range a.all("name", name) {
		switch n.Data {
		case "textarea":
			return words(n)
		case "input":
			return attribute(n, "value")
		case "select":
			for d := range n.Descendants() {
				if d.Data == "option" && slices.ContainsFunc(d.Attr, func(a html.Attribute) bool { return a.Key == "selected" }) {
					return attribute(d, "value")
				}
			}
		}
	}
	a.t.Fatalf("no field %q on the page (status %d)", name, a.status)
	return ""
}

func attribute(n *html.Node, key string) string {
	for _, attr := range n.Attr {
		if attr.Key == key {
			return attr.Val
		}
	}
	return ""
}

func (a answer) expect(status int, parts ...string) {
	a.t.Helper()
	text := words(a.page)
	if a.status != status {
		a.t.Fatalf("status %d, want %d: %.1500s", a.status, status, text)
	}
	for _, part := range parts {
		if !strings.Contains(text, part) {
			a.t.Errorf("the page does not say %q:\n%.4000s", part, text)
		}
	}
}

// goesTo checks the answer of a form that was accepted.
func (a answer) goesTo(path string) {
	a.t.Helper()
	if a.status != http.StatusSeeOther || a.header.Get("Location") != path || !strings.Contains(a.header.Get("Set-Cookie"), "gatehouse-flash") {
		a.t.Fatalf("status %d to %q, want 303 to %q with a sentence: %.1500s", a.status, a.header.Get("Location"), path, words(a.page))
	}
}
