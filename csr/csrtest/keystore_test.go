package csrtest

import (
	"context"
	"crypto"
	"io/fs"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr"
)

func TestTestKeyStore_GoodStores(t *testing.T) {
	t.Run("MemStore", func(t *testing.T) {
		TestKeyStore(t, func(*testing.T) csr.KeyStore { return new(csr.MemStore) })
	})
	t.Run("DirStore", func(t *testing.T) {
		TestKeyStore(t, func(t *testing.T) csr.KeyStore { return csr.DirStore{Path: t.TempDir() + "/keys"} })
	})
}

func TestTestKeyStore_FindsBrokenStores(t *testing.T) {
	for _, check := range checks {
		assert.NotEmpty(t, brokenStores[check.name], "no broken store for %s", check.name)
		for what, newStore := range brokenStores[check.name] {
			err := guard(func() error { return check.run(t.Context(), newStore()) })
			require.Error(t, err, "%s: a store that %s passes", check.name, what)
			assert.NotContains(t, err.Error(), "%!", "%s: %s", check.name, what)
		}
	}
	assert.Len(t, brokenStores, len(checks))
}

// TestTestKeyStore_PanicHasItsStack shows that an author finds the line of a
// store that panics, also if it does so in one of many goroutines.
func TestTestKeyStore_PanicHasItsStack(t *testing.T) {
	for _, check := range checks {
		err := guard(func() error { return check.run(t.Context(), panickingStore{}) })
		assert.ErrorContains(t, err, "boom", check.name)
		assert.ErrorContains(t, err, "panickingStore", check.name)
	}
}

// panickingStore is a KeyStore that panics.
type panickingStore struct{ csr.KeyStore }

func (panickingStore) Put(context.Context, string, crypto.Signer) error { panic("boom") }

func (panickingStore) Get(context.Context, string) (crypto.Signer, error) { panic("boom") }

func TestTogether_Goexit(t *testing.T) {
	errs := together(func(i int) error {
		if i == 1 {
			runtime.Goexit() // as t.FailNow in a store does
		}
		return fs.ErrExist
	})
	assert.Len(t, errs, atOnce)
	for i, err := range errs {
		if i == 1 {
			assert.ErrorContains(t, err, "Goexit")
			continue
		}
		assert.Equal(t, fs.ErrExist, err)
	}
}

func TestKeyOfEachType(t *testing.T) {
	keys, err := keyOfEachType()
	require.NoError(t, err)
	require.NotEmpty(t, keys)
	assert.Equal(t, csr.Ed25519, keys[len(keys)-1].keyType, "the last one in package csr")
	for i, key := range keys {
		assert.Equal(t, csr.KeyType(i), key.keyType)
	}
}
