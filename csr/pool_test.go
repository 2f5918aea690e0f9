package csr

import (
	"context"
	"crypto"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// numbered key: tests tell keys apart by their number.
type numberedKey struct {
	crypto.Signer
	n int
}

// counter is a KeySource that counts. Its first calls may fail or take long.
type counter struct {
	mu    sync.Mutex
	calls []time.Time // when NewKey was called
	keys  int

	fail func(call int) error // nil: never
	slow time.Duration        // how long a key takes, unless the context ends
}

func (c *counter) NewKey(ctx context.Context) (crypto.Signer, error) {
	c.mu.Lock()
	c.calls = append(c.calls, time.Now())
	call := len(c.calls)
	c.mu.Unlock()
	if c.slow > 0 {
		sleep(ctx, c.slow)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fail != nil {
		if err := c.fail(call); err != nil {
			return nil, err
		}
	}
	c.keys++
	return &numberedKey{n: c.keys}, nil
}

func (c *counter) made() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.keys
}

func take(t *testing.T, p *Pool) int {
	t.Helper()
	key, err := p.NewKey(t.Context())
	require.NoError(t, err)
	return key.(*numberedKey).n
}

func TestPool_FillsAndRefills(t *testing.T) {
	for _, size := range []int{1, 2, 5} {
		synctest.Test(t, func(t *testing.T) {
			source := new(counter)
			pool := NewPool(source, size)
			defer pool.Close()
			synctest.Wait()
			assert.Equal(t, size, source.made(), "as many as it was asked to keep, and no more")
			for n := 1; n <= size; n++ {
				assert.Equal(t, n, take(t, pool), "the oldest first")
				synctest.Wait()
				assert.Equal(t, size+n, source.made(), "each that is taken is made again")
			}
		})
	}
}

// TestPool_EmptyDoesNotWait holds that who finds no key gets one at once, while the filler is still at its own.
func TestPool_EmptyDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &counter{slow: time.Second}
		pool := NewPool(source, 3)
		defer pool.Close()
		time.Sleep(900 * time.Millisecond) // the filler's first key takes another 100
		start := time.Now()
		take(t, pool)
		assert.Equal(t, time.Second, time.Since(start), "the time of a key of one's own, from now on")
	})
}

func TestPool_NoKeyTwice(t *testing.T) {
	const goroutines, each = 8, 200
	pool := NewPool(new(counter), 4)
	var handed sync.Map
	var wait sync.WaitGroup
	for range goroutines {
		wait.Go(func() {
			for range each {
				key, err := pool.NewKey(t.Context())
				if assert.NoError(t, err) && assert.NotNil(t, key) {
					_, twice := handed.LoadOrStore(key.(*numberedKey).n, true)
					assert.False(t, twice)
				}
			}
		})
	}
	closing := make(chan struct{})
	go func() { // half-way through
		defer close(closing)
		assert.NoError(t, pool.Close())
	}()
	wait.Wait()
	<-closing
}

func TestPool_WaitsLongerAfterEachFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const failures = 6
		source := &counter{fail: func(call int) error {
			if call <= failures || call == failures+2 {
				return errors.New("the HSM is away")
			}
			return nil
		}}
		pool := NewPool(source, 1)
		defer pool.Close()
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, 1, source.made(), "it goes on when the source is back")
		calls := source.calls
		require.Len(t, calls, failures+1)
		for i := range failures {
			wait := calls[i+1].Sub(calls[i])
			usual := 500 * time.Millisecond
			for range i {
				usual = usual * 3 / 2
			}
			assert.InDelta(t, usual, wait, float64(usual)/2+1, "wait %d: half to one and a half", i)
		}

		take(t, pool)
		time.Sleep(time.Minute)
		synctest.Wait()
		calls = source.calls
		require.Len(t, calls, failures+3)
		assert.Less(t, calls[failures+2].Sub(calls[failures+1]), time.Second, "after a key the waits begin anew")
	})
}

