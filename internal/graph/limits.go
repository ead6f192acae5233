package graph

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// What one request may ask for. The whole schema read once costs about 75.
const (
	maxBody       = 64 << 10
	maxTokens     = 2000
	maxOperations = 10
	maxFragments  = 20
	maxDepth      = 8
	// The tools' own introspection query is this deep, and stays under the other limits.
	maxIntrospectionDepth = 16
	maxRoots              = 10 // fields of the root, under whatever alias
	maxComplexity         = 200
	rootWeight            = 10 // a field of the root asks the database
)

// cost is what a query would take, with every fragment spread out where it is used.
type cost struct {
	Depth      int `json:"depth"`
	Complexity int `json:"complexity"`
	Limit      int `json:"limit"`
	roots      int
}

// measurer weighs each fragment once, so that fragments which use each other twice cost time in proportion to their
// text and not to what they unfold to. Sums stop growing far above every limit.
type measurer struct {
	doc     *ast.QueryDocument
	weighed map[string]weight
	open    map[string]bool // on the way down, to find a circle
	refusal *gqlerror.Error
	schema  bool // introspection was asked for
}

// weight is what a selection adds: levels below it, fields in all, and fields at its own level.
type weight struct{ depth, fields, top int }

const saturated = 1 << 20

// measure refuses a document that is too much, before it is validated or run. Which operation would run does not
// matter: all of them count.
func measure(doc *ast.QueryDocument, introspection bool) (cost, *gqlerror.Error) {
	m := &measurer{doc: doc, weighed: map[string]weight{}, open: map[string]bool{}}
	total := cost{Limit: maxComplexity}
	depthLimit := maxDepth
	switch {
	case len(doc.Operations) == 0:
		return total, gqlerror.Errorf("There is no operation in the query.")
	case len(doc.Operations) > maxOperations:
		return total, gqlerror.Errorf("The document holds %d operations; %d are allowed.", len(doc.Operations), maxOperations)
	case len(doc.Fragments) > maxFragments:
		return total, gqlerror.Errorf("The document holds %d fragments; %d are allowed.", len(doc.Fragments), maxFragments)
	}
	for _, op := range doc.Operations {
		w := m.set(op.SelectionSet)
		total.Depth = max(total.Depth, w.depth)
		total.roots = max(total.roots, w.top)
		total.Complexity = min(total.Complexity+w.fields+w.top*(rootWeight-1), saturated)
	}
	if m.schema {
		depthLimit = maxIntrospectionDepth
	}
	switch {
	case m.refusal != nil:
		return total, m.refusal
	case m.schema && !introspection:
		e := gqlerror.Errorf("Introspection is not allowed here.")
		e.Extensions = map[string]any{"code": codeForbidden}
		return total, e
	case total.Depth > depthLimit:
		return total, gqlerror.Errorf("The query is %d levels deep; %d are allowed.", total.Depth, depthLimit)
	case total.roots > maxRoots:
		return total, gqlerror.Errorf("The query asks for %d fields of the root; %d are allowed, under whatever name.", total.roots, maxRoots)
	case total.Complexity > maxComplexity:
		return total, gqlerror.Errorf("The query costs %d; %d is allowed.", total.Complexity, maxComplexity)
	}
	return total, nil
}

func (m *measurer) set(set ast.SelectionSet) weight {
	var sum weight
	for _, one := range set {
		var w weight
		switch s := one.(type) {
		case *ast.Field:
			if strings.HasPrefix(s.Name, "__") && s.Name != "__typename" {
				m.schema = true
			}
			inner := m.set(s.SelectionSet)
			w = weight{inner.depth + 1, inner.fields + 1, 1}
		case *ast.InlineFragment:
			w = m.set(s.SelectionSet)
		case *ast.FragmentSpread:
			w = m.fragment(s.Name)
		}
		sum = weight{max(sum.depth, w.depth), min(sum.fields+w.fields, saturated), min(sum.top+w.top, saturated)}
	}
	return sum
}

func (m *measurer) fragment(name string) weight {
	if w, known := m.weighed[name]; known {
		return w
	}
	f := m.doc.Fragments.ForName(name)
	if f == nil {
		return weight{} // validation names it
	}
	if m.open[name] {
		m.refusal = gqlerror.Errorf("Fragment %s uses itself.", name)
		return weight{}
	}
	m.open[name] = true
	w := m.set(f.SelectionSet)
	m.open[name] = false
	m.weighed[name] = w
	return w
}
