// Package csrtest is the test that every [csr.KeyStore] must pass. A store calls it from a test of its own:
//
//	func TestStore(t *testing.T) {
//		csrtest.TestKeyStore(t, func(t *testing.T) csr.KeyStore { return newStore(t) })
//	}
package csrtest

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"testing"

	"github.com/cdncsr/cdncsr/csr"
)

// TestKeyStore tests that a csr.KeyStore does what the interface says. newStore returns a new, empty store; it is called
// for each of the subtests, and may clean up with t.Cleanup. What only a store's own test can show, such as durability,
// is not tested.
func TestKeyStore(t *testing.T, newStore func(t *testing.T) csr.KeyStore) {
	for _, check := range checks {
		t.Run(check.name, func(t *testing.T) {
			if err := run(t.Context(), check.run, newStore(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

// A check returns an error if the store, which is empty, is not as it should be.
type check func(ctx context.Context, store csr.KeyStore) error

// checks are what TestKeyStore runs.
var checks = []struct {
	name string
	run  check
}{
	{"PutThenGet", putThenGet},
	{"MissingKey", missingKey},
	{"NeverReplaces", neverReplaces},
	{"OtherName", otherName},
	{"NilKey", nilKey},
	{"EndedContext", endedContext},
	{"ForeignKey", foreignKey},
	{"ManyKeysAtOnce", manyKeysAtOnce},
	{"OneKeyAtOnce", oneKeyAtOnce},
}

// run returns what c does, a panic as an error.
func run(ctx context.Context, c check, store csr.KeyStore) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return c(ctx, store)
}

// putThenGet: a key that was put comes back and signs.
func putThenGet(ctx context.Context, store csr.KeyStore) error {
	for _, keyType := range []csr.KeyType{csr.RSA2048, csr.P256, csr.P384, csr.Ed25519} {
		name, key, err := newKey(ctx, keyType)
		if err != nil {
			return err
		}
		if err := store.Put(ctx, name, key); err != nil {
			return fmt.Errorf("%v: put a new key: %w", keyType, err)
		}
		if err := has(ctx, store, name); err != nil {
			return fmt.Errorf("%v: %w", keyType, err)
		}
	}
	return nil
}

// missingKey: a key that was never put is fs.ErrNotExist, also if others are there.
func missingKey(ctx context.Context, store csr.KeyStore) error {
	name, _, err := newKey(ctx, csr.P256)
	if err != nil {
		return err
	}
	if err := hasNot(ctx, store, name); err != nil {
		return fmt.Errorf("in an empty store: %w", err)
	}
	if _, err := putNew(ctx, store); err != nil {
		return err
	}
	return hasNot(ctx, store, name)
}

// neverReplaces: what has a name stays, and a second key of that name is fs.ErrExist, even if it is the same.
func neverReplaces(ctx context.Context, store csr.KeyStore) error {
	name, key, err := newKey(ctx, csr.P256)
	if err != nil {
		return err
	}
	if err := store.Put(ctx, name, key); err != nil {
		return fmt.Errorf("put a new key: %w", err)
	}
	if err := store.Put(ctx, name, key); !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("put the same key again: error %w: want fs.ErrExist", err)
	}
	return has(ctx, store, name)
}

// otherName: a key is kept under its own PubMD5 only.
func otherName(ctx context.Context, store csr.KeyStore) error {
	own, key, err := newKey(ctx, csr.P256)
	if err != nil {
		return err
	}
	other, _, err := newKey(ctx, csr.P256)
	if err != nil {
		return err
	}
	for _, name := range []string{other, "", "../" + own, own + ".pem", own[:31], own + "\x00", "./" + own} {
		if err := store.Put(ctx, name, key); err == nil {
			return fmt.Errorf("put a key under the name %q: no error: its PubMD5 is %q", name, own)
		}
		if kept, err := store.Get(ctx, name); err == nil {
			return fmt.Errorf("get %q, which was refused: %T and no error", name, kept)
		}
	}
	return hasNot(ctx, store, own)
}

// nilKey: a nil key is refused, a typed one too.
func nilKey(ctx context.Context, store csr.KeyStore) error {
	name, _, err := newKey(ctx, csr.P256)
	if err != nil {
		return err
	}
	for _, key := range []crypto.Signer{nil, (*foreign)(nil)} {
		if err := store.Put(ctx, name, key); err == nil {
			return fmt.Errorf("put a nil %T: no error", key)
		}
	}
	return hasNot(ctx, store, name)
}

// endedContext: once the context has ended, nothing is kept.
func endedContext(ctx context.Context, store csr.KeyStore) error {
	name, key, err := newKey(ctx, csr.P256)
	if err != nil {
		return err
	}
	ended, end := context.WithCancel(ctx)
	end()
	if err := store.Put(ended, name, key); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("put with a context that has ended: error %w: want context.Canceled", err)
	}
	return hasNot(ctx, store, name)
}

// foreign is a key of which the store knows nothing but the interface, such as an HSM's.
type foreign struct{ crypto.Signer }

// foreignKey: a key that is not in memory is kept, or refused as errors.ErrUnsupported.
func foreignKey(ctx context.Context, store csr.KeyStore) error {
	name, key, err := newKey(ctx, csr.P256)
	if err != nil {
		return err
	}
	err = store.Put(ctx, name, &foreign{key})
	switch {
	case err == nil:
		return has(ctx, store, name)
	case errors.Is(err, errors.ErrUnsupported):
		return hasNot(ctx, store, name)
	}
	return fmt.Errorf("put a crypto.Signer of another package: error %w: want none or errors.ErrUnsupported", err)
}

const atOnce = 16

// manyKeysAtOnce: keys that are put at the same time are all there.
func manyKeysAtOnce(ctx context.Context, store csr.KeyStore) error {
	var names [atOnce]string
	errs := together(func(i int) (err error) {
		names[i], err = putNew(ctx, store)
		return err
	})
	for i, name := range names {
		if errs[i] != nil {
			return errs[i]
		}
		if err := has(ctx, store, name); err != nil {
			return err
		}
	}
	return nil
}

// oneKeyAtOnce: of those who put the same key at the same time, one keeps it, and the others are told fs.ErrExist.
func oneKeyAtOnce(ctx context.Context, store csr.KeyStore) error {
	name, key, err := newKey(ctx, csr.P256)
	if err != nil {
		return err
	}
	kept := 0
	for _, err := range together(func(int) error { return store.Put(ctx, name, key) }) {
		switch {
		case err == nil:
			kept++
		case !errors.Is(err, fs.ErrExist):
			return fmt.Errorf("put the same key at once: error %w: want fs.ErrExist", err)
		}
	}
	if kept != 1 {
		return fmt.Errorf("put the same key at once: %d without an error: want 1", kept)
	}
	return has(ctx, store, name)
}

// together calls f from many goroutines and returns their errors.
func together(f func(i int) error) []error {
	errs := make([]error, atOnce)
	var wait sync.WaitGroup
	for i := range errs {
		wait.Go(func() { errs[i] = f(i) })
	}
	wait.Wait()
	return errs
}
