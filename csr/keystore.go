package csr

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
)

// A KeyStore keeps private keys by the PubMD5 of their public keys. It must be
// safe for concurrent use. Package csrtest has the test that every store must
// pass.
type KeyStore interface {
	// Put stores key. When it returns nil, the key is as durable as the store
	// can make it. Put never replaces a key: if the store has one of this name,
	// even the same one, the error matches fs.ErrExist. Every store must accept
	// the keys that a KeyType makes; if it can't store another kind, such as an
	// HSM's, the error matches errors.ErrUnsupported. Put returns an error if
	// key is nil, if it lacks its private part, or if pubMd5 is not its PubMD5.
	// If ctx has ended before the call, Put stores nothing and the error
	// matches ctx.Err().
	Put(ctx context.Context, pubMd5 string, key crypto.Signer) error

	// Get returns the key of that name. The error matches fs.ErrNotExist if,
	// and only if, the store has no such key, even if no key can have that
	// name.
	Get(ctx context.Context, pubMd5 string) (crypto.Signer, error)
}

// MemStore is a [KeyStore] in memory, for tests and for programs that install
// the certificate before they exit. It stores any crypto.Signer, including an
// HSM's. The zero value is an empty store. A MemStore must not be copied after
// its first use.
type MemStore struct {
	mu   sync.RWMutex
	keys map[string]*memKey
}

// A memKey hides a key from fmt, which prints a pointer in a map as an address.
type memKey struct{ signer crypto.Signer }

// Put stores key until Delete is called or the program exits. Its errors are
// those of [KeyStore].
func (m *MemStore) Put(ctx context.Context, pubMd5 string, key crypto.Signer) error {
	if err := withCause(ctx, ctx.Err()); err != nil {
		return fmt.Errorf("csr: put a key: %w", err)
	}
	if err := checkOwnName(pubMd5, key); err != nil {
		return fmt.Errorf("csr: put a key: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.keys[pubMd5]; ok {
		return fmt.Errorf("csr: put key %s: %w", pubMd5, fs.ErrExist)
	}
	if m.keys == nil {
		m.keys = make(map[string]*memKey)
	}
	m.keys[pubMd5] = &memKey{key}
	return nil
}

// Delete deletes the key of that name, if there is one. Other stores need no
// Delete: a deleted key can't be made again.
func (m *MemStore) Delete(pubMd5 string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.keys, pubMd5)
}

// Get returns the same key that was put. Its errors are those of [KeyStore].
func (m *MemStore) Get(ctx context.Context, pubMd5 string) (crypto.Signer, error) {
	if err := withCause(ctx, ctx.Err()); err != nil {
		return nil, fmt.Errorf("csr: get a key: %w", err)
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	key, ok := m.keys[pubMd5]
	if !ok {
		return nil, fmt.Errorf("csr: get key %s: %w", quote(pubMd5), fs.ErrNotExist)
	}
	return key.signer, nil
}

// checkOwnName returns an error unless pubMd5 is the name of key.
func checkOwnName(pubMd5 string, key crypto.Signer) error {
	pub, err := publicKey(key)
	if err != nil {
		return err
	}
	own, err := pubMD5(pub)
	if err != nil {
		return err
	}
	if pubMd5 != own {
		return fmt.Errorf("name %s: want the key's PubMD5, %s", quote(pubMd5), own)
	}
	return nil
}

// checkName returns an error unless s is 32 lower-case hex digits, so that a
// file of that name is in its directory.
func checkName(s string) error {
	if len(s) != 32 || strings.Trim(s, "0123456789abcdef") != "" {
		return fmt.Errorf("name %s: want a PubMD5, 32 lower-case hex digits", quote(s))
	}
	return nil
}

// withCause adds the cause with which ctx was canceled to err, if err says that
// ctx has ended. withCause(ctx, ctx.Err()) is nil until then.
func withCause(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	switch {
	case cause == nil || !errors.Is(err, ctx.Err()) || errors.Is(err, cause):
		return err
	case err == ctx.Err() && errors.Is(cause, err): //nolint:errorlint // only the bare error can be left out
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}
