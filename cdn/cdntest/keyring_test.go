package cdntest_test

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
)

var _ csr.KeyStore = new(cdntest.KeyRing)

// numberedKey returns the nth key of a fixed sequence, and its name. Its halves
// do not belong together, which a store does not look at, so it takes no time
// to make.
func numberedKey(t *testing.T, n int) (string, ed25519.PrivateKey) {
	t.Helper()
	key := make(ed25519.PrivateKey, ed25519.PrivateKeySize)
	binary.BigEndian.PutUint64(key[ed25519.SeedSize:], uint64(n))
	name, err := csr.PubMD5(key.Public())
	require.NoError(t, err)
	return name, key
}

func TestKeyRing_ForgetsTheOldestKeys(t *testing.T) {
	var ring cdntest.KeyRing
	has := func(n int) bool {
		name, key := numberedKey(t, n)
		got, err := ring.Get(t.Context(), name)
		if err != nil {
			require.ErrorIs(t, err, fs.ErrNotExist)
			return false
		}
		require.Equal(t, key, got)
		return true
	}
	require.False(t, has(0))
	for n := range 20_001 {
		name, key := numberedKey(t, n)
		require.NoError(t, ring.Put(t.Context(), name, key))
		if n%5_000 == 0 || n%5_000 == 4_999 {
			require.ErrorIs(t, ring.Put(t.Context(), name, key), fs.ErrExist)
		}
		if n == 10_000 {
			zero, key := numberedKey(t, 0)
			require.True(t, has(0))
			require.ErrorIs(t, ring.Put(t.Context(), zero, key), fs.ErrExist)
		}
	}
	require.False(t, has(0))
	require.False(t, has(9_999))
	require.True(t, has(10_000))
	require.True(t, has(20_000))
}

func TestKeyRing_KeepsNothingOnceTheContextHasEnded(t *testing.T) {
	var ring cdntest.KeyRing
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	name, key := numberedKey(t, 0)
	require.ErrorIs(t, ring.Put(ended, name, key), context.Canceled)
	require.Error(t, ring.Put(t.Context(), "another", key))
	_, err := ring.Get(ended, name)
	require.ErrorIs(t, err, context.Canceled)
	_, err = ring.Get(t.Context(), name)
	require.ErrorIs(t, err, fs.ErrNotExist)
}
