package csr

import (
	"context"
	"crypto"
	"fmt"
	"io/fs"
	"sync"
)

// MemStore is a [KeyStore] in memory, for tests and for programs that install the certificate before they end. It keeps
// any crypto.Signer, so also an HSM's. The zero value is ready for use. It must not be copied after its first use.
type MemStore struct {
	mu   sync.RWMutex
	keys map[string]*keptKey
}

// keptKey stands behind a pointer, so that fmt prints an address and no key.
type keptKey struct{ key crypto.Signer }

// Put keeps key until the program ends. Its errors are those of [KeyStore].
func (m *MemStore) Put(ctx context.Context, pubMd5 string, key crypto.Signer) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("csr: keep a key: %w", err)
	}
	if err := checkOwnName(pubMd5, key); err != nil {
		return fmt.Errorf("csr: keep a key: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.keys[pubMd5]; ok {
		return fmt.Errorf("csr: keep key %s: %w", pubMd5, fs.ErrExist)
	}
	if m.keys == nil {
		m.keys = make(map[string]*keptKey)
	}
	m.keys[pubMd5] = &keptKey{key}
	return nil
}

// Get returns the very key that was put. Its errors are those of [KeyStore].
func (m *MemStore) Get(ctx context.Context, pubMd5 string) (crypto.Signer, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("csr: find a key: %w", err)
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	kept, ok := m.keys[pubMd5]
	if !ok {
		return nil, fmt.Errorf("csr: find key %s: %w", quote(pubMd5), fs.ErrNotExist)
	}
	return kept.key, nil
}
