package cdn_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/signer"
)

// quickClient returns a client whose calls are answered at once, at little cost.
func quickClient(t *testing.T, opts cdn.Options) *cdn.Client {
	t.Helper()
	opts.HTTPClient = &http.Client{Transport: answering(http.StatusOK, nil, []byte(wholeJSON))}
	client, err := cdn.NewClient(cdn.StaticCredentials(testCreds), &opts)
	require.NoError(t, err)
	return client
}

// patience returns the context of a caller who waits for a second, and what
// ends it early.
type patience func(context.Context) (context.Context, context.CancelFunc)

func untilCancelled(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	time.AfterFunc(time.Second, cancel)
	return ctx, cancel
}

func untilDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, time.Second)
}

// perLimiter runs a test with the default limiter, and with the same of the
// caller.
func perLimiter(t *testing.T, name string, test func(*testing.T, cdn.Limiter)) {
	t.Run(name, func(t *testing.T) { test(t, nil) })
	t.Run(name+", the caller's", func(t *testing.T) { test(t, rate.NewLimiter(100, 1)) })
}

var patiences = map[string]patience{"cancel": untilCancelled, "deadline": untilDeadline}

func TestLimiter_CallersWhoLeaveTakeNoTurn(t *testing.T) {
	for name, wait := range patiences {
		perLimiter(t, name, func(t *testing.T, limiter cdn.Limiter) {
			synctest.Test(t, func(t *testing.T) {
				client := quickClient(t, cdn.Options{Limiter: limiter})
				start := time.Now()
				var group sync.WaitGroup
				for range map[string]int{"cancel": 10_000, "deadline": 1000}[name] {
					group.Go(func() {
						ctx, cancel := wait(t.Context())
						defer cancel()
						_, _ = client.CreateCdnCertificateSigningRequest(ctx, request) // most have no turn within a second
					})
				}
				group.Wait()
				require.LessOrEqual(t, time.Since(start), time.Second, "they did not leave at once")
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				start = time.Now()
				_, err := client.CreateCdnCertificateSigningRequest(ctx, request)
				require.NoError(t, err)
				require.LessOrEqual(t, time.Since(start), 10*time.Millisecond)
			})
		})
	}
}

// TestLimiter_ServesAtItsRateWhileCallersLeave has twice as many callers as
// there are turns, each of whom leaves after a second, and beside them patient
// callers with a deadline of 20 s.
func TestLimiter_ServesAtItsRateWhileCallersLeave(t *testing.T) {
	const perSecond = 200
	for name, wait := range patiences {
		seconds := map[string]int{"cancel": 60, "deadline": 5}[name]
		perLimiter(t, name, func(t *testing.T, limiter cdn.Limiter) {
			synctest.Test(t, func(t *testing.T) {
				client := quickClient(t, cdn.Options{Limiter: limiter})
				served := make([]atomic.Int64, seconds+20)
				start := time.Now()
				call := func(ctx context.Context, cancel context.CancelFunc) error {
					defer cancel()
					_, err := client.CreateCdnCertificateSigningRequest(ctx, request)
					if err == nil {
						served[time.Since(start)/time.Second].Add(1)
					}
					return err
				}
				var group sync.WaitGroup
				for i := range seconds * perSecond {
					group.Go(func() { _ = call(wait(t.Context())) }) // half of them leave
					if i%perSecond == 0 {
						group.Go(func() { assert.NoError(t, call(context.WithTimeout(t.Context(), 20*time.Second))) })
					}
					time.Sleep(time.Second / perSecond)
				}
				group.Wait()
				for second := range seconds {
					require.GreaterOrEqual(t, served[second].Load(), int64(95), "second %d", second)
					require.LessOrEqual(t, served[second].Load(), int64(101), "second %d", second)
				}
			})
		})
	}
}

// TestLimiter_OfTheCallerThatIsFarAway has one that takes 20 ms to answer, as
// one in an engine may, and still keeps its rate.
func TestLimiter_OfTheCallerThatIsFarAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := quickClient(t, cdn.Options{Limiter: distant{rate.NewLimiter(100, 1)}})
		start := time.Now()
		var group sync.WaitGroup
		for range 301 {
			group.Go(func() {
				_, err := client.CreateCdnCertificateSigningRequest(t.Context(), request)
				assert.NoError(t, err)
			})
		}
		group.Wait()
		require.LessOrEqual(t, time.Since(start), 3100*time.Millisecond)
	})
}

