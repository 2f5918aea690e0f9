package lease

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// grow dates the lock back, as if a minute had gone by without a refresh.
func grow(t *testing.T, dir string) {
	t.Helper()
	past := time.Now().Add(-2 * leaseTime)
	require.NoError(t, os.Chtimes(filepath.Join(dir, "lock"), past, past))
}

// other returns another run's view of the lock, which has it if has.
func other(t *testing.T, dir, token string, has bool) *lock {
	t.Helper()
	l := newLock(dir, token)
	if has {
		require.NoError(t, l.write(os.O_CREATE|os.O_EXCL))
	}
	return l
}

func TestTake_OneRunAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		_, free, err := Take(t.Context(), dir)
		require.NoError(t, err)
		_, _, err = Take(t.Context(), dir)
		require.ErrorIs(t, err, ErrHeld)
		free()
		_, free, err = Take(t.Context(), dir)
		require.NoError(t, err)
		free()
		files, err := os.ReadDir(dir)
		require.NoError(t, err)
		assert.Empty(t, files)
	})
}

func TestTake_WaitsForOneThatEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		_, free, err := Take(t.Context(), dir)
		require.NoError(t, err)
		time.AfterFunc(15*time.Second, free)
		_, freeSecond, err := Take(t.Context(), dir)
		require.NoError(t, err)
		freeSecond()
	})
}

func TestTake_EndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		_, free, err := Take(t.Context(), dir)
		require.NoError(t, err)
		defer free()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _, err = Take(ctx, dir)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestTake_FolderThatDoesNotExist(t *testing.T) {
	_, _, err := Take(t.Context(), filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// The lock that a killed run has left is taken over by one of those that wait.
func TestTake_TakesOverALeaseThatEnded(t *testing.T) {
	for range 50 {
		dir := t.TempDir()
		killed := other(t, dir, "killed", true)
		grow(t, dir)
		var got atomic.Int32
		done := make(chan struct{})
		for i := range 4 {
			go func() {
				defer func() { done <- struct{}{} }()
				if newLock(dir, string(rune('A'+i))).take() == nil {
					got.Add(1)
				}
			}()
		}
		for range 4 {
			<-done
		}
		require.NotZero(t, got.Load())
		require.False(t, killed.isOurs())
	}
}

// A clock that was wrong when the lock was written must not hold the folder
// until that time comes.
func TestTake_TakesOverALockFromTheFuture(t *testing.T) {
	dir := t.TempDir()
	killed := other(t, dir, "killed", true)
	future := time.Now().Add(365 * 24 * time.Hour)
	require.NoError(t, os.Chtimes(killed.path, future, future))
	l := other(t, dir, "A", false)
	require.NoError(t, l.take())
	assert.True(t, l.isOurs())
}

func TestLock_PutsANewLockBack(t *testing.T) {
	dir := t.TempDir()
	fresh, mine := other(t, dir, "new", true), other(t, dir, "mine", false)
	require.ErrorIs(t, mine.discard(), fs.ErrExist)
	assert.True(t, fresh.isOurs())
	grow(t, dir)
	require.NoError(t, mine.discard())
	require.ErrorIs(t, mine.discard(), fs.ErrExist, "another run was faster")
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, files)
}

func TestTake_LosesItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		ctx, free, err := Take(t.Context(), dir)
		require.NoError(t, err)
		grow(t, dir)
		another := other(t, dir, "another", false)
		require.NoError(t, Check(ctx))
		require.NoError(t, another.take())
		assert.ErrorContains(t, Check(ctx), "the lease was lost", "before it is noticed")
		<-ctx.Done()
		assert.ErrorContains(t, context.Cause(ctx), "the lease was lost")
		free()
		assert.True(t, another.isOurs(), "another's lock stays")
	})
}

// A run that refreshes its lock keeps it.
func TestTake_IsRefreshed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		ctx, free, err := Take(t.Context(), dir)
		require.NoError(t, err)
		grow(t, dir)
		time.Sleep(refreshPause + time.Second) // virtual
		another := other(t, dir, "another", false)
		isStale, err := another.isStale(another.path)
		require.NoError(t, err)
		assert.False(t, isStale)
		assert.NoError(t, ctx.Err())
		free()
	})
}
