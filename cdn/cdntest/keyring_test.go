package cdntest

import (
	"crypto/ed25519"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr"
)

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

func TestAPI_ForgetsTheOldestKeys(t *testing.T) {
	var api API
	store := boundedStore{&api.Keys, &api.made}
	has := func(n int) bool {
		name, _ := numberedKey(t, n)
		_, err := api.Keys.Get(t.Context(), name)
		return err == nil
	}
	for n := range 2*maxKeys + 1 {
		name, key := numberedKey(t, n)
		require.NoError(t, store.Put(t.Context(), name, key))
		require.True(t, has(n))
	}
	for n, want := range map[int]bool{0: false, maxKeys: false, maxKeys + 1: true, 2 * maxKeys: true} {
		require.Equal(t, want, has(n), "%d", n)
	}
	name, key := numberedKey(t, 2*maxKeys)
	require.Error(t, store.Put(t.Context(), name, key), "it is there")
	require.Len(t, api.made.names, maxKeys)
}
