package cdn_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// testCreds hold every character that percent-encoding changes.
var testCreds = signer.Credentials{AccessKeyID: "STS.hiddenid", AccessKeySecret: "hidden/secret+==", SecurityToken: "CAIS/hidden+token=="}

// request is the smallest valid request.
var request = &csr.Request{CommonName: "example.com"}

// signers are the three ways of sending a call.
var signers = map[string]signer.Signer{"RPC": signer.RPC{}, "RPC GET": signer.RPC{Method: http.MethodGet}, "ACS3": signer.ACS3{}}

// A fixture is a client and everything that it sends and shows.
type fixture struct {
	api    *cdntest.API // nil with a transport or an endpoint of the test's own
	client *cdn.Client

	mu         sync.Mutex
	attempts   []cdn.Attempt
	signatures []string     // of every request that was sent
	logged     bytes.Buffer // by the client
}

// newFixture returns a fixture whose client has the options, which may be nil.
// The client calls the fake without a socket, unless they have an HTTPClient.
func newFixture(t *testing.T, opts *cdn.Options) *fixture {
	t.Helper()
	f := &fixture{api: &cdntest.API{Credentials: []signer.Credentials{testCreds}, Source: csr.P256}}
	var own cdn.Options
	if opts != nil {
		own = *opts
	}
	var transport http.RoundTripper = f.api
	if own.HTTPClient != nil {
		transport = own.HTTPClient.Transport
	}
	own.HTTPClient = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		f.record(r)
		return transport.RoundTrip(r)
	})}
	f.newClient(t, &own)
	return f
}

// newClient makes the client, which f watches.
func (f *fixture) newClient(t *testing.T, opts *cdn.Options) {
	t.Helper()
	opts.Logger = slog.New(slog.NewJSONHandler(&f.logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	opts.OnAttempt = func(_ context.Context, a cdn.Attempt) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.attempts = append(f.attempts, a)
	}
	client, err := cdn.NewClient(cdn.StaticCredentials(testCreds), opts)
	require.NoError(t, err)
	f.client = client
}

// sent returns the number of requests that were sent.
func (f *fixture) sent() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.attempts)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// unlimited is a limiter that makes nobody wait.
type unlimited struct{}

func (unlimited) Wait(context.Context) error { return nil }

// record keeps the signature of a request, wherever it is.
func (f *fixture) record(r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, signature, _ := strings.Cut(r.Header.Get("Authorization"), ",Signature=")
	if signature == "" {
		signature = r.URL.Query().Get("Signature")
	}
	if signature == "" && r.GetBody != nil {
		body, _ := r.GetBody() // in memory
		form, _ := io.ReadAll(body)
		values, _ := url.ParseQuery(string(form))
		signature = values.Get("Signature")
	}
	f.signatures = append(f.signatures, signature)
}

// requireNoSecret looks for the credentials and every signature in err, in
// whatever way it is printed, and in what was logged and reported.
func (f *fixture) requireNoSecret(t *testing.T, err error) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	shown := f.logged.String() + printed(t, err)
	for _, a := range f.attempts {
		shown += fmt.Sprintf("%v %+v %#v", a, a, a) + printed(t, a.Err)
	}
	for _, secret := range append([]string{testCreds.AccessKeyID, testCreds.AccessKeySecret, testCreds.SecurityToken}, f.signatures...) {
		require.NotEmpty(t, secret, "a signature was not recorded")
		once := url.QueryEscape(secret)
		for _, form := range []string{secret, once, url.QueryEscape(once), url.PathEscape(secret)} {
			require.NotContains(t, shown, form)
		}
	}
	require.NotContains(t, shown, "hidden", "a part of a credential")
}

// printed returns err and every error in it, as each way of printing shows them.
func printed(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		fmt.Fprintf(&b, verb, err)
	}
	slog.New(slog.NewJSONHandler(&b, nil)).Error("x", "error", err, "held", struct{ Err error }{err})
	slog.New(slog.NewTextHandler(&b, nil)).Error("x", "error", err)
	encoded, jsonErr := json.Marshal(err)
	if jsonErr == nil {
		b.Write(encoded)
	}
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		b.WriteString(printed(t, err.Unwrap()))
	case interface{ Unwrap() []error }:
		for _, inner := range err.Unwrap() {
			b.WriteString(printed(t, inner))
		}
	}
	return b.String()
}

// asError returns the *cdn.Error in err.
func asError(t *testing.T, err error) *cdn.Error {
	t.Helper()
	var e *cdn.Error
	require.True(t, errors.As(err, &e), "%v", err)
	return e
}

// requireKind requires that err matches this kind and no other; nil means none.
func requireKind(t *testing.T, err, kind error) {
	t.Helper()
	for _, sentinel := range []error{cdn.ErrUnavailable, cdn.ErrThrottled, cdn.ErrDenied, cdn.ErrInvalidRequest, cdn.ErrNoCredentials} {
		require.Equal(t, sentinel == kind, errors.Is(err, sentinel), "%v: is %v", err, sentinel)
	}
}

