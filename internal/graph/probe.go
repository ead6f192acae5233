package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/health"
)

// Probe asks a real query of a real endpoint, over HTTP and with a credential like anybody else's; it satisfies
// health.Endpoint.
type Probe struct {
	// URL of the endpoint: http://127.0.0.1:8080/graphql. Empty means there is none to ask.
	URL string
	// Token gives a machine credential of the actor's tenant with the right graphql:query; empty text means there is none.
	Token func(ctx context.Context, by actor.Actor) (string, error)
	// Client is optional.
	Client *http.Client
}

// probeQuery reads the database; it does not ask for the health, which would be asking itself.
const probeQuery = `{"query":"query HealthCheck { getDataQualityMetrics { facilityId facilityName } }","operationName":"HealthCheck"}`

// Ask posts the query. An endpoint that refuses the credential has said nothing about its health: *health.Unasked.
func (p Probe) Ask(ctx context.Context, by actor.Actor) (health.EndpointReading, error) {
	reply, err := p.Post(ctx, by, probeQuery)
	if err != nil {
		return health.EndpointReading{}, err
	}
	return judge(reply)
}

// Reply is what an endpoint answered to one query.
type Reply struct {
	Status int
	Body   []byte
	Took   time.Duration
}

// Post sends one request, as JSON text, with the credential. Its errors are those of Ask; a status is none.
func (p Probe) Post(ctx context.Context, by actor.Actor, body string) (Reply, error) {
	if p.URL == "" {
		return Reply{}, &health.Unasked{Why: "No GraphQL endpoint is configured to be asked."}
	}
	token, err := p.Token(ctx, by)
	if err != nil {
		return Reply{}, &health.Unasked{Why: "The credential for asking the GraphQL endpoint could not be had."}
	}
	if token == "" {
		return Reply{}, &health.Unasked{Why: "There is no machine credential with the right graphql:query for this tenant, so the GraphQL endpoint was not asked."}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL, bytes.NewReader([]byte(body)))
	if err != nil {
		return Reply{}, &health.Unasked{Why: "The address of the GraphQL endpoint cannot be used."}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	started := time.Now()
	response, err := p.client().Do(request)
	if err != nil {
		if ctx.Err() != nil {
			return Reply{}, context.DeadlineExceeded
		}
		return Reply{}, errors.Join(&health.Plain{Text: "it cannot be reached."}, err)
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return Reply{}, errors.Join(&health.Plain{Text: "its answer broke off."}, err)
	}
	return Reply{response.StatusCode, answer, time.Since(started)}, nil
}

func judge(r Reply) (health.EndpointReading, error) {
	switch r.Status {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests:
		return health.EndpointReading{}, &health.Unasked{Why: fmt.Sprintf("The GraphQL endpoint refused our credential (status %d), so it could not be asked.", r.Status)}
	default:
		return health.EndpointReading{}, &health.Plain{Text: fmt.Sprintf("it answered with status %d.", r.Status)}
	}
	var got struct {
		Data struct {
			Metrics *[]struct {
				FacilityID string `json:"facilityId"`
			} `json:"getDataQualityMetrics"`
		} `json:"data"`
		Errors []struct {
			Extensions struct {
				Code string `json:"code"`
			} `json:"extensions"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(r.Body, &got); err != nil {
		return health.EndpointReading{}, &health.Plain{Text: "what it answered is not GraphQL."}
	}
	switch {
	case len(got.Errors) == 1 && got.Errors[0].Extensions.Code == codeNotDeployed:
		return health.EndpointReading{Took: r.Took, NotDeployed: true}, nil
	case len(got.Errors) > 0:
		return health.EndpointReading{}, &health.Plain{Text: "it answered our query with an error (" + known(got.Errors[0].Extensions.Code) + ")."}
	case got.Data.Metrics == nil:
		return health.EndpointReading{}, &health.Plain{Text: "its answer lacks what was asked for."}
	}
	return health.EndpointReading{Took: r.Took}, nil
}

// known keeps what an endpoint says out of our pages unless it is one of our words.
func known(code string) string {
	switch code {
	case codeValidation, codeUnauthenticated, codeForbidden, codeNotFound, codeConflict, codeUnavailable, codeInternal:
		return code
	}
	return "no code of ours"
}

func (p Probe) client() *http.Client {
	if p.Client != nil {
		return p.Client
	}
	return defaultClient
}

// defaultClient follows no redirect: a credential goes to the configured address and nowhere else.
var defaultClient = &http.Client{
	Timeout:       10 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}
