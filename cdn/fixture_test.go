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

// request is the smallest that there is.
var request = &csr.Request{CommonName: "example.com"}

// signers are the three ways of sending a call.
var signers = map[string]signer.Signer{"RPC": signer.RPC{}, "RPC GET": signer.RPC{Method: http.MethodGet}, "ACS3": signer.ACS3{}}

// A scene is a client and everything that it sends and shows. Its API is the fake, called without a socket unless the options
// name another HTTPClient.
type fixture struct {
	api      *cdntest.API
	client   *cdn.Client
	attempts []cdn.Attempt

	mu         sync.Mutex
	signatures []string     // of every request that was sent
	logged     bytes.Buffer // by the client
}

// newFixture is a scene of opts, which may be nil.
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
	own.Logger = slog.New(slog.NewJSONHandler(&s.logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	own.OnAttempt = func(_ context.Context, a cdn.Attempt) { s.attempts = append(s.attempts, a) }
	client, err := cdn.NewClient(cdn.StaticCredentials(testCreds), &own)
	require.NoError(t, err)
	s.client = client
	return s
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

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

// requireNoSecret looks for the credentials and every signature in all forms of err, and in what was logged and reported.
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

// printed is err and every error in it, as each way of printing shows them.
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

// asError is the *cdn.Error in err.
func asError(t *testing.T, err error) *cdn.Error {
	t.Helper()
	var e *cdn.Error
	require.True(t, errors.As(err, &e), "%v", err)
	return e
}

// requireKind holds that err matches this sentinel and no other.
func requireKind(t *testing.T, err, kind error) {
	t.Helper()
	for _, sentinel := range []error{cdn.ErrUnavailable, cdn.ErrThrottled, cdn.ErrDenied, cdn.ErrInvalidRequest, cdn.ErrNoCredentials} {
		require.Equal(t, sentinel == kind, errors.Is(err, sentinel), "%v: is %v", err, sentinel)
	}
}
