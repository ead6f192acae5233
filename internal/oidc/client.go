package oidc

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

var errTooLarge = errors.New("the identity provider's answer is larger than 1 MiB")

// boundedClient follows no redirect, waits 5 seconds in all, and reads 1 MiB.
func boundedClient(transport http.RoundTripper) *http.Client {
	if transport == nil {
		transport = http.DefaultTransport
	}
	return &http.Client{
		Timeout: callTimeout, Transport: bounded{transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

type bounded struct{ inner http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.inner.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	res.Body = &boundedBody{inner: res.Body, left: answerLimit}
	return res, nil
}

type boundedBody struct {
	inner io.ReadCloser
	left  int64
}

func (b *boundedBody) Read(into []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLarge
	}
	n, err := b.inner.Read(into[:min(int64(len(into)), b.left)])
	b.left -= int64(n)
	return n, err
}

func (b *boundedBody) Close() error { return b.inner.Close() }

// keySet verifies signatures with the provider's keys. It fetches them when it has none, and at most once in ten
// seconds because a token names a key it does not know: a flood of forged key ids must not become a flood of requests.
type keySet struct {
	address string
	client  *http.Client
	now     func() time.Time

	mu      sync.Mutex // held while fetching: who waits gets what was fetched
	keys    []jose.JSONWebKey
	again   time.Time // when the last fetch for an unknown key was
	fetched bool
	failed  time.Time // when the last fetch failed, and why
	failure error
}

const fetchAtMostEvery = 10 * time.Second

// VerifySignature satisfies go-oidc's KeySet.
func (s *keySet) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	object, err := jose.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
	if err != nil {
		return nil, fmt.Errorf("malformed token: %w", err)
	}
	if len(object.Signatures) != 1 {
		return nil, errors.New("the token has not exactly one signature")
	}
	header := object.Signatures[0].Header
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.fetched {
		if err := s.fetch(ctx); err != nil {
			return nil, tell(ctx, err)
		}
	}
	if payload, ok := s.tryAll(object, header.KeyID, header.Algorithm); ok {
		return payload, nil
	}
	if s.now().Sub(s.again) < fetchAtMostEvery {
		return nil, errors.New("no key of the provider fits, and its key set was fetched a moment ago")
	}
	s.again = s.now()
	if err := s.fetch(ctx); err != nil {
		return nil, tell(ctx, err)
	}
	if payload, ok := s.tryAll(object, header.KeyID, header.Algorithm); ok {
		return payload, nil
	}
	return nil, errors.New("no key of the provider fits the signature")
}

// tryAll uses the key that the token names, or every key where it names none. A key that is for encryption, or for
// another algorithm, is no key for signatures.
func (s *keySet) tryAll(object *jose.JSONWebSignature, kid, algorithm string) ([]byte, bool) {
	for _, key := range s.keys {
		if kid != "" && key.KeyID != kid || key.Algorithm != "" && key.Algorithm != algorithm {
			continue
		}
		if payload, err := object.Verify(key.Key); err == nil {
			return payload, true
		}
	}
	return nil, false
}

// fetch gets the key set. Whoever waited for a fetch that failed gets the same failure, not another five seconds.
func (s *keySet) fetch(ctx context.Context) error {
	if s.failure != nil && s.now().Sub(s.failed) < time.Second {
		return s.failure
	}
	s.failure = s.get(ctx)
	s.failed = s.now()
	return s.failure
}

func (s *keySet) get(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.address, nil)
	if err != nil {
		return fmt.Errorf("asking for the key set: %w", err)
	}
	res, err := s.client.Do(r)
	if err != nil {
		return &keySetAway{err}
	}
	defer func() { _ = res.Body.Close() }() // read to its end or given up
	if res.StatusCode != http.StatusOK {
		return &keySetAway{fmt.Errorf("the key set answered %s", res.Status)}
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return &keySetAway{err}
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return &keySetAway{fmt.Errorf("reading the key set: %w", err)}
	}
	s.keys, s.fetched = usable(set.Keys), true
	return nil
}

// usable keeps the public keys for signatures. One key of a kind we do not know must not cost us the others.
func usable(raw []json.RawMessage) []jose.JSONWebKey {
	var keys []jose.JSONWebKey
	for _, one := range raw {
		var key jose.JSONWebKey
		if json.Unmarshal(one, &key) != nil || !key.Valid() || !key.IsPublic() || (key.Use != "" && key.Use != "sig") {
			continue
		}
		if _, symmetric := key.Key.([]byte); symmetric {
			continue
		}
		if _, ok := key.Key.(crypto.PublicKey); ok {
			keys = append(keys, key)
		}
	}
	return slices.Clip(keys)
}

// keySetAway is a key set that cannot be had, which is no fault of the token.
type keySetAway struct{ cause error }

func (k *keySetAway) Error() string { return "fetching the key set: " + k.cause.Error() }
func (k *keySetAway) Unwrap() error { return k.cause }

type failureKey struct{}

// expectFailure gives a context in which a key set that cannot be had is written down: go-oidc passes on the words of
// an error and not the error.
func expectFailure(ctx context.Context) (context.Context, *error) {
	failure := new(error)
	return context.WithValue(ctx, failureKey{}, failure), failure
}

func tell(ctx context.Context, err error) error {
	if failure, ok := ctx.Value(failureKey{}).(*error); ok {
		*failure = err
	}
	return err
}
