package cdntest

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/cdncsr/cdncsr/csr"
)

// ringKeys is how many keys a KeyRing holds at the least; it holds twice as
// many at most.
const ringKeys = 10_000

// KeyRing is a [csr.KeyStore] in memory that forgets: it holds the newest
// 10,000 keys and up to 10,000 older ones, so that an API under load does not
// grow without end. An installed certificate has its key whether it is held or
// not. The zero value is empty.
type KeyRing struct {
	mu         sync.Mutex
	young, old *csr.MemStore
	count      int // of the keys in young
}

// Put holds key under pubMd5. Its errors are those of [csr.MemStore].
func (r *KeyRing) Put(ctx context.Context, pubMd5 string, key crypto.Signer) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.get(ctx, pubMd5); err == nil {
		return fmt.Errorf("cdntest: keep key %s: %w", pubMd5, fs.ErrExist)
	}
	if r.count == ringKeys {
		r.young, r.old, r.count = new(csr.MemStore), r.young, 0
	}
	if err := r.young.Put(ctx, pubMd5, key); err != nil {
		return err
	}
	r.count++
	return nil
}

// Get returns the key that was put. Its errors are those of [csr.MemStore];
// that of a key that was forgotten matches fs.ErrNotExist.
func (r *KeyRing) Get(ctx context.Context, pubMd5 string) (crypto.Signer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.get(ctx, pubMd5)
}

func (r *KeyRing) init() {
	if r.young == nil {
		r.young, r.old = new(csr.MemStore), new(csr.MemStore)
	}
}

func (r *KeyRing) get(ctx context.Context, pubMd5 string) (crypto.Signer, error) {
	r.init()
	key, err := r.young.Get(ctx, pubMd5)
	if errors.Is(err, fs.ErrNotExist) {
		return r.old.Get(ctx, pubMd5)
	}
	return key, err
}
