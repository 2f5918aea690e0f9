package cdn_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
)

func TestContext_EndsACallWhereverItIs(t *testing.T) {
	exhausted := rate.NewLimiter(rate.Every(time.Hour), 1)
	tests := map[string]struct {
		options cdn.Options
		script  []cdntest.Fault
		last    string // the code of the last answer before
	}{
		"during the first attempt":  {cdn.Options{}, []cdntest.Fault{{Wait: 9 * time.Second}}, ""},
		"during a later attempt":    {cdn.Options{}, []cdntest.Fault{{Code: "InternalError", Status: 500}, {Wait: 9 * time.Second}}, "InternalError"},
		"during a wait":             {cdn.Options{}, []cdntest.Fault{{Code: "Throttling", Header: http.Header{"Retry-After": {"15"}}}}, "Throttling"},
		"during the limiter's wait": {cdn.Options{Limiter: exhausted}, []cdntest.Fault{{Code: "InternalError", Status: 500}}, "InternalError"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, &test.options)
				f.api.Inject(test.script...)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				time.AfterFunc(5*time.Second, cancel)
				start := time.Now()
				_, err := f.client.CreateCdnCertificateSigningRequest(ctx, request)
				require.Equal(t, 5*time.Second, time.Since(start), "it did not return at once")
				require.ErrorIs(t, err, context.Canceled)
				f.requireNoSecret(t, err)
				if test.last != "" {
					require.Equal(t, test.last, asError(t, err).Code)
					require.Equal(t, len(f.attempts), asError(t, err).Attempts)
				}
			})
		})
	}
}

// TestContext_EndsAsAnAnswerComes has an answer that would be tried again.
func TestContext_EndsAsAnAnswerComes(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	f := newFixture(t, &cdn.Options{HTTPClient: &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		cancel(errors.New("shutting down"))
		return answering(503, nil, []byte(`{"Code":"ServiceBusy"}`)).RoundTrip(r)
	})}})
	_, err := f.client.CreateCdnCertificateSigningRequest(ctx, request)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "shutting down")
	require.Equal(t, "ServiceBusy", asError(t, err).Code)
	require.Equal(t, 1, f.sent())
}

// TestContext_CauseIsKept ends a call in each place, for a reason.
func TestContext_CauseIsKept(t *testing.T) {
	reason := errors.New("shutting down")
	exhausted := rate.NewLimiter(rate.Every(time.Hour), 1)
	exhausted.Allow()
	tests := map[string]struct {
		options cdn.Options
		fault   cdntest.Fault
	}{
		"during an attempt":         {cdn.Options{}, cdntest.Fault{Wait: 9 * time.Second}},
		"during a wait":             {cdn.Options{}, cdntest.Fault{Code: "Throttling", Header: http.Header{"Retry-After": {"15"}}}},
		"during the limiter's wait": {cdn.Options{Limiter: exhausted}, cdntest.Fault{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, &test.options)
				f.api.Inject(test.fault)
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(5*time.Second, func() { cancel(reason) })
				_, err := f.client.CreateCdnCertificateSigningRequest(ctx, request)
				require.ErrorIs(t, err, context.Canceled)
				require.ErrorIs(t, err, reason)
			})
		})
	}
}

func TestContext_EndedBeforeNothingIsSent(t *testing.T) {
	f := newFixture(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := f.client.CreateCdnCertificateSigningRequest(ctx, request)
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, f.attempts)
	require.Empty(t, f.signatures)
}

func TestAttemptTimeout_EndsAnAttemptAndNotTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.api.Inject(cdntest.Fault{Wait: time.Hour})
		_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
		require.NoError(t, err)
		require.Len(t, f.attempts, 2)
		require.Equal(t, 10*time.Second, f.attempts[0].Duration)

		f.api.Inject(always(cdntest.Fault{Wait: time.Hour})...)
		_, err = f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
		requireKind(t, err, cdn.ErrUnavailable)
		require.NotErrorIs(t, err, context.DeadlineExceeded, "the caller's context has not ended")
		require.ErrorContains(t, err, "no answer within 10s")
		require.Equal(t, 4, asError(t, err).Attempts)
	})
}
