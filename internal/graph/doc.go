// Package graph serves POST /graphql over the same stories as the pages.
//
// The schema is schema.graphqls; generated.go and models_gen.go come from it
// (go generate) and are committed. resolver.go asks the stories, limits.go says
// what a query may cost, serve.go is the one way in.
//
// The invariants it protects:
//
//   - A query is measured before anything of it runs: tokens, depth, fields with
//     fragments spread out, operations. What it cost stands in the answer.
//   - The tenant is that of whoever asks and never an argument; a foreign
//     facility is answered like one that does not exist.
//   - Reads only. No field of this schema changes anything.
//   - Every error carries one of the codes of errors.go, and an internal one
//     shows nothing but a reference.
//   - Introspection is a right of few, and of nobody in production; without it
//     no error suggests names either.
//
// Start reading at Server.Serve in serve.go.
package graph

//go:generate go tool gqlgen generate
