package sharedlimit_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/sharedlimit"
)

// A crowd is so many processes, of which some are busy with so many callers
// each.
type crowd struct{ processes, busy, callers int }

var crowds = []crowd{
	{20, 1, 100}, {20, 6, 100}, {20, 20, 50}, {8, 8, 100}, {8, 8, 8},
}

func TestRecovery_FailuresOfAMomentChangeNothing(t *testing.T) {
	for _, c := range crowds {
		for _, length := range []time.Duration{50 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond} {
			t.Run(fmt.Sprint(c, length), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					turns := &fakeTurns{latency: time.Millisecond}
					turns.breakFor(refuses, time.Second, length)
					turns.breakFor(refuses, 4*time.Second, length)
					passed := startPasses()
					workers(t, passed, 12*time.Second, c.callers, processes(c.processes, turns)[:c.busy]...)
					assert.InDelta(t, 1200, len(passed.at), 20)
					assert.LessOrEqual(t, passed.most(time.Second), 101)
				})
			})
		}
	}
}

// Of an outage of this length some processes may take notice and others not.
func TestRecovery_RateHoldsThroughAnOutage(t *testing.T) {
	lengths := []time.Duration{200, 550, 650, 800, 900, 1000, 1100, 1200, 1600, 3000} // ms
	for _, c := range append(crowds, crowd{100, 100, 5}) {
		limits := map[outage]int{refuses: 107, isStopped: 107, isLossy: 107}
		if c.processes == 100 { // whose shares are a second long
			limits = map[outage]int{refuses: 118, isStopped: 125, isLossy: 160}
		}
		for kind, limit := range limits {
			t.Run(fmt.Sprint(c, kind), func(t *testing.T) {
				for _, length := range lengths {
					most := mostThroughOutage(t, c, kind, length*time.Millisecond)
					t.Logf("%d ms: %d", length, most)
					assert.LessOrEqual(t, most, limit, "%d ms", length)
				}
			})
		}
	}
}

// mostThroughOutage returns the most calls in any second around an outage.
func mostThroughOutage(t *testing.T, c crowd, kind outage, length time.Duration) (most int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		turns := &fakeTurns{latency: time.Millisecond}
		turns.breakFor(kind, time.Second, length)
		passed := startPasses()
		workers(t, passed, 12*time.Second, c.callers, processes(c.processes, turns)[:c.busy]...)
		most = passed.most(time.Second)
		after := &passes{at: slices.DeleteFunc(passed.at, func(at time.Duration) bool { return at < 8*time.Second })}
		assert.InDelta(t, 400, len(after.at), 5)
		assert.LessOrEqual(t, after.most(time.Second), 101)
	})
	return most
}

func TestRecovery_CallersAreNotRefusedForTheOutageBeforeThem(t *testing.T) {
	for _, length := range []time.Duration{200 * time.Millisecond, 2 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			turns := new(fakeTurns)
			turns.breakFor(refuses, time.Second, length)
			limiter := &sharedlimit.Limiter{Turns: turns, Processes: 100} // a share of one a second
			var group sync.WaitGroup
			group.Go(func() { workers(t, startPasses(), 30*time.Second, 50, limiter) })
			time.Sleep(time.Second + length)
			for i := range 10 {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				require.NoError(t, limiter.Wait(ctx), "caller %d", i)
				cancel()
			}
			assert.Less(t, turns.requests(), 1000)
			group.Wait()
		})
	}
}

func TestRecovery_LongShareEndsWithTheOutage(t *testing.T) {
	cases := map[string]struct {
		length  time.Duration
		timeout time.Duration
	}{
		"a moment": {200 * time.Millisecond, 500 * time.Millisecond},
		"longer":   {2 * time.Second, 6 * time.Second}, // then a probe, and the caution
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				turns := &fakeTurns{down: errEngine}
				turns.breakFor(refuses, 0, c.length)
				limiter := &sharedlimit.Limiter{Turns: turns, Rate: 30, Processes: 1000} // a share of one in 33 s
				for range 10 {
					ctx, cancel := context.WithTimeout(t.Context(), c.timeout)
					require.NoError(t, limiter.Wait(ctx))
					cancel()
				}
			})
		})
	}
}

func TestRecovery_LongShareEndsThoughTheEngineIsBusyAtFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := new(fakeTurns)
		turns.breakFor(refuses, 0, 5*time.Second)
		time.AfterFunc(5*time.Second, func() { turns.take(200, 10*time.Millisecond, time.Second) }) // of others
		limiter := &sharedlimit.Limiter{Turns: turns, Processes: 100_000}
		synctest.Wait()
		passed := startPasses()
		workers(t, passed, 9*time.Second, 1, limiter)
		assert.GreaterOrEqual(t, passed.between(8*time.Second, 9*time.Second), 90)
	})
}

