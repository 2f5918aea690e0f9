package csrtest

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io/fs"

	"github.com/cdncsr/cdncsr/csr"
)

// newKey returns a new key and its name.
func newKey(ctx context.Context, keyType csr.KeyType) (name string, key crypto.Signer, err error) {
	key, err = keyType.NewKey(ctx)
	if err != nil {
		return "", nil, err
	}
	name, err = csr.PubMD5(key.Public())
	return name, key, err
}

// putNew puts a new key and returns its name.
func putNew(ctx context.Context, store csr.KeyStore) (name string, err error) {
	name, key, err := newKey(ctx, csr.P256)
	if err != nil {
		return "", err
	}
	if err := store.Put(ctx, name, key); err != nil {
		return "", fmt.Errorf("put a new key: %w", err)
	}
	return name, nil
}

// has returns an error unless store has the key of that name, and it signs.
func has(ctx context.Context, store csr.KeyStore, name string) error {
	key, err := store.Get(ctx, name)
	if err != nil {
		return fmt.Errorf("get a key that was put: %w", err)
	}
	resp, err := csr.New(&csr.Request{CommonName: "example.com"}, key) // checks the signature
	if err != nil {
		return fmt.Errorf("get a key that was put: it does not sign: %w", err)
	}
	if resp.PubMd5 != name {
		return fmt.Errorf("get key %s: got key %s", name, resp.PubMd5)
	}
	return nil
}

// hasNot returns an error unless store says that it has no key of that name.
func hasNot(ctx context.Context, store csr.KeyStore, name string) error {
	key, err := store.Get(ctx, name)
	if err == nil {
		return fmt.Errorf("get a key that was not put: %T and no error: want fs.ErrNotExist", key)
	}
	if key != nil || !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("get a key that was not put: %T and error %w: want nil and fs.ErrNotExist", key, err)
	}
	return nil
}
