package demoidp

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

// Signing is how the ID token is signed.
type Signing string

// The ways to sign an ID token; the empty one is the right one.
const (
	Unsigned        Signing = "none"  // alg none, no signature
	HMACOfPublicKey Signing = "HS256" // the public key, in PEM, as a shared secret
	ForeignKey      Signing = "other" // another key under the right key id
	UnknownKey      Signing = "kid"   // another key under an unknown key id
	NoKeyID         Signing = "nokid" // the right key without an id: allowed
	ForeignES256    Signing = "ES256" // another key, of another kind, under the right key id
)

// KeySetFault is what is wrong with the key set.
type KeySetFault string

// What can be wrong with the key set.
const (
	HugeKeySet       KeySetFault = "huge"       // 50 MiB
	SlowKeySet       KeySetFault = "slow"       // a byte now and then, for ever
	EncryptionKeySet KeySetFault = "encryption" // the right keys, meant for encryption
)

// Behaviour is how answers differ from the truth. The zero Behaviour is honest.
type Behaviour struct {
	// Down closes every connection without an answer.
	Down bool
	// DiscoveryIssuer is what discovery says instead of the issuer.
	DiscoveryIssuer string
	// Claims changes the claims of ID tokens before they are signed.
	Claims func(claims map[string]any)
	// Userinfo changes the claims of userinfo.
	Userinfo func(claims map[string]any)
	Signing  Signing
	KeySet   KeySetFault
	// Clock is how far ahead the clock is that token times are read from.
	Clock time.Duration
}

// Behave makes the provider answer so from now on; the zero Behaviour makes it honest again.
func (p *Provider) Behave(b Behaviour) { p.lies.Store(&b) }

// misbehaving lets the honest provider answer and then changes the answer.
func (p *Provider) misbehaving(honest http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/keys" {
			p.fetches.Add(1)
		}
		b := p.lies.Load()
		switch {
		case b == nil:
			honest.ServeHTTP(w, r)
		case b.Down:
			panic(http.ErrAbortHandler) // net/http closes the connection and logs nothing
		case r.URL.Path == "/keys" && b.KeySet != "":
			b.keySet(w, r, honest)
		case r.URL.Path == "/oauth/token":
			rewrite(w, r, honest, func(answer map[string]any) error { return p.lie(b, answer) })
		case r.URL.Path == "/userinfo" && b.Userinfo != nil:
			rewrite(w, r, honest, func(answer map[string]any) error { b.Userinfo(answer); return nil })
		case r.URL.Path == "/.well-known/openid-configuration" && b.DiscoveryIssuer != "":
			rewrite(w, r, honest, func(answer map[string]any) error { answer["issuer"] = b.DiscoveryIssuer; return nil })
		default:
			honest.ServeHTTP(w, r)
		}
	})
}

// captured is an answer that is not sent yet.
type captured struct {
	header http.Header
	body   bytes.Buffer
	status int
}

func (c *captured) Header() http.Header         { return c.header }
func (c *captured) Write(b []byte) (int, error) { return c.body.Write(b) }
func (c *captured) WriteHeader(status int)      { c.status = status }

// rewrite changes a JSON answer of 200; others pass.
func rewrite(w http.ResponseWriter, r *http.Request, honest http.Handler, change func(map[string]any) error) {
	first := &captured{header: http.Header{}, status: http.StatusOK}
	honest.ServeHTTP(first, r)
	body := first.body.Bytes()
	if first.status == http.StatusOK {
		answer := map[string]any{}
		err := json.Unmarshal(body, &answer)
		if err == nil {
			err = change(answer)
		}
		if err == nil {
			body, err = json.Marshal(answer)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	for name, values := range first.header {
		if name != "Content-Length" {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(first.status)
	_, _ = w.Write(body) // a client that went away is no error of ours
}

// lie takes the ID token of an answer apart, changes it, and signs it again.
func (p *Provider) lie(b *Behaviour, answer map[string]any) error {
	token, _ := answer["id_token"].(string)
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return errors.New("the answer holds no ID token")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return fmt.Errorf("reading the ID token: %w", err)
	}
	claims := map[string]any{}
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.UseNumber() // times stay whole numbers
	if err := decoder.Decode(&claims); err != nil {
		return fmt.Errorf("reading the ID token: %w", err)
	}
	for _, name := range []string{"iat", "exp", "auth_time", "nbf"} {
		if n, ok := claims[name].(json.Number); ok && b.Clock != 0 {
			if seconds, err := n.Int64(); err == nil {
				claims[name] = seconds + int64(b.Clock.Seconds())
			}
		}
	}
	if b.Claims != nil {
		b.Claims(claims)
	}
	answer["id_token"], err = b.Signing.sign(claims, p.signingKey(), "JWT")
	return err
}

func (s Signing) sign(claims map[string]any, key *rsaKey, kind string) (string, error) {
	switch s {
	case Unsigned:
		payload, err := json.Marshal(claims)
		if err != nil {
			return "", fmt.Errorf("encoding claims: %w", err)
		}
		header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"` + kind + `"}`))
		return header + "." + base64.RawURLEncoding.EncodeToString(payload) + ".", nil
	case HMACOfPublicKey:
		der, err := x509.MarshalPKIXPublicKey(&key.key.PublicKey)
		if err != nil {
			return "", fmt.Errorf("writing the public key: %w", err)
		}
		return signed(claims, jose.HS256, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), key.id, kind)
	case ForeignKey, UnknownKey:
		other, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return "", fmt.Errorf("making a key: %w", err)
		}
		kid := key.id
		if s == UnknownKey {
			kid = "unknown-" + rand.Text()[:8]
		}
		return signed(claims, jose.RS256, other, kid, kind)
	case ForeignES256:
		other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return "", fmt.Errorf("making a key: %w", err)
		}
		return signed(claims, jose.ES256, other, key.id, kind)
	case NoKeyID:
		return signed(claims, jose.RS256, key.key, "", kind)
	}
	return signed(claims, jose.RS256, key.key, key.id, kind)
}

func (b *Behaviour) keySet(w http.ResponseWriter, r *http.Request, honest http.Handler) {
	switch b.KeySet {
	case HugeKeySet:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"keys":[],"padding":"`))
		chunk := bytes.Repeat([]byte("x"), 1<<20)
		for range 50 {
			if _, err := w.Write(chunk); err != nil {
				return // the client had enough, as it should
			}
		}
		_, _ = w.Write([]byte(`"}`))
	case SlowKeySet:
		w.Header().Set("Content-Type", "application/json")
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			if _, err := w.Write([]byte(" ")); err != nil || http.NewResponseController(w).Flush() != nil {
				return
			}
			select {
			case <-r.Context().Done():
				return
			case <-tick.C:
			}
		}
	case EncryptionKeySet:
		rewrite(w, r, honest, func(answer map[string]any) error {
			keys, _ := answer["keys"].([]any)
			for _, k := range keys {
				if key, ok := k.(map[string]any); ok {
					key["use"] = "enc"
				}
			}
			return nil
		})
	}
}