type distant struct{ limiter *rate.Limiter }

func (d distant) Wait(ctx context.Context) error {
	time.Sleep(20 * time.Millisecond)
	return d.limiter.Wait(ctx)
}

// TestLimiter_OfTheCallerAfterTheDeadline: those who can't reserve a turn yet
// are refused by what the turns before took.
func TestLimiter_OfTheCallerAfterTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := quickClient(t, cdn.Options{Limiter: rate.NewLimiter(100, 1)})
		var group sync.WaitGroup
		for range 1500 {
			group.Go(func() {
				_, err := client.CreateCdnCertificateSigningRequest(t.Context(), request)
				assert.NoError(t, err)
			})
		}
		time.Sleep(time.Second)
		start := time.Now() // 14 s of turns are left, of which a caller must be able to wait for half
		ctx, cancel := context.WithTimeout(t.Context(), 6900*time.Millisecond)
		defer cancel()
		_, err := client.CreateCdnCertificateSigningRequest(ctx, request)
		requireKind(t, err, cdn.ErrThrottled)
		require.Zero(t, time.Since(start))
		ctx, cancel = context.WithTimeout(t.Context(), 7100*time.Millisecond)
		defer cancel()
		_, err = client.CreateCdnCertificateSigningRequest(ctx, request)
		require.ErrorIs(t, err, context.DeadlineExceeded)

		group.Wait()
		ctx, cancel = context.WithTimeout(t.Context(), 15*time.Millisecond)
		defer cancel()
		_, err = client.CreateCdnCertificateSigningRequest(ctx, request)
		require.NoError(t, err, "there is no queue any more")
	})
}

func TestLimiter_TurnAfterTheDeadlineIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := quickClient(t, cdn.Options{})
		var group sync.WaitGroup
		for range 1000 { // ten seconds of turns
			group.Go(func() {
				_, err := client.CreateCdnCertificateSigningRequest(t.Context(), request)
				assert.NoError(t, err)
			})
		}
		time.Sleep(time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		_, err := client.CreateCdnCertificateSigningRequest(ctx, request)
		requireKind(t, err, cdn.ErrThrottled)
		require.Zero(t, time.Since(start))
		group.Wait()
	})
}

// TestLimiter_DocumentedLimits makes calls at once for three seconds.
func TestLimiter_DocumentedLimits(t *testing.T) {
	off := &sslRequest{DomainName: "example.com", SSLProtocol: "off"}
	tests := map[string]struct {
		call func(context.Context, *cdn.Client) error
		want int // calls a second
	}{
		"CreateCdnCertificateSigningRequest": {func(ctx context.Context, c *cdn.Client) error {
			_, err := c.CreateCdnCertificateSigningRequest(ctx, request)
			return err
		}, 100},
		"SetCdnDomainCSRCertificate": {func(ctx context.Context, c *cdn.Client) error {
			_, err := c.SetCdnDomainCSRCertificate(ctx, &csrRequest{DomainName: "example.com", ServerCertificate: "x"})
			return err
		}, 100},
		"SetCdnDomainSSLCertificate": {func(ctx context.Context, c *cdn.Client) error {
			_, err := c.SetCdnDomainSSLCertificate(ctx, off)
			return err
		}, 30},
		"DescribeDomainCertificateInfo": {func(ctx context.Context, c *cdn.Client) error {
			_, err := c.DescribeDomainCertificateInfo(ctx, &infoRequest{DomainName: "example.com"})
			return err
		}, 100},
		"DescribeCdnSSLCertificateList": {func(ctx context.Context, c *cdn.Client) error {
			_, err := c.DescribeCdnSSLCertificateList(ctx, &listRequest{})
			return err
		}, 100},
		"any other": {func(ctx context.Context, c *cdn.Client) error {
			return c.Do(ctx, signer.Call{Action: "DescribeCdnService"}, nil)
		}, 100},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := quickClient(t, cdn.Options{})
				start := time.Now()
				for range 3*test.want + 1 {
					require.NoError(t, test.call(t.Context(), client))
				}
				require.Equal(t, 3*time.Second, time.Since(start).Round(time.Millisecond))
			})
		})
	}
}

