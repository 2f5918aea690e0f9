package cdn_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
)

// scripted is a creator that fails with err, if that is set, and counts its
// calls.
type scripted struct {
	err   error
	calls int
}

func (s *scripted) CreateCdnCertificateSigningRequest(context.Context, *csr.Request) (*csr.Response, error) {
	s.calls++
	if s.err != nil {
		return nil, s.err
	}
	return &csr.Response{Csr: "x"}, nil
}

func newBreaker(t *testing.T, behind cdn.CSRCreator, opts *cdn.BreakerOptions) *cdn.Breaker {
	t.Helper()
	b, err := cdn.NewBreaker(behind, opts)
	require.NoError(t, err)
	return b
}

func TestBreaker_OpensProbesAndCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		behind := &scripted{err: cdn.ErrUnavailable}
		b := newBreaker(t, behind, &cdn.BreakerOptions{
			Failures: 3, ProbeInterval: 10 * time.Second,
			Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		})
		ask := func() error {
			_, err := b.CreateCdnCertificateSigningRequest(t.Context(), request)
			return err
		}
		for range 20 {
			require.ErrorIs(t, ask(), cdn.ErrUnavailable)
		}
		require.Equal(t, 3, behind.calls)
		require.True(t, b.IsOpen())

		time.Sleep(11 * time.Second)
		require.Error(t, ask()) // the probe
		require.Error(t, ask())
		require.Equal(t, 4, behind.calls, "one probe an interval")

		behind.err = nil
		require.Error(t, ask(), "not before the next probe")
		time.Sleep(11 * time.Second)
		require.NoError(t, ask())
		require.NoError(t, ask())
		require.False(t, b.IsOpen())
		var got []string
		for line := range strings.Lines(log.String()) {
			_, record, _ := strings.Cut(strings.TrimSpace(line), " ") // after the time
			got = append(got, record)
		}
		require.Equal(t, []string{
			`level=WARN msg="cdn: breaker" from=closed to=open`,
			`level=DEBUG msg="cdn: breaker" from=open to=half-open`,
			`level=DEBUG msg="cdn: breaker" from=half-open to=open`,
			`level=DEBUG msg="cdn: breaker" from=open to=half-open`,
			`level=WARN msg="cdn: breaker" from=half-open to=closed`,
		}, got)
	})
}

func TestBreaker_OneProbeAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		slow := creator(func(context.Context, *csr.Request) (*csr.Response, error) {
			calls++
			time.Sleep(time.Second)
			return nil, cdn.ErrUnavailable
		})
		b := newBreaker(t, slow, &cdn.BreakerOptions{Failures: 1})
		_, _ = b.CreateCdnCertificateSigningRequest(t.Context(), request)
		time.Sleep(6 * time.Second)
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() { _, _ = b.CreateCdnCertificateSigningRequest(t.Context(), request) })
		}
		group.Wait()
		require.Equal(t, 2, calls)
	})
}

// TestBreaker_ProbeWithoutAnOutcome lets a probe end in every way that tells
// nothing about the service: the breaker stays open, and lets the next one
// through.
func TestBreaker_ProbeWithoutAnOutcome(t *testing.T) {
	cancelled := func(ctx context.Context) context.Context {
		ctx, cancel := context.WithCancel(ctx)
		time.AfterFunc(time.Second, cancel)
		return ctx
	}
	same := func(ctx context.Context) context.Context { return ctx }
	tests := map[string]struct {
		ctx   func(context.Context) context.Context
		probe creator
	}{
		"hangs": {same, func(context.Context, *csr.Request) (*csr.Response, error) {
			time.Sleep(24 * time.Hour)
			return nil, nil
		}},
		"hangs, and is given up": {cancelled, func(ctx context.Context, _ *csr.Request) (*csr.Response, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}},
		"panics":              {same, func(context.Context, *csr.Request) (*csr.Response, error) { panic("probe") }},
		"ends its goroutine":  {same, func(context.Context, *csr.Request) (*csr.Response, error) { runtime.Goexit(); return nil, nil }},
		"is throttled":        {same, failing(cdn.ErrThrottled)},
		"has no credentials":  {same, failing(cdn.ErrNoCredentials)},
		"is a wrong request":  {same, failing(csr.FieldErrors{{Field: "CommonName"}})},
		"fails in a new way":  {same, failing(errors.New("new"))},
		"finds it still away": {same, failing(cdn.ErrUnavailable)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			playProbe(t, test.ctx, test.probe)
		})
	}
}

