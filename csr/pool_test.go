package csr

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var errAway = errors.New("the HSM is away")

// takeKey returns the number of the next key.
func takeKey(t *testing.T, p *Pool) int {
	t.Helper()
	key, err := p.NewKey(t.Context())
	require.NoError(t, err)
	return key.(*numberedKey).n
}

func TestPool_FillsAndRefills(t *testing.T) {
	for _, size := range []int{1, 2, 5} {
		synctest.Test(t, func(t *testing.T) {
			source := new(counter)
			pool := newPool(t, source, size)
			synctest.Wait()
			assert.Equal(t, size, source.made(), "as many as asked for, and no more")
			for n := 1; n <= size; n++ {
				assert.Equal(t, n, takeKey(t, pool), "the oldest first")
				synctest.Wait()
				assert.Equal(t, size+n, source.made(), "each key that is taken is replaced")
			}
		})
	}
}

// TestPool_EmptyDoesNotWait shows that a caller who finds no key ready does not
// wait for the one that is being made.
func TestPool_EmptyDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, &counter{slow: time.Second}, 3)
		time.Sleep(900 * time.Millisecond) // the Pool's first key takes another 100
		start := time.Now()
		takeKey(t, pool)
		assert.Equal(t, time.Second, time.Since(start), "a key of the caller's own")
	})
}

func TestPool_NoKeyTwice(t *testing.T) {
	const goroutines, each = 8, 200
	pool := newPool(t, new(counter), 4)
	var taken sync.Map
	var wait sync.WaitGroup
	for range goroutines {
		wait.Go(func() {
			for range each {
				key, err := pool.NewKey(t.Context())
				if assert.NoError(t, err) && assert.NotNil(t, key) {
					_, twice := taken.LoadOrStore(key.(*numberedKey).n, true)
					assert.False(t, twice)
				}
			}
		})
	}
	wait.Go(func() { assert.NoError(t, pool.Close()) }) // somewhere in between
	wait.Wait()
}

func TestPool_WaitsLongerAfterEachFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const failures = 6
		source := &counter{fail: func(call int) error {
			if call <= failures || call == failures+2 {
				return errAway
			}
			return nil
		}}
		pool := newPool(t, source, 1)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, 1, source.made(), "it goes on when the source is back")
		calls := source.calls
		require.Len(t, calls, failures+1)
		usual := 500 * time.Millisecond
		for i := range failures {
			wait := calls[i+1].Sub(calls[i])
			assert.InDelta(t, usual, wait, float64(usual)/2+1, "wait %d: half to one and a half", i)
			usual = usual * 3 / 2
		}

		takeKey(t, pool)
		time.Sleep(time.Minute)
		synctest.Wait()
		calls = source.calls
		require.Len(t, calls, failures+3)
		assert.Less(t, calls[failures+2].Sub(calls[failures+1]), time.Second, "after a key the waits start over")
	})
}

// TestPool_NewKeyReturnsTheSourcesError shows that an empty pool returns the
// errors of its source.
func TestPool_NewKeyReturnsTheSourcesError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, &counter{fail: func(int) error { return errAway }}, 1)
		synctest.Wait()
		key, err := pool.NewKey(t.Context())
		assert.ErrorIs(t, err, errAway)
		assert.Nil(t, key)
	})
}

// badSources are sources that break the rules of KeySource.
var badSources = map[string]sourceFunc{
	"returns nil":         func(context.Context) (crypto.Signer, error) { return nil, nil },
	"returns a typed nil": func(context.Context) (crypto.Signer, error) { return (*numberedKey)(nil), nil },
	"panics":              func(context.Context) (crypto.Signer, error) { panic("boom") },
	"panics with nil":     func(context.Context) (crypto.Signer, error) { panic(nil) },
	"calls Goexit": func(context.Context) (crypto.Signer, error) {
		runtime.Goexit()
		return nil, nil
	},
}

// TestPool_BadSource shows that whatever a source does is an error of NewKey
// and a failure to the Pool, which waits before it tries again.
func TestPool_BadSource(t *testing.T) {
	for name, source := range badSources {
		synctest.Test(t, func(t *testing.T) {
			var calls atomic.Int32
			pool := newPool(t, sourceFunc(func(ctx context.Context) (crypto.Signer, error) {
				if calls.Add(1) <= 2 {
					return source(ctx)
				}
				return &numberedKey{n: 7}, nil
			}), 1)
			synctest.Wait()
			assert.EqualValues(t, 1, calls.Load(), "%s: the Pool waits", name)
			key, err := pool.NewKey(t.Context())
			assert.Error(t, err, name)
			assert.Nil(t, key, name)

			time.Sleep(time.Minute)
			synctest.Wait()
			assert.Equal(t, 7, takeKey(t, pool), "%s: the Pool is still at work", name)
		})
	}
}

