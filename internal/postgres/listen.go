package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/live"
)

const (
	// proveEvery is how often the connection has to hear itself, and hearWithin how long that may take: together the
	// longest time for which a dead connection is taken for a live one.
	proveEvery = 4 * time.Second
	hearWithin = 2 * time.Second
	// firstPause and lastPause bound how long it waits before it connects again.
	firstPause = 250 * time.Millisecond
	lastPause  = 5 * time.Second
	connectFor = 5 * time.Second
)

// Listener hears from the database what has changed, on one connection of its own, and publishes it. It needs a session
// that lasts: behind a pooler that hands out connections by transaction it does not hear itself, and says that it does
// not listen.
type Listener struct {
	url  string
	hub  *live.Hub
	log  *slog.Logger
	self uuid.UUID // nothing else on the database says this
}

// NewListener makes a listener as the application role.
func NewListener(url string, hub *live.Hub, log *slog.Logger) *Listener {
	return &Listener{url: url, hub: hub, log: log, self: uuid.New()}
}

// Listen connects, hears and publishes until ctx ends, and connects again whenever it must. Meanwhile the hub knows that
// nothing is heard.
func (l *Listener) Listen(ctx context.Context) {
	pause := firstPause
	for silent := false; ctx.Err() == nil; {
		heard, err := l.hear(ctx)
		l.hub.Listen(false)
		if ctx.Err() != nil {
			return
		}
		if heard {
			pause, silent = firstPause, false
		}
		if !silent { // once for each outage
			l.log.WarnContext(ctx, "notices of changes are not heard; open pages ask by themselves until they are", "error", hideURL(err))
			silent = true
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, lastPause)
	}
}

// hear listens on one connection until it fails; heard says whether it was good once.
func (l *Listener) hear(ctx context.Context) (heard bool, err error) {
	conn, err := l.connect(ctx)
	if err != nil {
		return false, err
	}
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(end) // it has failed, or the program ends
	}()
	if _, err = conn.Exec(ctx, sql("ListenLive")); err != nil {
		return false, err
	}
	for {
		if err := l.prove(ctx, conn); err != nil {
			return heard, err
		}
		if !heard {
			heard = true
			l.log.DebugContext(ctx, "notices of changes are heard")
		}
		l.hub.Listen(true)
		if err := l.waitUntil(ctx, conn, time.Now().Add(proveEvery), nil); err != nil {
			return heard, err
		}
	}
}

func (l *Listener) connect(ctx context.Context) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(l.url)
	if err != nil {
		return nil, err
	}
	config.ConnectTimeout = connectFor
	config.RuntimeParams["application_name"] = "gatehouse listener"
	config.RuntimeParams["statement_timeout"] = "5000"
	return pgx.ConnectConfig(ctx, config)
}

var errNotHeard = errors.New("the connection does not hear its own notice: it is dead, or a pooler that hands out connections by transaction stands between")

// prove sends a notice to itself and waits until it has heard it.
func (l *Listener) prove(ctx context.Context, conn *pgx.Conn) error {
	within, cancel := context.WithTimeout(ctx, hearWithin)
	defer cancel()
	if _, err := conn.Exec(within, sql("NotifySelf"), pgx.StrictNamedArgs{"self": l.self.String()}); err != nil {
		return err
	}
	found := false
	if err := l.waitUntil(ctx, conn, time.Now().Add(hearWithin), &found); err != nil {
		return err
	}
	if !found {
		return errNotHeard
	}
	return nil
}

// waitUntil publishes what is heard until then; with self it returns as soon as it has heard itself.
func (l *Listener) waitUntil(ctx context.Context, conn *pgx.Conn, then time.Time, self *bool) error {
	for {
		wait, cancel := context.WithDeadline(ctx, then)
		notice, err := conn.WaitForNotification(wait)
		over := wait.Err() != nil
		cancel()
		switch {
		case err != nil && over && ctx.Err() == nil && !conn.IsClosed():
			return nil // nothing came, and the connection is as it was
		case err != nil:
			return err
		}
		kind, id, _ := strings.Cut(notice.Payload, " ")
		switch of, err := uuid.Parse(id); {
		case err != nil:
			l.log.WarnContext(ctx, "a notice that nobody understands", "notice", fmt.Sprintf("%.100q", notice.Payload))
		case kind != "self":
			l.hub.Publish(live.Topic{Kind: kind, ID: of})
		case of == l.self && self != nil:
			*self = true
			return nil
		}
	}
}
