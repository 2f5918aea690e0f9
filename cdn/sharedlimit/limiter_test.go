package sharedlimit_test

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/sharedlimit"
)

func TestWait_TurnsAreEvenlySpaced(t *testing.T) {
	cases := map[string]struct {
		rate int
		want time.Duration
	}{
		"default":     {0, 10 * time.Millisecond},
		"30":          {30, 33334 * time.Microsecond}, // rounded up: never more than 30
		"1":           {1, time.Second},
		"per million": {1_000_000, time.Microsecond},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				limiter := &sharedlimit.Limiter{Turns: new(fakeTurns), Rate: c.rate}
				begin := time.Now()
				for i := range 40 {
					require.NoError(t, limiter.Wait(t.Context()))
					assert.Equal(t, c.want*time.Duration(i), time.Since(begin))
				}
				time.Sleep(time.Hour)
				idle := time.Now()
				require.NoError(t, limiter.Wait(t.Context()))
				require.NoError(t, limiter.Wait(t.Context()))
				assert.Equal(t, c.want, time.Since(idle), "an idle hour must not be made up for")
			})
		})
	}
}

func TestWait_ProcessesShareTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := &fakeTurns{latency: 2 * time.Millisecond}
		passed := startPasses()
		workers(t, passed, 10*time.Second, 8, processes(8, turns)...)
		assert.InDelta(t, 1000, len(passed.at), 2)
		assert.LessOrEqual(t, passed.most(time.Second), 101)
		assert.LessOrEqual(t, turns.requests(), 1100)
	})
}

func TestWait_OneRequestForAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := &fakeTurns{latency: 5 * time.Millisecond}
		passed := startPasses()
		workers(t, passed, 10*time.Second, 64, processes(8, turns)...)
		assert.InDelta(t, 1000, len(passed.at), 10)
		assert.Equal(t, 16, turns.largest())
		assert.Less(t, turns.requests(), 800)
		assert.LessOrEqual(t, turns.mostAtOnce(), 8, "one request a process at a time")
	})
}

func TestWait_FirstComeFirstServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := &sharedlimit.Limiter{Turns: &fakeTurns{latency: time.Millisecond}}
		var mu sync.Mutex
		var got, want []int
		var group sync.WaitGroup
		for i := range 200 {
			want = append(want, i)
			group.Go(func() {
				assert.NoError(t, limiter.Wait(t.Context()))
				mu.Lock()
				defer mu.Unlock()
				got = append(got, i)
			})
			synctest.Wait()
		}
		group.Wait()
		assert.Equal(t, want, got)
	})
}

func TestWait_AbandonedCallsCostOneSecondAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := &fakeTurns{latency: time.Millisecond}
		passed := startPasses()
		workers(t, passed, 300*time.Millisecond, 64, processes(8, turns)...) // 512 calls
		begin := time.Now()
		require.NoError(t, (&sharedlimit.Limiter{Turns: turns}).Wait(t.Context()))
		assert.LessOrEqual(t, time.Since(begin), time.Second+10*time.Millisecond)
	})
}

func TestWait_AbandonedTurnGoesToTheNextCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := &fakeTurns{latency: time.Millisecond}
		limiter := &sharedlimit.Limiter{Turns: turns, Rate: 10}
		require.NoError(t, limiter.Wait(t.Context())) // the next turn is 100 ms away
		begin := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		abandoned, next := make(chan error), make(chan time.Duration)
		go func() { abandoned <- limiter.Wait(ctx) }()
		synctest.Wait()
		go func() {
			assert.NoError(t, limiter.Wait(t.Context()))
			next <- time.Since(begin)
		}()
		time.Sleep(50 * time.Millisecond) // both have a turn
		cancel()
		require.ErrorIs(t, <-abandoned, context.Canceled)
		assert.Equal(t, 50*time.Millisecond, time.Since(begin), "it returns at once")
		assert.InDelta(t, 100, (<-next).Milliseconds(), 5, "the first turn, not its own")

		require.NoError(t, limiter.Wait(t.Context()))
		assert.InDelta(t, 200, time.Since(begin).Milliseconds(), 5, "the one left over")
		assert.Equal(t, 3, turns.requests())
	})
}

func TestWait_TurnThatNobodyWaitedForIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := new(fakeTurns)
		limiter := &sharedlimit.Limiter{Turns: turns, Rate: 10}
		require.NoError(t, limiter.Wait(t.Context()))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		var group sync.WaitGroup
		for range 3 { // their turns are later
			group.Go(func() { assert.Error(t, limiter.Wait(ctx)) })
		}
		group.Wait()
		requests := turns.requests()
		time.Sleep(time.Second)
		require.NoError(t, limiter.Wait(t.Context()))
		assert.Equal(t, requests+1, turns.requests())
	})
}

func TestWait_LateAnswerHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := new(fakeTurns)
		turns.take(10, 10*time.Millisecond, 0) // of others; the next one is in 100 ms
		limiter := &sharedlimit.Limiter{Turns: turns}
		turns.latency = 50 * time.Millisecond // so the first turn seems to be in 150 ms
		begin := time.Now()
		passed := make(chan time.Duration)
		for range 2 {
			go func() {
				assert.NoError(t, limiter.Wait(t.Context()))
				passed <- time.Since(begin)
			}()
			synctest.Wait()
		}
		time.Sleep(75 * time.Millisecond)
		turns.setLatency(0)
		assert.Equal(t, 110*time.Millisecond, <-passed)
		assert.Equal(t, 150*time.Millisecond, <-passed)
	})
}

