package cdn_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/signer"
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

func TestLimiter_EveryAttemptCountsAndIsEvenlySpaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFixture(t, nil)
		start := time.Now()
		for range 500 {
			_, err := s.client.CreateCdnCertificateSigningRequest(t.Context(), request)
			require.NoError(t, err)
		}
		require.Equal(t, 499*10*time.Millisecond, time.Since(start).Round(time.Millisecond))
	})
	synctest.Test(t, func(t *testing.T) {
		counted := &counter{}
		s := newFixture(t, &cdn.Options{Limiter: counted})
		s.api.Inject(always(cdntest.Fault{Drop: cdntest.DropConnection})...)
		_, err := s.client.CreateCdnCertificateSigningRequest(t.Context(), request)
		requireKind(t, err, cdn.ErrUnavailable)
		require.Equal(t, 4, counted.n)
	})
}

type counter struct{ n int }

func (c *counter) Wait(context.Context) error { c.n++; return nil }

func TestLimiter_DeadlineTooNearIsThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFixture(t, &cdn.Options{Limiter: rate.NewLimiter(rate.Every(time.Minute), 1)})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		s.api.Inject(cdntest.Fault{Status: 500, Code: "InternalError"})
		start := time.Now()
		_, err := s.client.CreateCdnCertificateSigningRequest(ctx, request)
		require.ErrorIs(t, err, cdn.ErrThrottled)
		require.Less(t, time.Since(start), time.Second, "only the backoff was waited for")
		require.Equal(t, 1, asError(t, err).Attempts)
		require.ErrorIs(t, err, cdn.ErrUnavailable, "the last answer is kept")

		_, err = s.client.CreateCdnCertificateSigningRequest(ctx, request)
		requireKind(t, err, cdn.ErrThrottled)
		require.Zero(t, asError(t, err).Attempts)
	})
}

func TestBudget_ManyCallsDoNotMultiplyAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFixture(t, &cdn.Options{Limiter: &counter{}})
		const calls = 200
		for range calls * 4 {
			s.api.Inject(cdntest.Fault{Status: 503, Code: "ServiceUnavailable"})
		}
		var err error
		for range calls {
			_, err = s.client.CreateCdnCertificateSigningRequest(t.Context(), request)
			requireKind(t, err, cdn.ErrUnavailable)
		}
		require.Equal(t, calls+500/5, len(s.attempts), "the budget's retries and no more")
		require.ErrorContains(t, err, "budget")
	})
}

func TestBudget_SuccessGivesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFixture(t, &cdn.Options{Limiter: &counter{}})
		for range 1000 { // each retry is paid back by its success
			s.api.Inject(cdntest.Fault{Status: 503, Code: "ServiceUnavailable"})
			_, err := s.client.CreateCdnCertificateSigningRequest(t.Context(), request)
			require.NoError(t, err)
		}
	})
}

func TestCredentials_MissingOrOutOfReach(t *testing.T) {
	source := func(err error) cdn.CredentialSource {
		return cdn.CredentialFunc(func(context.Context) (signer.Credentials, error) { return signer.Credentials{}, err })
	}
	missing := &fs.PathError{Op: "open", Path: "config.json", Err: syscall.ENOENT}
	tests := map[string]struct {
		source cdn.CredentialSource
		want   error
	}{
		"nothing":           {cdn.StaticCredentials(signer.Credentials{}), cdn.ErrNoCredentials},
		"no secret":         {cdn.StaticCredentials(signer.Credentials{AccessKeyID: "id"}), cdn.ErrNoCredentials},
		"a secret with LF":  {cdn.StaticCredentials(signer.Credentials{AccessKeyID: "id", AccessKeySecret: "hidden\n"}), cdn.ErrNoCredentials},
		"an error":          {source(errors.New("no role")), cdn.ErrNoCredentials},
		"a missing file":    {source(missing), cdn.ErrNoCredentials},
		"a refused request": {source(fmt.Errorf("role: %w", urlError{}.err())), cdn.ErrUnavailable},
		"a refused dial":    {source(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}), cdn.ErrUnavailable},
		"an unknown host":   {source(&net.DNSError{IsNotFound: true}), cdn.ErrUnavailable},
		"a time-out":        {source(os.ErrDeadlineExceeded), cdn.ErrUnavailable},
		"its own word":      {source(fmt.Errorf("vault: %w", cdn.ErrUnavailable)), cdn.ErrUnavailable},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			client, err := cdn.NewClient(test.source, &cdn.Options{HTTPClient: &http.Client{Transport: noTransport(t)}})
			require.NoError(t, err)
			_, err = client.CreateCdnCertificateSigningRequest(t.Context(), request)
			require.ErrorIs(t, err, test.want)
			require.Equal(t, test.want == cdn.ErrUnavailable, cdn.ShouldFallBack(err))
			require.NotContains(t, printed(t, err), "hidden")
		})
	}
}
