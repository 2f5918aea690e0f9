package cdn

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

const (
	dialTimeout     = 5 * time.Second
	tlsTimeout      = 5 * time.Second
	idleTimeout     = 90 * time.Second
	maxConnections  = 64        // to one host; all of them may be kept
	maxHeaderBytes  = 256 << 10 // of an answer
	keepAlivePeriod = 30 * time.Second
)

// newTransport is the client's own transport. http.DefaultTransport is not cloned, since a program may have changed it. How long
// the headers and the body of an answer may take is bounded by Options.AttemptTimeout, which is that of the whole attempt.
func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlivePeriod}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    tlsTimeout,
		ForceAttemptHTTP2:      true,
		MaxConnsPerHost:        maxConnections,
		MaxIdleConns:           maxConnections,
		MaxIdleConnsPerHost:    maxConnections,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
	}
}

// withoutRedirects is a copy of hc that hands a redirect to its caller: a signed request is for one host alone.
func withoutRedirects(hc *http.Client) *http.Client {
	own := *hc
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}