// Each caller is refused before it has waited long, in the outage and the
// caution.
func TestRecovery_IsNoticedWithoutAnybodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := &fakeTurns{down: errEngine}
		turns.breakFor(refuses, 0, 1500*time.Millisecond)
		limiter := &sharedlimit.Limiter{Turns: turns, Rate: 1, Processes: 1_000_000} // whose share is far away
		call := func(timeout time.Duration) error {
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			return limiter.Wait(ctx)
		}
		require.Error(t, call(1200*time.Millisecond))
		time.Sleep(time.Second)
		require.Error(t, call(900*time.Millisecond), "the engine is back, which nobody knows")
		time.Sleep(time.Second)
		require.Error(t, call(900*time.Millisecond), "others may not know")
		time.Sleep(time.Second)
		require.NoError(t, call(900*time.Millisecond))
	})
}

func TestRecovery_DeadlinesInAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := &sharedlimit.Limiter{Turns: &fakeTurns{down: errEngine}, Processes: 100}
		passed := startPasses()
		var group sync.WaitGroup
		group.Go(func() { workers(t, passed, 10*time.Second, 50, limiter) })
		time.Sleep(3 * time.Second) // a share of one a second, and 50 wait
		refused := func(timeout time.Duration) (after time.Duration) {
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			begin := time.Now()
			assert.Error(t, limiter.Wait(ctx))
			return time.Since(begin)
		}
		assert.Zero(t, refused(2*time.Second), "too early even if the engine came back at once")
		assert.NotZero(t, refused(4*time.Second), "if it came back, there would be a turn")
		group.Wait()
		assert.InDelta(t, 9, len(passed.at), 1)
	})
}

func TestRecovery_DeadlinesCountTheShareAndTheTurnsAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := &sharedlimit.Limiter{Turns: &fakeTurns{down: errEngine}, Processes: 10} // a share of one in 100 ms
		var group sync.WaitGroup
		group.Go(func() { workers(t, startPasses(), 10*time.Second, 50, limiter) })
		time.Sleep(3 * time.Second)
		// If the engine came back at once, 20 calls would pass in two seconds
		// of caution, and 30 in 300 ms after it.
		for timeout, atOnce := range map[time.Duration]bool{2200 * time.Millisecond: true, 2600 * time.Millisecond: false} {
			group.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), timeout)
				defer cancel()
				begin := time.Now()
				assert.Error(t, limiter.Wait(ctx))
				assert.Equal(t, atOnce, time.Since(begin) == 0, "%s", timeout)
			})
		}
		group.Wait()
	})
}

func TestRecovery_ShareIsKeptToThoughNobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := &fakeTurns{down: errEngine}
		limiter := &sharedlimit.Limiter{Turns: turns, Processes: 150} // a share of one in 1.5 s
		require.NoError(t, limiter.Wait(t.Context()))
		begin := time.Now()
		turns.setDown(nil)
		time.Sleep(1100 * time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		require.Error(t, limiter.Wait(ctx), "which makes it ask")
		synctest.Wait() // the engine is found
		require.NoError(t, limiter.Wait(t.Context()))
		assert.Equal(t, 1500*time.Millisecond, time.Since(begin))
	})
}

func TestRecovery_ACallThatHasItsTurnNeedsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := &fakeTurns{down: errEngine}
		limiter := &sharedlimit.Limiter{Turns: turns, Rate: 10, Processes: 5} // a share of two a second
		require.NoError(t, limiter.Wait(t.Context()))
		turns.setDown(nil)
		requests := turns.requests()
		require.NoError(t, limiter.Wait(t.Context())) // the engine is found
		for range 2 {
			require.NoError(t, limiter.Wait(t.Context()))
		}
		assert.Equal(t, 3, turns.requests()-requests)
	})
}

func TestRecovery_SharedByThoseWhoNoticedAndThoseWhoDidNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := &fakeTurns{down: errEngine}
		both := processes(2, turns)
		require.NoError(t, both[0].Wait(t.Context())) // it has noticed
		turns.setDown(nil)
		time.Sleep(time.Second) // so that it asks at once
		passed := startPasses()
		workers(t, passed, 6*time.Second, 50, both[1], both[0])
		assert.InDelta(t, 600, len(passed.at), 5)
		assert.LessOrEqual(t, passed.most(time.Second), 102)
	})
}
