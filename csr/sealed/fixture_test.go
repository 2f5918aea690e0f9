package sealed_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/x509"
	"io/fs"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/csr/sealed"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// mapBlobs is a sealed.Swapper in memory.
type mapBlobs struct {
	mu    sync.Mutex
	blobs map[string][]byte
}

func newBlobs() *mapBlobs { return &mapBlobs{blobs: make(map[string][]byte)} }

func (m *mapBlobs) Put(ctx context.Context, name string, blob []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.blobs[name]; ok {
		return fs.ErrExist
	}
	m.blobs[name] = bytes.Clone(blob)
	return nil
}

func (m *mapBlobs) Get(ctx context.Context, name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	blob, ok := m.blobs[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return bytes.Clone(blob), nil
}

func (m *mapBlobs) Swap(ctx context.Context, name string, old, blob []byte) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	got, ok := m.blobs[name]
	if !ok {
		return false, fs.ErrNotExist
	}
	if !bytes.Equal(got, old) {
		return false, nil
	}
	m.blobs[name] = bytes.Clone(blob)
	return true, nil
}

// newSecret returns 32 random bytes.
func newSecret() []byte {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	return secret
}

func newRing(t testing.TB, first []byte, others ...[]byte) *sealed.Keyring {
	t.Helper()
	ring, err := sealed.NewKeyring(first, others...)
	require.NoError(t, err)
	return ring
}

// newPair returns a Recipient and the Identity that opens what it seals.
func newPair(t testing.TB) (*sealed.Recipient, *sealed.Identity) {
	t.Helper()
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	require.NoError(t, err)
	recipient, err := sealed.NewRecipient(private.PublicKey().Bytes())
	require.NoError(t, err)
	identity, err := sealed.NewIdentity(private.Bytes())
	require.NoError(t, err)
	return recipient, identity
}

// newKey returns a P-256 key, its name and its PKCS #8.
func newKey(t testing.TB) (name string, key crypto.Signer, der []byte) {
	t.Helper()
	key, err := csr.P256.NewKey(t.Context())
	require.NoError(t, err)
	name, err = csr.PubMD5(key.Public())
	require.NoError(t, err)
	der, err = x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return name, key, der
}

// putKey puts a new key into store.
func putKey(t testing.TB, store *sealed.Store) (name string, key crypto.Signer, der []byte) {
	t.Helper()
	name, key, der = newKey(t)
	require.NoError(t, store.Put(t.Context(), name, key))
	return name, key, der
}

// requireKey fails unless store has that very key.
func requireKey(t testing.TB, store csr.KeyStore, name string, want crypto.Signer) {
	t.Helper()
	got, err := store.Get(t.Context(), name)
	require.NoError(t, err)
	require.True(t, want.(interface{ Equal(crypto.PrivateKey) bool }).Equal(got))
}
