package sealed_test

import (
	"crypto"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/csr/sealed"
)

// BenchmarkPut compares a sealed store over a map with csr.MemStore.
func BenchmarkPut(b *testing.B) {
	_, identity := newPair(b)
	ring := newRing(b, newSecret())
	for _, keyType := range []csr.KeyType{csr.RSA2048, csr.P256} {
		name, key := newBenchKey(b, keyType)
		for store, newStore := range map[string]func() csr.KeyStore{
			"MemStore": func() csr.KeyStore { return new(csr.MemStore) },
			"Keyring":  func() csr.KeyStore { return &sealed.Store{Blobs: newBlobs(), AEAD: ring} },
			"Identity": func() csr.KeyStore { return &sealed.Store{Blobs: newBlobs(), AEAD: identity} },
		} {
			b.Run(keyType.String()+"/"+store, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := newStore().Put(b.Context(), name, key); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func newBenchKey(tb testing.TB, keyType csr.KeyType) (name string, key crypto.Signer) {
	tb.Helper()
	key, err := keyType.NewKey(tb.Context())
	require.NoError(tb, err)
	name, err = csr.PubMD5(key.Public())
	require.NoError(tb, err)
	return name, key
}

// TestKeyring_Allocations: one for each envelope and each plaintext.
func TestKeyring_Allocations(t *testing.T) {
	ring := newRing(t, newSecret(), newSecret())
	plaintext, ad := make([]byte, 1218), []byte("name")
	assert.Equal(t, 1.0, testing.AllocsPerRun(100, func() { _, _ = ring.Encrypt(plaintext, ad) }))
	envelope, err := ring.Encrypt(plaintext, ad)
	require.NoError(t, err)
	assert.Equal(t, 1.0, testing.AllocsPerRun(100, func() { _, _ = ring.Decrypt(envelope, ad) }))
}

// TestStore_Allocations: a Put of Store allocates 221 times (RSA) and 104 times
// (P-256) more than one of MemStore, mostly to encode the key as PKCS #8 and to
// read that back.
func TestStore_Allocations(t *testing.T) {
	ring := newRing(t, newSecret())
	for keyType, most := range map[csr.KeyType]float64{csr.RSA2048: 120, csr.P256: 115} {
		name, key := newBenchKey(t, keyType)
		plain := testing.AllocsPerRun(100, func() { _ = new(csr.MemStore).Put(t.Context(), name, key) })
		got := testing.AllocsPerRun(100, func() {
			_ = (&sealed.Store{Blobs: newBlobs(), AEAD: ring}).Put(t.Context(), name, key)
		})
		assert.LessOrEqual(t, got-plain, most, "%s: %v, and %v in MemStore", keyType, got, plain)
	}
}
