// Package web is any site's HTTP: sessions, headers, sign-in, rendering, and
// how a refusal reaches a person. It would not change if we sold shoes.
//
// New builds an Echo that is safe before its first route. Every request passes,
// in this order: recovery, a reference, one log line, headers, cross-origin
// protection, the session, the actor; then, per route, the right it needs and
// how fresh the sign-in must be.
//
// The invariants it protects:
//
//   - A handler returns a fault or an answer; fail.go alone chooses status,
//     page and log line. A page is sent whole or not at all.
//   - A session that cannot be looked up is 503, never "not signed in".
//   - No request that is not a POST, PUT, PATCH or DELETE of our own origin
//     changes anything, and no POST redirects to another site: form-action
//     'self' would block it silently.
//   - Every refusal of a right, and of a request that would have changed
//     something, is in the audit trail.
//
// It refuses to know what a release is, what SQL is, and how OpenID Connect
// works: those are behind the interfaces of ports.go, joined in internal/app.
//
// Start reading at New in web.go, then route.go and fail.go.
package web