func playProbe(t *testing.T, probeContext func(context.Context) context.Context, probe creator) {
	synctest.Test(t, func(t *testing.T) {
		behind := failing(cdn.ErrUnavailable)
		b := newBreaker(t, creator(func(ctx context.Context, req *csr.Request) (*csr.Response, error) { return behind(ctx, req) }),
			&cdn.BreakerOptions{Failures: 1})
		_, _ = b.CreateCdnCertificateSigningRequest(t.Context(), request) // opens it
		time.Sleep(6 * time.Second)
		behind = probe
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer func() { _ = recover() }() // a probe may panic
			_, _ = b.CreateCdnCertificateSigningRequest(probeContext(t.Context()), request)
		}()
		synctest.Wait()
		require.True(t, b.IsOpen())
		behind = localCreator().CreateCdnCertificateSigningRequest
		time.Sleep(2 * time.Minute) // more than a probe may take
		_, err := b.CreateCdnCertificateSigningRequest(t.Context(), request)
		require.NoError(t, err)
		require.False(t, b.IsOpen())
		<-done
		require.False(t, b.IsOpen())
	})
}

// TestBreaker_ProbeHasItsTime has probes that are answered before and after
// their time is up.
func TestBreaker_ProbeHasItsTime(t *testing.T) {
	for name, test := range map[string]struct {
		interval, takes time.Duration
		want            bool // open
	}{
		"a minute":               {0, 59 * time.Second, false},
		"more than a minute":     {0, 61 * time.Second, true},
		"a long interval":        {2 * time.Minute, 119 * time.Second, false},
		"more than the interval": {2 * time.Minute, 121 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				behind := failing(cdn.ErrUnavailable)
				b := newBreaker(t, creator(func(ctx context.Context, req *csr.Request) (*csr.Response, error) { return behind(ctx, req) }),
					&cdn.BreakerOptions{Failures: 1, ProbeInterval: test.interval})
				_, _ = b.CreateCdnCertificateSigningRequest(t.Context(), request) // opens it
				time.Sleep(2*time.Minute + time.Second)
				behind = func(context.Context, *csr.Request) (*csr.Response, error) {
					time.Sleep(test.takes)
					return nil, nil
				}
				_, err := b.CreateCdnCertificateSigningRequest(t.Context(), request) // the probe
				require.NoError(t, err)
				require.Equal(t, test.want, b.IsOpen())
			})
		})
	}
}

func TestBreaker_CountsUnavailableAlone(t *testing.T) {
	tests := map[string]struct {
		err   error
		opens bool
	}{
		"unavailable":    {&cdn.Error{StatusCode: 502}, true},
		"throttled":      {&cdn.Error{Code: "Throttling"}, false},
		"denied":         {&cdn.Error{Code: "Forbidden"}, false},
		"invalid":        {csr.ErrInvalidRequest, false},
		"no credentials": {cdn.ErrNoCredentials, false},
		"unknown":        {errors.New("x"), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBreaker(t, failing(test.err), nil)
			for range 10 {
				_, err := b.CreateCdnCertificateSigningRequest(t.Context(), request)
				require.Error(t, err)
			}
			require.Equal(t, test.opens, b.IsOpen())
		})
	}
}

func TestBreaker_CallersDeadlineDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := creator(func(ctx context.Context, _ *csr.Request) (*csr.Response, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		b := newBreaker(t, hangs, nil)
		for range 10 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err := b.CreateCdnCertificateSigningRequest(ctx, request)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			cancel()
		}
		require.False(t, b.IsOpen())
	})
}

func TestBreaker_CallerWhoLeavesDoesNotCount(t *testing.T) {
	b := newBreaker(t, creator(func(ctx context.Context, _ *csr.Request) (*csr.Response, error) { return nil, ctx.Err() }), nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 {
		_, err := b.CreateCdnCertificateSigningRequest(ctx, request)
		require.ErrorIs(t, err, context.Canceled)
	}
	require.False(t, b.IsOpen())
}

// The cause of a context that a caller ended may be the failure of another
// call, as that of an errgroup is. It says nothing about this one.
func TestBreaker_CauseOfACallerWhoLeavesDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, &cdn.Options{HTTPClient: &http.Client{Transport: roundTripper(
			func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() })}})
		b := newBreaker(t, f.client, nil)
		for range 10 {
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Second, func() { cancel(&cdn.Error{StatusCode: http.StatusServiceUnavailable}) })
			_, err := b.CreateCdnCertificateSigningRequest(ctx, request)
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorIs(t, err, cdn.ErrUnavailable, "of the other call")
		}
		require.False(t, b.IsOpen())
	})
}

