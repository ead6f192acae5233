// Package demoidp is a real OpenID Connect provider for the demo and the
// tests: discovery, authorization code with PKCE, key set, userinfo, sign-out
// at the provider, back-channel logout, key rotation.
//
// It has one person per role in each of two demo companies. Their passwords
// stand on the login page under a red banner, so it must never stand where
// anything is real: it listens where it is told, and `gatehouse demo` and the
// tests tell it loopback.
//
// Tests also make it lie. Behave sets one Behaviour, and from then on answers
// are what a broken or hostile provider would send: another issuer, no
// signature, old facts, a huge key set. What the library would answer is always
// made first and changed afterwards (misbehave.go), so a lie differs from the
// truth in the one thing that the test is about.
//
// It refuses to know Gatehouse: it speaks to it as to any client.
//
// Start reading at Start in provider.go.
package demoidp
