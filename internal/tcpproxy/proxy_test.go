package tcpproxy_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/agogsaas/gatehouse/internal/tcpproxy"
)

// soon is how long a test waits for something that must not come.
const soon = 150 * time.Millisecond

func TestPassesBothWaysAndHalfCloses(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"tcp", "unix"} {
		conn := dial(t, tcpproxy.Start(t, network, upper(t, network)))
		send(t, conn, "one\ntwo\n")
		if err := conn.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(conn)
		if want := "ONE\nTWO\n"; err != nil || string(got) != want {
			t.Errorf("over %s: got %q, %v; want %q", network, got, err, want)
		}
	}
}

func TestDelayHoldsBackAndResumeEndsIt(t *testing.T) {
	t.Parallel()
	proxy := tcpproxy.Start(t, "tcp", upper(t, "tcp"))
	conn := dial(t, proxy)
	lines := bufio.NewReader(conn)
	proxy.Delay(100 * time.Millisecond)
	if got := roundTrip(t, conn, lines); got < 200*time.Millisecond {
		t.Errorf("with 100ms each way a round trip took %v, want 200ms or more", got)
	}
	proxy.Resume()
	if got := roundTrip(t, conn, lines); got > 100*time.Millisecond {
		t.Errorf("after Resume a round trip took %v, want no delay", got)
	}
}

func TestCutOneWayIsSilentAndKeepsTheBytes(t *testing.T) {
	t.Parallel()
	for _, d := range []tcpproxy.Direction{tcpproxy.ToServer, tcpproxy.ToClient} {
		proxy := tcpproxy.Start(t, "tcp", upper(t, "tcp"))
		conn := dial(t, proxy)
		proxy.CutOneWay(d)
		send(t, conn, "one\n")
		if got, err := readFor(conn, soon); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("direction %d cut: got %q, %v; want silence", d, got, err)
		}
		proxy.Resume()
		if got, err := readFor(conn, 10*time.Second); got != "ONE\n" {
			t.Errorf("direction %d after Resume: got %q, %v; want what was kept back", d, got, err)
		}
	}
}

func TestCutOneWayLeavesTheOtherWayOpen(t *testing.T) {
	t.Parallel()
	heard := make(chan string, 1)
	target := serve(t, "tcp", func(conn net.Conn) {
		line, _ := bufio.NewReader(conn).ReadString('\n')
		heard <- line
	})
	proxy := tcpproxy.Start(t, "tcp", target)
	conn := dial(t, proxy)
	proxy.CutOneWay(tcpproxy.ToClient)
	send(t, conn, "still heard\n")
	if got, want := <-heard, "still heard\n"; got != want {
		t.Errorf("the server heard %q, want %q", got, want)
	}
}

func TestCutBothEndsOpenConnectionsAndRefusesNewOnes(t *testing.T) {
	t.Parallel()
	proxy := tcpproxy.Start(t, "tcp", upper(t, "tcp"))
	conn := dial(t, proxy)
	roundTrip(t, conn, bufio.NewReader(conn))
	proxy.CutBoth()
	if got, err := readFor(conn, 10*time.Second); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("an open connection: got %q, %v; want it closed", got, err)
	}
	if got, err := readFor(dial(t, proxy), 10*time.Second); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a new connection: got %q, %v; want it closed", got, err)
	}
	proxy.Resume()
	again := dial(t, proxy)
	roundTrip(t, again, bufio.NewReader(again))
}

func TestCutAfterStopsInTheMiddleOfAnAnswer(t *testing.T) {
	t.Parallel()
	for _, n := range []int64{1, 5, 70_000} {
		proxy := tcpproxy.Start(t, "tcp", upper(t, "tcp"))
		conn := dial(t, proxy)
		proxy.CutAfter(tcpproxy.ToClient, n)
		go func() { _, _ = io.WriteString(conn, strings.Repeat("x", 100_000)+"\n") }() // may fail: it is cut
		if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(conn)
		if int64(len(got)) != n || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("cut after %d: %d bytes came, then %v; want %d, then the end", n, len(got), err, n)
		}
	}
}

func TestATargetThatIsAwayClosesTheConnection(t *testing.T) {
	t.Parallel()
	proxy := tcpproxy.Start(t, "unix", filepath.Join(t.TempDir(), "nobody"))
	if got, err := readFor(dial(t, proxy), 10*time.Second); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %q, %v; want a closed connection", got, err)
	}
}

// upper serves lines in upper case and returns its address.
func upper(t *testing.T, network string) string {
	t.Helper()
	return serve(t, network, func(conn net.Conn) {
		lines := bufio.NewReader(conn)
		for {
			line, err := lines.ReadString('\n')
			if _, writeErr := io.WriteString(conn, strings.ToUpper(line)); err != nil || writeErr != nil {
				return
			}
		}
	})
}

func serve(t *testing.T, network string, each func(net.Conn)) string {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "s")
	}
	listener, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { defer func() { _ = conn.Close() }(); each(conn) }()
		}
	}()
	return listener.Addr().String()
}

func dial(t *testing.T, proxy *tcpproxy.Proxy) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", proxy.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn.(*net.TCPConn)
}

func send(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
}

func roundTrip(t *testing.T, conn net.Conn, lines *bufio.Reader) time.Duration {
	t.Helper()
	start := time.Now()
	send(t, conn, "ping\n")
	if got, err := lines.ReadString('\n'); err != nil || got != "PING\n" {
		t.Fatalf("got %q, %v; want PING", got, err)
	}
	return time.Since(start)
}

func readFor(conn net.Conn, d time.Duration) (string, error) {
	if err := conn.SetReadDeadline(time.Now().Add(d)); err != nil {
		return "", err
	}
	buf := make([]byte, 100)
	n, err := conn.Read(buf)
	return string(buf[:n]), err
}
