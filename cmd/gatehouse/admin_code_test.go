package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

func TestSigningCodesAreMadeListedAndRevoked(t *testing.T) {
	o := atAShell(t, "")
	one, two := filepath.Join(t.TempDir(), "one"), filepath.Join(t.TempDir(), "two")
	code := func(verb string, change ...string) []string {
		return append([]string{"admin", "signing-code", verb, "--tenant", "rivermark"}, change...)
	}
	sealing := func(change ...string) []string {
		return append(code("make", "--first", "Ada Morrow", "--second", "Omar Fitch", "--reason", "the fourth quarter", "--first-to", one, "--second-to", two), change...)
	}
	o.refused(2, "there is no tenant", sealing("--tenant", "nowhere")...)
	o.refused(2, "Ada Morrow is one", sealing("--second", " ada MORROW ")...)
	o.refused(2, "1 to 90 days", sealing("--days", "0")...)
	o.refused(2, "1 to 90 days", sealing("--days", "91")...)
	o.refused(2, "1 to 90 days", sealing("--days", "-1")...)
	o.refused(2, "1 to 90 days", sealing("--days", "9223372036854775807")...)
	o.refused(2, "3 to 200 characters", sealing("--reason", "x")...)
	o.refused(2, "3 to 200 characters", sealing("--first", "Ada\nMorrow")...)
	o.refused(2, "3 to 200 characters", sealing("--first", "Ada\x1b[2J Morrow")...)
	o.refused(2, "3 to 200 characters", sealing("--second", strings.Repeat("x", 201))...)
	o.refused(2, "go together", sealing("--second-to", "")...)
	o.refused(2, "name two files", sealing("--second-to", one)...)
	o.refused(2, "required flag", "admin", "signing-code", "make", "--tenant", "rivermark")
	for _, file := range []string{one, two} {
		if _, err := os.Stat(file); err == nil {
			t.Errorf("a refused command left %s", file)
		}
	}
	if made := o.audited("signing_code:make", "done"); made != 0 || o.rows("signing_codes") != 0 {
		t.Errorf("%d codes were made by refused commands, and %d are there", made, o.rows("signing_codes"))
	}
	if printed := o.must(code("list")...); strings.Contains(printed, "Ada") {
		t.Errorf("a list of none says %q", printed)
	}

	if printed := o.must(sealing()...); printed != "" {
		t.Errorf("the halves are in files, and %q was printed", printed)
	}
	halves := map[string]bool{}
	for _, file := range []string{one, two} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 || !regexp.MustCompile(`^([A-Z2-7]{5}-){3}[A-Z2-7]{5}\n$`).Match(text) {
			t.Errorf("%s is %v (%v) and holds %q", file, info.Mode(), err, text)
		}
		halves[strings.ReplaceAll(strings.TrimSpace(string(text)), "-", "")] = true
	}
	o.refused(2, "must not exist", sealing()...)
	if len(halves) != 2 || o.rows("signing_codes") != 1 {
		t.Fatalf("%d halves of %d codes, want two of one", len(halves), o.rows("signing_codes"))
	}
	list := o.must(code("list")...)
	found := regexp.MustCompile(`(?m)^([0-9a-f-]{36})\s+good\s+Ada Morrow\s+Omar Fitch\s+(.{16}) UTC\s+(.{16}) UTC\s+the fourth quarter$`).FindStringSubmatch(list)
	if found == nil {
		t.Fatalf("the list is %q", list)
	}
	made, err := time.Parse("2006-01-02 15:04", found[2])
	until, wrong := time.Parse("2006-01-02 15:04", found[3])
	if err != nil || wrong != nil || until.Sub(made) != 28*24*time.Hour {
		t.Errorf("made %s and good until %s, want 28 days", found[2], found[3])
	}
	trail := o.text(`SELECT string_agg(e::text, ' ') FROM gatehouse.audit_events e`)
	for half := range halves {
		if strings.Contains(list, half) || strings.Contains(trail, half) || strings.Contains(o.text(`SELECT c::text FROM gatehouse.signing_codes c`), half) {
			t.Error("a half is kept, or shown once more")
		}
	}

	// Whoever revokes names a code of that tenant, with a reason, once.
	id := found[1]
	o.refused(2, "named by its id", code("revoke", "Ada", "--reason", "an envelope was opened")...)
	o.refused(2, "3 to 200 characters", code("revoke", id, "--reason", " ")...)
	o.refused(1, "no code", "admin", "signing-code", "revoke", id, "--tenant", "saltway", "--reason", "an envelope was opened")
	o.refused(1, "no code", code("revoke", "77777777-7777-7777-8777-777777777777", "--reason", "an envelope was opened")...)
	if printed := o.must("admin", "signing-code", "list", "--tenant", "saltway"); strings.Contains(printed, "Ada") {
		t.Errorf("another tenant's list says %q", printed)
	}
	o.must(code("revoke", id, "--reason", "an envelope was opened")...)
	o.refused(1, "revoked already", code("revoke", id, "--reason", "an envelope was opened")...)
	if list := o.must(code("list")...); !regexp.MustCompile(id + `\s+revoked\s`).MatchString(list) {
		t.Errorf("after it was revoked the list says %q", list)
	}
	if made, revoked := o.audited("signing_code:make", "done"), o.audited("signing_code:revoke", "done"); made != 1 || revoked != 1 {
		t.Errorf("the trail has %d made and %d revoked, want one each", made, revoked)
	}
	app := pgtest.Pool(t, o.d.AppURL)
	for _, statement := range []string{
		`INSERT INTO gatehouse.signing_codes (tenant_id, code_id) VALUES (gatehouse.current_tenant(), gen_random_uuid())`, `UPDATE gatehouse.signing_codes SET revoked_at = NULL`, `SELECT first_sha256 FROM gatehouse.signing_codes`,
	} {
		if _, err := app.Exec(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("the application: %s = %v", statement, err)
		}
	}
	t.Setenv("GATEHOUSE_OWNER_DATABASE_URL", "")
	for _, args := range [][]string{sealing("--first-to", one+"3", "--second-to", two+"3"), code("list"), code("revoke", id, "--reason", "an envelope was opened")} {
		o.refused(2, "only the owner", args...)
	}
	if _, err := os.Stat(one + "3"); err == nil {
		t.Error("a command without the owner left a file")
	}
}

