// Package soak has one test, which runs for as long as its flag says:
//
//	go test ./internal/soak -soak 10m
package soak

import (
	"context"
	"crypto"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

var duration = flag.Duration("soak", 0, "run the soak test for this long")

const (
	workers       = 32 // with 64, the client's retry budget runs out
	callsPerRound = 400
	minRounds     = 3
)

// TestSoak makes calls with one client as fast as it can, against a fake CDN on
// loopback that fails in every way it knows. Each call must have the result in
// its script, and memory and goroutines must not grow.
func TestSoak(t *testing.T) {
	if *duration == 0 {
		t.Skip("set -soak to a duration, such as 30s")
	}
	s := newSoak(t)
	var samples []sample
	for end := time.Now().Add(*duration); time.Now().Before(end) || len(samples) < minRounds; {
		s.playRound(t)
		last := takeSample()
		samples = append(samples, last)
		t.Logf("%d calls, %.1f MB in use, %d goroutines", s.calls, float64(last.heap)/(1<<20), last.goroutines)
	}
	require.NoError(t, checkFlat(samples))
}

// soak is one client and its fake CDN.
type soak struct {
	client *cdn.Client
	creds  signer.Credentials
	key    crypto.Signer
	fake   atomic.Pointer[cdntest.API] // replaced in each round, so that it forgets nonces and keys
	calls  int
}

func newSoak(t *testing.T) *soak {
	t.Helper()
	s := &soak{creds: signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fake.Load().ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	var err error
	opts := &cdn.Options{Endpoint: srv.URL, Limiter: rate.NewLimiter(rate.Inf, 0)}
	s.client, err = cdn.NewClient(cdn.StaticCredentials(s.creds), opts)
	require.NoError(t, err)
	t.Cleanup(s.client.CloseIdleConnections)
	s.key, err = csr.P256.NewKey(t.Context())
	require.NoError(t, err)
	return s
}

// playRound lets every worker make its calls and waits for them.
func (s *soak) playRound(t *testing.T) {
	t.Helper()
	s.fake.Store(&cdntest.API{Credentials: []signer.Credentials{s.creds}, Source: fixedKey{s.key}})
	failed := make(chan error, workers)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := range callsPerRound {
				if err := s.playCall(t.Context(), s.calls+w*callsPerRound+i); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	group.Wait()
	close(failed)
	require.NoError(t, <-failed)
	s.calls += workers * callsPerRound
}

// playCall makes the nth call by the nth script.
func (s *soak) playCall(ctx context.Context, n int) error {
	script := scripts[n%len(scripts)]
	name := fmt.Sprintf("n%d.example.com", n)
	for _, fault := range script.faults {
		fault.Match = func(params map[string]string) bool { return params["CommonName"] == name }
		s.fake.Load().Inject(fault)
	}
	resp, err := s.client.CreateCdnCertificateSigningRequest(ctx, &csr.Request{CommonName: name})
	if !script.matches(resp, err, name) {
		return fmt.Errorf("call %d, %s: got %v, %w", n, script.name, resp, err)
	}
	return nil
}

// fixedKey is a csr.KeySource that always returns the same key, since the soak
// is not about making keys.
type fixedKey struct{ crypto.Signer }

func (k fixedKey) NewKey(context.Context) (crypto.Signer, error) { return k.Signer, nil }

// A script has the faults of a call, and its expected result.
type script struct {
	name     string
	faults   []cdntest.Fault
	kind     error // expected kind of the error, or nil for a CSR
	attempts int   // expected Attempts of the error
}

// matches reports whether a call had the result in the script.
func (s script) matches(resp *csr.Response, err error, name string) bool {
	if s.kind == nil {
		return err == nil && resp.CommonName == name && resp.Origin == csr.OriginCDN
	}
	e, ok := errors.AsType[*cdn.Error](err)
	return ok && errors.Is(err, s.kind) && e.Attempts == s.attempts
}

// scripts are played in turn. Most calls succeed at once: if more of them
// failed for good, the client's retry budget would run out.
var scripts = spread(100,
	script{name: "500", faults: []cdntest.Fault{{Status: 500, Code: "InternalError"}}},
	script{name: "500 twice", faults: []cdntest.Fault{{Status: 500, Code: "InternalError"}, {Status: 502}}},
	script{name: "dropped request", faults: []cdntest.Fault{{Drop: cdntest.DropRequest}}},
	script{name: "dropped body", faults: []cdntest.Fault{{Drop: cdntest.DropBody}}},
	script{name: "HTML page", faults: []cdntest.Fault{{Status: 502, Body: []byte("<html>Bad gateway</html>")}}},
	script{name: "null", faults: []cdntest.Fault{{Body: []byte("null")}}},
	script{
		name:   "throttled",
		faults: []cdntest.Fault{{Code: "Throttling.User", Header: http.Header{"X-Acs-Retry-After": {"20"}}}},
	},
	script{name: "nonce used", faults: []cdntest.Fault{{Code: "SignatureNonceUsed"}}},
	script{
		name: "denied", kind: cdn.ErrDenied, attempts: 1,
		faults: []cdntest.Fault{{Status: 403, Code: "Forbidden.RAM"}},
	},
	script{
		name: "invalid", kind: cdn.ErrInvalidRequest, attempts: 1,
		faults: []cdntest.Fault{{Code: "InvalidParameter"}},
	},
	script{
		name: "throttled for a minute", kind: cdn.ErrThrottled, attempts: 1,
		faults: []cdntest.Fault{{Code: "Throttling", Header: http.Header{"Retry-After": {"60"}}}},
	},
	script{
		name: "unavailable", kind: cdn.ErrUnavailable, attempts: 4,
		faults: []cdntest.Fault{{Status: 503}, {Status: 503}, {Drop: cdntest.DropRequest}, {Drop: cdntest.DropBody}},
	},
)

// spread returns n scripts: the faulty ones at equal distances among calls that
// succeed.
func spread(n int, faulty ...script) []script {
	all := make([]script, n)
	for i := range all {
		all[i].name = "success"
	}
	for i, s := range faulty {
		all[i*n/len(faulty)] = s
	}
	return all
}

// A sample is taken after a round, when no call is in progress.
type sample struct {
	heap       uint64 // bytes in use after a collection
	goroutines int
}

func takeSample() sample {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return sample{heap: stats.HeapAlloc, goroutines: runtime.NumGoroutine()}
}

// checkFlat compares the maxima of the last third of the samples with those of
// the first third. It leaves out the first sample, since the first round opens
// the connections.
func checkFlat(samples []sample) error {
	third := max(1, len(samples)/3)
	early, late := maxima(samples[1:1+third]), maxima(samples[len(samples)-third:])
	if late.heap > early.heap+early.heap/4+1<<20 {
		return fmt.Errorf("memory grew from %d to %d bytes", early.heap, late.heap)
	}
	if late.goroutines > early.goroutines+8 {
		return fmt.Errorf("goroutines grew from %d to %d", early.goroutines, late.goroutines)
	}
	return nil
}

func maxima(samples []sample) sample {
	var m sample
	for _, s := range samples {
		m.heap, m.goroutines = max(m.heap, s.heap), max(m.goroutines, s.goroutines)
	}
	return m
}

func TestCheckFlat_FindsGrowth(t *testing.T) {
	flat := []sample{
		{heap: 1 << 20}, {heap: 4 << 20, goroutines: 70}, {heap: 4 << 20, goroutines: 72}, {heap: 5 << 20, goroutines: 78},
	}
	require.NoError(t, checkFlat(flat))
	assert.ErrorContains(t, checkFlat(append(flat[:3:3], sample{heap: 7 << 20})), "memory grew")
	assert.ErrorContains(t, checkFlat(append(flat[:3:3], sample{goroutines: 79})), "goroutines grew")
}
