package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

var creds = signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}

// fixture is a service and its fake CDN, without sockets.
type fixture struct {
	*service
	fake *cdntest.API
	keys *csr.MemStore
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	fake := &cdntest.API{Credentials: []signer.Credentials{creds}, Source: csr.P256}
	keys := new(csr.MemStore)
	opts := &cdn.Options{HTTPClient: &http.Client{Transport: fake}, MaxAttempts: 1}
	local := &csr.Generator{Keys: keys, Source: csr.P256}
	svc, err := newService(cdn.StaticCredentials(creds), opts, local, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return &fixture{svc, fake, keys}
}

// do sends a request to the service and decodes the response into v.
func (s *fixture) do(t *testing.T, method, path string, v any) (status int) {
	t.Helper()
	w := httptest.NewRecorder()
	s.routes().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, nil))
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), v), w.Body)
	return w.Code
}

func (s *fixture) csrsFrom(t *testing.T) string {
	t.Helper()
	var health struct{ CSRsFrom string }
	require.Equal(t, http.StatusOK, s.do(t, "GET", "/healthz", &health))
	return health.CSRsFrom
}

func TestService_ReportsWhoMadeTheCSR(t *testing.T) {
	s := newFixture(t)
	assert.Equal(t, "unknown", s.csrsFrom(t))
	var got answer
	require.Equal(t, http.StatusCreated, s.do(t, "POST", "/csrs/example.com", &got))
	assert.Equal(t, "CDN", got.Origin)
	parsed, err := got.CertificateRequest()
	require.NoError(t, err)
	assert.Equal(t, []string{"example.com", "www.example.com"}, parsed.DNSNames)
	_, err = s.fake.Keys.Get(t.Context(), got.PubMd5)
	require.NoError(t, err)
	assert.Equal(t, "CDN", s.csrsFrom(t))

	s.fake.Inject(cdntest.Fault{Code: "Throttling"}) // does not open the breaker
	require.Equal(t, http.StatusCreated, s.do(t, "POST", "/csrs/*.example.com", &got))
	assert.Equal(t, "local", s.csrsFrom(t))
	parsed, err = got.CertificateRequest()
	require.NoError(t, err)
	assert.Equal(t, []string{"*.example.com"}, parsed.DNSNames, "www name of a wildcard")
}

func TestService_ValidatesBeforeTheCall(t *testing.T) {
	s := newFixture(t)
	s.fake.OnRequest = func(cdntest.Request) { t.Error("the CDN was called") }
	var refusal map[string]string
	require.Equal(t, http.StatusBadRequest, s.do(t, "POST", "/csrs/"+strings.Repeat("a", 5000)+".example", &refusal))
	assert.Contains(t, refusal["Error"], "more than 63")
}

func TestService_FallsBackDuringAnOutageAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFixture(t)
		const failures = 5 // the default of BreakerOptions.Failures
		for range failures {
			s.fake.Inject(cdntest.Fault{Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable"})
		}
		for range failures + 1 { // the last call finds the breaker open
			var got answer
			require.Equal(t, http.StatusCreated, s.do(t, "POST", "/csrs/example.com", &got))
			assert.Equal(t, "local", got.Origin)
			_, err := s.keys.Get(t.Context(), got.PubMd5)
			require.NoError(t, err)
		}
		assert.Equal(t, "local", s.csrsFrom(t))

		<-time.After(time.Minute)
		var got answer
		require.Equal(t, http.StatusCreated, s.do(t, "POST", "/csrs/example.com", &got))
		assert.Equal(t, "CDN", got.Origin)
		assert.Equal(t, "CDN", s.csrsFrom(t))

		var metrics map[string]float64
		require.Equal(t, http.StatusOK, s.do(t, "GET", "/metrics", &metrics))
		delete(metrics, "attempt_seconds")
		assert.Equal(t, map[string]float64{
			"attempts": 6, "attempts_failed": 5, "fallbacks": 6, "csrs_local": 6, "csrs_CDN": 1,
		}, metrics)
	})
}

