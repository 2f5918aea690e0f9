package sharedlimit_test

import (
	"context"
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
	cases := map[string]func(turns *fakeTurns) (repair func()){
		"refuses": func(turns *fakeTurns) func() {
			turns.setDown(errEngine)
			return func() { turns.setDown(nil) }
		},
		"is silent": func(turns *fakeTurns) func() {
			hang := make(chan struct{})
			turns.setHang(hang)
			return func() { turns.setHang(nil); close(hang) }
		},
	}
	for name, damage := range cases {
		t.Run(name, func(t *testing.T) {
			// With 64 calls a process asks again after up to a quarter of a second only, and so notices later.
			for perProcess, most := range map[int]int{8: 110, 64: 120} {
				synctest.Test(t, func(t *testing.T) {
					turns := &fakeTurns{latency: time.Millisecond}
					time.AfterFunc(3*time.Second, func() {
						repair := damage(turns)
						time.AfterFunc(3*time.Second, repair)
					})
					passed := startPasses()
					workers(t, passed, 12*time.Second, perProcess, processes(8, turns)...)
					for second := range 12 {
						from := time.Duration(second) * time.Second
						assert.GreaterOrEqual(t, passed.between(from, from+time.Second), 60, "second %d", second)
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
