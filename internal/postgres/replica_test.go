package postgres_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/housetest"
	"github.com/agogsaas/gatehouse/internal/pgtest"
	"github.com/agogsaas/gatehouse/internal/postgres"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

// D13: beside the primary stands a server that is behind and takes no changes, and the address names it first. Who has just
// written something reads it all the same, over every connection.
func TestD13WhatWasWrittenIsReadWhereAReplicaIsBehind(t *testing.T) {
	t.Parallel()
	prepare := func(ctx context.Context, superURL, _ string) error { return housetest.Prepare(ctx, superURL, "") }
	primary, behind := pgtest.Cluster(t), pgtest.Cluster(t)
	ours, theirs := pgtest.OpenOn(t, primary, prepare), pgtest.OpenOn(t, behind, prepare)
	conn, err := pgx.Connect(t.Context(), behind.URL("postgres", "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }() // only its answers are wanted
	for _, statement := range []string{
		"ALTER DATABASE " + theirs.Name + " RENAME TO " + ours.Name, "ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()",
	} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	// The server that is behind first: "host=behind,primary".
	address := func(d *pgtest.Database) (*url.URL, url.Values) {
		u, err := url.Parse(d.AppURL)
		if err != nil {
			t.Fatal(err)
		}
		return u, u.Query()
	}
	first, asked := address(theirs)
	_, then := address(ours)
	asked.Set("host", asked.Get("host")+","+then.Get("host"))
	asked.Set("port", asked.Get("port")+","+then.Get("port"))
	first.Path, first.RawQuery = "/"+ours.Name, asked.Encode()
	db, err := postgres.Open(t.Context(), first.String())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ready, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := db.Ping(ready); err != nil {
		t.Fatalf("Ping: %v", err)
	}
	roster := signoff.NewRoster(postgres.Deputies{DB: db})
	people := postgres.People{DB: db}
	for n := range 20 {
		subject := "p" + strings.Repeat("i", n)
		by, err := people.SignIn(t.Context(), actor.Identity{Issuer: "https://id.test", Subject: subject, Name: subject, Tenant: "rivermark", Roles: []actor.Role{actor.BackendLead}}, "")
		if err != nil {
			t.Fatalf("SignIn: %v", err)
		}
		day := signoff.Day(time.Now(), time.UTC)
		err = roster.Name(t.Context(), fresh(qa), signoff.NameRequest{Role: actor.QALead, Person: by.UserID, From: day, Until: day, Reason: "Quin is away.", Key: uuid.New()})
		if err != nil {
			t.Fatalf("Name: %v", err)
		}
		page, err := roster.Roster(t.Context(), qa, signoff.RosterQuery{Limit: 50})
		if err != nil || len(page.Deputies) != n+1 || page.Deputies[0].Person.Subject != subject {
			t.Fatalf("after naming %d the roster has %d, %v", n+1, len(page.Deputies), err)
		}
	}
}
