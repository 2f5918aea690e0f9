package csr_test

import (
	"crypto"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/csr/csrtest"
)

func TestMemStore(t *testing.T) {
	csrtest.TestKeyStore(t, func(*testing.T) csr.KeyStore { return new(csr.MemStore) })
}

func TestDirStore(t *testing.T) {
	csrtest.TestKeyStore(t, func(t *testing.T) csr.KeyStore {
		return csr.DirStore{Path: filepath.Join(t.TempDir(), "keys")}
	})
}

func TestMemStore_AnySigner(t *testing.T) {
	key, err := csr.P256.NewKey(t.Context())
	require.NoError(t, err)
	hsm := &struct{ crypto.Signer }{key}
	name, err := csr.PubMD5(key.Public())
	require.NoError(t, err)
	var store csr.MemStore
	require.NoError(t, store.Put(t.Context(), name, hsm))
	got, err := store.Get(t.Context(), name)
	require.NoError(t, err)
	assert.Same(t, hsm, got)
	store.Delete(name)
	store.Delete(name)
	_, err = store.Get(t.Context(), name)
	require.ErrorIs(t, err, fs.ErrNotExist)
}
