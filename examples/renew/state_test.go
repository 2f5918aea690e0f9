package main

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

func TestState_RecordsAreStored(t *testing.T) {
	s := state(t.TempDir())
	rec, err := s.load("*.example.com")
	require.NoError(t, err)
	rec.Chain, rec.OrderURL = "chain", "https://ca.example.net/1"
	require.NoError(t, rec.save())
	again, err := s.load("*.example.com")
	require.NoError(t, err)
	assert.Equal(t, rec, again)
	other, err := s.load("example.com")
	require.NoError(t, err)
	assert.Empty(t, other.Chain)

	require.NoError(t, os.WriteFile(rec.path, []byte(`{"Chain":`), 0o600))
	damaged, err := s.load("*.example.com")
	require.NoError(t, err)
	assert.Empty(t, damaged.Chain, "a damaged record counts as none")
	files, err := os.ReadDir(string(s))
	require.NoError(t, err)
	assert.Len(t, files, 1, "no temporary file is left")
}

func TestState_AccountKeyStays(t *testing.T) {
	s := state(t.TempDir())
	key, err := s.accountKey("https://ca.example.net/dir")
	require.NoError(t, err)
	again, err := s.accountKey("https://ca.example.net/dir")
	require.NoError(t, err)
	assert.Equal(t, key, again)
	other, err := s.accountKey("https://other.example.net/dir")
	require.NoError(t, err)
	assert.NotEqual(t, key, other)
	for name, content := range map[string]string{"empty": "", "no key": "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"} {
		require.NoError(t, os.WriteFile(filepath.Join(string(s), "account-ca.example.net.pem"), []byte(content), 0o600))
		_, err = s.accountKey("https://ca.example.net/dir")
		assert.ErrorContains(t, err, "account-ca.example.net.pem", name)
	}
}

// grow dates the lock back, as if a minute had gone by without a refresh.
func grow(t *testing.T, dir string) {
	t.Helper()
	past := time.Now().Add(-2 * leaseTime)
	if err := os.Chtimes(filepath.Join(dir, "lock"), past, past); !os.IsNotExist(err) {
		require.NoError(t, err)
	}
}

func TestLock_OneRunAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := state(t.TempDir())
		_, unlock, err := s.lock(t.Context())
		require.NoError(t, err)
		_, _, err = s.lock(t.Context())
		require.ErrorIs(t, err, errLocked)
		unlock()
		_, unlock, err = s.lock(t.Context())
		require.NoError(t, err)
		unlock()
		files, err := os.ReadDir(string(s))
		require.NoError(t, err)
		assert.Empty(t, files)
	})
}

func TestLock_WaitsForOneThatEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := state(t.TempDir())
		_, unlock, err := s.lock(t.Context())
		require.NoError(t, err)
		time.AfterFunc(15*time.Second, unlock)
		_, unlockSecond, err := s.lock(t.Context())
		require.NoError(t, err)
		unlockSecond()
	})
}

func TestLock_EndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := state(t.TempDir())
		_, unlock, err := s.lock(t.Context())
		require.NoError(t, err)
		defer unlock()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _, err = s.lock(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

// The lock that a killed run has left is taken over by one of those that wait.
func TestLock_TakesOverALeaseThatEnded(t *testing.T) {
	for range 50 {
		dir := t.TempDir()
		s := state(dir)
		require.NoError(t, create(filepath.Join(dir, "lock"), "killed"))
		grow(t, dir)
		var got atomic.Int32
		done := make(chan struct{})
		for i := range 4 {
			go func() {
				defer func() { done <- struct{}{} }()
				if s.tryLock(filepath.Join(dir, "lock"), string(rune('A'+i))) == nil {
					got.Add(1)
				}
			}()
		}
		for range 4 {
			<-done
		}
		require.NotZero(t, got.Load())
		data, err := os.ReadFile(filepath.Join(dir, "lock"))
		require.NoError(t, err)
		require.NotEqual(t, "killed", string(data))
	}
}

// A clock that was wrong when the lock was written must not hold the directory
// until that time comes.
func TestLock_TakesOverALockFromTheFuture(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "lock")
	require.NoError(t, create(path, "killed"))
	future := time.Now().Add(365 * aDay)
	require.NoError(t, os.Chtimes(path, future, future))
	require.NoError(t, state(dir).tryLock(path, "A"))
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "A", string(data))
}

func TestLock_PutsANewLockBack(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "lock")
	require.NoError(t, create(path, "new"))
	require.ErrorIs(t, state(dir).discard(path, "mine"), fs.ErrExist)
	assert.True(t, holds(path, "new"))
	grow(t, dir)
	require.NoError(t, state(dir).discard(path, "mine"))
	require.ErrorIs(t, state(dir).discard(path, "mine"), fs.ErrExist, "another run was faster")
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, files)
}

func TestLock_LosesItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := state(t.TempDir())
		ctx, unlock, err := s.lock(t.Context())
		require.NoError(t, err)
		grow(t, string(s))
		require.NoError(t, s.tryLock(filepath.Join(string(s), "lock"), "another"))
		<-ctx.Done()
		assert.ErrorContains(t, context.Cause(ctx), "the lease was lost")
		unlock()
		assert.True(t, holds(filepath.Join(string(s), "lock"), "another"), "another's lock stays")
	})
}

// A run that refreshes its lock keeps it.
func TestLock_IsRefreshed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := state(t.TempDir())
		ctx, unlock, err := s.lock(t.Context())
		require.NoError(t, err)
		grow(t, string(s))
		time.Sleep(leaseRenew + time.Second) // virtual
		assert.False(t, s.isStale(filepath.Join(string(s), "lock")))
		assert.NoError(t, ctx.Err())
		unlock()
	})
}