func TestService_StatusByKindOfError(t *testing.T) {
	clientOf := func(f *fixture) cdn.CSRCreator { return f.creator.(*cdn.Fallback).Primary }
	bothFail := func(f *fixture) cdn.CSRCreator {
		f.creator.(*cdn.Fallback).Secondary = &csr.Generator{} // without a key store
		return f.creator
	}
	for name, tc := range map[string]struct {
		fault   cdntest.Fault
		creator func(*fixture) cdn.CSRCreator
		status  int
		text    string
	}{
		"invalid request":               {cdntest.Fault{Code: "InvalidParameter", Message: "not this one"}, clientOf, 400, "not this"},
		"denied":                        {cdntest.Fault{Code: "Forbidden.RAM", Message: "no permission"}, clientOf, 500, "service's log"},
		"unavailable":                   {cdntest.Fault{Status: http.StatusBadGateway}, clientOf, 503, "try again later"},
		"throttled":                     {cdntest.Fault{Code: "Throttling"}, clientOf, 503, "try again later"},
		"unavailable, and no key store": {cdntest.Fault{Status: http.StatusBadGateway}, bothFail, 500, "service's log"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.creator = tc.creator(f)
			f.fake.Inject(tc.fault)
			var body struct{ Error string }
			assert.Equal(t, tc.status, f.do(t, "POST", "/csrs/example.com", &body))
			assert.Contains(t, body.Error, tc.text)
		})
	}
}

func TestService_RunsUntilInterrupted(t *testing.T) {
	srv := cdntest.NewServer(t)
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "testid")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "testsecret")
	t.Setenv("ALIBABA_CLOUD_SECURITY_TOKEN", "")
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	stderr, w := io.Pipe()
	status := make(chan int, 1)
	keys := filepath.Join(t.TempDir(), "keys")
	go func() {
		status <- run(ctx, []string{"-addr", "127.0.0.1:0", "-endpoint", srv.URL, "-keys", keys}, io.Discard, w)
		_ = w.Close() // never fails
	}()
	line := make([]byte, 4096)
	n, err := stderr.Read(line)
	require.NoError(t, err)
	url := regexp.MustCompile(`url=(http://127\.0\.0\.1:[0-9]+)\n`).FindSubmatch(line[:n])
	require.NotNil(t, url, string(line[:n]))
	rest := make(chan []byte, 1)
	go func() {
		all, _ := io.ReadAll(stderr) // until EOF
		rest <- all
	}()

	resp, err := http.Post(string(url[1])+"/csrs/example.com", "", nil)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusCreated, resp.StatusCode)
	interrupt()
	assert.Zero(t, <-status)
	log := string(<-rest)
	assert.Contains(t, log, `msg="CSR made" domain=example.com origin=CDN`)
	assert.NotContains(t, log, "testsecret")
	_, err = os.Stat(keys)
	assert.ErrorIs(t, err, os.ErrNotExist, "the CDN holds the key")
}

func TestService_RequiresCredentialsToStart(t *testing.T) {
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "")
	var stderr bytes.Buffer
	assert.Equal(t, 1, run(t.Context(), []string{"-addr", "127.0.0.1:0"}, io.Discard, &stderr))
	assert.Contains(t, stderr.String(), "ALIBABA_CLOUD_ACCESS_KEY_ID")
}

func TestService_WrongUsage(t *testing.T) {
	for why, args := range map[string][]string{
		`unexpected argument "start"`: {"start"},
		`"http://192.0.2.1"`:          {"-endpoint", "http://192.0.2.1"},
		"not defined: -port":          {"-port", "1"},
	} {
		var stderr bytes.Buffer
		assert.Equal(t, 2, run(t.Context(), args, io.Discard, &stderr))
		assert.Equal(t, 1, strings.Count(stderr.String(), "\n"))
		assert.Contains(t, stderr.String(), why)
	}
}
