package sharedlimit_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/sharedlimit"
)

// crowds are busy processes, and the callers in each, of all that there are.
var crowds = []struct{ processes, busy, callers int }{
	{20, 1, 100}, {20, 6, 100}, {20, 20, 50}, {8, 8, 100}, {8, 8, 8},
}

// breakFor makes the engine fail for a while.
func (f *fakeTurns) breakFor(after, length time.Duration) {
	time.AfterFunc(after, func() { f.setDown(errEngine) })
	time.AfterFunc(after+length, func() { f.setDown(nil) })
}

func TestRecovery_FailuresOfAMomentChangeNothing(t *testing.T) {
	for _, c := range crowds {
		for _, length := range []time.Duration{50 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond} {
			t.Run(fmt.Sprint(c, length), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					turns := &fakeTurns{latency: time.Millisecond}
					turns.breakFor(time.Second, length)
					turns.breakFor(4*time.Second, length)
					passed := startPasses()
					workers(t, passed, 12*time.Second, c.callers, processes(c.processes, turns)[:c.busy]...)
					assert.InDelta(t, 1200, len(passed.at), 20)
					assert.LessOrEqual(t, passed.most(time.Second), 101)
				})
			})
		}
	}
}

// Of an outage of this length some processes take notice and others do not:
// until the former ask again, they take their share beside the turns of the
// latter.
func TestRecovery_OutageThatSomeNotice(t *testing.T) {
	for _, c := range crowds {
		for _, length := range []time.Duration{650 * time.Millisecond, 800 * time.Millisecond, 1200 * time.Millisecond} {
			t.Run(fmt.Sprint(c, length), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					turns := &fakeTurns{latency: time.Millisecond}
					turns.breakFor(time.Second, length)
					passed := startPasses()
					workers(t, passed, 12*time.Second, c.callers, processes(c.processes, turns)[:c.busy]...)
					assert.LessOrEqual(t, passed.most(time.Second), 150)
					after := new(passes)
					for _, at := range passed.at {
						if at > 5*time.Second {
							after.at = append(after.at, at)
						}
					}
					assert.InDelta(t, 700, len(after.at), 5)
					assert.LessOrEqual(t, after.most(time.Second), 101)
				})
			})
		}
	}
}

func TestRecovery_CallersAreNotRefusedForTheOutageBeforeThem(t *testing.T) {
	for _, length := range []time.Duration{200 * time.Millisecond, 2 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			turns := new(fakeTurns)
			turns.breakFor(time.Second, length)
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
				turns.breakFor(0, c.length)
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
		turns.breakFor(0, 5*time.Second)
		time.AfterFunc(5*time.Second, func() { turns.take(200, 10*time.Millisecond, time.Second) }) // of others
		limiter := &sharedlimit.Limiter{Turns: turns, Processes: 100_000}
		synctest.Wait()
		passed := startPasses()
		workers(t, passed, 9*time.Second, 1, limiter)
		assert.GreaterOrEqual(t, passed.between(8*time.Second, 9*time.Second), 90)
	})
}

// Each caller is refused before it waits, in the outage and the caution.
func TestRecovery_IsNoticedWithoutAnybodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := &fakeTurns{down: errEngine}
		turns.breakFor(0, time.Second)
		limiter := &sharedlimit.Limiter{Turns: turns, Rate: 1, Processes: 1000}
		call := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 900*time.Millisecond)
			defer cancel()
			return limiter.Wait(ctx)
		}
		require.Error(t, call())
		time.Sleep(time.Second)
		require.Error(t, call(), "the engine is back, which nobody knows")
		time.Sleep(time.Second)
		require.Error(t, call(), "others may not know")
		time.Sleep(time.Second)
		require.NoError(t, call())
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
