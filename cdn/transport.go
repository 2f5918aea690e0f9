package cdn

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	dialTimeout     = 5 * time.Second
	tlsTimeout      = 5 * time.Second
	idleTimeout     = 90 * time.Second
	maxConnections  = 64        // to one host; all of them may be kept
	maxHeaderBytes  = 256 << 10 // of an answer
	keepAlivePeriod = 30 * time.Second

	// One HTTP/2 connection carries every call, so a dead one must be noticed
	// within an attempt.
	pingAfter   = 3 * time.Second // without a frame from the service
	pingTimeout = 3 * time.Second
)

// newTransport returns the client's own transport. It does not clone
// http.DefaultTransport, which a program may have changed. AttemptTimeout
// bounds how long the headers and the body of an answer may take.
func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlivePeriod}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    tlsTimeout,
		DisableCompression:     true, // answers are small, and asking for it would add 0.3 KB to each call
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
		MaxConnsPerHost:        maxConnections,
		MaxIdleConns:           maxConnections,
		MaxIdleConnsPerHost:    maxConnections,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
	}
}

// connections are what the attempts of a client use.
type connections struct {
	transport *http.Transport // nil if the caller's client sends
	send      func(*http.Request) (*http.Response, error)
	leaveFrom time.Time // when they may be left; zero for the first
}

// newConnections returns connections of transport. Redirects and cookies, which
// an http.Client adds, are not wanted.
func newConnections(transport *http.Transport, leaveFrom time.Time) *connections {
	return &connections{transport, transport.RoundTrip, leaveFrom}
}

// silence is how long an attempt must have waited for an answer if its
// connection counts as dead though the caller ended it.
const silence = 500 * time.Millisecond

// leave has the next attempts use new connections, after one on used got no
// answer: the others of used may be as dead, HTTP/2 would use the same one
// again, and a dial that hangs would count as one of those that are allowed.
// Such dials end by themselves, so that few add up if used are not left before.
func (c *Client) leave(used *connections) {
	if used.transport == nil {
		return
	}
	used.transport.CloseIdleConnections()
	now := time.Now()
	if c.connections.Load() != used || now.Before(used.leaveFrom) {
		return
	}
	if c.connections.CompareAndSwap(used, newConnections(used.transport.Clone(), now.Add(dialTimeout))) {
		c.left.Store(used.transport, nil)
		unused := c.options.AttemptTimeout + time.Second // after the end of every attempt on them
		time.AfterFunc(unused, func() {
			used.transport.CloseIdleConnections()
			c.left.Delete(used.transport)
		})
	}
}

// withoutRedirects returns a copy of hc that returns a redirect instead of
// following it: a signed request is for one host only.
func withoutRedirects(hc *http.Client) *http.Client {
	own := *hc
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// slots bounds how many attempts use a connection at once, so that the wait
// for one is not part of an attempt's time. A nil slots has no bound.
type slots chan struct{}

// errBusy is the error of a wait for a slot that the context ended.
var errBusy = errors.New("all connections are busy")

// whyNone returns why a call that ctx has ended got no further.
func (s slots) whyNone(ctx context.Context) error {
	if s != nil && len(s) == cap(s) {
		return errBusy
	}
	return ctx.Err()
}

// acquire waits for a slot, and reports whether it had to. It returns errBusy if
// the context ends.
func (s slots) acquire(ctx context.Context) (blocked bool, err error) {
	if s == nil {
		return false, nil
	}
	select {
	case s <- struct{}{}:
		return false, nil
	default:
	}
	select {
	case s <- struct{}{}:
		return true, nil
	case <-ctx.Done():
		return true, errBusy
	}
}

func (s slots) release() {
	if s != nil {
		<-s
	}
}

const (
	maxBody     = 1 << 20  // how much of an answer is read, after decompression
	maxKeptBody = 64 << 10 // the largest buffer that is used again; an answer has 2 KiB
)

// bufferPool keeps buffers for the answers of a client's calls. The zero value
// is ready.
type bufferPool struct{ pool sync.Pool }

// bodyBuffer has the body of an answer until it is decoded.
type bodyBuffer struct {
	bytes.Buffer
	reader io.LimitedReader
}

func (b *bufferPool) get() *bodyBuffer {
	if body, ok := b.pool.Get().(*bodyBuffer); ok {
		return body
	}
	return new(bodyBuffer)
}

func (b *bufferPool) put(body *bodyBuffer) {
	if body.Cap() > maxKeptBody {
		return
	}
	body.Reset()
	b.pool.Put(body)
}

// read reads the body of resp. It returns an error if that has more than
// maxBody bytes.
func (b *bodyBuffer) read(resp *http.Response) error {
	b.reader = io.LimitedReader{R: resp.Body, N: maxBody + 1}
	n, err := b.ReadFrom(&b.reader)
	b.reader.R = nil
	if err != nil {
		return err
	}
	if n > maxBody {
		return fmt.Errorf("the answer has more than %d bytes", maxBody)
	}
	return nil
}
