package csr

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGenerator_KeepsTheKey(t *testing.T) {
	dir := DirStore(t.TempDir() + "/a/keys")
	for name, store := range map[string]KeyStore{"MemStore": new(MemStore), "DirStore": dir} {
		pool := NewPool(P256, 2)
		g := Generator{Keys: store, Source: pool}
		resp, err := g.CreateCdnCertificateSigningRequest(t.Context(), &Request{CommonName: "example.com"})
		require.NoError(t, err, name)
		key, err := store.Get(t.Context(), resp.PubMd5)
		require.NoError(t, err, name)
		md5, err := PubMD5(key.Public())
		require.NoError(t, err, name)
		require.Equal(t, resp.PubMd5, md5, name)
		require.NoError(t, pool.Close())
	}
}
