package audit

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// SealKey is the private key with which heads and dossiers are sealed. It prints as the fingerprint of its public half.
type SealKey struct{ private ed25519.PrivateKey }

// PublicKey is what seals are checked with.
type PublicKey struct{ key ed25519.PublicKey }

const (
	privateBlock = "PRIVATE KEY"
	publicBlock  = "PUBLIC KEY"
)

// NewSealKey makes a key.
func NewSealKey() (*SealKey, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a seal key: %w", err)
	}
	return &SealKey{private}, nil
}

// ParseSealKey reads an Ed25519 private key from PEM, PKCS#8, as `gatehouse audit keygen` and `openssl genpkey -algorithm
// ed25519` write it. What it refuses never repeats what was given.
func ParseSealKey(text string) (*SealKey, error) {
	block, rest := pem.Decode([]byte(text))
	switch {
	case block == nil:
		return nil, errors.New("is no PEM text with a private key; `gatehouse audit keygen` makes one")
	case block.Type == publicBlock:
		return nil, errors.New("is a public key, and sealing needs the private one")
	case block.Type != privateBlock:
		return nil, fmt.Errorf("holds a block of type %q; an unencrypted Ed25519 key in PKCS#8 (PRIVATE KEY) is needed, as `gatehouse audit keygen` makes it", block.Type)
	case strings.TrimSpace(string(rest)) != "":
		return nil, errors.New("holds more than one key; seals are made with one, and the public halves of earlier ones go into GATEHOUSE_SEAL_TRUSTED")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("is no private key in PKCS#8; `gatehouse audit keygen` makes one")
	}
	private, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, errors.New("is a private key of another kind; Ed25519 is needed, as `gatehouse audit keygen` makes it")
	}
	return &SealKey{private}, nil
}

// PEM is the key in PKCS#8.
func (k *SealKey) PEM() string {
	der, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		panic(err) // an Ed25519 key always has such a form
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: privateBlock, Bytes: der}))
}

// Public is the half with which everybody can check.
func (k *SealKey) Public() PublicKey {
	public, _ := k.private.Public().(ed25519.PublicKey) // it is one
	return PublicKey{public}
}

// Sign signs the message.
func (k *SealKey) Sign(message []byte) []byte { return ed25519.Sign(k.private, message) }

// String hides the key from logs and error texts.
func (k *SealKey) String() string { return "seal key " + k.Public().ID() }

// GoString hides the key from %#v.
func (k *SealKey) GoString() string { return k.String() }

// MarshalText hides the key from JSON and slog.
func (k *SealKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// ParsePublicKeys reads one or more Ed25519 public keys from PEM.
func ParsePublicKeys(text string) ([]PublicKey, error) {
	var keys []PublicKey
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			if strings.TrimSpace(string(rest)) != "" || len(keys) == 0 {
				return nil, errors.New("is no PEM text with public keys, as `gatehouse audit keygen` prints them")
			}
			return keys, nil
		}
		if block.Type == privateBlock {
			return nil, errors.New("holds a private key; only public keys belong here")
		}
		parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil || block.Type != publicBlock {
			return nil, fmt.Errorf("holds a block of type %q that is no public key", block.Type)
		}
		key, ok := parsed.(ed25519.PublicKey)
		if !ok {
			return nil, errors.New("holds a public key of another kind; seals are made with Ed25519")
		}
		keys = append(keys, PublicKey{key})
	}
}

// der is the key as everybody writes it down.
func (p PublicKey) der() []byte {
	der, err := x509.MarshalPKIXPublicKey(p.key)
	if err != nil {
		panic(err) // an Ed25519 key always has such a form
	}
	return der
}

// PEM is the key as a file.
func (p PublicKey) PEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: publicBlock, Bytes: p.der()}))
}

// ID is the fingerprint: the SHA-256 of the key's DER form, as
// `openssl pkey -pubin -in KEY -outform DER | sha256sum` prints it.
func (p PublicKey) ID() string {
	sum := sha256.Sum256(p.der())
	return hex.EncodeToString(sum[:])
}

// Verifies says whether the signature is this key's over the message.
func (p PublicKey) Verifies(message, signature []byte) bool {
	return len(p.key) == ed25519.PublicKeySize && ed25519.Verify(p.key, message, signature)
}

// Keyring is the key that seals are made with, and all that are trusted. The zero value seals nothing and trusts nobody.
type Keyring struct {
	own     *SealKey
	trusted map[string]PublicKey
}

// NewKeyring trusts the own key, where there is one, and the others.
func NewKeyring(own *SealKey, trusted ...PublicKey) Keyring {
	ring := Keyring{own: own, trusted: map[string]PublicKey{}}
	if own != nil {
		trusted = append(trusted, own.Public())
	}
	for _, key := range trusted {
		ring.trusted[key.ID()] = key
	}
	return ring
}

// Own is the key that seals are made with; nil where none is configured.
func (r Keyring) Own() *SealKey { return r.own }

// Trusts says whether any key is there to check with.
func (r Keyring) Trusts() bool { return len(r.trusted) > 0 }

// Key finds a trusted key by its fingerprint.
func (r Keyring) Key(id string) (PublicKey, bool) {
	key, ok := r.trusted[id]
	return key, ok
}
