package faultpoint_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The two programs are the same source, built without and with the tag.
func TestWithoutTheTagNothingIsLeft(t *testing.T) {
	program := build(t)
	binary, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	for _, trace := range []string{"GATEHOUSE_FAULT", "probe.first", "faultpoint.Hit"} {
		if bytes.Contains(binary, []byte(trace)) {
			t.Errorf("a program built without the tag holds %q", trace)
		}
	}
	out, err := run(program, "probe.first=kill")
	if want := "first <nil>\nfirst <nil>\nend\n"; err != nil || out != want {
		t.Errorf("without the tag, the probe said %q, %v; want %q", out, err, want)
	}
}

func TestWithTheTagEachActionHappens(t *testing.T) {
	program := build(t, "-tags", "faultpoints")
	for _, c := range []struct{ spec, wantOut, wantEnd string }{
		{"", "first <nil>\nfirst <nil>\nend\n", ""},
		{"probe.first=error", "first fault injected by a test at probe.first\nfirst fault injected by a test at probe.first\nend\n", ""},
		{"probe.first=error@2", "first <nil>\nfirst fault injected by a test at probe.first\nend\n", ""},
		{"probe.first=pause:1ms", "first <nil>\nfirst <nil>\nend\n", ""},
		{"probe.first=kill", "", "signal: killed"},
		{"probe.first=kill@2", "first <nil>\n", "signal: killed"},
		{"probe.first=panic", "panic: fault injected by a test at probe.first", "exit status 2"},
		{"probe.frist=kill", "there is no fault point \"probe.frist\"", "exit status 2"},
		{"probe.first", "has no action", "exit status 2"},
		{"probe.first=explode", "the action is one of", "exit status 2"},
		{"probe.first=pause", "needs a duration", "exit status 2"},
		{"probe.first=kill:9", "takes no argument", "exit status 2"},
		{"probe.first=kill@0", "counted from 1", "exit status 2"},
	} {
		out, err := run(program, c.spec)
		end := ""
		if err != nil {
			end = err.Error()
		}
		outFits := out == c.wantOut
		if strings.HasPrefix(c.wantEnd, "exit") { // followed by a stack
			outFits = strings.Contains(out, c.wantOut)
		}
		if !outFits || end != c.wantEnd {
			t.Errorf("GATEHOUSE_FAULT=%q: said %q and ended with %q; want %q and %q", c.spec, out, end, c.wantOut, c.wantEnd)
		}
	}
}

func TestAPauseLetsOtherPointsGoOn(t *testing.T) {
	program := build(t, "-tags", "faultpoints")
	cmd := exec.CommandContext(t.Context(), program, "both")
	cmd.Env = append(os.Environ(), "GATEHOUSE_FAULT=probe.first=pause:1h")
	out, err := cmd.Output() // the probe ends once its second point was passed
	if want := "second <nil>\n"; err != nil || string(out) != want {
		t.Errorf("with the first point paused, the probe said %q, %v; want %q", out, err, want)
	}
}

func TestArmReplacesFaultsAndPutsThemBack(t *testing.T) {
	program := build(t, "-tags", "faultpoints,inprocess")
	out, err := run(program, "probe.first=error")
	want := "before true\narmed false\nbroken fault point\nafter true\n"
	if err != nil || out != want {
		t.Errorf("the probe said %q, %v; want %q", out, err, want)
	}
}

// build copies this package and testdata's probe into a module of their own,
// with the probe's points as the golden list.
func build(t *testing.T, flags ...string) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, text []byte) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"doc.go", "off.go", "on.go"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		write("internal/faultpoint/"+name, text)
	}
	for _, name := range []string{"probe.go", "inprocess.go"} {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		write(name, text)
	}
	write("internal/faultpoint/points.golden", []byte("probe.first\nprobe.second\n"))
	write("go.mod", []byte("module github.com/agogsaas/gatehouse\n\ngo 1.26\n"))
	program := filepath.Join(dir, "probe")
	cmd := exec.CommandContext(t.Context(), "go", append(append([]string{"build"}, flags...), "-o", program, ".")...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the probe: %v\n%s", err, out)
	}
	return program
}

func run(program, spec string) (string, error) {
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), "GATEHOUSE_FAULT="+spec)
	out, err := cmd.CombinedOutput()
	return string(out), err
}
