package cdn

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"syscall"
)

var errDialerEnded = errors.New("the dialer ended its goroutine")

// leafOf returns the certificate that addr presents.
func (e *Edge) leafOf(ctx context.Context, host string, addr netip.Addr) (*x509.Certificate, error) {
	ctx, cancel := context.WithTimeout(ctx, edgeTimeout)
	defer cancel()
	conn, err := e.dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }() // nothing was written that matters
	// The caller compares the certificate with the expected one instead.
	client := tls.Client(conn, &tls.Config{ServerName: host, InsecureSkipVerify: true})
	if err := client.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("no certificate for %s: %w", host, err)
	}
	return client.ConnectionState().PeerCertificates[0], nil
}

// dial connects to addr. It returns when ctx ends, even if the Dialer does not.
func (e *Edge) dial(ctx context.Context, addr netip.Addr) (net.Conn, error) {
	port := e.Port
	if port == "" {
		port = "443"
	}
	address := net.JoinHostPort(addr.String(), port)
	if e.Dialer == nil {
		return new(net.Dialer).DialContext(ctx, "tcp", address)
	}
	results := make(chan dialed)
	go func() {
		d := dialed{err: errDialerEnded} // if it ends this goroutine
		defer func() {
			d.panicked = recover()
			d.hand(ctx, results)
		}()
		d.conn, d.err = e.Dialer.DialContext(ctx, "tcp", address)
	}()
	select {
	case d := <-results:
		return d.open()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// A dialed is what a Dialer did.
type dialed struct {
	conn     net.Conn
	err      error
	panicked any
}

// hand hands d over, or closes its connection if nobody waits for it any longer.
func (d dialed) hand(ctx context.Context, results chan<- dialed) {
	select {
	case results <- d:
	case <-ctx.Done():
		if !isNil(d.conn) {
			_ = d.conn.Close() // nothing was written
		}
	}
}

// open returns the connection.
func (d dialed) open() (net.Conn, error) {
	switch {
	case d.panicked != nil:
		panic(d.panicked) // in a goroutine that is waited for
	case d.err == nil && isNil(d.conn):
		return nil, errors.New("the dialer returned no connection and no error")
	}
	return d.conn, d.err
}

// isNoRoute reports whether err means that this machine can't send to an
// address at all.
func isNoRoute(err error) bool {
	const wsaNetUnreachable, wsaHostUnreachable = syscall.Errno(10051), syscall.Errno(10065) // of Windows
	if runtime.GOOS == "windows" && (errors.Is(err, wsaNetUnreachable) || errors.Is(err, wsaHostUnreachable)) {
		return true
	}
	return errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EHOSTUNREACH) ||
		errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}
