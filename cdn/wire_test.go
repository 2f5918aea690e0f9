package cdn_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// greetingServer greets whoever connects, before anything is asked.
func greetingServer(t *testing.T, greeting string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() }) // the loop below ends with it
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, greeting)
			_, _ = io.Copy(io.Discard, conn) // until the client has gone
			_ = conn.Close()
		}
	}()
	return "http://" + listener.Addr().String()
}

func say(format string, args ...any) func(net.Conn) {
	return func(conn net.Conn) { _, _ = fmt.Fprintf(conn, format, args...) }
}

func reset(conn net.Conn) { _ = conn.(*net.TCPConn).SetLinger(0) } // closing sends RST

// untilGone writes text until the client has gone, at most most bytes of it.
func untilGone(text string, most int, pause time.Duration) func(net.Conn) {
	return func(conn net.Conn) {
		if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\n"); err != nil {
			return
		}
		for sent := 0; sent < most; sent += len(text) {
			if _, err := io.WriteString(conn, text); err != nil {
				return
			}
			time.Sleep(pause)
		}
	}
}

func TestWire_BrokenHTTP(t *testing.T) {
	tests := map[string]struct {
		serve  func(net.Conn)
		status int
	}{
		"reset before the headers":  {reset, 0},
		"closed before the headers": {func(net.Conn) {}, 0},
		"reset in the headers":      {func(c net.Conn) { say("HTTP/1.1 200 OK\r\nContent-")(c); reset(c) }, 0},
		"reset in the body":         {func(c net.Conn) { say("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"Csr\"")(c); reset(c) }, 200},
		"cut body":                  {say("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n%s", wholeJSON), 200},
		"cut chunk":                 {say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n%s", wholeJSON), 200},
		"chunk of nonsense":         {say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), 200},
		"not HTTP":                  {say("220 smtp.example.com ESMTP\r\n"), 0},
		"an invalid status":         {say("HTTP/1.1 abc\r\n\r\n"), 0},
		"an invalid header":         {say("HTTP/1.1 200 OK\r\n\x00\r\n\r\n"), 0},
		"invalid gzip":              {say("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnone"), 200},
		"headers of 60 MB":          {untilGone("X-A: "+strings.Repeat("a", 4091)+"\r\n", 60<<20, 0), 0},
	}
	for name, test := range tests {
		for signerName, s := range signers {
			t.Run(name+"/"+signerName, func(t *testing.T) {
				t.Parallel()
				f := newWireFixture(t, s, cdn.Options{
					Endpoint: rawServer(t, test.serve), MaxAttempts: 2, AttemptTimeout: time.Minute,
				})
				_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
				requireKind(t, err, cdn.ErrUnavailable)
				require.Equal(t, test.status, asError(t, err).StatusCode)
				require.Len(t, f.attempts, 2)
				f.requireNoSecret(t, err)
			})
		}
	}
}

func TestWire_NothingListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	f := newWireFixture(t, signer.RPC{Method: "GET"}, cdn.Options{Endpoint: "http://" + listener.Addr().String(), MaxAttempts: 2})
	_, err = f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
	requireKind(t, err, cdn.ErrUnavailable)
	require.ErrorContains(t, err, "refused")
	f.requireNoSecret(t, err)
}

func TestWire_RedirectIsNotFollowed(t *testing.T) {
	var followed atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Add(1) }))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for name, s := range signers {
			endpoint := rawServer(t, say("HTTP/1.1 %d Moved\r\nLocation: %s/?a=b\r\nContent-Length: 0\r\n\r\n", status, elsewhere.URL))
			f := newWireFixture(t, s, cdn.Options{Endpoint: endpoint, MaxAttempts: 1})
			_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
			requireKind(t, err, cdn.ErrUnavailable)
			require.Equal(t, status, asError(t, err).StatusCode, name)
			f.requireNoSecret(t, err)
		}
	}
	require.Zero(t, followed.Load())
}

