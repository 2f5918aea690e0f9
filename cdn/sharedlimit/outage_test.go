package sharedlimit_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/sharedlimit"
)

// logged collects the messages of a Logger.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestOutage_ShareOfEachProcess(t *testing.T) {
	cases := map[string]struct {
		kind       outage
		perProcess int
		window     time.Duration
		least      int // in any window
	}{
		"refuses":          {refuses, 8, time.Second, 60},
		"refuses, busy":    {refuses, 64, time.Second, 60},
		"is stopped":       {isStopped, 8, time.Second, 40},      // it is given up after a second
		"is stopped, busy": {isStopped, 64, 2 * time.Second, 80}, // in the end requests that were given up take a second of turns
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				turns := &fakeTurns{latency: time.Millisecond}
				turns.breakFor(c.kind, 3*time.Second, 3*time.Second)
				passed := startPasses()
				workers(t, passed, 12*time.Second, c.perProcess, processes(8, turns)...)
				for from := time.Duration(0); from+c.window <= 12*time.Second; from += 100 * time.Millisecond {
					assert.GreaterOrEqual(t, passed.between(from, from+c.window), c.least, "from %s on", from)
				}
				assert.LessOrEqual(t, passed.most(time.Second), 106)
				assert.LessOrEqual(t, turns.mostAtOnce(), 8*4, "requests that hang are few")
			})
		})
	}
}

func TestOutage_AsksBeforeEachTurnOfTheShareAndWarnsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := &fakeTurns{down: errEngine}
		log := new(logged)
		limiter := &sharedlimit.Limiter{Turns: turns, Processes: 10, Logger: slog.New(slog.NewTextHandler(log, nil))}
		require.NoError(t, limiter.Wait(t.Context()))
		begin, requests := time.Now(), turns.requests()
		for range 50 {
			require.NoError(t, limiter.Wait(t.Context()))
		}
		assert.Equal(t, 5*time.Second, time.Since(begin))
		assert.InDelta(t, 50, turns.requests()-requests, 1)
		assert.Equal(t, 1, strings.Count(log.String(), "level=WARN"))
		assert.Contains(t, log.String(), errEngine.Error())

		turns.setDown(nil)
		for range 40 {
			require.NoError(t, limiter.Wait(t.Context()))
		}
		assert.Equal(t, 2, strings.Count(log.String(), "level=WARN"))

		turns.setDown(errEngine)
		time.Sleep(time.Minute)
		require.NoError(t, limiter.Wait(t.Context()))
		assert.Equal(t, 3, strings.Count(log.String(), "level=WARN"))
	})
}

func TestOutage_AsksRarelyHoweverSmallTheShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := &fakeTurns{down: errEngine}
		limiter := &sharedlimit.Limiter{Turns: turns, Processes: 1, Rate: 10_000}
		passed := startPasses()
		workers(t, passed, 3*time.Second, 10, limiter)
		assert.InDelta(t, 10_000, passed.between(2*time.Second, 3*time.Second), 10)
		assert.LessOrEqual(t, turns.requests(), 300)
	})
}

// The next call of the share is due when nobody knows yet that the engine is
// back.
func TestOutage_TurnOfTheShareIsDroppedForOneOfTheEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := &fakeTurns{down: errEngine}
		limiter := &sharedlimit.Limiter{Turns: turns, Processes: 100} // a share of one a second
		require.NoError(t, limiter.Wait(t.Context()))
		time.AfterFunc(500*time.Millisecond, func() {
			turns.setDown(nil)
			turns.take(80, 10*time.Millisecond, time.Second) // of others
		})
		begin := time.Now()
		require.NoError(t, limiter.Wait(t.Context()))
		assert.Equal(t, 1300*time.Millisecond, time.Since(begin), "when the engine has a turn, not after a second")
	})
}

func TestOutage_KeepsToItsShareUntilOthersHaveNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := &fakeTurns{down: errEngine}
		limiter := &sharedlimit.Limiter{Turns: turns, Processes: 10}
		require.NoError(t, limiter.Wait(t.Context()))
		turns.setDown(nil)
		passed := startPasses()
		workers(t, passed, 10*time.Second, 8, limiter)
		assert.InDelta(t, 20, passed.between(0, 2*time.Second), 2, "it keeps to it for two seconds after a probe")
		assert.InDelta(t, 100, passed.between(4*time.Second, 5*time.Second), 1)
		assert.LessOrEqual(t, passed.most(time.Second), 101)
	})
}

