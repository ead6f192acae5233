package migration

import (
	"strings"
	"testing"
)

func TestALookSaysWhatItCouldNotSee(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		report DriftReport
		words  string
		tried  bool
	}{
		{DriftReport{Version: 20, ServerMajor: 15}, "", true},
		{DriftReport{ServerMajor: 99}, "", true}, // there is nothing to compare with
		{DriftReport{Version: 20, ServerMajor: 16}, "On PostgreSQL 16, parentheses, casts", true},
		{DriftReport{Version: 20, ServerMajor: 18}, "On PostgreSQL 18, parentheses, casts", true},
		{DriftReport{Version: 20, ServerMajor: 19}, "Nobody has tried the comparison on PostgreSQL 19.", false},
		{DriftReport{Version: 20, ServerMajor: 14}, "Nobody has tried the comparison on PostgreSQL 14.", false},
		{DriftReport{Version: 20}, "whose version is not known", false},
	} {
		words, tried := c.report.Limits()
		if tried != c.tried || !strings.Contains(words, c.words) || c.words == "" && words != "" {
			t.Errorf("Limits() on %d = %q, %t; want %q, %t", c.report.ServerMajor, words, tried, c.words, c.tried)
		}
	}
}