// A network is a listener whose connections are those of net.Pipe, so that a
// client's own transport works in a bubble of testing/synctest.
type network struct {
	accepted chan net.Conn
	closed   chan struct{}
	close    sync.Once
	dialed   atomic.Int64
	open     atomic.Int64 // connections that the client has not closed

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
	n.open.Add(1)
	conn := &mortalConn{Conn: ours, closed: sync.OnceFunc(func() { n.open.Add(-1) })}
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
	closed func()
	dead   atomic.Bool
}

func (c *mortalConn) Close() error {
	c.closed()
	return c.Conn.Close()
}

func (c *mortalConn) Write(p []byte) (int, error) {
	if c.dead.Load() {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// connKey is of the connection in the context of a request that n serves.
type connKey struct{}

// serve starts a server of handler on n, with TLS and HTTP/2 if h2 is set. It
// returns a fixture of a client of it with its own transport.
func (n *network) serve(t *testing.T, handler http.Handler, h2 bool, opts cdn.Options) *fixture {
	t.Helper()
	srv := httptest.NewUnstartedServer(handler)
	require.NoError(t, srv.Listener.Close())
	srv.Listener = n
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	srv.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) }
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
func (f *fixture) callAtOnce(t *testing.T, calls int) {
	t.Helper()
	var group sync.WaitGroup
	for range calls {
		group.Go(func() {
			_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
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

// recording is a signer that records the signatures, for a client with its own
// transport.
type recording struct {
	signer.Signer
	fixture *fixture
}

func (r recording) Sign(ctx context.Context, endpoint *url.URL, call signer.Call, in signer.Input) (*http.Request, error) {
	req, err := r.Signer.Sign(ctx, endpoint, call, in)
	if err == nil {
		r.fixture.record(req)
	}
	return req, err
}

// newWireFixture returns a fixture whose client has its own transport.
func newWireFixture(t *testing.T, s signer.Signer, opts cdn.Options) *fixture {
	t.Helper()
	f := &fixture{}
	opts.Signer = recording{s, f}
	f.newClient(t, &opts)
	t.Cleanup(f.client.CloseIdleConnections)
	return f
}

// rawServer reads a request from each connection and lets serve do what HTTP
// servers don't.
func rawServer(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() }) // the loop below ends with it
	go acceptRaw(listener, serve)
	return "http://" + listener.Addr().String()
}

// acceptRaw is the loop of a raw server, until listener is closed.
func acceptRaw(listener net.Listener, serve func(net.Conn)) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = conn.Close() }() // serve may have done so
			req, err := http.ReadRequest(bufio.NewReader(conn))
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, req.Body) // what can be read of it
			serve(conn)
		}()
	}
}

// oneKey returns a source that always returns the same key, so that a test does
// not spend its time on making keys.
func oneKey(t *testing.T) csr.KeySource {
	t.Helper()
	key, err := csr.P256.NewKey(t.Context())
	require.NoError(t, err)
	return sameKey{key}
}

type sameKey struct{ crypto.Signer }

func (k sameKey) NewKey(context.Context) (crypto.Signer, error) { return k.Signer, nil }

// answering returns a transport that always gives the same answer.
func answering(status int, header http.Header, body []byte) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Header: header.Clone(), Body: io.NopCloser(bytes.NewReader(body)), ContentLength: -1, Request: r,
		}, nil
	})
}

// creator makes a CSRCreator of a function.
type creator func(ctx context.Context, req *csr.Request) (*csr.Response, error)

func (f creator) CreateCdnCertificateSigningRequest(ctx context.Context, req *csr.Request) (*csr.Response, error) {
	return f(ctx, req)
}

func failing(err error) creator {
	return func(context.Context, *csr.Request) (*csr.Response, error) { return nil, err }
}

func localCreator() *csr.Generator {
	return &csr.Generator{Keys: new(csr.MemStore), Source: csr.P256}
}

// noTransport fails the test when something is sent.
func noTransport(t *testing.T) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		t.Errorf("%s was sent", r.Method)
		return nil, syscall.ECONNREFUSED
	})
}

// sample returns an answer from the operation's page.
func sample(tb testing.TB, file string) []byte {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "answers", file))
	require.NoError(tb, err)
	return text
}

// answeredClient returns a client whose only request is answered with body.
func answeredClient(t *testing.T, body string) *cdn.Client {
	t.Helper()
	client, err := cdn.NewClient(cdn.StaticCredentials(testCreds), &cdn.Options{
		MaxAttempts: 1, HTTPClient: &http.Client{Transport: answering(http.StatusOK, nil, []byte(body))},
	})
	require.NoError(t, err)
	return client
}
