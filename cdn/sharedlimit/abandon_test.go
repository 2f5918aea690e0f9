package sharedlimit

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hourly is an engine that has a free turn at once, and the next ones an hour
// apart.
type hourly struct{ taken int }

func (h *hourly) Take(context.Context, int, time.Duration, time.Duration) (time.Duration, bool, error) {
	h.taken++
	return time.Duration(h.taken-1) * time.Hour, true, nil
}

// A call may end at the very moment at which it gets its turn.
func TestAbandon_TurnThatHasBeenGivenGoesToTheNextCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := &Limiter{Turns: new(hourly)}
		given, next := &waiter{result: make(chan error, 1)}, &waiter{result: make(chan error, 1)}
		limiter.enter(given)
		synctest.Wait()
		require.Nil(t, given.place, "it has its turn")
		limiter.enter(next)
		synctest.Wait()
		assert.Empty(t, next.result)
		limiter.abandon(given)
		require.Len(t, next.result, 1)
		assert.NoError(t, <-next.result)
	})
}
