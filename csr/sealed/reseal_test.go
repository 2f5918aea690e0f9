package sealed_test

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"io/fs"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr/sealed"
)

// TestReseal_Rotation follows the steps of the package's documentation with two
// machines, each of which is at most one step behind the other.
func TestReseal_Rotation(t *testing.T) {
	blobs, oldKey, newSecretKey := newBlobs(), newSecret(), newSecret()
	steps := []*sealed.Keyring{
		newRing(t, oldKey),
		newRing(t, oldKey, newSecretKey),
		newRing(t, newSecretKey, oldKey),
	}
	keys := map[string]crypto.Signer{}
	for i := range steps {
		for _, ring := range steps[max(0, i-1) : i+1] {
			name, key, _ := putKey(t, &sealed.Store{Blobs: blobs, AEAD: ring})
			keys[name] = key
			for _, reader := range steps[max(0, i-1) : i+1] {
				requireKey(t, &sealed.Store{Blobs: blobs, AEAD: reader}, name, key)
			}
		}
	}
	last := &sealed.Store{Blobs: blobs, AEAD: steps[2]}
	for range 2 { // the second time there is nothing to do
		for name, key := range keys {
			require.NoError(t, last.Reseal(t.Context(), name))
			requireKey(t, &sealed.Store{Blobs: blobs, AEAD: newRing(t, newSecretKey)}, name, key)
		}
	}
}

func TestReseal_LeavesWhatIsCurrent(t *testing.T) {
	_, identity := newPair(t)
	for _, aead := range []sealed.AEAD{newRing(t, newSecret(), newSecret()), identity} {
		blobs := newBlobs()
		store := &sealed.Store{Blobs: blobs, AEAD: aead}
		name, _, _ := putKey(t, store)
		before := bytes.Clone(blobs.blobs[name])
		require.NoError(t, store.Reseal(t.Context(), name))
		assert.Equal(t, before, blobs.blobs[name])
	}
}

func TestReseal_Identity(t *testing.T) {
	a, b := newSecret(), newSecret()
	identity := func(first []byte, others ...[]byte) *sealed.Identity {
		identity, err := sealed.NewIdentity(first, others...)
		require.NoError(t, err)
		return identity
	}
	blobs := newBlobs()
	name, key, _ := putKey(t, &sealed.Store{Blobs: blobs, AEAD: identity(a)})
	store := &sealed.Store{Blobs: blobs, AEAD: identity(b, a)}
	requireKey(t, store, name, key)
	require.NoError(t, store.Reseal(t.Context(), name))
	requireKey(t, &sealed.Store{Blobs: blobs, AEAD: identity(b)}, name, key)
	_, err := (&sealed.Store{Blobs: blobs, AEAD: identity(a)}).Get(t.Context(), name)
	assert.ErrorIs(t, err, sealed.ErrNoKey)
}

func TestReseal_ManyAtOnce(t *testing.T) {
	blobs, oldKey, newSecretKey := newBlobs(), newSecret(), newSecret()
	name, key, _ := putKey(t, &sealed.Store{Blobs: blobs, AEAD: newRing(t, oldKey)})
	store := &sealed.Store{Blobs: blobs, AEAD: newRing(t, newSecretKey, oldKey)}
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() { assert.NoError(t, store.Reseal(t.Context(), name)) })
	}
	wait.Wait()
	requireKey(t, &sealed.Store{Blobs: blobs, AEAD: newRing(t, newSecretKey)}, name, key)
}

// changing is a Swapper whose blobs another writer changes before each Swap.
type changing struct {
	*mapBlobs
	times  int
	change func(blob []byte) []byte
}

func (c *changing) Swap(ctx context.Context, name string, old, blob []byte) (bool, error) {
	if c.times > 0 {
		c.times--
		c.blobs[name] = c.change(bytes.Clone(old))
	}
	return c.mapBlobs.Swap(ctx, name, old, blob)
}

func TestReseal_NeverOverwritesAnotherWriter(t *testing.T) {
	oldKey, newSecretKey := newSecret(), newSecret()
	sealedAnew := func(name string) func(blob []byte) []byte {
		return func(blob []byte) []byte {
			ring := newRing(t, oldKey)
			der, err := ring.Decrypt(blob, sealed.AssociatedData(name))
			require.NoError(t, err)
			blob, err = ring.Encrypt(der, sealed.AssociatedData(name))
			require.NoError(t, err)
			return blob
		}
	}
	for times, wantErr := range map[int]bool{0: false, 1: false, 2: false, 3: true} {
		blobs := newBlobs()
		name, key, _ := putKey(t, &sealed.Store{Blobs: blobs, AEAD: newRing(t, oldKey)})
		ring := newRing(t, newSecretKey, oldKey)
		store := &sealed.Store{Blobs: &changing{mapBlobs: blobs, times: times, change: sealedAnew(name)}, AEAD: ring}
		err := store.Reseal(t.Context(), name)
		assert.Equal(t, wantErr, err != nil, "%d changes: %v", times, err)
		requireKey(t, store, name, key)
	}
	blobs := newBlobs()
	name, _, _ := putKey(t, &sealed.Store{Blobs: blobs, AEAD: newRing(t, oldKey)})
	damage := func(blob []byte) []byte { return flip(blob, 100) }
	damaged := &changing{mapBlobs: blobs, times: 1, change: damage}
	store := &sealed.Store{Blobs: damaged, AEAD: newRing(t, newSecretKey, oldKey)}
	assert.ErrorIs(t, store.Reseal(t.Context(), name), sealed.ErrAltered)
}

func TestReseal_Kinds(t *testing.T) {
	blobs := newBlobs()
	store := &sealed.Store{Blobs: blobs, AEAD: newRing(t, newSecret())}
	name, _, _ := putKey(t, store)
	missing, _, _ := newKey(t)
	assert.ErrorIs(t, store.Reseal(t.Context(), missing), fs.ErrNotExist)
	assert.ErrorIs(t, store.Reseal(t.Context(), "../"+name), fs.ErrNotExist)
	ended, end := context.WithCancel(t.Context())
	end()
	assert.ErrorIs(t, store.Reseal(ended, name), context.Canceled)
	noSwap := &sealed.Store{Blobs: struct{ sealed.BlobStore }{blobs}, AEAD: store.AEAD}
	assert.ErrorIs(t, noSwap.Reseal(t.Context(), name), errors.ErrUnsupported)
}