func TestPool_PanicHasItsStack(t *testing.T) {
	pool := newPool(t, panicSource{errAway}, 1)
	_, err := pool.NewKey(t.Context())
	require.ErrorIs(t, err, errAway, "a panic with an error")
	assert.NotContains(t, err.Error(), "\n")
	assert.Equal(t, err.Error(), fmt.Sprintf("%v", err))
	assert.Equal(t, fmt.Sprintf("%q", err.Error()), fmt.Sprintf("%q", err))
	assert.Contains(t, fmt.Sprintf("%+v", err), "panicSource.NewKey")

	_, err = newPool(t, badSources["calls Goexit"], 1).NewKey(t.Context())
	assert.ErrorContains(t, err, "Goexit")
	_, err = newPool(t, badSources["panics with nil"], 1).NewKey(t.Context())
	var nilPanic *runtime.PanicNilError
	assert.ErrorAs(t, err, &nilPanic)
	_, err = newPool(t, badSources["panics"], 1).NewKey(t.Context())
	assert.ErrorContains(t, err, "boom")
}

// panicSource is a KeySource that panics with an error.
type panicSource struct{ err error }

func (s panicSource) NewKey(context.Context) (crypto.Signer, error) { panic(s.err) }

func TestPool_Close(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := new(counter)
		pool := newPool(t, source, 3)
		synctest.Wait()
		require.NoError(t, pool.Close())
		assert.Equal(t, 3, source.made())
		assert.Empty(t, pool.ready, "it forgets its keys")
		assert.Equal(t, 4, takeKey(t, pool), "a key of the caller's own")
		synctest.Wait()
		assert.Equal(t, 4, source.made(), "nothing is made ahead of time")
		assert.NoError(t, pool.Close(), "twice")
	})
}

// TestPool_CloseWhileMaking shows that Close stops a Pool that makes a key, and
// one that waits after a failure.
func TestPool_CloseWhileMaking(t *testing.T) {
	for name, source := range map[string]*counter{
		"making a key":    {slow: time.Hour},
		"after a failure": {fail: func(int) error { return errAway }},
	} {
		synctest.Test(t, func(t *testing.T) {
			pool := newPool(t, source, 1)
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

// TestPool_CloseWaits shows that nothing is made any more when Close returns,
// even if the source ignores its context.
func TestPool_CloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, sourceFunc(func(context.Context) (crypto.Signer, error) {
			time.Sleep(time.Second)
			return new(numberedKey), nil
		}), 3)
		time.Sleep(time.Second / 2)
		start := time.Now()
		require.NoError(t, pool.Close())
		assert.Equal(t, time.Second/2, time.Since(start))
		assert.Empty(t, pool.ready)
	})
}

func TestPool_CanceledContext(t *testing.T) {
	pool := newPool(t, new(counter), 1)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	key, err := pool.NewKey(canceled)
	assert.ErrorIs(t, err, context.Canceled)
	assert.Nil(t, key)
}

func TestPool_CancelWhileMaking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, &counter{slow: time.Hour}, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		key, err := pool.NewKey(ctx)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Nil(t, key)
	})
}

// TestPool_SourceIgnoresItsContext shows that NewKey returns when its context
// ends, even if the source does not.
func TestPool_SourceIgnoresItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, sourceFunc(func(context.Context) (crypto.Signer, error) {
			time.Sleep(time.Hour)
			return new(numberedKey), nil
		}), 1)
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errAway) })
		start := time.Now()
		key, err := pool.NewKey(ctx)
		assert.Equal(t, time.Second, time.Since(start))
		assert.ErrorIs(t, err, context.Canceled)
		assert.ErrorIs(t, err, errAway, "the cause")
		assert.Nil(t, key)
	})
}

func TestNewPool_LargestSize(t *testing.T) {
	pool := newPool(t, Ed25519, maxPoolSize)
	require.NoError(t, pool.Close())
}

func TestNewPool_BadArguments(t *testing.T) {
	for name, test := range map[string]struct {
		source KeySource
		size   int
	}{
		"nil source":           {nil, 1},
		"nil pointer":          {(*Pool)(nil), 1},
		"nil function":         {sourceFunc(nil), 1},
		"size zero":            {P256, 0},
		"size less than zero":  {P256, -1},
		"size above the bound": {P256, maxPoolSize + 1},
		"size beyond memory":   {P256, 1 << 62},
	} {
		pool, err := NewPool(test.source, test.size)
		assert.Error(t, err, name)
		assert.Nil(t, pool, name)
	}
}

func TestPool_NotMadeByNewPool(t *testing.T) {
	for name, pool := range map[string]*Pool{"nil": nil, "zero value": {}} {
		key, err := pool.NewKey(t.Context())
		assert.Error(t, err, name)
		assert.Nil(t, key, name)
		assert.NoError(t, pool.Close(), name)
	}
}
