package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

const connections = 8

// load is what came of asking for one page over and over.
type load struct {
	took    time.Duration
	answers sample
}

func (l load) perSecond() float64 { return float64(len(l.answers)) / l.took.Seconds() }

// drive keeps eight connections busy with one page, each with one request under way: what wrk does. It writes the bytes
// of the request itself, so that as little as possible of two cores goes to the asking. Any answer but 200 ends it.
func drive(ctx context.Context, addr, path, cookie string, lasting time.Duration) (load, error) {
	began := time.Now()
	end := began.Add(lasting)
	samples := make([]sample, connections)
	problems := make([]error, connections)
	var wait sync.WaitGroup
	for n := range connections {
		wait.Go(func() { samples[n], problems[n] = ask(ctx, addr, path, cookie, end) })
	}
	wait.Wait()
	l := load{took: time.Since(began)}
	for _, s := range samples {
		l.answers = append(l.answers, s...)
	}
	return l, errors.Join(problems...)
}

func ask(ctx context.Context, addr, path, cookie string, end time.Time) (took sample, err error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	question := []byte("GET " + path + " HTTP/1.1\r\nHost: " + addr + "\r\nCookie: " + cookie + "\r\n\r\n")
	reader := bufio.NewReaderSize(conn, 64<<10)
	for time.Now().Before(end) && ctx.Err() == nil {
		began := time.Now()
		if err := conn.SetDeadline(began.Add(time.Minute)); err != nil {
			return took, err
		}
		if _, err := conn.Write(question); err != nil {
			return took, fmt.Errorf("asking for %s: %w", path, err)
		}
		answer, err := http.ReadResponse(reader, nil)
		if err != nil {
			return took, fmt.Errorf("reading the answer to %s: %w", path, err)
		}
		_, err = io.Copy(io.Discard, answer.Body)
		if err := errors.Join(err, answer.Body.Close()); err != nil {
			return took, fmt.Errorf("reading the answer to %s: %w", path, err)
		}
		if answer.StatusCode != http.StatusOK {
			return took, fmt.Errorf("%s answered %s", path, answer.Status)
		}
		took = append(took, time.Since(began))
	}
	return took, ctx.Err()
}
