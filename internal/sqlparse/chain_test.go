package sqlparse_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/agogsaas/gatehouse/internal/migration"
)

// An expression may be deep without a parenthesis. PostgreSQL's parser answers with a tree that is as deep, and walking it
// costs stack; such a text is refused before anything reads it, and the parser reads on afterwards.
func TestParseRefusesWhatIsDeepWithoutParentheses(t *testing.T) {
	t.Parallel()
	for name, sql := range map[string]string{
		"sum":        "SELECT 1" + strings.Repeat(" + 1", 100_000),
		"bracketed":  "SELECT (1)" + strings.Repeat(" + (1)", 50_000),
		"not":        "SELECT " + strings.Repeat("NOT ", 100_000) + "true",
		"case":       "SELECT " + strings.Repeat("CASE WHEN true THEN ", 20_000) + "1" + strings.Repeat(" END", 20_000),
		"joins":      "SELECT FROM a" + strings.Repeat(" CROSS JOIN a", 50_000),
		"statements": strings.Repeat("SELECT 1;", 100_000),
	} {
		var refused *migration.ParseError
		if _, err := shared.Parse(sql); !errors.As(err, &refused) || !strings.Contains(refused.Message, "which is not read") {
			t.Errorf("Parse of a deep %s = %.200v, want a refusal before it is read", name, err)
		}
	}
	if _, err := shared.Parse("SELECT 1" + strings.Repeat(", 1", 20_000) + "; SELECT (1" + strings.Repeat(" + 1", 500) + ")"); err != nil {
		t.Errorf("Parse of a long list = %v, want it read", err)
	}
}
