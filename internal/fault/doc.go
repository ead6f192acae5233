// Package fault says why a request was refused.
//
// A refusal is a value with a kind and a sentence for the person who asked.
// Domains make them; adapters translate the outside world's errors into them;
// only package web turns them into a status, a page and a log line. Anything
// that is not a fault is an internal error: its text never reaches a person.
//
// The message is for the person: one or two plain sentences that say what
// happened and what to do. The cause, added with Because, is for the log.
package fault
