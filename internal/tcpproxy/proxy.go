// Package tcpproxy stands between two programs in a test and makes the network
// between them bad: slow, deaf in one direction, or gone.
//
// It knows bytes and connections, no protocol. What it does is changed while
// connections are open, and open connections follow: a proxy that only treated
// new ones would never find what happens to a pool.
package tcpproxy

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"
)

// Direction is one half of a connection, as seen by who connects to the proxy.
type Direction int

// The two halves.
const (
	ToServer Direction = iota
	ToClient
)

// Proxy passes connections on to a target.
type Proxy struct {
	listener        net.Listener
	network, target string
	running         sync.WaitGroup

	mu      sync.Mutex
	changed *sync.Cond
	open    map[net.Conn]struct{}
	delay   time.Duration
	deaf    [2]bool  // bytes of this direction stay in the proxy
	budget  [2]int64 // bytes that may still pass before the cut; -1 is no bound
	refuse  bool     // new connections are closed at once
}

// Start listens on a free loopback port and passes on to target, which is an
// address of network "tcp" or the path of a socket of network "unix". The
// proxy is closed at the end of the test.
func Start(t testing.TB, network, target string) *Proxy {
	t.Helper()
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("tcpproxy: %v", err)
	}
	p := &Proxy{listener: listener, network: network, target: target, open: map[net.Conn]struct{}{}, budget: [2]int64{-1, -1}}
	p.changed = sync.NewCond(&p.mu)
	p.running.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// Addr is where the proxy listens, as host:port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Delay holds every piece back for d, in both directions.
func (p *Proxy) Delay(d time.Duration) { p.set(func() { p.delay = d }) }

// CutOneWay keeps the bytes of one direction back while the other still passes:
// the silence after a lost packet, where nobody is told anything.
func (p *Proxy) CutOneWay(d Direction) { p.set(func() { p.deaf[d] = true }) }

// CutBoth closes every connection and refuses new ones.
func (p *Proxy) CutBoth() { p.set(func() { p.refuse = true; p.closeAll() }) }

// CutAfter passes n more bytes in one direction, counted over all connections,
// and then does what CutBoth does: an answer that stops in the middle.
func (p *Proxy) CutAfter(d Direction, n int64) { p.set(func() { p.budget[d] = n }) }

// Resume passes everything again, also what was kept back.
func (p *Proxy) Resume() {
	p.set(func() { p.delay, p.deaf, p.budget, p.refuse = 0, [2]bool{}, [2]int64{-1, -1}, false })
}

func (p *Proxy) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	p.changed.Broadcast()
}

func (p *Proxy) closeAll() { // with mu held
	for conn := range p.open {
		_ = conn.Close() // an error means that it was closed before
	}
}

func (p *Proxy) close() {
	p.set(func() { p.refuse = true; p.closeAll() })
	_ = p.listener.Close()
	p.running.Wait()
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.pass(client) })
	}
}

// pass carries one connection until both sides have ended it. A target that is
// away looks like a connection that closes at once.
func (p *Proxy) pass(client net.Conn) {
	defer func() { _ = client.Close() }() // it is over either way
	server, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(context.Background(), p.network, p.target)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }() // as above
	refused := false
	p.set(func() {
		if refused = p.refuse; !refused {
			p.open[client], p.open[server] = struct{}{}, struct{}{}
		}
	})
	if refused {
		return
	}
	var back sync.WaitGroup
	back.Go(func() { p.carry(ToClient, client, server) })
	p.carry(ToServer, server, client)
	back.Wait()
	p.set(func() { delete(p.open, client); delete(p.open, server) })
}

// carry passes one direction. At the end of its input it closes its output for
// writing only, so that what is under way in the other direction still arrives.
func (p *Proxy) carry(d Direction, to, from net.Conn) {
	piece := make([]byte, 32<<10)
	for {
		n, err := from.Read(piece)
		allowed, delay, last := p.admit(d, n)
		time.Sleep(delay)
		_, writeErr := to.Write(piece[:allowed])
		if last {
			p.CutBoth()
		}
		if err != nil || writeErr != nil {
			if half, ok := to.(interface{ CloseWrite() error }); !ok || half.CloseWrite() != nil || writeErr != nil {
				_, _ = to.Close(), from.Close()
			}
			return
		}
	}
}

// admit waits while the direction is deaf, then says how much of n bytes may
// pass, how late, and whether they are the last.
func (p *Proxy) admit(d Direction, n int) (allowed int, delay time.Duration, last bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.deaf[d] && !p.refuse {
		p.changed.Wait()
	}
	if p.budget[d] < 0 || n == 0 {
		return n, p.delay, false
	}
	allowed = int(min(int64(n), p.budget[d]))
	p.budget[d] -= int64(allowed)
	return allowed, p.delay, p.budget[d] == 0
}
