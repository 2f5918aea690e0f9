package csr

import (
	"context"
	"crypto"
	"fmt"
	"strings"
)

// KeyStore keeps private keys by the PubMD5 of their public keys. A store may be used by many goroutines. Package
// csrtest has the test that every store must pass.
type KeyStore interface {
	// Put keeps key; when it returns nil the key is as durable as the store can make it. It never replaces a key:
	// if there is one of this name, even the very same, the error matches fs.ErrExist. Every store keeps RSA, P-256,
	// P-384 and Ed25519 keys that are in memory; another one that it can't keep matches errors.ErrUnsupported. A nil
	// key, and a name that is not the key's own PubMD5, are errors. Put keeps nothing once ctx has ended before the call.
	Put(ctx context.Context, pubMd5 string, key crypto.Signer) error

	// Get returns the key of that name. The error matches fs.ErrNotExist if, and only if, there is none.
	Get(ctx context.Context, pubMd5 string) (crypto.Signer, error)
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
		return fmt.Errorf("name %s: the key's own is its PubMD5, %s", quote(pubMd5), own)
	}
	return nil
}

// checkName returns an error unless s is 32 lower-case hex digits, which can name nothing outside a directory.
func checkName(s string) error {
	if len(s) != 32 || strings.Trim(s, "0123456789abcdef") != "" {
		return fmt.Errorf("name %s: want a PubMd5, 32 lower-case hex digits", quote(s))
	}
	return nil
}