func TestLimiter_EachOperationHasItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := quickClient(t, cdn.Options{})
		start := time.Now()
		for _, action := range []string{"DescribeA", "DescribeB", "DescribeC"} {
			require.NoError(t, client.Do(t.Context(), signer.Call{Action: action}, nil))
		}
		require.Zero(t, time.Since(start))
	})
}

func TestLimiter_ByActionComesFirst(t *testing.T) {
	one, rest := new(counter), new(counter)
	limiters := map[string]cdn.Limiter{"DescribeOne": one}
	client := quickClient(t, cdn.Options{Limiter: rest, Limiters: limiters})
	limiters["DescribeOne"] = nil // the map is copied
	for _, action := range []string{"DescribeOne", "DescribeOther", "DescribeOther"} {
		require.NoError(t, client.Do(t.Context(), signer.Call{Action: action}, nil))
	}
	require.Equal(t, 1, one.n)
	require.Equal(t, 2, rest.n)
}

func TestLimiter_EveryAttemptCountsAndIsEvenlySpaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		start := time.Now()
		for range 500 {
			_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
			require.NoError(t, err)
		}
		require.Equal(t, 499*10*time.Millisecond, time.Since(start).Round(time.Millisecond))
	})
	synctest.Test(t, func(t *testing.T) {
		counted := &counter{}
		f := newFixture(t, &cdn.Options{Limiter: counted})
		f.api.Inject(always(cdntest.Fault{Drop: cdntest.DropConnection})...)
		_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
		requireKind(t, err, cdn.ErrUnavailable)
		require.Equal(t, 4, counted.n)
	})
}

// A counter is a limiter that makes nobody wait and counts the turns.
type counter struct{ n int }

func (c *counter) Wait(context.Context) error { c.n++; return nil }

func TestLimiter_DeadlineTooNearIsThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, &cdn.Options{Limiter: rate.NewLimiter(rate.Every(time.Minute), 1)})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		f.api.Inject(cdntest.Fault{Status: 500, Code: "InternalError"})
		start := time.Now()
		_, err := f.client.CreateCdnCertificateSigningRequest(ctx, request)
		require.ErrorIs(t, err, cdn.ErrThrottled)
		require.Less(t, time.Since(start), time.Second, "only the backoff was waited for")
		require.Equal(t, 1, asError(t, err).Attempts)
		require.ErrorIs(t, err, cdn.ErrUnavailable, "the last answer is kept")

		_, err = f.client.CreateCdnCertificateSigningRequest(ctx, request)
		requireKind(t, err, cdn.ErrThrottled)
		require.Zero(t, asError(t, err).Attempts)
	})
}

func TestBudget_ManyCallsDoNotMultiplyAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, &cdn.Options{Limiter: &counter{}})
		const calls = 200
		for range calls * 4 {
			f.api.Inject(cdntest.Fault{Status: 503, Code: "ServiceUnavailable"})
		}
		var err error
		for range calls {
			_, err = f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
			requireKind(t, err, cdn.ErrUnavailable)
		}
		require.Equal(t, calls+500/5, len(f.attempts), "the budget's retries and no more")
		require.ErrorContains(t, err, "budget")
	})
}

// TestBudget_TimeOutsCostMore has transports that say in different ways that
// their time is up.
func TestBudget_TimeOutsCostMore(t *testing.T) {
	for name, errorOf := range map[string]func(context.Context) error{
		"the context's error": context.Context.Err,
		"an error of its own": func(context.Context) error { return errors.New("aborted") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				silent := roundTripper(func(r *http.Request) (*http.Response, error) {
					<-r.Context().Done()
					return nil, errorOf(r.Context())
				})
				f := newFixture(t, &cdn.Options{Limiter: unlimited{}, HTTPClient: &http.Client{Transport: silent}})
				const calls = 60
				for range calls {
					_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
					requireKind(t, err, cdn.ErrUnavailable)
				}
				require.Equal(t, calls+500/10, f.sent())
			})
		})
	}
}

func TestBudget_SuccessGivesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, &cdn.Options{Limiter: &counter{}})
		for range 1000 { // each retry is paid back by its success
			f.api.Inject(cdntest.Fault{Status: 503, Code: "ServiceUnavailable"})
			_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
			require.NoError(t, err)
		}
	})
}
