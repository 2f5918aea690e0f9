package cdn_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

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
	s := &fixture{api: &cdntest.API{Credentials: []signer.Credentials{testCreds}, Source: csr.P256}}
	var own cdn.Options
	if opts != nil {
		own = *opts
	}
	var transport http.RoundTripper = s.api
	if own.HTTPClient != nil {
		transport = own.HTTPClient.Transport
	}
	own.HTTPClient = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		s.record(r)
		return transport.RoundTrip(r)
	})}
	s.newClient(t, &own)
	return s
}

// newClient makes the client, which s watches.
func (s *fixture) newClient(t *testing.T, opts *cdn.Options) {
	t.Helper()
	opts.Logger = slog.New(slog.NewJSONHandler(&s.logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	opts.OnAttempt = func(_ context.Context, a cdn.Attempt) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.attempts = append(s.attempts, a)
	}
	client, err := cdn.NewClient(cdn.StaticCredentials(testCreds), opts)
	require.NoError(t, err)
	s.client = client
}

// sent returns the number of requests that were sent.
func (s *fixture) sent() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.attempts)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// unlimited is a limiter that makes nobody wait.
type unlimited struct{}

func (unlimited) Wait(context.Context) error { return nil }

// record keeps the signature of a request, wherever it is.
func (s *fixture) record(r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
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
	s.signatures = append(s.signatures, signature)
}

// requireNoSecret looks for the credentials and every signature in err, in
// whatever way it is printed, and in what was logged and reported.
func (s *fixture) requireNoSecret(t *testing.T, err error) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	shown := s.logged.String() + printed(t, err)
	for _, a := range s.attempts {
		shown += fmt.Sprintf("%v %+v %#v", a, a, a) + printed(t, a.Err)
	}
	for _, secret := range append([]string{testCreds.AccessKeyID, testCreds.AccessKeySecret, testCreds.SecurityToken}, s.signatures...) {
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