// TestWire_WrongEndpoint has endpoints that are not the CDN's. Each error names
// the host and port and what to check; an untrusted certificate is not tried
// again.
func TestWire_WrongEndpoint(t *testing.T) {
	srv := httptest.NewUnstartedServer(&cdntest.API{})
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	srv.StartTLS()
	defer srv.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	smtp := greetingServer(t, "220 smtp.example.com ESMTP\r\n")
	unknown := &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "cdn.example.com", IsNotFound: true}}
	tests := map[string]struct {
		endpoint string
		sent     int
		says     []string
		as       any // a pointer to the cause's type
	}{
		"an untrusted certificate": {
			srv.URL, 1, []string{"has a certificate that is not trusted", "check the endpoint"}, new(x509.UnknownAuthorityError),
		},
		"HTTPS on an HTTP port": {
			strings.Replace(plain.URL, "http", "https", 1), 2, []string{"does not speak TLS", "check the endpoint's scheme and port"}, nil,
		},
		"HTTPS on an SMTP port":    {strings.Replace(smtp, "http", "https", 1), 2, []string{"does not speak TLS"}, nil},
		"a page that is not there": {plain.URL, 2, []string{"content type \"text/plain; charset=utf-8\"", "check the endpoint"}, nil},
		"an unknown host":          {"https://cdn.example.com:8443", 2, []string{"is not known to the DNS: check the endpoint"}, new(*net.DNSError)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newWireFixture(t, signer.RPC{Method: "GET"}, cdn.Options{Endpoint: test.endpoint, MaxAttempts: 2})
			if test.endpoint == "https://cdn.example.com:8443" {
				cdn.OwnTransport(f.client).DialContext = func(context.Context, string, string) (net.Conn, error) { return nil, unknown }
			}
			_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
			requireKind(t, err, cdn.ErrUnavailable)
			require.Equal(t, test.sent, f.sent())
			_, host, _ := strings.Cut(test.endpoint, "://")
			for _, text := range append(test.says, host) {
				require.ErrorContains(t, err, text)
			}
			if test.as != nil {
				require.ErrorAs(t, err, test.as)
			}
			f.requireNoSecret(t, err)
		})
	}
}

// tlsServer returns the fake over TLS, and an http.Client that trusts it, whose
// transport is like the library's own.
func tlsServer(t *testing.T, configure func(*httptest.Server)) (*httptest.Server, *http.Client) {
	t.Helper()
	srv := httptest.NewUnstartedServer(&cdntest.API{Credentials: []signer.Credentials{testCreds}, Source: csr.P256})
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	configure(srv)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	transport := cdn.NewTransport()
	transport.TLSClientConfig.RootCAs = roots
	t.Cleanup(transport.CloseIdleConnections)
	return srv, &http.Client{Transport: transport}
}

func TestTransport_IsBounded(t *testing.T) {
	transport := cdn.NewTransport()
	require.NotNil(t, transport.Proxy, "proxies from the environment")
	require.Positive(t, transport.TLSHandshakeTimeout)
	require.Positive(t, transport.IdleConnTimeout)
	require.EqualValues(t, tls.VersionTLS12, transport.TLSClientConfig.MinVersion)
	require.Equal(t, []int{64, 64, 64}, []int{transport.MaxConnsPerHost, transport.MaxIdleConnsPerHost, transport.MaxIdleConns})
	require.EqualValues(t, 256<<10, transport.MaxResponseHeaderBytes)
}

func TestTransport_HTTP2(t *testing.T) {
	var proto atomic.Value
	srv, hc := tlsServer(t, func(srv *httptest.Server) {
		srv.EnableHTTP2 = true
		api := srv.Config.Handler
		srv.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			proto.Store(r.Proto)
			api.ServeHTTP(w, r)
		})
	})
	for name, s := range signers {
		client, err := cdn.NewClient(cdn.StaticCredentials(testCreds), &cdn.Options{Endpoint: srv.URL, HTTPClient: hc, Signer: s})
		require.NoError(t, err)
		_, err = client.CreateCdnCertificateSigningRequest(t.Context(), request)
		require.NoError(t, err, name)
		require.Equal(t, "HTTP/2.0", proto.Load())
	}
}

