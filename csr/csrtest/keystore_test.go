package csrtest

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cdncsr/cdncsr/csr"
)

func TestTestKeyStore_GoodStores(t *testing.T) {
	t.Run("MemStore", func(t *testing.T) {
		TestKeyStore(t, func(*testing.T) csr.KeyStore { return new(csr.MemStore) })
	})
	t.Run("DirStore", func(t *testing.T) {
		TestKeyStore(t, func(t *testing.T) csr.KeyStore { return csr.DirStore(t.TempDir() + "/keys") })
	})
}

func TestTestKeyStore_FindsBrokenStores(t *testing.T) {
	for _, check := range checks {
		assert.NotEmpty(t, brokenStores[check.name], "no broken store for %s", check.name)
		for name, newStore := range brokenStores[check.name] {
			assert.Error(t, run(t.Context(), check.run, newStore()), "%s: a store that %s passes", check.name, name)
			assert.NoError(t, run(t.Context(), check.run, new(csr.MemStore)), check.name)
		}
	}
	assert.Len(t, brokenStores, len(checks))
}
