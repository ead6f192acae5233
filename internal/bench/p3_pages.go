package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
)

// pages is P3: the list of releases and the audit trail, 50 of a million rows, signed in, on eight connections, against
// the prototype's page: the same templ page behind a session and a keyset query, without everything that makes it safe.
func pages(ctx context.Context, b *bench) error {
	s, err := b.open(ctx)
	if err != nil {
		return err
	}
	bare, err := b.startPrototype(ctx)
	if err != nil {
		return err
	}
	for _, list := range []struct{ name, path, last string }{{"release list", "/releases", lastReleases}, {"audit list", "/audit", lastAudit}} {
		if err := b.list(ctx, s, bare, list.name, list.path, list.last); err != nil {
			return errors.Join(err, bare.stop())
		}
	}
	return bare.stop()
}

func (b *bench) startPrototype(ctx context.Context) (*process, error) {
	addr, err := freeAddr(ctx)
	if err != nil {
		return nil, err
	}
	return launch(ctx, b.home.dir, b.home.prototype, addr, "/livez", []string{addr, b.home.owner(mainDatabase)}, nil)
}

func (b *bench) list(ctx context.Context, s *site, bare *process, name, path, lastPlace string) error {
	var place string
	err := b.home.with(ctx, b.home.super(mainDatabase), func(conn *pgx.Conn) error { return conn.QueryRow(ctx, lastPlace).Scan(&place) })
	if err != nil {
		return fmt.Errorf("finding the last page: %w", err)
	}
	last := path + "?before=" + url.QueryEscape(place)
	var sizes []int
	for _, side := range []struct{ addr, path string }{{s.addr, path}, {s.addr, last}, {bare.addr, path}} {
		size, err := fifty(ctx, "http://"+side.addr+side.path, s.cookie)
		if err != nil {
			return err
		}
		sizes = append(sizes, size)
		if _, err := drive(ctx, side.addr, side.path, s.cookie, b.block/2); err != nil { // to warm it
			return err
		}
	}
	var against, deep []pair
	var first, end, yardstick load
	for range b.pairs {
		for _, side := range []struct {
			into       *load
			addr, path string
		}{{&yardstick, bare.addr, path}, {&first, s.addr, path}, {&end, s.addr, last}} {
			if *side.into, err = drive(ctx, side.addr, side.path, s.cookie, b.block); err != nil {
				return err
			}
		}
		against = append(against, pair{first.perSecond(), yardstick.perSecond()})
		deep = append(deep, pair{end.answers.ms(), first.answers.ms()})
	}
	what := fmt.Sprintf("P3 %s, 50 of %d rows, %d connections", name, b.rows, connections)
	b.judge(figure{
		what: what, format: "ratio %.2f of the bare page's requests per second", value: ratio(against), goal: 0.7, atLeast: true,
		note: fmt.Sprintf("floor 0.4; %d pairs; last pair: ours %.0f/s %s, %d bytes; bare %.0f/s %s, %d bytes", len(against), first.perSecond(), first.answers, sizes[0], yardstick.perSecond(), yardstick.answers, sizes[2]),
	})
	b.judge(figure{
		what: what + ", last page", format: "ratio %.2f of the first page's time", value: ratio(deep), goal: 1.2,
		note: fmt.Sprintf("last pair: %s, %d bytes", end.answers, sizes[1]),
	})
	return nil
}

// fifty makes sure that the page is the one that is meant: 200, and fifty rows beside the heading.
func fifty(ctx context.Context, address, cookie string) (size int, err error) {
	answer, err := get(ctx, plainClient, address, cookie)
	if err != nil {
		return 0, err
	}
	text, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return 0, err
	}
	if rows := strings.Count(string(text), `<th scope="row"`); answer.StatusCode != http.StatusOK || rows < 50 {
		return 0, fmt.Errorf("%s answered %s with %d rows, not a page of 50: %.300s", address, answer.Status, rows, text)
	}
	return len(text), nil
}