// A service that answers everything, if slowly, is available, however many
// calls have to wait for a connection.
func TestBreaker_CallThatNeverLeftTheQueueDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		f := n.serve(t, answerAfter(time.Second), false, cdn.Options{})
		b := newBreaker(t, f.client, nil)
		fallback := cdn.Fallback{Primary: b, Secondary: localCreator(), PrimaryTimeout: 2500 * time.Millisecond}
		var local atomic.Int64
		var group sync.WaitGroup
		for range 300 {
			group.Go(func() {
				resp, err := fallback.CreateCdnCertificateSigningRequest(t.Context(), request)
				assert.NoError(t, err)
				if resp.Origin == csr.OriginLocal {
					local.Add(1)
				}
			})
		}
		group.Wait()
		require.Greater(t, local.Load(), int64(100))
		require.False(t, b.IsOpen())
	})
}

func TestBreaker_RequestThatIsNotSentDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := roundTripper(func(*http.Request) (*http.Response, error) { return nil, syscall.ECONNREFUSED })
		f := newFixture(t, &cdn.Options{MaxAttempts: 1, HTTPClient: &http.Client{Transport: down}})
		b := newBreaker(t, f.client, nil)
		for range 5 { // invalid requests in between do not keep it closed
			_, err := b.CreateCdnCertificateSigningRequest(t.Context(), request)
			require.ErrorIs(t, err, cdn.ErrUnavailable)
			_, err = b.CreateCdnCertificateSigningRequest(t.Context(), &csr.Request{})
			require.Error(t, err)
		}
		require.True(t, b.IsOpen())
		time.Sleep(6 * time.Second)
		_, err := b.CreateCdnCertificateSigningRequest(t.Context(), &csr.Request{})
		require.ErrorIs(t, err, cdn.ErrInvalidRequest)
		require.True(t, b.IsOpen(), "it closed without an answer")
	})
}

func TestBreaker_ReturnsTheErrorOfAContextThatHasEnded(t *testing.T) {
	b := newBreaker(t, failing(cdn.ErrUnavailable), &cdn.BreakerOptions{Failures: 1})
	_, _ = b.CreateCdnCertificateSigningRequest(t.Context(), request)
	require.True(t, b.IsOpen())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.CreateCdnCertificateSigningRequest(ctx, request)
	require.ErrorIs(t, err, context.Canceled)
}

// asking is a log handler that calls the breaker whose records it handles.
type asking struct {
	slog.Handler
	breaker **cdn.Breaker
	open    *bool
}

func (h asking) Handle(context.Context, slog.Record) error {
	*h.open = (*h.breaker).IsOpen()
	return nil
}

func TestBreaker_LoggerMayCallIt(t *testing.T) {
	var b *cdn.Breaker
	var open bool
	logger := slog.New(asking{slog.NewTextHandler(io.Discard, nil), &b, &open})
	b = newBreaker(t, failing(cdn.ErrUnavailable), &cdn.BreakerOptions{Failures: 1, Logger: logger})
	_, _ = b.CreateCdnCertificateSigningRequest(t.Context(), request)
	require.True(t, open)
}

func TestBreaker_CountsAPrimaryTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		swallows := creator(func(ctx context.Context, _ *csr.Request) (*csr.Response, error) {
			calls++
			<-ctx.Done()
			return nil, ctx.Err()
		})
		f := cdn.Fallback{Primary: newBreaker(t, swallows, nil), Secondary: localCreator(), PrimaryTimeout: time.Second}
		start := time.Now()
		for range 50 {
			resp, err := f.CreateCdnCertificateSigningRequest(t.Context(), request)
			require.NoError(t, err)
			require.Equal(t, csr.OriginLocal, resp.Origin)
		}
		require.Equal(t, 5, calls)
		require.Equal(t, 5*time.Second, time.Since(start))
	})
}

func TestNewBreaker_RefusesInvalidOptions(t *testing.T) {
	for _, nothing := range []cdn.CSRCreator{nil, (*cdn.Client)(nil), (*csr.Generator)(nil), creator(nil)} {
		_, err := cdn.NewBreaker(nothing, nil)
		require.ErrorContains(t, err, "nil CSRCreator")
	}
	_, err := cdn.NewBreaker(localCreator(), &cdn.BreakerOptions{Failures: -1})
	require.ErrorContains(t, err, "Failures")
	_, err = cdn.NewBreaker(localCreator(), &cdn.BreakerOptions{ProbeInterval: -1})
	require.ErrorContains(t, err, "ProbeInterval")
}
