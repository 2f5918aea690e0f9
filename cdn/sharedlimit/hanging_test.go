package sharedlimit_test

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/sharedlimit"
)

func TestHanging_TakeIsFollowedByAnother(t *testing.T) {
	for _, processes := range []int{0, 2} {
		synctest.Test(t, func(t *testing.T) {
			hang := make(chan struct{})
			turns := &fakeTurns{hang: hang}
			limiter := &sharedlimit.Limiter{Turns: turns, Processes: processes, Rate: 1}
			begin := time.Now()
			err := limiter.Wait(t.Context())
			assert.Equal(t, processes == 0, err != nil)
			turns.setHang(nil) // only the first one hangs
			time.Sleep(time.Minute)
			require.NoError(t, limiter.Wait(t.Context()))
			assert.Less(t, time.Since(begin), 65*time.Second)

			close(hang)
			synctest.Wait() // it takes the next turn
			begin = time.Now()
			require.NoError(t, limiter.Wait(t.Context()))
			assert.Equal(t, 2*time.Second, time.Since(begin).Round(time.Second), "the old answer's turn was too late to count")
		})
	}
}

func TestHanging_OldAnswerIsNotTheNewOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		turns := &fakeTurns{hang: hang}
		limiter := &sharedlimit.Limiter{Turns: turns}
		require.Error(t, limiter.Wait(t.Context()))
		turns.setHang(nil)
		turns.setLatency(400 * time.Millisecond)
		time.Sleep(time.Second)
		begin := time.Now()
		time.AfterFunc(100*time.Millisecond, func() { close(hang) })
		require.NoError(t, limiter.Wait(t.Context()))
		assert.Equal(t, 800*time.Millisecond, time.Since(begin))
	})
}

func TestHanging_OnlySoManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		turns := &fakeTurns{hang: hang}
		limiter := &sharedlimit.Limiter{Turns: turns, Processes: 10}
		for range 600 { // a minute
			require.NoError(t, limiter.Wait(t.Context()))
		}
		assert.Equal(t, 4, turns.requests())
		assert.Equal(t, 4, turns.mostAtOnce())

		turns.setHang(nil)
		close(hang)
		passed := startPasses()
		workers(t, passed, 5*time.Second, 10, limiter)
		assert.InDelta(t, 100, passed.between(4*time.Second, 5*time.Second), 1)
	})
}

// endless are Turns whose Take does not return, but ends, until it is mended.
type endless struct {
	fakeTurns
	end func()
}

func (e *endless) Take(ctx context.Context, n int, interval, ahead time.Duration) (time.Duration, bool, error) {
	wait, ok, err := e.fakeTurns.Take(ctx, n, interval, ahead)
	if err != nil {
		e.end()
	}
	return wait, ok, err
}

func TestTake_ThatDoesNotReturnIsAnError(t *testing.T) {
	cases := map[string]struct {
		end  func()
		want string // in the error
	}{
		"panic":  {func() { panic("no driver") }, "panic: no driver"},
		"Goexit": {runtime.Goexit, "goroutine"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				turns := &endless{end: c.end}
				turns.setDown(errEngine)
				begin := time.Now()
				require.ErrorContains(t, (&sharedlimit.Limiter{Turns: turns}).Wait(t.Context()), c.want)
				assert.Zero(t, time.Since(begin))

				limiter := &sharedlimit.Limiter{Turns: turns, Processes: 10}
				for range 50 {
					require.NoError(t, limiter.Wait(t.Context()))
				}
				turns.setDown(nil)
				time.Sleep(time.Second)
				passed := startPasses()
				workers(t, passed, 5*time.Second, 10, limiter)
				assert.InDelta(t, 100, passed.between(4*time.Second, 5*time.Second), 1)
			})
		})
	}
}