func TestOutage_WithoutProcessesWaitFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := &fakeTurns{down: errEngine, latency: time.Millisecond}
		limiter := &sharedlimit.Limiter{Turns: turns}
		begin := time.Now()
		for range 100 {
			require.ErrorIs(t, limiter.Wait(t.Context()), errEngine)
		}
		assert.Equal(t, 1, turns.requests(), "one request a second")
		assert.Zero(t, time.Since(begin))

		hang := make(chan struct{})
		turns.setHang(hang)
		time.Sleep(time.Second)
		for range 2 { // the probe's, and one that does not wait for it
			err := limiter.Wait(t.Context())
			require.Error(t, err)
			require.NotErrorIs(t, err, context.DeadlineExceeded, "no context of the caller's has ended")
		}
		assert.Equal(t, 2*time.Second, time.Since(begin))
		turns.setHang(nil)
		close(hang)
		turns.setDown(nil)
		time.Sleep(time.Second)
		require.NoError(t, limiter.Wait(t.Context()))
		begin = time.Now()
		require.NoError(t, limiter.Wait(t.Context()))
		assert.InDelta(t, 10, time.Since(begin).Milliseconds(), 3, "it does not know a share that it could keep to")
	})
}

func TestOutage_AtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := &sharedlimit.Limiter{Turns: &fakeTurns{down: errEngine}, Processes: 4, Rate: 8}
		begin := time.Now()
		for range 3 {
			require.NoError(t, limiter.Wait(t.Context()))
		}
		// A second, since others may have turns, a part of the share's 500 ms, and two of these.
		assert.InDelta(t, 2260, time.Since(begin).Milliseconds(), 260)
		ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
		defer cancel()
		require.Error(t, limiter.Wait(ctx))
		require.NoError(t, ctx.Err(), "its turn is 500 ms away")
	})
}

func TestOutage_BackButBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := &fakeTurns{down: errEngine}
		limiter := &sharedlimit.Limiter{Turns: turns, Processes: 10}
		require.NoError(t, limiter.Wait(t.Context()))
		turns.setDown(nil)
		turns.take(150, 10*time.Millisecond, time.Second) // of others, which take no notice of the outage
		passed := startPasses()
		workers(t, passed, 2*time.Second, 8, limiter)
		assert.LessOrEqual(t, passed.between(0, 1500*time.Millisecond), 3, "those of its share until it asks")
		assert.InDelta(t, 5, passed.between(1500*time.Millisecond, 2*time.Second), 1)
	})
}

func TestOutage_SharesDontBeginAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		passed := startPasses()
		var group sync.WaitGroup
		for _, limiter := range processes(64, &fakeTurns{down: errEngine}) {
			group.Go(func() {
				assert.NoError(t, limiter.Wait(t.Context()))
				passed.note()
			})
		}
		group.Wait()
		assert.Less(t, passed.most(100*time.Millisecond), 40, "of 64 in 640 ms")
		assert.Equal(t, 64, passed.between(time.Second, 1660*time.Millisecond))
	})
}

func TestOutage_LongSharesEndWithTheCaution(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := &fakeTurns{down: errEngine}
		limiter := &sharedlimit.Limiter{Turns: turns, Rate: 1, Processes: 60} // a turn a minute
		time.AfterFunc(10*time.Second, func() { turns.setDown(nil) })
		passed := startPasses()
		workers(t, passed, 20*time.Second, 3, limiter)
		assert.GreaterOrEqual(t, passed.between(14*time.Second, 20*time.Second), 5)
	})
}

// Others may hold the turns that the engine had given when it failed.
func TestOutage_ShareBeginsWhenTheTurnsAreOver(t *testing.T) {
	cases := map[string]struct {
		others int // turns of other processes
		begins time.Duration
	}{
		"few":  {0, 500 * time.Millisecond},
		"many": {60, 760 * time.Millisecond},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				turns := new(fakeTurns)
				limiter := &sharedlimit.Limiter{Turns: turns, Processes: 2} // a share of one in 20 ms
				turns.take(c.others, 10*time.Millisecond, time.Second)
				passed := startPasses()
				ctx, cancel := context.WithCancel(t.Context())
				var group sync.WaitGroup
				for range 16 {
					group.Go(func() {
						if limiter.Wait(ctx) == nil {
							passed.note()
						}
					})
				}
				synctest.Wait()
				turns.setDown(errEngine)
				group.Go(func() { workers(t, passed, 2*time.Second, 4, limiter) })
				time.Sleep(3 * time.Second)
				cancel()
				group.Wait()
				assert.Equal(t, 16, passed.between(0, c.begins))
				assert.InDelta(t, 5, passed.between(c.begins, c.begins+100*time.Millisecond), 1)
			})
		})
	}
}

func TestOutage_ShorterThanTheTurnsIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := &fakeTurns{latency: time.Millisecond}   // so that all but the first ask together
		turns.take(60, 10*time.Millisecond, time.Second) // of others
		limiter := &sharedlimit.Limiter{Turns: turns, Processes: 2}
		passed := startPasses()
		var group sync.WaitGroup
		for range 16 {
			group.Go(func() {
				assert.NoError(t, limiter.Wait(t.Context()))
				passed.note()
			})
		}
		time.Sleep(10 * time.Millisecond)
		turns.setDown(errEngine)
		time.AfterFunc(505*time.Millisecond, func() { turns.setDown(nil) }) // it asks again in at most 250 ms
		workers(t, passed, 2*time.Second, 4, limiter)
		group.Wait()
		assert.Equal(t, 16, passed.between(600*time.Millisecond, 760*time.Millisecond))
		assert.InDelta(t, 100, passed.between(time.Second, 2*time.Second), 2, "it does not keep to its share")
	})
}

func TestOutage_HeldTurnsStayWithoutProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := new(fakeTurns)
		limiter := &sharedlimit.Limiter{Turns: turns, Rate: 1}
		require.NoError(t, limiter.Wait(t.Context()))
		begin := time.Now()
		held := make(chan time.Duration)
		go func() {
			assert.NoError(t, limiter.Wait(t.Context()))
			held <- time.Since(begin)
		}()
		synctest.Wait() // its turn is in a second
		turns.setDown(errEngine)
		require.ErrorIs(t, limiter.Wait(t.Context()), errEngine)
		turns.setDown(nil)
		assert.Equal(t, time.Second, <-held)
	})
}

func TestOutage_ContextIsNotTheCallers(t *testing.T) {
	for _, cause := range []error{context.DeadlineExceeded, context.Canceled} {
		turns := &fakeTurns{down: fmt.Errorf("driver: %w", cause)}
		err := (&sharedlimit.Limiter{Turns: turns}).Wait(t.Context())
		require.ErrorContains(t, err, "driver: ")
		assert.NotErrorIs(t, err, cause)
	}
}

func TestOutage_OldFailureIsNoOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := &fakeTurns{latency: time.Millisecond}
		limiter := &sharedlimit.Limiter{Turns: turns, Processes: 8}
		require.NoError(t, limiter.Wait(t.Context()))
		turns.breakFor(refuses, 0, 300*time.Millisecond)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		require.Error(t, limiter.Wait(ctx))
		time.Sleep(10 * time.Minute)
		passed := startPasses()
		workers(t, passed, time.Second, 8, limiter)
		assert.InDelta(t, 100, len(passed.at), 2)
	})
}

// Those who were idle do not know how many turns the others had taken.
func TestOutage_ThatMakesIdleProcessesBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := &fakeTurns{latency: time.Millisecond}
		limiters := processes(8, turns)
		passed := startPasses()
		var group sync.WaitGroup
		group.Go(func() { workers(t, passed, 10*time.Second, 64, limiters[:2]...) })
		time.Sleep(3 * time.Second)
		turns.breakFor(refuses, 0, 3*time.Second)
		group.Go(func() { workers(t, passed, 7*time.Second, 64, limiters[2:]...) })
		group.Wait()
		assert.LessOrEqual(t, passed.most(time.Second), 107)
	})
}

// An answer may take a second, so that a turn of the share is due at once.
func TestOutage_SharesOfAStoppedEngineDontBeginAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := &fakeTurns{latency: time.Millisecond}
		limiters := make([]*sharedlimit.Limiter, 60)
		for i := range limiters {
			limiters[i] = &sharedlimit.Limiter{Turns: turns, Processes: 60, Rate: 30}
		}
		turns.breakFor(isStopped, time.Second, 10*time.Second)
		passed := startPasses()
		workers(t, passed, 15*time.Second, 3, limiters...)
		assert.LessOrEqual(t, passed.most(time.Second), 50)
	})
}

func TestOutage_FirstTurnsAfterItStayWithoutProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := &fakeTurns{down: errEngine}
		limiter := &sharedlimit.Limiter{Turns: turns, Rate: 1}
		require.ErrorIs(t, limiter.Wait(t.Context()), errEngine)
		time.Sleep(1500 * time.Millisecond)
		turns.setDown(nil)
		turns.take(1, time.Second, time.Second) // of others; the next one is in a second
		time.Sleep(500 * time.Millisecond)
		begin, requests := time.Now(), turns.requests()
		require.NoError(t, limiter.Wait(t.Context()))
		assert.Equal(t, 500*time.Millisecond, time.Since(begin))
		assert.Equal(t, 1, turns.requests()-requests)
	})
}

func TestOutage_SlowAnswersDontDelayTheShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := &fakeTurns{down: errEngine, latency: 20 * time.Millisecond}
		limiter := &sharedlimit.Limiter{Turns: turns, Processes: 10} // a turn in 100 ms
		require.NoError(t, limiter.Wait(t.Context()))
		turns.setDown(nil)
		passed := startPasses()
		workers(t, passed, 4*time.Second, 8, limiter)
		assert.InDelta(t, 15, passed.between(500*time.Millisecond, 2*time.Second), 1)
	})
}