func TestTransport_TLS12AtLeast(t *testing.T) {
	srv, hc := tlsServer(t, func(srv *httptest.Server) { srv.TLS = &tls.Config{MaxVersion: tls.VersionTLS11} })
	client, err := cdn.NewClient(cdn.StaticCredentials(testCreds), &cdn.Options{Endpoint: srv.URL, HTTPClient: hc, MaxAttempts: 1})
	require.NoError(t, err)
	_, err = client.CreateCdnCertificateSigningRequest(t.Context(), request)
	require.ErrorIs(t, err, cdn.ErrUnavailable)
	require.ErrorContains(t, err, "protocol version")
}

func TestTransport_CallersClientIsNeverChanged(t *testing.T) {
	srv := cdntest.NewServer(t)
	transport := &http.Transport{}
	redirects := func(*http.Request, []*http.Request) error { return nil }
	hc := &http.Client{Transport: transport, CheckRedirect: redirects, Timeout: time.Minute}
	before, defaults := *hc, http.DefaultTransport.(*http.Transport).Clone()
	for _, own := range []*http.Client{hc, {}} {
		client, err := cdn.NewClient(cdn.StaticCredentials(srv.API.Credentials[0]), &cdn.Options{Endpoint: srv.URL, HTTPClient: own})
		require.NoError(t, err)
		_, err = client.CreateCdnCertificateSigningRequest(t.Context(), request)
		require.NoError(t, err)
		client.CloseIdleConnections()
	}
	require.Same(t, transport, hc.Transport)
	require.Equal(t, before.Timeout, hc.Timeout)
	require.NoError(t, hc.CheckRedirect(nil, nil), "the caller's own rule")
	after := http.DefaultTransport.(*http.Transport)
	require.Equal(t, defaults.MaxConnsPerHost, after.MaxConnsPerHost)
	require.Equal(t, defaults.TLSHandshakeTimeout, after.TLSHandshakeTimeout)
	require.Equal(t, defaults.DisableKeepAlives, after.DisableKeepAlives)
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

func TestTransport_ConnectionIsKeptAfterAnError(t *testing.T) {
	srv := cdntest.NewServer(t)
	srv.API.Source = csr.P256
	var opened atomic.Int64
	// The client's own transport can't be watched from outside; a trace of each attempt's context can.
	client := srv.NewClient(t, nil)
	for range 10 {
		srv.API.Inject(cdntest.Fault{Code: "InvalidParameter"})
		ctx := traceConnections(t.Context(), &opened)
		_, err := client.CreateCdnCertificateSigningRequest(ctx, request)
		require.ErrorIs(t, err, cdn.ErrInvalidRequest)
		_, err = client.CreateCdnCertificateSigningRequest(ctx, request)
		require.NoError(t, err)
	}
	require.EqualValues(t, 1, opened.Load())
}

func TestTransport_CompressedAnswerIsRead(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") == "" {
			_, _ = w.Write([]byte(wholeJSON)) // the client is there
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(gzipped(t, bytes.NewReader([]byte(wholeJSON)))) // likewise
	}))
	defer srv.Close()
	for name, hc := range map[string]*http.Client{"its own asks for none": nil, "the caller's may ask": srv.Client()} {
		t.Run(name, func(t *testing.T) {
			compressed := false
			if hc != nil {
				transport := hc.Transport
				hc.Transport = roundTripper(func(req *http.Request) (*http.Response, error) {
					resp, err := transport.RoundTrip(req)
					compressed = err == nil && resp.Uncompressed
					return resp, err
				})
			}
			client, err := cdn.NewClient(cdn.StaticCredentials(testCreds), &cdn.Options{Endpoint: srv.URL, HTTPClient: hc})
			require.NoError(t, err)
			defer client.CloseIdleConnections()
			resp, err := client.CreateCdnCertificateSigningRequest(t.Context(), request)
			require.NoError(t, err)
			require.Equal(t, "example.com", resp.CommonName)
			require.Equal(t, hc != nil, compressed)
		})
	}
}
