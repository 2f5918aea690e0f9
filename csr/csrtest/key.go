package csrtest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/internal/testkey"
)

// newKey returns a new key and its name.
func newKey(ctx context.Context) (name string, key crypto.Signer, err error) {
	key, err = csr.P256.NewKey(ctx)
	if err != nil {
		return "", nil, err
	}
	name, err = csr.PubMD5(key.Public())
	return name, key, err
}

// A namedKey is a key of a known type.
type namedKey struct {
	keyType csr.KeyType
	name    string
	signer  crypto.Signer
}

// keyOfEachType returns a key of every csr.KeyType. The RSA keys are always the
// same, since making them could take seconds.
var keyOfEachType = sync.OnceValues(func() ([]namedKey, error) {
	var keys []namedKey
	for keyType := csr.KeyType(0); ; keyType++ {
		if _, err := keyType.MarshalText(); err != nil {
			return keys, nil // after the last one
		}
		signer, err := newKeyOf(keyType)
		if err != nil {
			return nil, err
		}
		name, err := csr.PubMD5(signer.Public())
		if err != nil {
			return nil, err
		}
		keys = append(keys, namedKey{keyType, name, signer})
	}
})

func newKeyOf(keyType csr.KeyType) (crypto.Signer, error) {
	switch keyType {
	case csr.RSA2048:
		return testkey.RSA(2048), nil
	case csr.RSA3072:
		return testkey.RSA(3072), nil
	case csr.RSA4096:
		return testkey.RSA(4096), nil
	}
	return keyType.NewKey(context.Background())
}

// incompleteKeys returns keys that can't sign, under the names that complete
// ones have.
func incompleteKeys() ([]namedKey, error) {
	keys, err := keyOfEachType()
	if err != nil {
		return nil, err
	}
	var incomplete []namedKey
	for _, key := range keys {
		add := func(signer crypto.Signer) {
			incomplete = append(incomplete, namedKey{key.keyType, key.name, signer})
		}
		switch signer := key.signer.(type) {
		case *rsa.PrivateKey:
			add((*rsa.PrivateKey)(nil))
			add(&rsa.PrivateKey{PublicKey: signer.PublicKey})
		case *ecdsa.PrivateKey:
			add((*ecdsa.PrivateKey)(nil))
			add(&ecdsa.PrivateKey{PublicKey: signer.PublicKey})
		case ed25519.PrivateKey:
			add(ed25519.PrivateKey(nil))
			add(signer[:ed25519.SeedSize])
		}
		add(nil)
		add((*foreign)(nil))
	}
	return incomplete, nil
}

// neighbors returns names that differ from name, a PubMd5, in one digit each.
func neighbors(name string) []string {
	names := make([]string, len(name))
	for i := range names {
		digit := "0"
		if name[i] == '0' {
			digit = "1"
		}
		names[i] = name[:i] + digit + name[i+1:]
	}
	return names
}

// foreign is a key of a type that a store does not know, such as an HSM's.
type foreign struct{ crypto.Signer }

// putNew puts a new key and returns its name.
func putNew(ctx context.Context, store csr.KeyStore) (name string, err error) {
	name, key, err := newKey(ctx)
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

// hasNot returns an error unless store has no key of that name.
func hasNot(ctx context.Context, store csr.KeyStore, name string) error {
	key, err := store.Get(ctx, name)
	if err = wantError(err, fs.ErrNotExist); err != nil {
		return fmt.Errorf("get a key that was not put: %w", err)
	}
	if key != nil {
		return fmt.Errorf("get a key that was not put: got a %T beside the error: want nil", key)
	}
	return nil
}

// wantError returns nil if err matches want.
func wantError(err, want error) error {
	switch {
	case err == nil:
		return fmt.Errorf("no error: want one that matches %q", want)
	case !errors.Is(err, want):
		return fmt.Errorf("%w: want an error that matches %q", err, want)
	}
	return nil
}
