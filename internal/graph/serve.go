package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"runtime/debug"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/labstack/echo/v4"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/web"
)

// Options is what a Server is made of; all of it is needed.
type Options struct {
	Health  Health
	Quality Quality
	// Introspection lets administrators and DevOps read the schema; never set in production.
	Introspection bool
	Log           *slog.Logger
	Now           func() time.Time
}

// Server answers GraphQL.
type Server struct {
	executor      *executor.Executor
	introspection bool
	log           *slog.Logger
}

// answerWithin bounds one request, however many fields it asks for.
const answerWithin = 5 * time.Second

// New builds the server.
func New(c Options) *Server {
	s := &Server{introspection: c.Introspection, log: c.Log}
	s.executor = executor.New(NewExecutableSchema(graphql.Config[ResolverRoot, DirectiveRoot, ComplexityRoot]{
		Resolvers: &resolver{health: c.Health, quality: c.Quality, now: c.Now},
	}))
	s.executor.SetDisableSuggestion(true)
	s.executor.SetParserTokenLimit(maxTokens)
	s.executor.SetErrorPresenter(s.present)
	s.executor.SetRecoverFunc(func(_ context.Context, p any) error {
		return fmt.Errorf("panic in a resolver: %v\n%s", p, debug.Stack())
	})
	return s
}

// Routes is the one way in; any other method is answered with 405.
func (s *Server) Routes() []web.Route {
	return []web.Route{{Method: http.MethodPost, Path: "/graphql", Right: actor.GraphQLQuery, Handler: s.Serve}}
}

// Serve answers one request: one query in one JSON object.
func (s *Server) Serve(c echo.Context) error {
	params, problem := read(c.Request())
	if problem != nil {
		return c.JSON(problem.status, answer{Errors: refused(gqlerror.List{gqlerror.Errorf("%s", problem.text)})})
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), answerWithin)
	defer cancel()
	ctx = context.WithValue(ctx, refKey{}, web.Ref(c))
	by := actor.From(ctx)

	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: params.Query}, maxTokens)
	if err != nil {
		return c.JSON(http.StatusBadRequest, answer{Errors: refused(listOf(err))})
	}
	allowed := s.introspection && mayIntrospect(by)
	spent, tooMuch := measure(doc, allowed)
	if tooMuch != nil {
		return c.JSON(http.StatusBadRequest, answer{Errors: refused(gqlerror.List{tooMuch}), Extensions: extensions(spent)})
	}
	ctx = graphql.StartOperationTrace(ctx)
	operation, list := s.executor.CreateOperationContext(ctx, params)
	if len(list) > 0 {
		return c.JSON(http.StatusBadRequest, answer{Errors: refused(list), Extensions: extensions(spent)})
	}
	operation.DisableIntrospection = !allowed
	respond, ctx := s.executor.DispatchOperation(ctx, operation)
	response := respond(ctx)
	if response == nil {
		return context.Cause(ctx) // the caller has gone, or the time is up
	}
	return c.JSON(http.StatusOK, answer{Data: response.Data, Errors: response.Errors, Extensions: extensions(spent)})
}

type answer struct {
	Data       json.RawMessage `json:"data,omitempty"`
	Errors     gqlerror.List   `json:"errors,omitempty"`
	Extensions map[string]any  `json:"extensions,omitempty"`
}

func extensions(c cost) map[string]any { return map[string]any{"cost": c} }

// mayIntrospect is about roles and not rights: a machine credential carries no role and reads the schema from its file.
func mayIntrospect(by actor.Actor) bool {
	return by.Has(actor.Admin) || by.Has(actor.DevOpsEngineer) || by.Has(actor.DevOpsLead)
}

type problem struct {
	status int
	text   string
}

// read takes the query out of the request. A list of queries is refused: each would pass the limits alone.
func read(r *http.Request) (*graphql.RawParams, *problem) {
	kind, options, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset, given := options["charset"]
	if err != nil || kind != "application/json" || given && charset != "utf-8" && charset != "UTF-8" {
		return nil, &problem{http.StatusUnsupportedMediaType, "Send the query as application/json."}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	switch trimmed := bytes.TrimLeft(body, " \t\r\n"); {
	case err != nil:
		return nil, &problem{http.StatusBadRequest, "The request ended before its body was complete."}
	case len(body) > maxBody:
		return nil, &problem{http.StatusRequestEntityTooLarge, "The request is larger than 64 KiB."}
	case len(trimmed) > 0 && trimmed[0] == '[':
		return nil, &problem{http.StatusBadRequest, "Send one query at a time, not a list of them."}
	}
	var sent struct {
		Query         string          `json:"query"`
		OperationName string          `json:"operationName"`
		Variables     map[string]any  `json:"variables"`
		Extensions    json.RawMessage `json:"extensions"` // accepted as clients send it, and not used
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&sent); err != nil {
		return nil, &problem{http.StatusBadRequest, "The body is not a JSON object with query, operationName and variables."}
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, &problem{http.StatusBadRequest, "Something follows the JSON object."}
	}
	if name := repeatedKey(json.NewDecoder(bytes.NewReader(body))); name != "" {
		return nil, &problem{http.StatusBadRequest, fmt.Sprintf("The body has the key %.40q twice; which one is meant?", name)}
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, &problem{http.StatusBadRequest, "The body is not a JSON object."}
	}
	for name := range members {
		// The decoder takes "Query" for query, too, and of both the later; others take none of it.
		if !slices.Contains([]string{"query", "operationName", "variables", "extensions"}, name) {
			return nil, &problem{http.StatusBadRequest, fmt.Sprintf("The body has the key %.40q, which is none of query, operationName and variables.", name)}
		}
	}
	return &graphql.RawParams{Query: sent.Query, OperationName: sent.OperationName, Variables: sent.Variables}, nil
}

// repeatedKey finds a key that an object of valid JSON holds twice: readers differ in which of the two they take.
func repeatedKey(tokens *json.Decoder) string {
	type object struct{ seen map[string]bool } // nil for a list
	var open []object
	isKey := false
	for {
		token, err := tokens.Token()
		if err != nil {
			return ""
		}
		switch token := token.(type) {
		case json.Delim:
			switch token {
			case '{':
				open = append(open, object{map[string]bool{}})
			case '[':
				open = append(open, object{})
			default:
				open = open[:len(open)-1]
			}
			isKey = len(open) > 0 && open[len(open)-1].seen != nil
			continue
		case string:
			if isKey {
				seen := open[len(open)-1].seen
				if seen[token] {
					return token
				}
				seen[token], isKey = true, false
				continue
			}
		}
		isKey = len(open) > 0 && open[len(open)-1].seen != nil
	}
}

func listOf(err error) gqlerror.List {
	var list gqlerror.List
	var one *gqlerror.Error
	switch {
	case errors.As(err, &list):
		return list
	case errors.As(err, &one):
		return gqlerror.List{one}
	}
	return gqlerror.List{gqlerror.Errorf("The query cannot be read.")}
}