// A holder who has signed in is known by who they are, whatever they are called later, and is told apart from a namesake.
func TestAHolderIsKnownByWhoTheyAre(t *testing.T) {
	o := atAShell(t, "")
	people := postgres.People{DB: housetest.Open(t, o.d)}
	for _, subject := range []string{"a1", "n1", "n2"} {
		name := map[string]string{"a1": "Ada Morrow", "n1": "Nia Same", "n2": "Nia Same"}[subject]
		if _, err := people.SignIn(t.Context(), actor.Identity{Issuer: "https://id.example", Subject: subject, Name: name, Tenant: "rivermark", Roles: []actor.Role{actor.QALead}}, ""); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	o.must("admin", "signing-code", "make", "--tenant", "rivermark", "--first", " ada morrow ", "--second", "Nia Same", "--reason", "quarterly", "--first-to", filepath.Join(dir, "1"), "--second-to", filepath.Join(dir, "2"))
	if got := o.text(`SELECT concat_ws('|', first_holder, first_subject, second_holder, second_subject) FROM gatehouse.signing_codes`); got != "ada morrow|a1|Nia Same|" {
		t.Errorf("the holders are %q; want the first known, and of two namesakes neither", got)
	}
}

func (o operator) rows(table string) int {
	o.t.Helper()
	var n int
	if err := pgtest.Pool(o.t, o.d.SuperURL).QueryRow(o.t.Context(), "SELECT count(*) FROM gatehouse."+table).Scan(&n); err != nil {
		o.t.Fatal(err)
	}
	return n
}

func (o operator) text(query string) string {
	o.t.Helper()
	var s *string
	if err := pgtest.Pool(o.t, o.d.SuperURL).QueryRow(o.t.Context(), query).Scan(&s); err != nil {
		o.t.Fatal(err)
	}
	if s == nil {
		return ""
	}
	return *s
}
