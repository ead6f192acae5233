package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/agogsaas/gatehouse/internal/health"
)

// Colours of a terminal by how a check is; anything that is neither good nor bad is yellow.
const (
	green, yellow, red, grey, plain = "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[90m", "\x1b[0m"
)

func colourOf(status string) string {
	switch status {
	case "HEALTHY":
		return green
	case "UNHEALTHY":
		return red
	case "NOT_DEPLOYED":
		return grey
	}
	return yellow
}

// printHealth prints a line per check in their fixed order, the lists, and the whole in one line at the end.
func printHealth(w io.Writer, d health.Document, colour bool) error {
	paint := func(status, text string) string {
		if !colour {
			return text
		}
		return colourOf(status) + text + plain
	}
	var b strings.Builder
	b.WriteString("Bin optimization health")
	if d.Tenant != "" {
		b.WriteString(" of " + oneLine(d.Tenant))
	}
	if d.CheckedAt != nil {
		b.WriteString(", checked " + d.CheckedAt.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	b.WriteString("\n\n")
	for _, check := range health.Checks {
		one, ok := d.Checks[check.DocumentKey()]
		if !ok {
			one = health.CheckDocument{Status: "UNKNOWN", Message: "The server did not report this check."}
		}
		fmt.Fprintf(&b, "  %s  %-20s %s\n", paint(one.Status, fmt.Sprintf("%-12s", oneLine(one.Status))), check.Title(), oneLine(one.Message))
	}
	for _, list := range []struct {
		title, status string
		lines         []string
	}{{"Critical issues", "UNHEALTHY", d.Critical}, {"Warnings", "WARNING", d.Warnings}, {"Not deployed yet", "NOT_DEPLOYED", d.NotDeployed}} {
		if len(list.lines) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s\n", paint(list.status, list.title+":"))
		for _, line := range list.lines {
			fmt.Fprintf(&b, "  - %s\n", oneLine(line))
		}
	}
	fmt.Fprintf(&b, "\n%s\n", paint(string(d.Status), string(d.Status)))
	_, err := io.WriteString(w, b.String())
	return err
}

// oneLine keeps what came over the network from moving the cursor.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
