package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

func TestBreakglassMakesTwoHalvesForTwoPeople(t *testing.T) {
	o := atAShell(t, "")
	one, two := filepath.Join(t.TempDir(), "one"), filepath.Join(t.TempDir(), "two")
	args := func(change ...string) []string {
		list := []string{"admin", "breakglass", "--tenant", "rivermark", "--first", "Ada Morrow", "--second", "Omar Fitch", "--reason", "no groups since 09:40", "--first-to", one, "--second-to", two}
		return append(list, change...)
	}
	o.refused(2, "there is no tenant", args("--tenant", "nowhere")...)
	o.refused(2, "Ada Morrow is one", args("--second", "ada morrow ")...)
	o.refused(2, "5 minutes to 4 hours", args("--lifetime", "5h")...)
	o.refused(2, "5 minutes to an hour", args("--session", "2h")...)
	o.refused(2, "3 to 200 characters", args("--reason", "x")...)
	o.refused(2, "go together", args("--second-to", "")...)
	o.refused(2, "name two files", args("--second-to", one)...)
	for _, file := range []string{one, two} {
		if _, err := os.Stat(file); err == nil {
			t.Errorf("a refused command left %s", file)
		}
	}
	if n := o.audited("wayback:make", "done"); n != 0 {
		t.Errorf("%d codes were made by refused commands", n)
	}

	if printed := o.must(args()...); printed != "" {
		t.Errorf("the halves are in files, and %q was printed", printed)
	}
	var halves []string
	for _, file := range []string{one, two} {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 || !regexp.MustCompile(`^([A-Z2-7]{5}-){3}[A-Z2-7]{5}\n$`).Match(text) {
			t.Errorf("%s is %v and holds %q", file, info.Mode(), text)
		}
		halves = append(halves, strings.ReplaceAll(strings.TrimSpace(string(text)), "-", ""))
	}
	o.refused(2, "must not exist", args()...)

	db := housetest.Open(t, o.d)
	opened, by, err := postgres.WayBack{DB: db}.Open(t.Context(), halves[1], halves[0], "127.0.0.1")
	if err != nil || opened.FirstHolder != "Ada Morrow" || by.Tenant != housetest.Rivermark || by.Can(actor.GateSign) || !by.Can(actor.AuditRead) {
		t.Errorf("Open = %+v, %+v, %v; want somebody of Rivermark who reads and does not sign", opened, by, err)
	}
	if _, _, err := (postgres.WayBack{DB: db}).Open(t.Context(), halves[0], halves[1], "127.0.0.1"); !fault.Is(err, fault.Forbidden) || !strings.Contains(err.Error(), "used already") {
		t.Errorf("Open once more = %v, want that it was used", err)
	}
	if made, used := o.audited("wayback:make", "done"), o.audited("wayback:open", "done"); made != 1 || used != 1 {
		t.Errorf("the trail has %d made and %d used, want one each", made, used)
	}
	// The server's own role can use a code and cannot make one.
	app := pgtest.Pool(t, o.d.AppURL)
	_, err = app.Exec(t.Context(), `WITH here AS MATERIALIZED (SELECT set_config('app.current_tenant_id', $1, false))
		INSERT INTO gatehouse.way_back_codes (tenant_id, code_id, first_sha256, second_sha256, first_holder, second_holder, reason, session_seconds, expires_at)
		SELECT $1::uuid, gen_random_uuid(), repeat('a', 64), repeat('b', 64), 'me', 'myself', 'why not', 600, now() + interval '1 hour' FROM here`, housetest.Rivermark.String())
	if err == nil || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("the application made a code: %v", err)
	}
	t.Setenv("GATEHOUSE_OWNER_DATABASE_URL", "")
	o.refused(2, "only the owner", args()...)
}

// Nobody who looks over a shoulder sees both: each half is shown to one person, and wiped before the next.
func TestHalvesAreShownOneAfterTheOther(t *testing.T) {
	var out strings.Builder
	s := newScreen(&out, strings.NewReader("\n\n\n\n"))
	if err := s.ask("Ada"); err != nil {
		t.Fatal(err)
	}
	if err := s.show([]half{{"Ada", "AAAAABBBBBCCCCCDDDDD"}, {"Omar", "EEEEEFFFFFGGGGGHHHHH"}}); err != nil {
		t.Fatal(err)
	}
	screens := strings.Split(out.String(), wipe)
	if len(screens) != 4 || !strings.Contains(screens[1], "AAAAA-BBBBB-CCCCC-DDDDD") || strings.Contains(screens[1], "EEEEE") || !strings.Contains(screens[2], "EEEEE-FFFFF-GGGGG-HHHHH") || screens[3] != "" {
		t.Errorf("the screens are %q", screens)
	}
	if err := newScreen(&out, strings.NewReader("")).ask("Ada"); err == nil {
		t.Error("nobody pressed Enter, and it went on")
	}
}

func TestConfigCheckListsSourcesAndProblems(t *testing.T) {
	o := atAShell(t, "")
	for name, value := range map[string]string{
		"GATEHOUSE_OIDC_ISSUER": "https://id.example.com", "GATEHOUSE_OIDC_CLIENT_ID": "gatehouse", "GATEHOUSE_OIDC_CLIENT_SECRET": "hunter2",
	} {
		t.Setenv(name, value)
	}
	out := o.must("config", "check")
	for _, want := range []string{`GATEHOUSE_OIDC_ISSUER\s+https://id.example.com\s+environment`, `GATEHOUSE_OIDC_CLIENT_SECRET\s+\*\*\*\s+environment`, `GATEHOUSE_ADDR\s+127.0.0.1:8080\s+default`, "Nothing is missing"} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("config check does not say %s:\n%s", want, out)
		}
	}
	if strings.Contains(out, "hunter2") || strings.Contains(out, o.d.AppURL) {
		t.Errorf("config check tells a secret:\n%s", out)
	}
	t.Setenv("GATEHOUSE_ADRR", "x")
	t.Setenv("GATEHOUSE_PUBLIC_URL", "https://tools.example.com/gatehouse")
	o.refused(1, "did you mean GATEHOUSE_ADDR?", "config", "check")
	o.refused(1, "without a path", "config", "check")
	o.refused(1, "2 of these", "config", "check")
}
