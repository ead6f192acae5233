package graph

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

func parse(t *testing.T, query string) *ast.QueryDocument {
	t.Helper()
	doc, err := parser.ParseQuery(&ast.Source{Input: query})
	if err != nil {
		t.Fatalf("parsing %.60q: %v", query, err)
	}
	return doc
}

func nested(depth int) string {
	return "{" + strings.Repeat("a{", depth-1) + "b" + strings.Repeat("}", depth-1) + "}"
}

func TestMeasure(t *testing.T) {
	aliases := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "a%d: getDataQualityMetrics { facilityId } ", i)
		}
		return "{" + b.String() + "}"
	}
	operations := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "query Q%d { __typename } ", i)
		}
		return b.String()
	}
	// Twenty fragments that each use the next thirty times: 30^19 fields when spread out.
	var bomb strings.Builder
	bomb.WriteString("{ ...F0 }")
	for i := range 20 {
		next := "__typename "
		if i < 19 {
			next = fmt.Sprintf("...F%d ", i+1)
		}
		fmt.Fprintf(&bomb, " fragment F%d on Query { %s}", i, strings.Repeat(next, 30))
	}
	for name, c := range map[string]struct {
		query, says   string
		introspection bool
	}{
		"small":                         {query: "{ getDataQualityMetrics { facilityId } }"},
		"eight levels":                  {query: nested(8)},
		"nine levels":                   {query: nested(9), says: "9 levels deep"},
		"fifty levels":                  {query: nested(50), says: "50 levels deep"},
		"depth inside a fragment":       {query: "{ ...F } fragment F on Query " + nested(50), says: "50 levels deep"},
		"depth under an inline":         {query: "{ ... on Query " + nested(50) + " }", says: "50 levels deep"},
		"ten roots":                     {query: aliases(10)},
		"eleven roots":                  {query: aliases(11), says: "11 fields of the root"},
		"a thousand aliases":            {query: aliases(1000), says: "1000 fields of the root"},
		"a thousand fields below":       {query: "{ getDataQualityMetrics { " + strings.Repeat("facilityId ", 1000) + "} }", says: "costs 1010"},
		"aliases inside a fragment":     {query: "{ ...F } fragment F on Query " + aliases(1000), says: "1000 fields of the root"},
		"a hundred operations":          {query: operations(100), says: "100 operations"},
		"ten operations":                {query: operations(10)},
		"many operations cost together": {query: strings.Repeat("query A "+aliases(3)+" ", 8), says: "costs 264"},
		"a circle":                      {query: "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }", says: "uses itself"},
		"a circle of one":               {query: "{ ...A } fragment A on Query { ...A }", says: "uses itself"},
		"a fragment bomb":               {query: bomb.String(), says: "fields of the root"},
		"introspection":                 {query: "{ __schema { types { name } } }", says: "Introspection is not allowed"},
		"introspection of a type":       {query: `{ x: __type(name: "Query") { name } }`, says: "Introspection is not allowed"},
		"introspection in a fragment":   {query: "{ ...F } fragment F on Query { __schema { types { name } } }", says: "Introspection is not allowed"},
		"introspection, allowed":        {query: "{ __schema { types { name } } }", introspection: true},
		"__typename is no secret":       {query: "{ __typename }"},
		"a fragment that nobody wrote":  {query: "{ ...Nowhere }"},
		"nothing but a fragment":        {query: "fragment F on Query { __typename }", says: "no operation"},
		"too many fragments":            {query: "{ __typename }" + strings.Repeat(" fragment F on Query { __typename }", 21), says: "21 fragments"},
	} {
		started := time.Now()
		_, refusal := measure(parse(t, c.query), c.introspection)
		if took := time.Since(started); took > time.Second {
			t.Errorf("%s: measuring took %s", name, took)
		}
		switch {
		case c.says == "" && refusal != nil:
			t.Errorf("%s was refused: %s", name, refusal.Message)
		case c.says != "" && (refusal == nil || !strings.Contains(refusal.Message, c.says)):
			t.Errorf("%s: got %v, want a refusal that says %q", name, refusal, c.says)
		}
	}
}

func TestTheWholeSchemaReadOnceIsAllowed(t *testing.T) {
	var b strings.Builder
	schema := NewExecutableSchema(Config{Resolvers: &resolver{}}).Schema()
	for _, root := range schema.Query.Fields {
		if strings.HasPrefix(root.Name, "__") {
			continue
		}
		fmt.Fprintf(&b, "%s {", root.Name)
		for _, f := range schema.Types[root.Type.Name()].Fields {
			b.WriteString(f.Name + " ")
			if schema.Types[f.Type.Name()].Kind == ast.Object {
				b.WriteString("{ action } ")
			}
		}
		b.WriteString("} ")
	}
	spent, refusal := measure(parse(t, "{"+b.String()+"}"), false)
	if refusal != nil || spent.Complexity > maxComplexity/2 {
		t.Errorf("the whole schema costs %+v: %v", spent, refusal)
	}
}
