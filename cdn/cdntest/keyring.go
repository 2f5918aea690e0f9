package cdntest

import (
	"context"
	"crypto"
	"sync"

	"github.com/cdncsr/cdncsr/csr"
)

// maxKeys is how many keys the API keeps.
const maxKeys = 10_000

// A keyring knows in which order keys were made.
type keyring struct {
	mu    sync.Mutex
	names []string // the oldest first; next is the oldest once there are maxKeys
	next  int
}

// A boundedStore is a csr.KeyStore that keeps the newest keys.
type boundedStore struct {
	*csr.MemStore
	ring *keyring
}

// Put keeps key, and forgets the oldest if there are more than maxKeys.
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
