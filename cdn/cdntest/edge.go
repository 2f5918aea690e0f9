package cdntest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Edge is an edge server of the CDN. Over TLS it presents the certificate that
// is installed on the domain that the SNI names or, if there is no such domain,
// on the wildcard domain above it: .example.com for www.example.com. Without a
// certificate the handshake fails. Every request, over TLS or not, is passed to
// the origin.
type Edge struct {
	// TLSAddr and HTTPAddr are 127.0.0.1:PORT, of HTTPS and of plain HTTP. They
	// are empty if the edge is from NewEdge.
	TLSAddr, HTTPAddr string

	// Delay is how long after its installation a certificate is served. Until
	// then the edge serves the domain's earlier one. Switching HTTPS off takes
	// effect at once. Delay may be changed between connections.
	Delay time.Duration

	api    *API
	origin http.Handler
}

// StartEdge starts an edge on loopback. It is closed when the test ends. If
// origin is nil, every request is answered with 404.
func (s *Server) StartEdge(tb testing.TB, origin http.Handler) *Edge {
	tb.Helper()
	e := s.API.NewEdge(origin)
	start := func(wrap func(net.Listener) net.Listener) string {
		srv := httptest.NewUnstartedServer(e.origin)
		addr := srv.Listener.Addr().String()
		srv.Listener, srv.Config.ErrorLog = wrap(srv.Listener), log.New(io.Discard, "", 0)
		srv.Start()
		tb.Cleanup(srv.Close)
		return addr
	}
	e.HTTPAddr = start(func(l net.Listener) net.Listener { return l })
	e.TLSAddr = start(func(l net.Listener) net.Listener { return tls.NewListener(l, e.TLSConfig()) })
	return e
}

// NewEdge returns an edge that does not listen. Connect to it with DialContext,
// or use TLSConfig with a listener of your own.
func (a *API) NewEdge(origin http.Handler) *Edge {
	if origin == nil {
		origin = http.NotFoundHandler()
	}
	return &Edge{api: a, origin: origin}
}

// TLSConfig returns a configuration that presents the edge's certificates.
func (e *Edge) TLSConfig() *tls.Config {
	return &tls.Config{
		GetCertificate: e.certificate,
		NextProtos:     []string{"http/1.1"},
		// With a ticket a client would resume a session without the
		// certificate. The server also sends it at a time when a client on a
		// net.Pipe does not read.
		SessionTicketsDisabled: true,
	}
}

func (e *Edge) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	in := e.api.account.served(hello.ServerName, time.Now().Add(-e.Delay))
	if in == nil {
		return nil, fmt.Errorf("cdntest: edge: no certificate for %q", hello.ServerName)
	}
	cert := &tls.Certificate{PrivateKey: in.key, Leaf: in.chain[0]}
	for _, c := range in.chain {
		cert.Certificate = append(cert.Certificate, c.Raw)
	}
	return cert, nil
}

// served returns the certificate of a host at the given time, or nil.
func (a *account) served(host string, then time.Time) *certificate {
	a.mu.Lock()
	defer a.mu.Unlock()
	d := a.find(host)
	if d == nil {
		_, parent, _ := strings.Cut(host, ".")
		d = a.find("." + parent)
	}
	if d == nil || !d.online {
		return nil
	}
	for i := len(d.installed) - 1; i >= 0; i-- {
		if !d.installed[i].at.After(then) {
			return d.installed[i].certificate
		}
	}
	return nil
}

// DialContext connects to the edge without a socket, whatever the address: to
// plain HTTP if its port is 80, else to TLS. It fits [http.Transport] and
// [github.com/cdncsr/cdncsr/cdn.Edge], and works in a bubble of
// testing/synctest.
func (e *Edge) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	client, server := net.Pipe()
	if port != "80" {
		server = tls.Server(server, e.TLSConfig())
	}
	srv := &http.Server{Handler: e.origin, ErrorLog: log.New(io.Discard, "", 0)}
	_ = srv.Serve(&oneConn{conn: server}) // returns at once; a goroutine serves the connection until it is closed
	return client, nil
}

// oneConn is a listener with one connection.
type oneConn struct{ conn net.Conn }

func (l *oneConn) Accept() (net.Conn, error) {
	conn := l.conn
	if conn == nil {
		return nil, errors.New("cdntest: one connection only")
	}
	l.conn = nil
	return conn, nil
}

func (l *oneConn) Close() error { return nil }

func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }
