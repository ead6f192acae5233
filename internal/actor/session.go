package actor

import (
	"time"

	"github.com/google/uuid"
)

// SignIn is one attempt at signing in, from the moment the browser leaves for the identity provider until it is back.
// The store keeps State and Browser as hashes only.
type SignIn struct {
	// State and Nonce tie the answer of the provider to this attempt; Verifier is PKCE's secret.
	State, Nonce, Verifier string
	// Browser is the secret of the cookie that ties the attempt to one browser.
	Browser string
	// ReturnTo is the local path to which the person comes back.
	ReturnTo string
	// ExpectIssuer and ExpectSubject name who has to come back from a fresh sign-in; empty otherwise.
	ExpectIssuer, ExpectSubject string
	// Anew says that whoever comes back has to have shown just now who they are: the browser is shared, and the person
	// before may still be signed in at the provider.
	Anew bool
}

// Fresh says whether a person who is signed in already has to prove it again.
func (s SignIn) Fresh() bool { return s.ExpectSubject != "" }

// Session is a sign-in as it is kept. Its secret is never part of it.
type Session struct {
	ID              uuid.UUID
	Tenant, Person  uuid.UUID // nil where nobody is signed in yet
	ProviderSession string
	IP, Agent       string
	CreatedAt       time.Time
	LastSeenAt      time.Time
	ExpiresAt       time.Time
	// Alarm says why nothing may be changed in the session's tenant; empty where it may.
	Alarm string
	// Seq is the last entry of the tenant's audit trail as the session was found.
	Seq int64
	// Seal is the newest seal of the tenant's audit trail, for the foot of what is printed.
	Seal Seal
	// Data is what package web keeps; opaque to everybody else.
	Data []byte
}

// Seal is a sealed head of an audit trail, as it is printed. The zero Seal is none.
type Seal struct {
	Number, Entry  int64
	Hash           string
	At             time.Time
	Key, Signature string // fingerprint, and the signature in hexadecimal digits
}
