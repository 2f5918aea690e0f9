package cdn_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/signer"
)

// TestLimiter_TurnBeforeTheDeadlineIsWaitedFor has callers whose turns come one
// millisecond before their deadlines, behind lines of several lengths.
func TestLimiter_TurnBeforeTheDeadlineIsWaitedFor(t *testing.T) {
	const interval = 10 * time.Millisecond // of 100 calls a second
	for _, line := range []int{1, 2, 10} {
		synctest.Test(t, func(t *testing.T) {
			client := quickClient(t, cdn.Options{})
			var group sync.WaitGroup
			for range line {
				group.Go(func() {
					_, err := client.CreateCdnCertificateSigningRequest(t.Context(), request)
					assert.NoError(t, err)
				})
			}
			start := time.Now()
			synctest.Wait() // the first has had its turn
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(line)*interval+time.Millisecond)
			defer cancel()
			_, err := client.CreateCdnCertificateSigningRequest(ctx, request)
			require.NoError(t, err, "behind %d", line)
			require.Equal(t, time.Duration(line)*interval, time.Since(start), "behind %d", line)
			group.Wait()
		})
	}
}

// TestLimiter_OfTheCallerAfterAnIdleTime: the time in which there are no calls
// is not what a turn takes.
func TestLimiter_OfTheCallerAfterAnIdleTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := quickClient(t, cdn.Options{Limiter: rate.NewLimiter(100, 1)})
		call := func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := client.CreateCdnCertificateSigningRequest(ctx, request)
			assert.NoError(t, err)
		}
		call()
		time.Sleep(time.Hour)
		call()
		var group sync.WaitGroup
		for range 3 {
			group.Go(call)
		}
		group.Wait()
	})
}

// TestLimiter_OfTheCallerWithALine has many callers at once, and one who comes
// when the first of them has had a turn: before that there was none from which
// it could be measured, or an idle time.
func TestLimiter_OfTheCallerWithALine(t *testing.T) {
	for name, idle := range map[string]time.Duration{"from the first call on": 0, "after an idle time": time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := quickClient(t, cdn.Options{Limiter: distant{rate.NewLimiter(100, 1)}})
				call := func() {
					ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
					defer cancel()
					_, err := client.CreateCdnCertificateSigningRequest(ctx, request)
					assert.NoError(t, err)
				}
				if idle > 0 {
					call()
					time.Sleep(idle)
				}
				var group sync.WaitGroup
				for range 100 {
					group.Go(call)
				}
				time.Sleep(25 * time.Millisecond)
				call()
				group.Wait()
			})
		})
	}
}

// TestLimiter_OfTheCallerForTwoOperations: callers who leave one operation's
// line take no turn of the other's.
func TestLimiter_OfTheCallerForTwoOperations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := rate.NewLimiter(100, 1)
		client := quickClient(t, cdn.Options{Limiters: map[string]cdn.Limiter{"DescribeA": limiter, "DescribeB": limiter}})
		served := make([]atomic.Int64, 10)
		start := time.Now()
		var group sync.WaitGroup
		for i := range 200 * 8 {
			group.Go(func() {
				ctx, cancel := untilCancelled(t.Context())
				defer cancel()
				if client.Do(ctx, signer.Call{Action: []string{"DescribeA", "DescribeB"}[i%2]}, nil) == nil {
					served[time.Since(start)/time.Second].Add(1)
				}
			})
			time.Sleep(5 * time.Millisecond)
		}
		group.Wait()
		for second := range 8 {
			assert.GreaterOrEqual(t, served[second].Load(), int64(95), "second %d", second)
		}
	})
}

// An uncomparable is a limiter that can't be a key of a map.
type uncomparable struct{ any }

func (uncomparable) Wait(context.Context) error { return nil }

func TestLimiter_OfTheCallerOfAnyType(t *testing.T) {
	for _, limiter := range []cdn.Limiter{uncomparable{func() {}}, uncomparable{}, limiterFunc(uncomparable{}.Wait)} {
		client := quickClient(t, cdn.Options{Limiter: limiter, Limiters: map[string]cdn.Limiter{"DescribeA": limiter}})
		require.NoError(t, client.Do(t.Context(), signer.Call{Action: "DescribeA"}, nil))
		_, err := client.CreateCdnCertificateSigningRequest(t.Context(), request)
		require.NoError(t, err)
	}
}

// TestLimiter_ErrorOfTheCallersIsKept: it fails a caller who has waited for most
// of its time, which is no reason to say something else.
func TestLimiter_ErrorOfTheCallersIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := errors.New("the engine is away")
		client := quickClient(t, cdn.Options{Limiter: limiterFunc(func(context.Context) error {
			time.Sleep(4 * time.Second)
			return away
		})})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		_, err := client.CreateCdnCertificateSigningRequest(ctx, request)
		require.ErrorIs(t, err, away)
		require.Equal(t, 4*time.Second, time.Since(start))
	})
}

// TestLimiter_ThatNeverAnswers: other operations go on.
func TestLimiter_ThatNeverAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		limiters := map[string]cdn.Limiter{}
		for _, action := range []string{"DescribeA", "DescribeB", "DescribeC", "DescribeD", "DescribeE", "DescribeF"} {
			limiters[action] = limiterFunc(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		}
		f := n.serve(t, answerAfter(0), false, cdn.Options{Limiters: limiters})
		var group sync.WaitGroup
		for action := range limiters {
			for range 64 {
				group.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
					defer cancel()
					assert.Error(t, f.client.Do(ctx, signer.Call{Action: action}, nil))
				})
			}
		}
		time.Sleep(time.Second)
		start := time.Now()
		f.callAtOnce(t, 10)
		assert.LessOrEqual(t, time.Since(start), 100*time.Millisecond)
		group.Wait()
	})
}
