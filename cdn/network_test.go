package cdn_test

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/signer"
)

// A network is a listener whose connections are those of net.Pipe, so that a
// client's own transport works in a bubble of testing/synctest.
type network struct {
	accepted chan net.Conn
	closed   chan struct{}
	close    sync.Once
	dialed   atomic.Int64

	mu    sync.Mutex
	conns []*mortalConn // of the clients
}

func newNetwork(t *testing.T) *network {
	n := &network{accepted: make(chan net.Conn), closed: make(chan struct{})}
	t.Cleanup(func() {
		_ = n.Close()           // it returns no error
		time.Sleep(time.Second) // of the bubble's time, for the server to notice that the client has gone
	})
	return n
}

// DialContext has the signature that http.Transport wants.
func (n *network) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case n.accepted <- theirs:
	case <-n.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	n.dialed.Add(1)
	conn := &mortalConn{Conn: ours}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conns = append(n.conns, conn)
	return conn, nil
}

// Accept implements [net.Listener].
func (n *network) Accept() (net.Conn, error) {
	select {
	case conn := <-n.accepted:
		return conn, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener].
func (n *network) Close() error {
	n.close.Do(func() { close(n.closed) })
	return nil
}

// Addr implements [net.Listener]. The certificate of httptest is valid for it.
func (n *network) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443} }

// kill makes every connection that exists swallow what is written to it.
func (n *network) kill() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, conn := range n.conns {
		conn.dead.Store(true)
	}
}

// A mortalConn swallows what is written to it once it is dead, so that nothing
// is ever answered.
type mortalConn struct {
	net.Conn
	dead atomic.Bool
}

func (c *mortalConn) Write(p []byte) (int, error) {
	if c.dead.Load() {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// serve starts a server of handler on n, with TLS and HTTP/2 if h2 is set. It
// returns a fixture of a client of it with its own transport.
func (n *network) serve(t *testing.T, handler http.Handler, h2 bool, opts cdn.Options) *fixture {
	t.Helper()
	srv := httptest.NewUnstartedServer(handler)
	require.NoError(t, srv.Listener.Close())
	srv.Listener = n
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	if h2 {
		srv.EnableHTTP2 = true
		srv.StartTLS()
	} else {
		srv.Start()
	}
	t.Cleanup(srv.Close)
	opts.Endpoint = srv.URL
	f := newWireFixture(t, signer.RPC{}, opts)
	transport := cdn.OwnTransport(f.client)
	transport.DialContext = n.DialContext
	if h2 {
		roots := x509.NewCertPool()
		roots.AddCert(srv.Certificate())
		transport.TLSClientConfig.RootCAs = roots
	}
	return f
}

// callAtOnce makes calls at once, all of which must succeed.
func (s *fixture) callAtOnce(t *testing.T, calls int) {
	t.Helper()
	var group sync.WaitGroup
	for range calls {
		group.Go(func() {
			_, err := s.client.CreateCdnCertificateSigningRequest(t.Context(), request)
			assert.NoError(t, err)
		})
	}
	group.Wait()
}

// answerAfter returns a handler that answers every request after a while.
func answerAfter(wait time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(wait):
			_, _ = w.Write([]byte(wholeJSON)) // the client may have gone
		case <-r.Context().Done():
		}
	}
}

// TestConnections_TheWaitForOneIsNotPartOfAnAttempt makes far more calls than
// there are connections to a server that answers each in a second.
func TestConnections_TheWaitForOneIsNotPartOfAnAttempt(t *testing.T) {
	for name, h2 := range map[string]bool{"HTTP/1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t)
				f := n.serve(t, answerAfter(time.Second), h2, cdn.Options{MaxAttempts: 1, Limiter: unlimited{}})
				const calls, connections = 2500, 64
				start := time.Now()
				var failed atomic.Int64
				var group sync.WaitGroup
				for range calls {
					group.Go(func() {
						if _, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request); err != nil {
							failed.Add(1)
						}
					})
				}
				group.Wait()
				require.Zero(t, failed.Load(), "of %d calls", calls)
				require.LessOrEqual(t, n.dialed.Load(), int64(connections))
				require.Equal(t, 40*time.Second, time.Since(start).Round(time.Second), "rounds of 64 calls")
			})
		})
	}
}

func TestConnections_ThatSwallowCostOneAttemptAtMost(t *testing.T) {
	for name, test := range map[string]struct {
		h2   bool
		open int // connections
	}{"HTTP/1": {false, 12}, "HTTP/2": {true, 1}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t)
				f := n.serve(t, answerAfter(time.Second), test.h2, cdn.Options{Limiter: unlimited{}})
				f.callAtOnce(t, 1)
				f.callAtOnce(t, 12)
				require.EqualValues(t, test.open, n.dialed.Load())

				n.kill()
				before := f.sent()
				const calls = 5
				for range calls {
					f.callAtOnce(t, 1)
				}
				require.LessOrEqual(t, f.sent()-before, calls+1, "attempts")
			})
		})
	}
}

// TestConnections_ThatSwallowManyCalls has each of many calls at once on a
// connection that is dead.
func TestConnections_ThatSwallowManyCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		f := n.serve(t, answerAfter(time.Second), false, cdn.Options{Limiter: unlimited{}})
		f.callAtOnce(t, 12)
		n.kill()
		f.callAtOnce(t, 12)
		require.Equal(t, 12+12+12, f.sent())
	})
}

// TestWire_Silence is TestWire_BrokenHTTP for servers that take time.
func TestWire_Silence(t *testing.T) {
	tests := map[string]func(net.Conn){
		"no answer":        func(c net.Conn) { _, _ = c.Read(make([]byte, 1)) }, // until the client has gone
		"1 byte at a time": untilGone("X", 1<<20, 20*time.Millisecond),
	}
	for name, serve := range tests {
		for signerName, s := range signers {
			t.Run(name+"/"+signerName, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					n := newNetwork(t)
					go acceptRaw(n, serve)
					f := newWireFixture(t, s, cdn.Options{Endpoint: "http://127.0.0.1", MaxAttempts: 2})
					cdn.OwnTransport(f.client).DialContext = n.DialContext
					start := time.Now()
					_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
					requireKind(t, err, cdn.ErrUnavailable)
					require.ErrorContains(t, err, "no answer within 10s from 127.0.0.1")
					require.Equal(t, 2, f.sent())
					require.GreaterOrEqual(t, time.Since(start), 20*time.Second)
					f.requireNoSecret(t, err)

					ctx, cancel := context.WithTimeoutCause(t.Context(), 13*time.Second, errors.New("shutting down"))
					defer cancel()
					_, err = f.client.CreateCdnCertificateSigningRequest(ctx, request)
					require.ErrorIs(t, err, context.DeadlineExceeded)
					require.ErrorContains(t, err, "shutting down")
					require.ErrorContains(t, err, "attempt 2 had no answer from 127.0.0.1 within 2.")
					f.requireNoSecret(t, err)
				})
			})
		}
	}
}
