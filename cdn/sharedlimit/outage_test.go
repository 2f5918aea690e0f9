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
		damage func(turns *fakeTurns) (repair func())
		least  int // in each second
	}{
		"refuses": {func(turns *fakeTurns) func() {
			turns.setDown(errEngine)
			return func() { turns.setDown(nil) }
		}, 60},
		"is silent": {func(turns *fakeTurns) func() {
			hang := make(chan struct{})
			turns.setHang(hang)
			return func() { turns.setHang(nil); close(hang) }
		}, 30}, // a second passes before it is given up
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			// With 64 calls a process asks again after up to a quarter of a second only, and so notices later.
			for perProcess, most := range map[int]int{8: 108, 64: 120} {
				synctest.Test(t, func(t *testing.T) {
					turns := &fakeTurns{latency: time.Millisecond}
					time.AfterFunc(3*time.Second, func() {
						repair := c.damage(turns)
						time.AfterFunc(3*time.Second, repair)
					})
					passed := startPasses()
					workers(t, passed, 12*time.Second, perProcess, processes(8, turns)...)
					for second := range 12 {
						from := time.Duration(second) * time.Second
						assert.GreaterOrEqual(t, passed.between(from, from+time.Second), c.least, "second %d", second)
					}
					assert.LessOrEqual(t, passed.most(time.Second), most)
					assert.LessOrEqual(t, turns.most, 8, "a silent engine is asked once by each process")
				})
			}
		})
	}
}

func TestOutage_AsksOnceASecondAndWarnsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := &fakeTurns{down: errEngine}
		log := new(logged)
		limiter := &sharedlimit.Limiter{Turns: turns, Processes: 10, Logger: slog.New(slog.NewTextHandler(log, nil))}
		begin := time.Now()
		for range 51 {
			require.NoError(t, limiter.Wait(t.Context()))
		}
		assert.InDelta(t, 5050, time.Since(begin).Milliseconds(), 50)
		assert.InDelta(t, 6, turns.requests(), 1)
		assert.Equal(t, 1, strings.Count(log.String(), "level=WARN"))
		assert.Contains(t, log.String(), errEngine.Error())

		turns.setDown(nil)
		for range 20 {
			require.NoError(t, limiter.Wait(t.Context()))
		}
		assert.Equal(t, 2, strings.Count(log.String(), "level=WARN"))

		turns.setDown(errEngine)
		time.Sleep(time.Minute)
		require.NoError(t, limiter.Wait(t.Context()))
		assert.Equal(t, 3, strings.Count(log.String(), "level=WARN"))
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
		assert.InDelta(t, 29, passed.between(0, 2900*time.Millisecond), 2, "the second of the probe, and two more")
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
		assert.InDelta(t, 1250, time.Since(begin).Milliseconds(), 250)
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
		turns.take(300, 10*time.Millisecond, time.Second) // three seconds of others
		time.Sleep(time.Second)
		begin := time.Now()
		for range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			require.NoError(t, limiter.Wait(ctx), "others may not have noticed: it has its share")
			cancel()
		}
		assert.InDelta(t, 400, time.Since(begin).Milliseconds(), 50)
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
		assert.Equal(t, 64, passed.between(0, 650*time.Millisecond))
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

func TestOutage_TimeOutIsNotTheCallers(t *testing.T) {
	turns := &fakeTurns{down: fmt.Errorf("driver: %w", context.DeadlineExceeded)}
	err := (&sharedlimit.Limiter{Turns: turns}).Wait(t.Context())
	require.Error(t, err)
	assert.NotErrorIs(t, err, context.DeadlineExceeded)
}

func TestOutage_SlowAnswersDontDelayTheShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := &fakeTurns{down: errEngine, latency: 20 * time.Millisecond}
		limiter := &sharedlimit.Limiter{Turns: turns, Processes: 10} // a turn in 100 ms
		require.NoError(t, limiter.Wait(t.Context()))
		turns.setDown(nil)
		passed := startPasses()
		workers(t, passed, 4*time.Second, 8, limiter)
		assert.InDelta(t, 15, passed.between(1200*time.Millisecond, 2700*time.Millisecond), 1)
	})
}
