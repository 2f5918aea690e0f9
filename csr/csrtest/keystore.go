// Package csrtest tests implementations of [csr.KeyStore]. Call it in the test
// of your store:
//
//	func TestStore(t *testing.T) {
//		csrtest.TestKeyStore(t, func(t *testing.T) csr.KeyStore { return newStore(t) })
//	}
package csrtest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"github.com/cdncsr/cdncsr/csr"
)

// TestKeyStore tests a key store, in a subtest for each rule of csr.KeyStore.
// It calls newStore once in each subtest, which returns a new, empty store and
// may use t.Cleanup. It does not test what only the store's own test can, such
// as durability.
func TestKeyStore(t *testing.T, newStore func(t *testing.T) csr.KeyStore) {
	for _, check := range checks {
		t.Run(check.name, func(t *testing.T) {
			store := newStore(t)
			if err := guard(func() error { return check.run(t.Context(), store) }); err != nil {
				t.Error(err)
			}
		})
	}
}

// checks are the rules of csr.KeyStore. Each gets an empty store, and returns
// an error if the store breaks the rule.
var checks = []struct {
	name string
	run  func(ctx context.Context, store csr.KeyStore) error
}{
	{"PutThenGet", putThenGet},
	{"MissingKey", missingKey},
	{"NeverReplaces", neverReplaces},
	{"OtherName", otherName},
	{"NilKey", nilKey},
	{"CanceledContext", canceledContext},
	{"ForeignKey", foreignKey},
	{"ManyKeysAtOnce", manyKeysAtOnce},
	{"OneKeyAtOnce", oneKeyAtOnce},
}

// guard calls f and returns its error. A panic becomes an error with its stack.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}

// putThenGet: a key of every type that was put comes back and signs.
func putThenGet(ctx context.Context, store csr.KeyStore) error {
	keys, err := keyOfEachType()
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := store.Put(ctx, key.name, key.signer); err != nil {
			return fmt.Errorf("put a new %v key: %w", key.keyType, err)
		}
		if err := has(ctx, store, key.name); err != nil {
			return fmt.Errorf("%v: %w", key.keyType, err)
		}
	}
	return nil
}

// missingKey: a key that was never put is fs.ErrNotExist, also if the store has
// others.
func missingKey(ctx context.Context, store csr.KeyStore) error {
	name, _, err := newKey(ctx)
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

// neverReplaces: a key stays, and putting another of its name is fs.ErrExist,
// even if it is the same one.
func neverReplaces(ctx context.Context, store csr.KeyStore) error {
	name, key, err := newKey(ctx)
	if err != nil {
		return err
	}
	if err := store.Put(ctx, name, key); err != nil {
		return fmt.Errorf("put a new key: %w", err)
	}
	if err := wantError(store.Put(ctx, name, key), fs.ErrExist); err != nil {
		return fmt.Errorf("put the same key again: %w", err)
	}
	return has(ctx, store, name)
}

// otherName: a key is stored under its own PubMD5 only, and is found by no
// other name, even one that no key can have.
func otherName(ctx context.Context, store csr.KeyStore) error {
	own, key, err := newKey(ctx)
	if err != nil {
		return err
	}
	other, _, err := newKey(ctx)
	if err != nil {
		return err
	}
	for _, name := range []string{other, "", "../" + own, own + ".pem", own[:31], own + "\x00", "./" + own} {
		if err := store.Put(ctx, name, key); err == nil {
			return fmt.Errorf("put a key under the name %q: no error: its PubMD5 is %q", name, own)
		}
		if err := hasNot(ctx, store, name); err != nil {
			return fmt.Errorf("name %q: %w", name, err)
		}
	}
	if err := hasNot(ctx, store, own); err != nil {
		return err
	}
	if err := store.Put(ctx, own, key); err != nil {
		return fmt.Errorf("put a new key: %w", err)
	}
	return hasNoneLike(ctx, store, own)
}

// hasNoneLike returns an error if store has a key by a name that a database may
// take for own.
func hasNoneLike(ctx context.Context, store csr.KeyStore, own string) error {
	names := []string{own + " ", own + "\x00"}
	if upper := strings.ToUpper(own); upper != own {
		names = append(names, upper)
	}
	for _, name := range append(names, neighbors(own)...) {
		if err := hasNot(ctx, store, name); err != nil {
			return fmt.Errorf("name %q after a put of %q: %w", name, own, err)
		}
	}
	return nil
}

// nilKey: a nil key, a nil pointer and a key without its private part are
// refused.
func nilKey(ctx context.Context, store csr.KeyStore) error {
	keys, err := incompleteKeys()
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := store.Put(ctx, key.name, key.signer); err == nil {
			return fmt.Errorf("put an incomplete %T: no error", key.signer)
		}
		if err := hasNot(ctx, store, key.name); err != nil {
			return fmt.Errorf("after a put of an incomplete %T: %w", key.signer, err)
		}
	}
	return nil
}

// canceledContext: after the context was canceled, nothing is stored, and a key
// that is there is not said to be missing.
func canceledContext(ctx context.Context, store csr.KeyStore) error {
	name, key, err := newKey(ctx)
	if err != nil {
		return err
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if err := wantError(store.Put(canceled, name, key), context.Canceled); err != nil {
		return fmt.Errorf("put with a context that has ended: %w", err)
	}
	if err := hasNot(ctx, store, name); err != nil {
		return err
	}
	if err := store.Put(ctx, name, key); err != nil {
		return fmt.Errorf("put a key again that was refused before: %w", err)
	}
	if _, err := store.Get(canceled, name); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("get a key with a context that has ended: %w: it is there", err)
	}
	return nil
}

// foreignKey: a key that is not in memory is stored, or refused as
// errors.ErrUnsupported.
func foreignKey(ctx context.Context, store csr.KeyStore) error {
	name, key, err := newKey(ctx)
	if err != nil {
		return err
	}
	err = store.Put(ctx, name, &foreign{key})
	if err == nil {
		return has(ctx, store, name)
	}
	if err = wantError(err, errors.ErrUnsupported); err != nil {
		return fmt.Errorf("put a crypto.Signer of another package: %w", err)
	}
	return hasNot(ctx, store, name)
}

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

// oneKeyAtOnce: if the same key is put many times at once, one Put succeeds and
// the others return fs.ErrExist.
func oneKeyAtOnce(ctx context.Context, store csr.KeyStore) error {
	name, key, err := newKey(ctx)
	if err != nil {
		return err
	}
	succeeded := 0
	for _, err := range together(func(int) error { return store.Put(ctx, name, key) }) {
		if err == nil {
			succeeded++
			continue
		}
		if err = wantError(err, fs.ErrExist); err != nil {
			return fmt.Errorf("put the same key at once: %w", err)
		}
	}
	if succeeded != 1 {
		return fmt.Errorf("put the same key at once: %d without an error: want 1", succeeded)
	}
	return has(ctx, store, name)
}

const atOnce = 16

// together calls f in many goroutines and returns their errors.
func together(f func(i int) error) []error {
	errs := make([]error, atOnce)
	var wait sync.WaitGroup
	for i := range errs {
		errs[i] = errors.New("runtime.Goexit was called") // unless guard returns
		wait.Go(func() { errs[i] = guard(func() error { return f(i) }) })
	}
	wait.Wait()
	return errs
}
