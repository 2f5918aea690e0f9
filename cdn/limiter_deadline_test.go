package cdn_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/cdncsr/cdncsr/cdn"
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

// TestLimiter_OfTheCallerWithALineFromTheFirstCallOn: the first turn comes when
// there is none before it from which it could be measured.
func TestLimiter_OfTheCallerWithALineFromTheFirstCallOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := quickClient(t, cdn.Options{Limiter: distant{rate.NewLimiter(100, 1)}})
		var group sync.WaitGroup
		call := func() {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			_, err := client.CreateCdnCertificateSigningRequest(ctx, request)
			assert.NoError(t, err)
		}
		for range 100 {
			group.Go(call)
		}
		time.Sleep(25 * time.Millisecond) // a turn has come, and most callers wait
		call()
		group.Wait()
	})
}

// TestLimiter_OfTheCallerThatIsFarAwayAfterAnIdleTime has many callers at once
// after it, and one who comes when the first of them has had a turn.
func TestLimiter_OfTheCallerThatIsFarAwayAfterAnIdleTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := quickClient(t, cdn.Options{Limiter: distant{rate.NewLimiter(100, 1)}})
		var group sync.WaitGroup
		call := func() {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			_, err := client.CreateCdnCertificateSigningRequest(ctx, request)
			assert.NoError(t, err)
		}
		call()
		time.Sleep(time.Hour)
		for range 100 {
			group.Go(call)
		}
		time.Sleep(25 * time.Millisecond)
		call()
		group.Wait()
	})
}
