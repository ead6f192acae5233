// Package oidc speaks OpenID Connect, and is the only package that does.
//
// A Provider satisfies web.IdentityProvider. It sends people to the identity
// provider with state, nonce and PKCE, exchanges the code, and proves what came
// back. go-oidc verifies signature, issuer and audience; everything it leaves
// to the application is checked in prove.go: iat within two minutes of our
// clock, sub, further audiences, nonce and at_hash in constant time, userinfo
// of the same subject, auth_time for a fresh sign-in.
//
// The provider need not be there when the server starts: discovery happens at
// the first use and again until it works. Its answers are bounded (5 seconds,
// 1 MiB), and unknown key ids cost it at most one key set in ten seconds.
//
// It refuses to know who may do what: it passes on which roles Gatehouse knows
// the claim named, and which it does not.
//
// Start reading at Begin and Finish in provider.go.
package oidc
