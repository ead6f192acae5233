package migration

import (
	"fmt"
	"regexp"

	"github.com/agogsaas/gatehouse/internal/clock"
)

// LintAcceptance is a line of the plan card that puts up with a finding: "-- accepts: rewrite public.lots because T-0 is
// quiet".
type LintAcceptance struct {
	Rule, Relation string // Relation is empty for a finding about none
	Reason         string
}

var acceptanceForm = regexp.MustCompile(`^([a-z][a-z-]*)(?: (\S+))? because (\S.*)$`)

func parseAcceptance(value string) (LintAcceptance, error) {
	m := acceptanceForm.FindStringSubmatch(value)
	if m == nil {
		return LintAcceptance{}, fmt.Errorf("%q is not like: rewrite public.lots because the warehouse stands still at T-0", value)
	}
	return LintAcceptance{Rule: m[1], Relation: m[2], Reason: m[3]}, nil
}

// accept marks the findings that the plan card puts up with, and names a line that puts up with nothing: it would hide
// what comes later.
func (l *linter) accept() {
	for _, a := range l.file.Card.Accepts {
		used := false
		for i := range l.report.Findings {
			f := &l.report.Findings[i]
			if f.Rule == a.Rule && f.Relation == a.Relation {
				f.Accepted, used = a.Reason, true
			}
		}
		if !used {
			l.report.Findings = append(l.report.Findings, LintFinding{
				Rule: "accepts-nothing", Level: LintWarn, Line: 1, Relation: a.Relation,
				Why:     "The plan card accepts " + a.Rule + ", and the file does no such thing.",
				Instead: "Take the line off the card, so that it does not cover what somebody adds later.",
			})
		}
	}
}

// bounds says who sees to it that nobody waits for ever.
func (f File) bounds() string {
	if f.Card.LockTimeout == 0 {
		return ""
	}
	text := fmt.Sprintf("A statement waits at most %s for a lock and may take %s; the migrator sets both.", clock.Duration(f.Card.LockTimeout), clock.Duration(f.Card.StatementTimeout))
	if f.NoTransaction {
		text += " An index made or dropped CONCURRENTLY may wait as long as it may take."
	}
	return text
}

// card notes bounds that are other than usual: who reads the file does not see them.
func (l *linter) card() {
	c := l.file.Card
	if c.LockTimeout != 0 && c.LockTimeout != DefaultLockTimeout {
		l.report.Findings = append(l.report.Findings, LintFinding{
			Rule: "lock-timeout", Level: LintNote, Line: 1,
			Why:     fmt.Sprintf("The plan card asks for a lock_timeout of %s; the usual one is %s.", clock.Duration(c.LockTimeout), clock.Duration(DefaultLockTimeout)),
			Instead: "Leave the line out, unless this file needs it.",
		})
	}
	if c.StatementTimeout > DefaultStatementTimeout {
		l.report.Findings = append(l.report.Findings, LintFinding{
			Rule: "statement-timeout", Level: LintWarn, Line: 1,
			Why:     fmt.Sprintf("The plan card lets a statement take %s; the usual bound is %s. A lock that it holds is held as long.", clock.Duration(c.StatementTimeout), clock.Duration(DefaultStatementTimeout)),
			Instead: "Leave the line out, and do in portions what takes longer.",
		})
	}
}
