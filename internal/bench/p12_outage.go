package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/agogsaas/gatehouse/internal/privatepg"
)

const (
	clients = 4
	grace   = 500 * time.Millisecond // beyond the restart itself
)

// reply is one answer, or none, during the outage.
type reply struct {
	began, ended time.Time
	status       int // 0: no answer came
	retry        string
}

func (r reply) failed() bool { return r.status != http.StatusOK }

// allowed is what may be answered while the database is away: never 401, and when to come back is said.
func (r reply) allowed() bool {
	return r.status == http.StatusOK || (r.status == http.StatusServiceUnavailable && r.retry != "")
}

// outage is P12: the database restarts under four clients that read a page every two milliseconds.
func outage(ctx context.Context, b *bench) error {
	s, err := b.open(ctx)
	if err != nil {
		return err
	}
	for _, mode := range []struct {
		name string
		mode privatepg.Mode
	}{{"-m fast", privatepg.Fast}, {"-m immediate", privatepg.Immediate}} {
		var beyond []float64
		tally := map[string]int{}
		var restarts, windows sample
		wrong, out := 0, 0
		for range b.pairs {
			replies, restart, err := b.restart(ctx, s, mode.mode)
			if err != nil {
				return err
			}
			window := failureWindow(replies)
			restarts, windows = append(restarts, restart), append(windows, window)
			beyond = append(beyond, (window - restart).Seconds())
			for _, r := range replies {
				tally[fmt.Sprintf("%d", r.status)]++
				if !r.allowed() {
					wrong++
				}
			}
			signedIn, err := s.signedIn(ctx)
			if err != nil {
				return err
			}
			if !signedIn {
				out++
			}
		}
		what := "P12 database restart " + mode.name + " under load"
		b.judge(figure{
			what: what + ", failure window beyond the restart", format: "%.2f s (median)", value: median(beyond), goal: grace.Seconds(),
			note: fmt.Sprintf("%d restarts of %s; window %s; %d clients", len(beyond), restarts, windows, clients),
		})
		b.judge(figure{what: what + ", answers that are neither 200 nor 503 with Retry-After", format: "%.0f", value: float64(wrong), goal: 0, note: fmt.Sprintf("answers by status: %v", tally)})
		b.judge(figure{what: what + ", people signed out", format: "%.0f", value: float64(out), goal: 0})
	}
	return nil
}

// restart restarts the database in the middle of the load and lets the load go on until all is well again for a second.
func (b *bench) restart(ctx context.Context, s *site, mode privatepg.Mode) ([]reply, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	end := make(chan struct{})
	collected := make([][]reply, clients)
	var wait sync.WaitGroup
	for n := range clients {
		wait.Go(func() { collected[n] = s.read(ctx, end) })
	}
	time.Sleep(time.Second)
	began := time.Now()
	err := b.home.pg.Restart(ctx, mode)
	took := time.Since(began)
	time.Sleep(3 * time.Second)
	close(end)
	wait.Wait()
	var all []reply
	for _, list := range collected {
		if len(list) == 0 || list[len(list)-1].failed() {
			err = errors.Join(err, errors.New("the pages did not come back within three seconds of the database"))
		}
		all = append(all, list...)
	}
	return all, took, err
}

// read asks for the page again and again on one connection, with a pause of two milliseconds.
func (s *site) read(ctx context.Context, end <-chan struct{}) []reply {
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 1}, CheckRedirect: plainClient.CheckRedirect}
	defer client.CloseIdleConnections()
	var list []reply
	for {
		select {
		case <-end:
			return list
		case <-time.After(2 * time.Millisecond):
		}
		r := reply{began: time.Now()}
		if answer, err := get(ctx, client, "http://"+s.addr+"/releases", s.cookie); err == nil {
			r.status, r.retry = answer.StatusCode, answer.Header.Get("Retry-After")
			_, err = io.Copy(io.Discard, answer.Body)
			if errors.Join(err, answer.Body.Close()) != nil {
				r.status = 0
			}
		}
		r.ended = time.Now()
		list = append(list, r)
	}
}

// failureWindow is from the first request that failed, when it was sent, to the last, when it was answered. A request
// that waited for the database and was answered did not fail.
func failureWindow(replies []reply) time.Duration {
	var from, to time.Time
	for _, r := range replies {
		if !r.failed() {
			continue
		}
		if from.IsZero() || r.began.Before(from) {
			from = r.began
		}
		if r.ended.After(to) {
			to = r.ended
		}
	}
	return to.Sub(from)
}

// signedIn asks with the same cookie as before the outage.
func (s *site) signedIn(ctx context.Context) (bool, error) {
	answer, err := s.get(ctx, "/releases")
	if err != nil {
		return false, err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode == http.StatusOK, errors.Join(err, answer.Body.Close())
}
