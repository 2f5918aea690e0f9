package cdntest

import (
	"context"
	"crypto"
	"sync"

	"github.com/cdncsr/cdncsr/csr"
)

// maxKeys is the largest number of keys that the API keeps.
const maxKeys = 10_000

// A keyring has the names of the keys in the order in which they were made.
type keyring struct {
	mu    sync.Mutex
	names []string // oldest first; a ring that begins at next, once there are maxKeys
	next  int
}

// A boundedStore is a csr.KeyStore that keeps the newest keys.
type boundedStore struct {
	*csr.MemStore
	ring *keyring
}

// Put stores key, and deletes the oldest key if there are more than maxKeys.
func (s boundedStore) Put(ctx context.Context, pubMd5 string, key crypto.Signer) error {
	if err := s.MemStore.Put(ctx, pubMd5, key); err != nil {
		return err
	}
	s.ring.mu.Lock()
	defer s.ring.mu.Unlock()
	if len(s.ring.names) < maxKeys {
		s.ring.names = append(s.ring.names, pubMd5)
		return nil
	}
	s.Delete(s.ring.names[s.ring.next])
	s.ring.names[s.ring.next] = pubMd5
	s.ring.next = (s.ring.next + 1) % maxKeys
	return nil
}
