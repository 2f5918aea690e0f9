package errortexts

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr"
)

// A keyStore is a csr.KeyStore that has a key of every name and gives back what it likes.
type keyStore struct {
	key crypto.Signer
	err error
}

func (keyStore) Put(_ context.Context, pubMd5 string, _ crypto.Signer) error {
	return fmt.Errorf("csr: keep key %s: %w", pubMd5, fs.ErrExist)
}

func (s keyStore) Get(context.Context, string) (crypto.Signer, error) { return s.key, s.err }

// generate asks a generator for a CSR.
func generate(ctx context.Context, g *csr.Generator) error {
	_, err := g.CreateCdnCertificateSigningRequest(ctx, &csr.Request{CommonName: "example.com"})
	return err
}

// ended is a context that has ended.
func ended(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// keyTexts are the errors of making keys and of keeping them, but for those of DirStore.
func keyTexts(t *testing.T) []provocation {
	all := append(generatorTexts(newKey(t)), memStoreTexts(newKey(t))...)
	return append(all, []provocation{
		{"a key after the context has ended", func(t *testing.T) error { return errorOf(csr.P256.NewKey(ended(t))) }},
		{"a key of no type", func(t *testing.T) error { return errorOf(csr.KeyType(9).NewKey(t.Context())) }},
		{"a key type without a name", func(*testing.T) error { return errorOf(csr.KeyType(9).MarshalText()) }},
		{"a key type as it is not called", func(*testing.T) error { return new(csr.KeyType).UnmarshalText([]byte("rsa")) }},
		{"a pool that was not made", func(t *testing.T) error { return errorOf(new(csr.Pool).NewKey(t.Context())) }},
		{"a pool of no size", func(*testing.T) error { return csr.NewPool(csr.P256, 0).Close() }},
		{"a pool after the context has ended", func(t *testing.T) error {
			pool := csr.NewPool(csr.P256, 1)
			defer func() { require.NoError(t, pool.Close()) }()
			return errorOf(pool.NewKey(ended(t)))
		}},
	}...)
}

// errorOf is the error of a call whose result does not matter.
func errorOf[T any](_ T, err error) error { return err }

// generatorTexts are the errors of a Generator; other is a key that it did not make.
func generatorTexts(other crypto.Signer) []provocation {
	return []provocation{
		{"no key store", func(t *testing.T) error { return generate(t.Context(), &csr.Generator{}) }},
		{"the context has ended", func(t *testing.T) error { return generate(ended(t), &csr.Generator{Keys: new(csr.MemStore)}) }},
		{"the context ends while a key is made", func(t *testing.T) error {
			ctx, cancel := context.WithCancel(t.Context())
			source := keySource(func(context.Context) (crypto.Signer, error) { cancel(); return other, nil })
			return generate(ctx, &csr.Generator{Keys: new(csr.MemStore), Source: source})
		}},
		{"a nil source of keys", func(t *testing.T) error {
			return generate(t.Context(), &csr.Generator{Keys: new(csr.MemStore), Source: keySource(nil)})
		}},
		{"a source that gives no key", func(t *testing.T) error {
			source := keySource(func(context.Context) (crypto.Signer, error) { return nil, nil })
			return generate(t.Context(), &csr.Generator{Keys: new(csr.MemStore), Source: source})
		}},
		{"a source that gives a key without a public part", func(t *testing.T) error {
			source := keySource(func(context.Context) (crypto.Signer, error) { return foreignKey{}, nil })
			return generate(t.Context(), &csr.Generator{Keys: new(csr.MemStore), Source: source})
		}},
		{"a store that has the key and does not give it", func(t *testing.T) error {
			return generate(t.Context(), &csr.Generator{Keys: keyStore{err: errors.New("store: no connection")}, Source: csr.P256})
		}},
		{"a store that has another key of that name", func(t *testing.T) error {
			return generate(t.Context(), &csr.Generator{Keys: keyStore{key: other}, Source: csr.P256})
		}},
	}
}

// memStoreTexts are the errors of a MemStore, to which key is put.
func memStoreTexts(key crypto.Signer) []provocation {
	return []provocation{
		{"a key put after the context has ended", func(t *testing.T) error { return new(csr.MemStore).Put(ended(t), "", key) }},
		{"a key found after the context has ended", func(t *testing.T) error { return errorOf(new(csr.MemStore).Get(ended(t), "")) }},
		{"a key put under another name", func(t *testing.T) error { return new(csr.MemStore).Put(t.Context(), "example.com", key) }},
		{"a key put twice", func(t *testing.T) error {
			var store csr.MemStore
			require.NoError(t, store.Put(t.Context(), nameOf(t, key), key))
			return store.Put(t.Context(), nameOf(t, key), key)
		}},
		{"a key that is not there", func(t *testing.T) error { return errorOf(new(csr.MemStore).Get(t.Context(), "example.com")) }},
	}
}

// nameOf is the name of a key in a store.
func nameOf(t *testing.T, key crypto.Signer) string {
	t.Helper()
	name, err := csr.PubMD5(key.Public())
	require.NoError(t, err)
	return name
}
