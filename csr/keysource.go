package csr

import (
	"context"
	"crypto"
	"fmt"
)

// KeySource hands out keys: a [KeyType] that makes one for each call, a [*Pool] that has some ready, or a caller's own,
// in front of an HSM say. NewKey never returns a nil key without an error. A source may be used by many goroutines.
type KeySource interface {
	NewKey(ctx context.Context) (crypto.Signer, error)
}

// newKey asks source for a key and makes a nil one an error. Those of this package never return one, others do.
func newKey(ctx context.Context, source KeySource) (crypto.Signer, error) {
	if isNil(source) {
		return nil, fmt.Errorf("csr: make a key: the source is a nil %T: give one that makes keys", source)
	}
	key, err := source.NewKey(ctx)
	if err != nil {
		return nil, err
	}
	if isNil(key) {
		return nil, fmt.Errorf("csr: make a key: %T returned a nil key: it must return a key or an error", source)
	}
	return key, nil
}