// TestPool_FailureIsTheCallersToo holds that an empty pool hides nothing of its source.
func TestPool_FailureIsTheCallersToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := errors.New("the HSM is away")
		pool := NewPool(&counter{fail: func(int) error { return away }}, 1)
		defer pool.Close()
		synctest.Wait()
		key, err := pool.NewKey(t.Context())
		assert.ErrorIs(t, err, away)
		assert.Nil(t, key)
	})
}

func TestPool_NilKeyIsAFailure(t *testing.T) {
	for name, key := range map[string]crypto.Signer{"nil": nil, "typed nil": (*numberedKey)(nil)} {
		synctest.Test(t, func(t *testing.T) {
			var calls atomic.Int32
			pool := NewPool(sourceFunc(func(context.Context) (crypto.Signer, error) {
				calls.Add(1)
				return key, nil
			}), 2)
			defer pool.Close()
			synctest.Wait()
			assert.EqualValues(t, 1, calls.Load(), "%s: the filler waits", name)
			got, err := pool.NewKey(t.Context())
			assert.Error(t, err, name)
			assert.Nil(t, got, name)
		})
	}
}

func TestPool_Close(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := new(counter)
		pool := NewPool(source, 3)
		synctest.Wait()
		require.NoError(t, pool.Close())
		assert.Equal(t, 3, source.made())
		assert.Empty(t, pool.ready, "it keeps no key")
		assert.Equal(t, 4, take(t, pool), "a key of one's own")
		synctest.Wait()
		assert.Equal(t, 4, source.made(), "nothing is made ahead")
		assert.NoError(t, pool.Close(), "twice")
	})
}

// TestPool_CloseInTheMiddle holds that Close ends a filler that makes a key, and one that waits after a failure.
func TestPool_CloseInTheMiddle(t *testing.T) {
	for name, source := range map[string]*counter{
		"a key is being made": {slow: time.Hour},
		"after a failure":     {fail: func(int) error { return errors.New("no") }},
	} {
		synctest.Test(t, func(t *testing.T) {
			pool := NewPool(source, 1)
			synctest.Wait()
			start := time.Now()
			var wait sync.WaitGroup
			for range 3 {
				wait.Go(func() { assert.NoError(t, pool.Close()) })
			}
			wait.Wait()
			assert.Zero(t, time.Since(start), name)
		})
	}
}

// TestPool_CloseWaits holds that nothing is made any more when Close returns, even if the source heeds no context.
func TestPool_CloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := NewPool(sourceFunc(func(context.Context) (crypto.Signer, error) {
			time.Sleep(time.Second)
			return &numberedKey{}, nil
		}), 3)
		time.Sleep(time.Second / 2)
		start := time.Now()
		require.NoError(t, pool.Close())
		assert.Equal(t, time.Second/2, time.Since(start))
		assert.Empty(t, pool.ready)
	})
}

func TestPool_Context(t *testing.T) {
	pool := NewPool(new(counter), 1)
	defer pool.Close()
	ended, end := context.WithCancel(t.Context())
	end()
	key, err := pool.NewKey(ended)
	assert.ErrorIs(t, err, context.Canceled)
	assert.Nil(t, key)
}

func TestPool_CancelWhileMaking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := NewPool(&counter{slow: time.Hour}, 1)
		defer pool.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		key, err := pool.NewKey(ctx)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Nil(t, key)
	})
}

func TestNewPool_RefusesNothingSilently(t *testing.T) {
	for name, pool := range map[string]*Pool{
		"nil source":       NewPool(nil, 1),
		"typed nil source": NewPool((*Pool)(nil), 1),
		"size zero":        NewPool(P256, 0),
		"size below zero":  NewPool(P256, -1),
		"zero Pool":        {},
		"nil Pool":         nil,
	} {
		key, err := pool.NewKey(t.Context())
		assert.Error(t, err, name)
		assert.Nil(t, key, name)
		assert.Error(t, pool.Close(), name)
	}
}
