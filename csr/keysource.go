package csr

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
)

// A KeySource returns a key for each call. A [KeyType] makes one, a [*Pool] has
// some ready, and your own may ask an HSM. NewKey must not return a nil key
// without an error, and must be safe for concurrent use.
type KeySource interface {
	NewKey(ctx context.Context) (crypto.Signer, error)
}

// newKey returns a key from source. It returns an error if source is a nil
// pointer or returns a nil key.
func newKey(ctx context.Context, source KeySource) (crypto.Signer, error) {
	if isNil(source) {
		return nil, fmt.Errorf("csr: make a key: the key source is a nil %T", source)
	}
	key, err := source.NewKey(ctx)
	if err != nil {
		return nil, err
	}
	if isNil(key) {
		return nil, fmt.Errorf("csr: make a key: the key source %T returned a nil key", source)
	}
	return key, nil
}

// A KeyType is a kind of key, and the [KeySource] that makes it. Its text, in
// JSON or as a flag with flag.TextVar, is the name beside its constant. The
// times are for one key on one core.
type KeyType int

// The key types are numbered from 0 without a gap, and keep their numbers.
const (
	RSA2048 KeyType = iota // "rsa-2048", what the CDN itself makes; about 40 ms
	RSA3072                // "rsa-3072"; about 160 ms
	RSA4096                // "rsa-4096"; about 440 ms
	P256                   // "p-256", ECDSA; less than 1 ms
	P384                   // "p-384", ECDSA; less than 1 ms
	Ed25519                // "ed25519", which few public CAs accept; less than 1 ms
)

// keyTypeTable describes the key types.
var keyTypeTable = [...]struct {
	name     string
	generate func() (crypto.Signer, error)
}{
	RSA2048: {"rsa-2048", func() (crypto.Signer, error) { return signer(rsa.GenerateKey(rand.Reader, 2048)) }},
	RSA3072: {"rsa-3072", func() (crypto.Signer, error) { return signer(rsa.GenerateKey(rand.Reader, 3072)) }},
	RSA4096: {"rsa-4096", func() (crypto.Signer, error) { return signer(rsa.GenerateKey(rand.Reader, 4096)) }},
	P256:    {"p-256", func() (crypto.Signer, error) { return signer(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }},
	P384:    {"p-384", func() (crypto.Signer, error) { return signer(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)) }},
	Ed25519: {"ed25519", func() (crypto.Signer, error) {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return signer(key, err)
	}},
}

// signer returns key as a crypto.Signer. After an error it returns nil, not a
// typed nil.
func signer(key crypto.Signer, err error) (crypto.Signer, error) {
	if err != nil {
		return nil, err
	}
	return key, nil
}

// NewKey makes a key: an *rsa.PrivateKey, an *ecdsa.PrivateKey or an
// ed25519.PrivateKey. It can't be interrupted, but if ctx has ended before or
// afterwards, the error matches ctx.Err(). NewKey returns an error if t is not
// one of the constants.
func (t KeyType) NewKey(ctx context.Context) (crypto.Signer, error) {
	if !t.known() {
		return nil, fmt.Errorf("csr: make a key: unknown key type %d", int(t))
	}
	if err := withCause(ctx, ctx.Err()); err != nil {
		return nil, fmt.Errorf("csr: make a key: %w", err)
	}
	key, err := keyTypeTable[t].generate()
	if err != nil {
		return nil, fmt.Errorf("csr: make a key: %w", err)
	}
	if err := withCause(ctx, ctx.Err()); err != nil {
		return nil, fmt.Errorf("csr: make a key: %w", err)
	}
	return key, nil
}

// String returns the name of t, or "KeyType(9)" if t is not one of the
// constants.
func (t KeyType) String() string {
	if !t.known() {
		return fmt.Sprintf("KeyType(%d)", int(t))
	}
	return keyTypeTable[t].name
}

// MarshalText returns the name of t. It returns an error if t is not one of the
// constants. It implements encoding.TextMarshaler.
func (t KeyType) MarshalText() ([]byte, error) {
	if !t.known() {
		return nil, fmt.Errorf("csr: unknown key type %d", int(t))
	}
	return []byte(keyTypeTable[t].name), nil
}

// UnmarshalText sets t to the key type of that name, in exactly that spelling.
// Any other text is an error and leaves t unchanged. It implements
// encoding.TextUnmarshaler.
func (t *KeyType) UnmarshalText(text []byte) error {
	if t == nil {
		return errors.New("csr: UnmarshalText of a nil KeyType")
	}
	names := make([]string, len(keyTypeTable))
	for i, known := range keyTypeTable {
		if string(text) == known.name {
			*t = KeyType(i)
			return nil
		}
		names[i] = known.name
	}
	return fmt.Errorf("csr: key type %s: want one of %q", quote(string(text)), names)
}

// known reports whether t is one of the constants.
func (t KeyType) known() bool { return t >= 0 && int(t) < len(keyTypeTable) }