func TestWait_DeadlineTooNearIsRefusedAtOnce(t *testing.T) {
	wait := func(t *testing.T, limiter *sharedlimit.Limiter, timeout time.Duration) (took time.Duration, err error) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		defer cancel()
		begin := time.Now()
		err = limiter.Wait(ctx)
		require.NoError(t, ctx.Err())
		return time.Since(begin), err
	}
	t.Run("its turn is known", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			turns := new(fakeTurns)
			limiter := &sharedlimit.Limiter{Turns: turns, Rate: 2}
			require.NoError(t, limiter.Wait(t.Context()))
			other := &sharedlimit.Limiter{Turns: turns, Rate: 2}
			took, err := wait(t, other, 400*time.Millisecond)
			require.Error(t, err)
			assert.Zero(t, took)
			begin := time.Now()
			require.NoError(t, other.Wait(t.Context()))
			assert.Equal(t, 500*time.Millisecond, time.Since(begin), "the turn goes to the next call")
		})
	})
	t.Run("no turn within the horizon", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			turns := new(fakeTurns)
			for range 8 {
				_, _, err := turns.Take(t.Context(), 16, 10*time.Millisecond, time.Hour)
				require.NoError(t, err)
			}
			limiter := &sharedlimit.Limiter{Turns: turns}
			took, err := wait(t, limiter, 800*time.Millisecond)
			require.Error(t, err)
			assert.Zero(t, took)
			took, err = wait(t, limiter, 700*time.Millisecond)
			require.Error(t, err, "it is known without a request")
			assert.Zero(t, took)
			assert.Equal(t, 9, turns.requests())
			begin := time.Now()
			require.NoError(t, limiter.Wait(t.Context()))
			assert.Equal(t, 1280*time.Millisecond, time.Since(begin))
		})
	})
	t.Run("just late enough", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			limiter := &sharedlimit.Limiter{Turns: new(fakeTurns)}
			var group sync.WaitGroup
			for range 11 {
				group.Go(func() { assert.NoError(t, limiter.Wait(t.Context())) })
			}
			synctest.Wait()              // one has passed, and ten turns are known
			time.Sleep(time.Microsecond) // so that the queue is not at a turn
			took, err := wait(t, limiter, 101*time.Millisecond)
			require.Error(t, err)
			assert.Zero(t, took)
			took, err = wait(t, limiter, 111*time.Millisecond)
			require.NoError(t, err)
			assert.InDelta(t, 110, took.Milliseconds(), 1)
			group.Wait()
		})
	})
	t.Run("too many are before it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			limiter := &sharedlimit.Limiter{Turns: new(fakeTurns)}
			ctx, cancel := context.WithCancel(t.Context())
			var group sync.WaitGroup
			for range 500 {
				group.Go(func() { _ = limiter.Wait(ctx) })
			}
			synctest.Wait()
			took, err := wait(t, limiter, 4*time.Second)
			require.Error(t, err)
			assert.Zero(t, took)
			cancel()
			group.Wait()
		})
	})
}

func TestWait_CanceledContextTakesNoTurn(t *testing.T) {
	turns := new(fakeTurns)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := (&sharedlimit.Limiter{Turns: turns}).Wait(ctx)
	require.ErrorIs(t, err, context.Canceled)
	assert.Zero(t, turns.requests())
}

func TestWait_InvalidFields(t *testing.T) {
	turns := new(fakeTurns)
	cases := []struct {
		limiter *sharedlimit.Limiter
		field   string
	}{
		{&sharedlimit.Limiter{}, "Turns"},
		{&sharedlimit.Limiter{Turns: turns, Rate: -1}, "Rate"},
		{&sharedlimit.Limiter{Turns: turns, Rate: 1_000_001}, "Rate"},
		{&sharedlimit.Limiter{Turns: turns, Processes: -8}, "Processes"},
		{&sharedlimit.Limiter{Turns: turns, Processes: 1_000_001}, "Processes"},
		{&sharedlimit.Limiter{Turns: turns, Processes: math.MaxInt}, "Processes"},
	}
	for _, c := range cases {
		t.Run(c.field, func(t *testing.T) {
			assert.ErrorContains(t, c.limiter.Wait(t.Context()), "Limiter."+c.field)
			assert.Zero(t, turns.requests())
		})
	}
	largest := &sharedlimit.Limiter{Turns: turns, Rate: 1_000_000, Processes: 1_000_000}
	assert.NoError(t, largest.Wait(t.Context()))
}

// slowTurns are turns whose requests and answers may be slow.
type slowTurns struct {
	fakeTurns
	there, back time.Duration // the most that each may take
}

func (s *slowTurns) Take(ctx context.Context, n int, interval, ahead time.Duration) (time.Duration, bool, error) {
	time.Sleep(rand.N(s.there + 1))
	wait, ok, err := s.fakeTurns.Take(ctx, n, interval, ahead)
	time.Sleep(rand.N(s.back + 1))
	return wait, ok, err
}

// A turn counts from the arrival of the answer: never too early, but later if
// the answer took long, and so closer to the next one.
func TestWait_OnlySlowAnswersBringCallsCloser(t *testing.T) {
	cases := map[string]struct {
		there, back time.Duration
		most        int
	}{
		"requests up to 200 ms": {200 * time.Millisecond, 0, 101},
		"answers up to 50 ms":   {0, 50 * time.Millisecond, 106},
		"answers up to 200 ms":  {0, 200 * time.Millisecond, 121},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				passed := startPasses()
				workers(t, passed, 10*time.Second, 8, processes(8, &slowTurns{there: c.there, back: c.back})...)
				assert.LessOrEqual(t, passed.most(time.Second), c.most)
			})
		})
	}
}
