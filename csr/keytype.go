package csr

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
)

// KeyType is a kind of key that can be made on this machine. It is a [KeySource]. As text (in JSON, in flags through
// flag.TextVar) it is what String returns.
type KeyType int

// The kinds of key.
const (
	RSA2048 KeyType = iota // what the CDN itself makes; about 40 ms of a core
	RSA3072                // about 160 ms
	RSA4096                // about 440 ms
	P256                   // ECDSA; like the next ones well below a millisecond
	P384                   // ECDSA
	Ed25519                // few public CAs take it
)

var keyTypeNames = [...]string{
	RSA2048: "rsa-2048", RSA3072: "rsa-3072", RSA4096: "rsa-4096", P256: "p-256", P384: "p-384", Ed25519: "ed25519",
}

// NewKey makes a key: an *rsa.PrivateKey, an *ecdsa.PrivateKey or an ed25519.PrivateKey. The context is looked at before
// and after, since making an RSA key can't be interrupted. A KeyType that is none of the constants is an error.
func (t KeyType) NewKey(ctx context.Context) (crypto.Signer, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("csr: make a key: %w", err)
	}
	key, err := t.generate()
	if err != nil {
		return nil, fmt.Errorf("csr: make a key: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("csr: make a key: %w", err)
	}
	return key, nil
}

// generate makes a key. Since Go 1.26 the random source is the system's, whatever is passed.
func (t KeyType) generate() (crypto.Signer, error) {
	switch t {
	case RSA2048:
		return signer(rsa.GenerateKey(rand.Reader, 2048))
	case RSA3072:
		return signer(rsa.GenerateKey(rand.Reader, 3072))
	case RSA4096:
		return signer(rsa.GenerateKey(rand.Reader, 4096))
	case P256:
		return signer(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	case P384:
		return signer(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	case Ed25519:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return signer(key, err)
	}
	return nil, fmt.Errorf("unknown key type %d: take a constant such as csr.RSA2048", int(t))
}

// signer returns key as a crypto.Signer that is nil, and not a typed nil, after an error.
func signer(key crypto.Signer, err error) (crypto.Signer, error) {
	if err != nil {
		return nil, err
	}
	return key, nil
}

// String returns "rsa-2048", "rsa-3072", "rsa-4096", "p-256", "p-384" or "ed25519", or "KeyType(9)" for a value that has no
// name.
func (t KeyType) String() string {
	if !t.known() {
		return fmt.Sprintf("KeyType(%d)", int(t))
	}
	return keyTypeNames[t]
}

// MarshalText returns what String does; a value without a name is an error. It implements encoding.TextMarshaler.
func (t KeyType) MarshalText() ([]byte, error) {
	if !t.known() {
		return nil, fmt.Errorf("csr: key type: unknown value %d: take a constant such as csr.RSA2048", int(t))
	}
	return []byte(keyTypeNames[t]), nil
}

// UnmarshalText reads what String returns, exactly; any other text is an error and leaves t as it was. It implements
// encoding.TextUnmarshaler.
func (t *KeyType) UnmarshalText(text []byte) error {
	for i, name := range keyTypeNames {
		if string(text) == name {
			*t = KeyType(i)
			return nil
		}
	}
	return fmt.Errorf("csr: key type: %q: want one of %q", text, keyTypeNames)
}

func (t KeyType) known() bool { return t >= 0 && int(t) < len(keyTypeNames) }
