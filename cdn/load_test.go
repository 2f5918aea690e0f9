package cdn_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/time/rate"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// traceConnections counts the connections that calls with the context open.
func traceConnections(ctx context.Context, opened *atomic.Int64) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		ConnectDone: func(_, _ string, err error) {
			if err == nil {
				opened.Add(1)
			}
		},
	})
}

func TestLoad_64GoroutinesOnOneClient(t *testing.T) {
	defer requireNoLeak(t, goleak.IgnoreCurrent())
	var open, most, total atomic.Int64
	api := &cdntest.API{Credentials: []signer.Credentials{testCreds}, Source: oneKey(t)}
	srv := httptest.NewUnstartedServer(api)
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			total.Add(1)
			now := open.Add(1)
			for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
			}
		case http.StateClosed, http.StateHijacked:
			open.Add(-1)
		}
	}
	srv.Start()
	client, err := cdn.NewClient(cdn.StaticCredentials(testCreds), &cdn.Options{Endpoint: srv.URL, Limiter: rate.NewLimiter(rate.Inf, 0)})
	require.NoError(t, err)
	var group sync.WaitGroup
	for g := range 64 {
		group.Go(func() {
			for i := range 20 {
				name := strconv.Itoa(g) + "-" + strconv.Itoa(i) + ".example.com"
				resp, err := client.CreateCdnCertificateSigningRequest(t.Context(), &csr.Request{CommonName: name})
				if err != nil || resp.CommonName != name {
					t.Errorf("%s: %v %v", name, resp, err)
					return
				}
			}
		})
	}
	group.Wait()
	require.LessOrEqual(t, total.Load(), int64(64), "connections opened")
	require.LessOrEqual(t, most.Load(), int64(64), "connections at once")
	client.CloseIdleConnections()
	srv.Close() // waits until every connection is closed
	require.Zero(t, open.Load())
}

// requireNoLeak gives goroutines that are about to end some time to do so.
func requireNoLeak(t *testing.T, others goleak.Option) {
	t.Helper()
	err := goleak.Find(others)
	for range 10 {
		if err == nil {
			return
		}
		err = goleak.Find(others) // waits a little by itself
	}
	require.NoError(t, err)
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func gzipped(t *testing.T, r io.Reader) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.Copy(w, r)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func TestMemory_ManyTokensInOneElement(t *testing.T) {
	xml := "<Error><Code>Forbidden</Code><Message>" + strings.Repeat("a<x/>", 1<<20/6) + "</Message></Error>"
	f := newFixture(t, &cdn.Options{MaxAttempts: 1})
	f.api.Inject(body(403, "text/xml", xml))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
	runtime.ReadMemStats(&after)
	require.ErrorIs(t, err, cdn.ErrDenied)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<30), "a copy of the value for each token is many GiB")
}

func TestMemory_ABodyOf1MiBIsRead(t *testing.T) {
	whole := []byte(wholeJSON + strings.Repeat(" ", 1<<20-len(wholeJSON)))
	_, err := answeredClient(t, string(whole)).CreateCdnCertificateSigningRequest(t.Context(), request)
	require.NoError(t, err)
	_, err = answeredClient(t, string(whole)+" ").CreateCdnCertificateSigningRequest(t.Context(), request)
	require.ErrorIs(t, err, cdn.ErrUnavailable)
	require.ErrorContains(t, err, "more than 1048576 bytes")
}

func TestMemory_HugeBodiesAreCutAt1MiB(t *testing.T) {
	const huge = 1 << 30
	bomb := bytes.Repeat(gzipped(t, io.LimitReader(zeros{}, 1<<20)), huge>>20) // members of a gzip file add up
	tests := map[string]http.HandlerFunc{
		"1 GiB": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(huge))
			_, _ = io.Copy(w, io.LimitReader(zeros{}, huge)) // the client leaves
		},
		"1 GiB without length": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.Copy(w, io.LimitReader(zeros{}, huge)) // the client leaves
		},
		"gzip bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb) // the client leaves
		},
	}
	for name, handler := range tests {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(handler)
			defer srv.Close()
			opts := &cdn.Options{Endpoint: srv.URL, MaxAttempts: 1}
			if name == "gzip bomb" {
				opts.HTTPClient = srv.Client() // which asks for it, as the client's own transport does not
			}
			client, err := cdn.NewClient(cdn.StaticCredentials(testCreds), opts)
			require.NoError(t, err)
			defer client.CloseIdleConnections()
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err = client.CreateCdnCertificateSigningRequest(t.Context(), request)
			runtime.ReadMemStats(&after)
			require.ErrorIs(t, err, cdn.ErrUnavailable)
			require.ErrorContains(t, err, "1048576 bytes")
			if !raceEnabled {
				require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(8<<20), "allocated in all, collected or not")
			}
		})
	}
}
