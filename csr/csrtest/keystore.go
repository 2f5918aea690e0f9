// Package csrtest tests implementations of the interfaces of package csr.
package csrtest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/cdncsr/cdncsr/csr"
)

// TestKeyStore tests that a csr.KeyStore does what the interface says. newStore returns a new, empty store; it is
// called for each of the subtests, and may clean up with t.Cleanup.
func TestKeyStore(t *testing.T, newStore func(t *testing.T) csr.KeyStore) {
	for _, check := range checks {
		t.Run(check.name, func(t *testing.T) {
			if err := check.run(t.Context(), newStore(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

// checks are what TestKeyStore runs, each with an empty store.
var checks = []struct {
	name string
	run  func(ctx context.Context, store csr.KeyStore) error
}{
	{"MissingKey", missingKey},
}

func missingKey(ctx context.Context, store csr.KeyStore) error {
	key, err := store.Get(ctx, "00000000000000000000000000000000")
	if key != nil || !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("get a key that was never put: %v, %w: want nil and fs.ErrNotExist", key, err)
	}
	return nil
}
