package cdn_test

import (
	"context"
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
				s := newFixture(t, &test.options)
				s.api.Inject(test.script...)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				time.AfterFunc(5*time.Second, cancel)
				start := time.Now()
				_, err := s.client.CreateCdnCertificateSigningRequest(ctx, request)
				require.Equal(t, 5*time.Second, time.Since(start), "it did not return at once")
				require.ErrorIs(t, err, context.Canceled)
				s.requireNoSecret(t, err)
				if test.last != "" {
					require.Equal(t, test.last, asError(t, err).Code)
					require.Equal(t, len(s.attempts), asError(t, err).Attempts)
				}
			})
		})
	}
}

func TestContext_EndedBeforeNothingIsSent(t *testing.T) {
	s := newFixture(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.client.CreateCdnCertificateSigningRequest(ctx, request)
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, s.attempts)
	require.Empty(t, s.signatures)
}

func TestAttemptTimeout_EndsAnAttemptAndNotTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFixture(t, nil)
		s.api.Inject(cdntest.Fault{Wait: time.Hour})
		_, err := s.client.CreateCdnCertificateSigningRequest(t.Context(), request)
		require.NoError(t, err)
		require.Len(t, s.attempts, 2)
		require.Equal(t, 10*time.Second, s.attempts[0].Duration)

		s.api.Inject(always(cdntest.Fault{Wait: time.Hour})...)
		_, err = s.client.CreateCdnCertificateSigningRequest(t.Context(), request)
		requireKind(t, err, cdn.ErrUnavailable)
		require.NotErrorIs(t, err, context.DeadlineExceeded, "the caller's context has not ended")
		require.ErrorContains(t, err, "no answer within 10s")
		require.Equal(t, 4, asError(t, err).Attempts)
	})
}
